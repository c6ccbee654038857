"""What every test shares: the guard of the list of requirements, and how many run at once."""

from __future__ import annotations

import os

pytest_plugins = ["tests.requirements_guard"]


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as processors: most tests wait for leases, locks and processes."""
    return (os.cpu_count() or 2) * 3 // 2
