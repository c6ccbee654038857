"""Is a provider a row and a file per folder? No decision of ours asks for GoTo by its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ITS_OWN = (
    "schemas/providers.py",
    "schemas/wire/goto",
    "webhooks/sources/goto.py",
    "workers/providers/",
    "infra/sandbox/",
)


def names_it(path: Path) -> bool:
    """Whether a string of the module is the provider's name; words for people do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "goto" in strings


def modules() -> Iterator[Path]:
    for package in ("schemas", "infra", "webhooks", "workers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.relative_to(ROOT).as_posix().startswith(ITS_OWN):
                yield path


def test_nothing_but_its_row_and_its_folders_names_goto() -> None:
    assert [path.name for path in modules() if names_it(path)] == []


def test_its_own_folders_do_name_it() -> None:
    """Else the test above could not fail."""
    assert names_it(ROOT / "schemas/providers.py")
    assert names_it(ROOT / "workers/providers/goto/client.py")
