"""Does the code keep the rules that no linter knows: who reads what, how long a piece is?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house import tree

LONGEST_FILE = 300
LONGEST_FUNCTION = 40

# A longer one needs an entry here: what makes it better in one piece. Unneeded entries fail too.
LONG_FILES: dict[str, str] = {
    "tests/machines/test_wire.py": "every way a call can end, read as one table",
    "tests/store/test_lanes.py": "what a lane promises, one promise after the other",
    "tests/store/test_machine.py": "one oracle and its rules belong together",
}
LONG_FUNCTIONS: dict[str, str] = {
    "tests/machines/peer.py:peer": "one misbehaviour a branch, read as a table",
}

CLOCK = ("now", "today", "utcnow")
CHANCE = ("uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4")


def long_files() -> Iterator[str]:
    for pattern in ("*.py", "*.lua"):
        for name, path in tree.files(*tree.PRODUCT, "tests", pattern=pattern):
            if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE:
                yield name


def long_functions() -> Iterator[str]:
    for name, module in tree.modules(*tree.PRODUCT, "tests"):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    yield f"{name}:{node.name}"


def spelled(module: ast.Module) -> set[str]:
    """Every dotted name that it reads or calls."""
    return {tree.dotted(node) for node in ast.walk(module) if isinstance(node, ast.expr)}


def reads_environment(module: ast.Module) -> bool:
    names = spelled(module)
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            names |= {f"os.{alias.name}" for alias in node.names}
    return bool(names & {"os.environ", "os.environb", "os.getenv"})


def asks_clock_or_dice(module: ast.Module) -> bool:
    return any(
        name in CHANCE or name.rpartition(".")[2] in CLOCK
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and (name := tree.dotted(node.func))
    )


def speaks_redis(module: ast.Module) -> bool:
    return any(name.partition(".")[0] in ("redis", "hiredis") for name in tree.imported(module))


def test_long_files_have_a_reason() -> None:
    assert sorted(long_files()) == sorted(LONG_FILES)


def test_long_functions_have_a_reason() -> None:
    assert sorted(long_functions()) == sorted(LONG_FUNCTIONS)


def test_only_settings_reads_the_environment() -> None:
    readers = {name for name, module in tree.modules(*tree.PRODUCT) if reads_environment(module)}

    assert readers <= {"infra/settings.py"}


def test_language_and_decisions_ask_no_clock_and_no_dice() -> None:
    pure = tree.modules("schemas", "workers/domain")

    assert [name for name, module in pure if asks_clock_or_dice(module)] == []


def test_only_infra_speaks_redis_and_the_sandbox_does_not() -> None:
    speakers = [name for name, module in tree.modules(*tree.PRODUCT) if speaks_redis(module)]

    assert [
        name
        for name in speakers
        if not name.startswith("infra/") or name.startswith("infra/sandbox/")
    ] == []


def test_the_sandbox_imports_nothing_of_ours() -> None:
    strangers = {
        (name, wanted)
        for name, module in tree.modules("infra/sandbox")
        for wanted in tree.imported(module)
        if wanted.partition(".")[0] in tree.PRODUCT and not wanted.startswith("infra.sandbox")
    }

    assert strangers == set()


def test_every_module_says_what_it_answers() -> None:
    silent = [name for name, module in tree.modules(*tree.PRODUCT) if not ast.get_docstring(module)]

    assert silent == []


def test_these_rules_bite() -> None:
    assert reads_environment(ast.parse("from os import getenv"))
    assert reads_environment(ast.parse("import os\nhome = os.environ['HOME']"))
    assert asks_clock_or_dice(ast.parse("datetime.now(UTC)"))
    assert asks_clock_or_dice(ast.parse("from uuid import uuid4\nuuid4()"))
    assert speaks_redis(ast.parse("def later():\n    from redis.asyncio import Redis"))
    assert not asks_clock_or_dice(ast.parse("decide(seen, now)"))
