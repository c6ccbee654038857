"""What does `tieline up` say when something is in its way? A sentence, and no traceback."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from infra.cli.keyfiles import KeyFiles
from infra.cli.ports import free_ports
from tests.doors.house import TIELINE, outer_environment, up

ENDS_WITHIN_S = 90


def refused(data_dir: Path, **settings: str) -> str:
    """All that it says before it ends with a failure."""
    names = ("RECEIVER", "API", "WORKER")
    ports = {
        f"TIELINE_{name}_PORT": str(port) for name, port in zip(names, free_ports(3), strict=True)
    }
    ended = subprocess.run(
        [str(TIELINE), "up", "--data-dir", str(data_dir)],
        env={**outer_environment(), **ports, **settings},
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    return said


def test_a_setting_that_is_none_is_named_without_its_value(tmp_path: Path) -> None:
    said = refused(tmp_path / "var", TIELINE_API_PORT="a-secret-perhaps")

    assert "TIELINE_API_PORT: Input should be a valid integer" in said
    assert "a-secret-perhaps" not in said


def test_a_place_that_cannot_hold_files_is_named(tmp_path: Path) -> None:
    place = tmp_path / "var"
    place.touch()

    assert f"{place} cannot hold our keys" in refused(place)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = refused(tmp_path / "var", TIELINE_API_PORT=str(port))

    assert "address already in use" in said
    assert str(port) in said


def test_a_key_that_others_may_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path / "var" / "keys")
    keys.make_missing()
    keys.private("vault").chmod(0o644)

    assert f"chmod 600 {keys.private('vault')}" in refused(tmp_path / "var")


def test_a_worker_without_its_keys_says_which_files_it_needs(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "workers"],
        env={**outer_environment(), "TIELINE_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("worker: A worker needs TIELINE_VAULT_PRIVATE_KEY_FILE")
    assert "Traceback" not in ended.stderr


def test_a_lost_public_key_is_made_again_from_its_private_half(
    tmp_path: Path, sandbox_url: str
) -> None:
    keys = KeyFiles(tmp_path / "var" / "keys")
    keys.make_missing()
    before = keys.public("vault").read_text()
    keys.public("vault").unlink()

    with up(tmp_path / "var", sandbox_url) as house:
        house.command.send_signal(signal.SIGTERM)
        house.command.wait(ENDS_WITHIN_S)

    assert keys.public("vault").read_text() == before
