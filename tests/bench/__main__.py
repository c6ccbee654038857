"""Our figures beside what they are measured against: `python -m tests.bench [NAME …] [--json]`.

Without a name all of them run, and the results page is written. With `--json` the last line is one
JSON object: of one bench its figures and, under `raw`, what they come from; of several, by name.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tests.bench import (
    burst,
    callbacks,
    door,
    engine,
    fanout,
    growth,
    hops,
    instructions,
    isolation,
    latency,
    memory,
    page,
    replay,
    scaling,
    sizing,
)

Bench = Callable[[], Awaitable[dict[str, Any]]]
BENCHES: Final[Mapping[str, Bench]] = {
    "door": door.measure,
    "burst": burst.measure,
    "engine": engine.measure,
    "callbacks": callbacks.measure,
    "isolation": isolation.measure,
    "fanout": fanout.measure,
    "replay": replay.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "growth": growth.measure,
    "hops": hops.measure,
    "scaling": scaling.measure,
    "sizing": sizing.measure,
    "instructions": instructions.measure,
}


def main() -> None:
    """Run what is named, or all; print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    asked = parser.parse_args()
    if strange := set(asked.names) - BENCHES.keys():
        parser.error(f"no such bench: {', '.join(sorted(strange))}")
    figures: dict[str, dict[str, Any]] = {}
    for name in asked.names or BENCHES:
        print(f"{name} …", flush=True)
        figures[name] = asyncio.run(_run(name))
    if asked.json:
        print(json.dumps(next(iter(figures.values())) if len(asked.names) == 1 else figures))
        return
    print(json.dumps(figures, indent=1))
    print(page.table(figures))
    if not asked.names:
        print(f"\nwritten: {page.write(figures)}")


async def _run(name: str) -> dict[str, Any]:
    return await BENCHES[name]()


if __name__ == "__main__":
    main()
