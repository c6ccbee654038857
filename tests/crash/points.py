"""Which points are there at the providers, and which of them does the story of a worker pass?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from schemas.providers import PROVIDERS
from tests.house.tree import dotted, modules

CALLS: Final = ("_call", "_get", "call")
"""How a client names its operations; the folder is the vendor."""
ON_DEMAND: Final = "asked for by a person at a desk, who is told when no answer came"
NOT_IN_THE_STORY: Final = {
    f"goto.{operation}": ON_DEMAND
    for operation in (
        *("attendees", "groups", "start", "organizers", "organizer"),
        *("invite", "change_organizer", "remove_organizer"),
    )
} | {
    "graph.keys": "notifications carry no content in it; without the keys they are plain hints",
    "graph.subscriptions": "asked only when a channel of ours was lost sight of",
}
"""The rest is passed in every run."""


def in_code() -> set[str]:
    """Every point at a provider that the code names."""
    named = {
        name
        for path, module in modules("workers/providers")
        for name in _named(module, path.split("/")[2])
    }
    oauths = [row for row in PROVIDERS.values() if row.oauth is not None]
    named |= {f"{row.name}.{what}" for row in oauths for what in ("exchange", "refresh")}
    return named | {f"{row.name}.revoke" for row in oauths if row.urls.revoke}


def of_the_story() -> set[str]:
    """Those that a run must pass."""
    return in_code() - set(NOT_IN_THE_STORY)


def _named(module: ast.Module, vendor: str) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
                word = dotted(func).rpartition(".")[2]
                if word in CALLS:
                    yield f"{vendor}.{name}"
                elif word == "Asking":
                    yield name
            case ast.keyword(arg="name", value=ast.Constant(value=str(name))):
                yield name
            case _:
                pass
