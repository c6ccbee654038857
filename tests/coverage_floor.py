"""Is enough of each part of the house covered by tests, branches included?

Reads the data that `pytest --cov` has left and prints what is missing where a floor is not reached.
"""

from __future__ import annotations

import io
import sys
from typing import Final, NamedTuple

from coverage import Coverage
from coverage.exceptions import NoDataError


class Area(NamedTuple):
    """A part of the house and the percentage of its lines and branches that tests must reach."""

    floor: int
    include: str
    omit: str | None = None


AREAS: Final = (
    Area(100, "schemas/*"),
    Area(100, "workers/domain/*"),
    Area(95, "infra/*"),
    Area(95, "webhooks/*"),
    Area(95, "workers/*", omit="workers/domain/*"),
)


def reached(area: Area, data: Coverage, report: io.StringIO) -> float:
    """Percentage covered, as coverage counts it; its table of gaps goes into `report`."""
    return data.report(file=report, include=area.include, omit=area.omit, precision=2)


def main() -> int:
    """Print a line per area and the gaps of those below their floor; return how many these are."""
    data = Coverage()
    data.load()
    failed = 0
    for area in AREAS:
        report = io.StringIO()
        try:
            percent = reached(area, data, report)
        except NoDataError:
            percent = 0.0
        print(f"{area.include:<18} {percent:6.2f} %  (floor {area.floor} %)")
        if percent < area.floor:
            failed += 1
            print(report.getvalue())
    return failed


if __name__ == "__main__":
    sys.exit(main())
