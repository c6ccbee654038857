"""What every test shares: the guard of the list of requirements, and how many run at once."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["tests.requirements_guard"]


@pytest.hookimpl(optionalhook=True)  # tests of the guard run without that plugin
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as processors: most tests wait for leases, locks and processes."""
    return (os.cpu_count() or 2) * 3 // 2
