"""Which file begins first?"""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest, so that the others are run beside it and it is not waited for alone."""
    items.sort(key=lambda item: "tests/crash/test_points.py" not in item.nodeid)
