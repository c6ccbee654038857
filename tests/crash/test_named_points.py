"""Does every I/O of the path pass a named point? What speaks elsewhere stands here with its reason.

The words by which a library speaks are asked of the library, so that no new one is forgotten; and
mypy --strict makes everyone who holds such an object import its type, so that nobody hides.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from typing import Final

import pytest
from arq import Worker
from arq.connections import ArqRedis
from redis.asyncio.connection import Connection, ConnectionPool

from tests.house.tree import dotted, imported, modules

LIBRARIES: Final = (
    *("aiohappyeyeballs", "arq", "redis"),
    *("infra.functions", "infra.functions.calls", "infra.http.lines"),
)
SPEAKERS: Final = (ArqRedis, Worker, Connection, ConnectionPool)
HANG_UP: Final = {"aclose", "close", "disconnect", "release"}
OURS: Final = {"command", "load", "carry", "start_connection", "create_connection"}
WORDS: Final = {*OURS, *(word for one in SPEAKERS for word in dir(one))} - HANG_UP
"""All that these objects can be told, what we made of it, and how a line of HTTP speaks."""
OTHER_WAYS: Final = {
    *("httpx.AsyncClient", "httpx.Client", "httpx.get", "httpx.post", "httpx.request"),
    *("asyncio.open_connection", "asyncio.open_unix_connection", "asyncio.start_server"),
    *("urllib.request.urlopen", "http.client.HTTPConnection", "smtplib.SMTP"),
}
NOT_OF_THE_PATH: Final = ("infra/sandbox/", "infra/cli/")
OUTSIDE: Final = {
    "infra/condition.py": {
        "look": "asks how full the store is, over a line of its own; nothing hangs on the answer",
    },
    "infra/functions/__init__.py": {
        "command": "is what its callers pass their points with",
        "load": "comes before the first claim, or inside the point of the call that found nothing",
    },
    "infra/functions/calls.py": {
        "_dial": "for the calls of many points, each of which awaits its own answer",
        "_pick_up": "likewise",
    },
    "infra/http/dialling.py": {"open": "called inside the point of Wire.call"},
    "infra/http/wire.py": {"over": "likewise"},
    "infra/lanes/commits.py": {
        "_send": "carries the commits of many points, each of which awaits its own answer",
    },
    "infra/lanes/engine.py": {
        "wait": "our own word: Turns.wait, which passes store.wait",
    },
    "infra/lanes/posting.py": {
        "_enter": "waits for an event of its own process",
        "_send": "carries the posts of many points, each of which awaits its own answer",
    },
    "infra/lanes/turns.py": {
        "ring": "a hint, written behind the commit or post that it tells of; one that is lost"
        " costs 2 s (tests/store/test_turns.py)",
        "settle": "likewise, behind a claim",
    },
    "infra/store/opening.py": {"open_store": "comes before the first claim"},
    "infra/valkey.py": {
        "ready": "comes before the first claim",
        "inspect": "comes before the first claim, or tells only whether we are ready",
        "_config": "likewise",
    },
    "workers/main.py": {
        "_leave_when_done": "waits for an event of its own process",
        "_supervise": "arq's own: what it loses is enqueued again, and it is built anew"
        " (tests/workers/test_terms.py)",
    },
}


def speaks(node: ast.AST) -> bool:
    """Whether something of a library's is awaited here, or entered."""
    match node:
        case ast.Await(value=ast.Call(func=func)):
            whose, _, word = dotted(func).rpartition(".")
            return word in WORDS and whose != "asyncio"
        case ast.AsyncWith(items=items):
            calls = (one.context_expr for one in items)
            return any(isinstance(one, ast.Call) and speaks(ast.Await(one)) for one in calls)
        case ast.Call(func=ast.Attribute(value=value, attr=attr)):
            return attr == "send" and dotted(value).endswith("calls")  # without an `await`
        case _:
            return False


def is_point(node: ast.AST) -> bool:
    match node:
        case ast.AsyncWith(items=items):
            calls = (one.context_expr for one in items)
            return any(isinstance(one, ast.Call) and dotted(one.func) == "point" for one in calls)
        case _:
            return False


def outside(node: ast.AST, function: str = "") -> Iterator[str]:
    """The functions below this node that speak outside a point."""
    for child in ast.iter_child_nodes(node):
        if speaks(child):
            yield function
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from outside(child, name)
            case _ if not is_point(child):
                yield from outside(child, function)
            case _:  # inside a point everything may speak
                pass


def could_speak(module: ast.Module) -> bool:
    return any(name.split(".")[0] in LIBRARIES or name in LIBRARIES for name in imported(module))


def path() -> Iterator[tuple[str, ast.Module]]:
    return (
        (name, module)
        for name, module in modules("schemas", "infra", "webhooks", "workers")
        if not name.startswith(NOT_OF_THE_PATH)
    )


def test_all_io_of_the_path_passes_a_named_point_or_stands_here_with_its_reason() -> None:
    found = {name: set(outside(module)) for name, module in path() if could_speak(module)}

    assert {name: some for name, some in found.items() if some} == {
        name: set(reasons) for name, reasons in OUTSIDE.items()
    }


def test_nobody_speaks_in_other_ways() -> None:
    ways = {
        f"{name}: {dotted(node)}"
        for name, module in path()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and dotted(node) in OTHER_WAYS
    }

    assert ways == set()


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("await self._client.incr('tries')", ["act"]),
        ("await line.carry(request, answer)", ["act"]),
        ("async with self._client.pipeline() as line: pass", ["act"]),
        ("self._calls.send('ring', [], [])", ["act"]),
        ("async with asyncio.timeout(1): await pool.enqueue_job('serve')", ["act"]),
        ("async with point('store.tries'): await self._client.incr('tries')", []),
        ("await asyncio.sleep(1)", []),
    ],
)
def test_io_outside_a_point_is_seen(body: str, seen: list[str]) -> None:
    module = ast.parse(f"async def act(self):\n{textwrap.indent(body, '    ')}")

    assert list(outside(module)) == seen
