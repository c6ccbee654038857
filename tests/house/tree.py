"""Which files are the project's? The walks that the tests of the house share."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("schemas", "infra", "webhooks", "workers")


def files(*tops: str, pattern: str = "*.py") -> Iterator[tuple[str, Path]]:
    """Every file below these folders, with its path as the project writes it."""
    for top in tops:
        for path in sorted((ROOT / top).rglob(pattern)):
            yield path.relative_to(ROOT).as_posix(), path


def modules(*tops: str) -> Iterator[tuple[str, ast.Module]]:
    """Every Python module below these folders, parsed."""
    for name, path in files(*tops):
        yield name, ast.parse(path.read_text(encoding="utf-8"), name)


def imported(module: ast.Module) -> Iterator[str]:
    """Every module that it imports, anywhere in it, under its absolute name."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name
            case _:
                pass


def dotted(node: ast.expr) -> str:
    """The name that an expression spells, such as `os.environ`, or nothing."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case _:
            return ""
