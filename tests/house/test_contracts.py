"""Does every import contract bite? Each is broken once, in a copy of the tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, with a second provider where each has a file, and nothing missing."""
    tree = tmp_path_factory.mktemp("tree")
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


@pytest.fixture
def tree(copied: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The copy with one bad line in it, which is taken out again afterwards."""
    breach: Breach = request.param
    module = copied / breach.module
    before = module.read_bytes() if module.exists() else None
    module.write_bytes((before or b"") + f"\n{breach.line}\n".encode())
    yield copied
    if before is None:
        module.unlink()
    else:
        module.write_bytes(before)


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


def test_the_tree_keeps_its_contracts(copied: Path) -> None:
    status, printed = lint(copied)

    assert status == 0, printed


@pytest.mark.parametrize(
    ("tree", "contract"),
    [(breach, breach.contract) for breach in BREACHES],
    ids=[f"{breach.module}: {breach.line}" for breach in BREACHES],
    indirect=["tree"],
)
def test_a_bad_import_breaks_its_contract(tree: Path, contract: str) -> None:
    status, printed = lint(tree)

    assert status == 1, printed
    assert f"{contract} BROKEN" in printed


def test_every_contract_is_broken_once() -> None:
    assert {breach.contract for breach in BREACHES} == set(CONTRACTS)
