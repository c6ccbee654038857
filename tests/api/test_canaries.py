"""Planted secrets: none comes out in an answer, a log line or the store."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra import valkey
from infra.settings import Settings
from schemas.providers import Role
from tests.api.stage import ADMIN, MEETING, DeskWorker, LinkUp
from tests.api.test_link import asked_of, come_back
from tests.logged import logged

CANARY = "canary7h3s3cr3t"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    with logged(level="debug") as out:
        yield out


async def everything_stored(settings: Settings, home: Path) -> bytes:
    """The append-only files hold every write there ever was."""
    store = valkey.connect(settings)
    await store.execute_command("WAITAOF", 1, 0, 1000)
    await store.aclose()
    return b"".join(path.read_bytes() for path in (home / "valkey").rglob("*") if path.is_file())


async def give_secrets(partner: httpx.AsyncClient) -> tuple[str, list[httpx.Response]]:
    """Everywhere where one may be given, rightly or not; the client's id, and all answers."""
    said: list[httpx.Response] = []
    registered = await partner.post(
        "/v1/clients",
        json={
            "provider": "zoom",
            "client_id": "ours",
            "secret": CANARY,
            "webhook_secret": CANARY,
        },
    )
    said.append(registered)
    client = registered.json()["id"]
    said += [
        await partner.put(f"/v1/clients/{client}/secret", json={"secret": CANARY}),
        await partner.put(f"/v1/clients/{client}/webhook-secret", json={"secret": CANARY}),
        await partner.put(f"/v1/clients/{client}/secret", json={"secret": [CANARY]}),
        await partner.post("/v1/clients", json={"provider": "zoom", "secret": CANARY}),
        await partner.post(
            "/v1/connections",
            json={
                "provider": "zoom",
                "client": client,
                "access_token": CANARY,
                "refresh_token": CANARY,
            },
        ),
        await partner.get("/v1/policy", headers={"authorization": f"Bearer {CANARY}"}),
        await partner.put("/v1/meetings/x", json={**MEETING, "starts_at": CANARY}),
    ]
    return client, said


async def test_secrets_that_are_given_never_come_out_again(
    partner: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    worker: DeskWorker,
    link_up: LinkUp,
    lines: io.StringIO,
    settings: Settings,
    home: Path,
) -> None:
    zoom = await link_up(Role.CONFERENCING, "zoom")
    worker.reply = lambda *_: {"state": "done", "connection": zoom}
    client, said = await give_secrets(partner)
    link = await partner.post(
        "/v1/connections/link", json={"client": client, "return_url": "https://x.example/"}
    )
    begun = await stranger.get(link.json()["url"])
    finished = await come_back(stranger, begun, code=CANARY)
    said += [begun, finished]

    texts = [answer.text + str(answer.headers.multi_items()) for answer in said]
    assert asked_of(finished)["connection"] == zoom
    assert [text for text in texts if CANARY in text] == []
    assert CANARY not in lines.getvalue()
    assert "request.answered" in lines.getvalue()
    assert CANARY.encode() not in await everything_stored(settings, home)


async def test_secrets_that_are_made_are_shown_once_and_stored_nowhere_in_clear(
    partner: httpx.AsyncClient, lines: io.StringIO, settings: Settings, home: Path
) -> None:
    made = (await partner.post("/v1/endpoints", json={"url": "https://x.example/"})).json()
    rotated = (await partner.post(f"/v1/endpoints/{made['id']}/secret")).json()
    key = partner.headers["authorization"].rpartition("_")[2]

    stored = await everything_stored(settings, home)
    for secret in (made["secret"], rotated["secret"], key, ADMIN):
        assert secret not in lines.getvalue()
        assert secret.encode() not in stored
