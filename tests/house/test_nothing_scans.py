"""Does anything of ours look through the store? What does grows with it, and blocks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.house import tree

COMMANDS: Final = frozenset(
    ("KEYS", "SCAN", "SORT", "SMEMBERS", "SSCAN", "HSCAN", "HKEYS", "HVALS", "ZSCAN")
)
"""They read all keys, or all of one that grows with tenants, meetings or callbacks."""
WORDS: Final = frozenset(f"{one.lower()}{end}" for one in COMMANDS for end in ("", "_iter"))
REASONS: Final = {
    "infra/store/accounts.py SMEMBERS": "who linked one vendor's account: a few tenants",
    "infra/store/index.py HSCAN": "a page at a time; who asks for all says how many at most, or"
    " reads the books of one connection or tenant beside the work on them",
}


def in_python(module: ast.Module) -> Iterator[str]:
    """The commands that a module spells or calls."""
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(word)) if word in COMMANDS:
                yield word
            case ast.Call(func=ast.Attribute(attr=word, value=ast.Name() | ast.Attribute())) if (
                word in WORDS - {"keys", "sort"}  # a dict has keys, a list is sorted
            ):
                yield word.removesuffix("_iter").upper()


def in_lua(source: str) -> Iterator[str]:
    """The commands that a function calls."""
    yield from (one for one in re.findall(r"'([A-Z]+)'", source) if one in COMMANDS)


def test_nothing_looks_through_the_store_but_for_a_reason() -> None:
    found = {f"{name} {word}" for name, module in modules() for word in in_python(module)}
    for name, path in tree.files("infra/functions", pattern="*.lua"):
        found |= {f"{name} {word}" for word in in_lua(path.read_text(encoding="utf-8"))}

    assert found == REASONS.keys()


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Of the product; the sandbox has no store."""
    for name, module in tree.modules(*tree.PRODUCT):
        if not name.startswith("infra/sandbox/"):
            yield name, module


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('read("all", "KEYS", "*")', "KEYS"),
        ("client.scan_iter(match=pattern)", "SCAN"),
        ("self.client.smembers(place)", "SMEMBERS"),
    ],
)
def test_what_looks_through_the_store_would_be_seen(text: str, command: str) -> None:
    assert list(in_python(ast.parse(text))) == [command]
    assert list(in_lua(f"redis.call('{command}', KEYS[1])")) == [command]
