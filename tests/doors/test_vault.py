"""B-15: the processes that face the internet cannot open provider credentials."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from infra import embedded, valkey
from infra.cli.ports import free_ports
from infra.seal import KeyRing, Unsealable
from infra.settings import Settings
from infra.store import open_store
from schemas.connections import Client, Tokens
from schemas.seals import Sealed
from tests.doors.house import House, outer_environment
from tests.doors.house import playing as vendors_played
from tests.doors.play import Play, playing, until

DOORS = ("webhooks.receiver", "webhooks.app")
WORKER = "workers"


def key_files(process: psutil.Process) -> list[Path]:
    """Every key file that a process was given."""
    told = process.environ().items()
    return [Path(value) for name, value in told if name.endswith("_KEY_FILE")]


def rings(process: psutil.Process) -> list[KeyRing]:
    """What a process can open with: its private keys."""
    return [KeyRing.load(path) for path in key_files(process) if path.suffix == ".private"]


async def credentials(play: Play, client: str, connection: str) -> dict[str, str]:
    """Everything sealed that leads to a vendor's account, by the context it was sealed for. The
    doors can read the store: it is opened as they open it."""
    settings = Settings(data_dir=play.house.data_dir)
    async with open_store(settings) as store:
        tokens = await store.documents.get(play.tenant, Tokens, connection)
        ours = await store.documents.get(play.tenant, Client, client)
    assert tokens is not None
    assert tokens.refresh_sealed is not None
    assert ours is not None
    return {
        Sealed.ACCESS_TOKEN.of(play.tenant, connection): tokens.access_sealed,
        Sealed.REFRESH_TOKEN.of(play.tenant, connection): tokens.refresh_sealed,
        Sealed.CLIENT_SECRET.of(play.tenant, client): ours.secret_sealed,
    }


def opened(ring: KeyRing, sealed: dict[str, str]) -> list[bytes]:
    """What a key ring makes of them."""
    plain = []
    for context, box in sealed.items():
        try:
            plain.append(ring.open(box, context=context))
        except Unsealable:
            continue
    return plain


async def test_b15_no_key_that_a_door_holds_opens_a_credential_and_the_workers_key_does(
    play: Play,
) -> None:
    client = await play.client()
    linked = await play.link(client, await play.account())
    sealed = await credentials(play, client["id"], linked["connection"])

    doors = [ring for name in DOORS for ring in rings(play.house.process(name))]
    (vault,) = rings(play.house.process(WORKER))

    assert len(doors) == 1  # the receiver's, for the secrets that vendors sign with
    assert [opened(ring, sealed) for ring in doors] == [[]]
    assert len(opened(vault, sealed)) == len(sealed)


@pytest.mark.parametrize("door", DOORS)
def test_b15_a_door_is_named_no_file_of_the_workers(house: House, door: str) -> None:
    theirs = {path for path in key_files(house.process(WORKER)) if path.suffix != ".public"}
    named = " ".join(house.process(door).environ().values())

    assert len(theirs) == 2  # the vault's private key, and the key of our references
    assert [path for path in theirs if str(path) in named] == []


@contextmanager
def doors_elsewhere(house: House, home: Path) -> Iterator[str]:
    """Both doors once more, where the workers' keys are not even on the disk. Gives the API."""
    keys = home / "keys"
    keys.mkdir(parents=True)
    for name in ("vault.public", "door.public", "door.private"):
        shutil.copy2(house.data_dir / "keys" / name, keys / name)
    receiver, api = free_ports(2)
    environment = {
        **outer_environment(),
        **vendors_played(house.sandbox),
        "TIELINE_DATA_DIR": str(home),
        "TIELINE_VALKEY_URL": f"unix://{embedded.socket_of(house.data_dir)}",
        "TIELINE_RECEIVER_PORT": str(receiver),
        "TIELINE_API_PORT": str(api),
        "TIELINE_PUBLIC_URL": house.api,
        "TIELINE_RECEIVER_URL": f"http://127.0.0.1:{receiver}",
    }
    given = {
        DOORS[0]: {"TIELINE_DOOR_PRIVATE_KEY_FILE": str(keys / "door.private")},
        DOORS[1]: {"TIELINE_ADMIN_KEY": house.admin_key},
    }
    started = [
        subprocess.Popen([sys.executable, "-m", name], env={**environment, **own})
        for name, own in given.items()
    ]
    try:
        yield f"http://127.0.0.1:{api}"
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


async def test_b15_doors_without_the_workers_keys_on_their_disk_do_all_that_doors_do(
    house: House, tmp_path: Path
) -> None:
    with doors_elsewhere(house, tmp_path / "doors") as api:
        async with httpx.AsyncClient(base_url=api, trust_env=False) as client:
            await until(lambda: _answers(client))
        async with playing(house, api=api) as play:
            _, zoom = await play.zoom()
            await play.ask("one", {"connection": zoom})
            made = await play.meeting("one", "provisioned")

    assert made["provider"] == "zoom"


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.TransportError:
        return False


async def test_a_store_that_is_read_whole_shows_no_credential_in_clear(play: Play) -> None:
    client = await play.client()
    linked = await play.link(client, await play.account())
    (vault,) = rings(play.house.process(WORKER))
    secrets = opened(vault, await credentials(play, client["id"], linked["connection"]))

    line = valkey.connect(Settings(data_dir=play.house.data_dir))
    await line.execute_command("WAITAOF", 1, 0, 1000)
    await line.aclose()
    files = (play.house.data_dir / "valkey").rglob("*.aof")
    stored = b"".join(path.read_bytes() for path in files)

    assert len(secrets) == 3
    assert [secret for secret in secrets if secret in stored] == []
