"""`make chaos EVENTS=… KILLS=…`: exactly one conference and no lost callback, through all of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from tests.chaos.chaos import run, table
from tests.chaos.storm import Plan

PLAN: Final = {"events": 3000, "kills": 60, "pauses": 0, "seed": 1}
"""A pause freezes a worker for longer than its leases."""


def main() -> None:
    """Run one storm and print its figures; exit 1 if anything is not as promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    for name, value in PLAN.items():
        parser.add_argument(f"--{name}", type=int, default=int(os.environ.get(name.upper(), value)))
    parser.add_argument("--every", type=float, default=1.2, help="seconds between two misfortunes")
    parser.add_argument("--log", type=Path, help="where to keep what the processes said")
    parser.add_argument("--name", default="F1", help="the row of RESULTS.md")
    asked = parser.parse_args()
    plan = Plan(asked.events, asked.kills, asked.pauses, asked.every, asked.seed)
    counted = asyncio.run(run(plan, asked.log))
    print(table(plan, counted, asked.name))
    if violations := counted.violations():
        sys.exit("\n".join(violations))


if __name__ == "__main__":
    main()
