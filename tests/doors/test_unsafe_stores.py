"""DESIGN §9: at start the program checks a store that others set up, and says what is unsafe."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli.keyfiles import KeyFiles
from infra.cli.ports import free_ports
from tests.doors.elsewhere import serving
from tests.doors.house import TIELINE, House, outer_environment, up

ENDS_WITHIN_S = 90
UNSAFE = {"appendonly": "no", "maxmemory-policy": "allkeys-lru"}
WHY = (
    "The store keeps nothing when it restarts. Set appendonly yes.",
    "The store throws away data when it is full (allkeys-lru). Set maxmemory-policy noeviction.",
)
LOSSY = "may lose the last second of what it acknowledged"
MODULES = {"receiver": "webhooks.receiver", "api": "webhooks.app", "worker": "workers"}


@pytest.fixture(scope="module")
def unsafe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a store that keeps nothing and throws away what it has no room for."""
    with serving(tmp_path_factory.mktemp("unsafe") / "store", UNSAFE) as port:
        yield f"redis://127.0.0.1:{port}/0"


def ended(command: list[str], data_dir: Path, **settings: str) -> str:
    """All that it says before it ends with a failure."""
    names = ("RECEIVER", "API", "WORKER")
    ports = {
        f"TIELINE_{name}_PORT": str(port) for name, port in zip(names, free_ports(3), strict=True)
    }
    environment = {**outer_environment(), **ports, "TIELINE_DATA_DIR": str(data_dir), **settings}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("name", MODULES)
def test_no_process_works_with_a_store_that_loses_what_it_was_given(
    tmp_path: Path, unsafe: str, name: str
) -> None:
    keys = KeyFiles(tmp_path / "keys")
    keys.make_missing()
    command = [sys.executable, "-m", MODULES[name]]

    said = ended(command, tmp_path, TIELINE_VALKEY_URL=unsafe, **keys.environment(name))

    (last,) = (line for line in said.splitlines() if line.startswith(f"{name}: "))
    assert all(words in last for words in WHY)


def test_the_one_command_ends_and_says_which_process_would_not_and_why(
    tmp_path: Path, unsafe: str
) -> None:
    data_dir = tmp_path / "var"
    command = [str(TIELINE), "up", "--data-dir", str(data_dir)]

    said = ended(command, data_dir, TIELINE_VALKEY_URL=unsafe)

    assert all(words in said for words in WHY)
    assert "ended before all was ready. Its lines above say why." in said


def test_what_is_only_doubtful_is_said_by_each_process_at_its_start(
    tmp_path: Path, sandbox_url: str
) -> None:
    with serving(tmp_path / "store", {"appendfsync": "everysec"}) as port:
        url = f"redis://127.0.0.1:{port}/0"
        with up(tmp_path / "var", sandbox_url, {"TIELINE_VALKEY_URL": url}) as house:
            told = doubters(house)

    assert told == set(MODULES)


def doubters(house: House) -> set[str]:
    """The processes that warn of the store, when all of them do or 30 s are over."""
    until = time.monotonic() + 30
    while True:
        lines = house.said().splitlines()
        told = {line.partition(":")[0] for line in lines if LOSSY in line}
        if told == set(MODULES) or time.monotonic() > until:
            return told
        time.sleep(0.1)
