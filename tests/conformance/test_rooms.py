"""Rooms that need no call join the suite: Jitsi Meet, and a room of the host's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from typing_extensions import override

from infra.errors import Refused
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from tests.conformance.conferences import NOW, REFERENCE, Joined, Rooms, at
from workers.providers import conferences


class TestJitsi(Rooms):
    """A Jitsi Meet server that takes tokens."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> Joined:
        port = conferences(wire, lambda: NOW)["jitsi"]
        return Joined(port, at("https://meet.example.org/", token="app:shared"))


class TestStatic(Rooms):
    """A room of the host's own."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> Joined:
        port = conferences(wire, lambda: NOW)["static"]
        return Joined(port, at("https://zoom.us/my/jane"))


async def test_jitsis_room_follows_from_server_and_reference(wire: Wire) -> None:
    joined = await TestJitsi().join(None, wire)  # type: ignore[arg-type]  # needs no sandbox

    made = await joined.create()

    assert made.join_url == f"https://meet.example.org/{REFERENCE}"
    assert (await joined.create()).id == made.id


async def test_jitsis_host_proves_who_opens_the_room(wire: Wire) -> None:
    joined = await TestJitsi().join(None, wire)  # type: ignore[arg-type]  # needs no sandbox
    made = await joined.create()

    link = await joined.port.host_link(joined.access, made)

    base, _, token = link.partition("?jwt=")
    head, claims, signature = token.split(".")
    expected = hmac.digest(b"shared", f"{head}.{claims}".encode(), hashlib.sha256)
    said = json.loads(_raw(claims))
    assert base == made.join_url
    assert _raw(signature) == expected
    assert json.loads(_raw(head)) == {"alg": "HS256", "typ": "JWT"}
    assert (said["iss"], said["aud"], said["room"]) == ("app", "app", REFERENCE)
    assert said["exp"] == int((NOW + timedelta(hours=2)).timestamp())


async def test_an_open_jitsi_server_needs_no_proof(wire: Wire) -> None:
    joined = await TestJitsi().join(None, wire)  # type: ignore[arg-type]  # needs no sandbox
    joined.access = at("https://meet.example.org")
    made = await joined.create()

    assert await joined.port.host_link(joined.access, made) == made.join_url
    assert (await joined.port.account(joined.access)).id == "meet.example.org"


@pytest.mark.parametrize("provider", ["jitsi", "static"])
async def test_a_room_must_be_somewhere(wire: Wire, provider: str) -> None:
    port = conferences(wire, lambda: NOW)[provider]

    with pytest.raises(Refused):
        await port.account(at("my room"))


async def test_a_static_room_moves_with_its_connection(wire: Wire) -> None:
    joined = await TestStatic().join(None, wire)  # type: ignore[arg-type]  # needs no sandbox
    made = await joined.create()

    read = await joined.port.read(at("https://new.example/room"), made)

    assert read is not None
    assert read.join_url == "https://new.example/room"


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
