"""In which order do the files begin?"""

from __future__ import annotations

from typing import Final

import pytest

FIRST: Final = ("test_points.py", "test_outages.py", "test_slow_senders.py")
"""The longest two, side by side; and a short one, for each process is given two files at once, and
the second waits for the first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """So that no long file is waited for alone."""
    places = {f"tests/crash/{name}": place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))
