"""Does every import contract bite? Each is broken once, in a copy of the tree."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "infra", "webhooks", "workers")
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
]

HOUSE, HANDS, PURE, CLIENTS, SOURCES, VENDORS, WIRE, DOOR, REDIS, ARQ, SANDBOX, STARTER = CONTRACTS


class Breach(NamedTuple):
    """A line that breaks a contract, and the module that it is written into."""

    contract: str
    module: str
    line: str


BREACHES = [
    Breach(HOUSE, "schemas/records.py", "import infra.errors"),
    Breach(HOUSE, "infra/errors.py", "import webhooks"),
    Breach(HOUSE, "infra/errors.py", "import workers.domain"),
    Breach(HOUSE, "webhooks/breach.py", "import workers.domain"),
    Breach(HOUSE, "workers/jobs/breach.py", "import webhooks.sources"),
    Breach(HANDS, "workers/domain/breach.py", "import workers.ports"),
    Breach(HANDS, "workers/ports.py", "import workers.providers"),
    Breach(HANDS, "workers/providers/breach.py", "import workers.runtime"),
    Breach(HANDS, "workers/providers/breach.py", "import workers.execute"),
    Breach(HANDS, "workers/execute.py", "import workers.jobs"),
    Breach(HANDS, "workers/jobs/breach.py", "import workers.main"),
    Breach(PURE, "schemas/records.py", "import time"),
    Breach(PURE, "schemas/wire/breach.py", "from os import path"),
    Breach(PURE, "workers/domain/breach.py", "from random import random"),
    Breach(PURE, "workers/domain/breach.py", "import httpx"),
    Breach(PURE, "workers/domain/breach.py", "import asyncio"),
    Breach(CLIENTS, "workers/providers/breach.py", "import workers.providers.other"),
    Breach(SOURCES, "webhooks/sources/breach.py", "import webhooks.sources.other"),
    Breach(VENDORS, "schemas/wire/breach.py", "import schemas.wire.other"),
    Breach(WIRE, "workers/jobs/breach.py", "import schemas.wire.other"),
    Breach(WIRE, "infra/errors.py", "import schemas.wire.other"),
    Breach(DOOR, "webhooks/receiver.py", "import webhooks.api"),
    Breach(DOOR, "webhooks/receiver.py", "import webhooks.connect"),
    Breach(DOOR, "webhooks/sources/breach.py", "import webhooks.receiver"),
    Breach(REDIS, "webhooks/receiver.py", "import redis.asyncio"),
    Breach(REDIS, "workers/main.py", "from redis import Redis"),
    Breach(ARQ, "workers/jobs/breach.py", "import arq"),
    Breach(ARQ, "webhooks/api/breach.py", "from arq.connections import ArqRedis"),
    Breach(SANDBOX, "infra/sandbox/breach.py", "import infra.errors"),
    Breach(SANDBOX, "infra/sandbox/breach.py", "from schemas import records"),
    Breach(STARTER, "infra/errors.py", "import infra.sandbox"),
    Breach(STARTER, "webhooks/breach.py", "import infra.sandbox"),
]

TARGETS = (
    "webhooks/receiver.py",
    "workers/execute.py",
    "workers/main.py",
    "workers/ports.py",
    "workers/runtime.py",
)


def copied(tree: Path) -> Path:
    """A copy of the tree, with a second provider where each has a file, and nothing missing."""
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for folder in ("workers/providers", "webhooks/sources", "schemas/wire"):
        (tree / folder / "other.py").touch()
    for module in TARGETS:
        (tree / module).touch()
    return tree


class Broken(NamedTuple):
    """A tree with every bad line in it."""

    lines: dict[Breach, int]
    said: dict[str, str]
    """Contract -> what is said of it."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    tree = copied(tmp_path_factory.mktemp("tree"))
    lines: dict[Breach, int] = {}
    for breach in BREACHES:
        with (tree / breach.module).open("a+") as module:
            module.seek(0)
            lines[breach] = len(module.readlines()) + 1
            module.write(f"{breach.line}\n")
    status, printed = lint(tree)
    assert status == 1
    parts = re.split(r"^(.+)\n-+\n", printed.partition("Broken contracts")[2], flags=re.MULTILINE)
    return Broken(lines, dict(zip(parts[1::2], parts[2::2], strict=True)))


def lint(tree: Path) -> tuple[int, str]:
    """Check all contracts there; return the exit status and what was printed."""
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as check; check()",
            "--no-cache",
        ],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_the_tree_keeps_its_contracts(tmp_path: Path) -> None:
    status, printed = lint(copied(tmp_path))

    assert status == 0, printed


@pytest.mark.parametrize(
    "breach", BREACHES, ids=[f"{breach.module}: {breach.line}" for breach in BREACHES]
)
def test_a_bad_import_breaks_its_contract(broken: Broken, breach: Breach) -> None:
    """All stand there at once; each is named where its contract is, by itself, with its line."""
    importer = breach.module.removesuffix(".py").replace("/", ".")

    named = rf"^- +{importer} -> \S+ \(l\.{broken.lines[breach]}\)$"

    assert re.search(named, broken.said[breach.contract], re.MULTILINE)


def test_every_contract_is_broken_once() -> None:
    assert {breach.contract for breach in BREACHES} == set(CONTRACTS)
