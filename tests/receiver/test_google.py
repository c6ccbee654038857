"""Does the door hear what Google Calendar says, and only what Google says?"""

from __future__ import annotations

import pytest
from typing_extensions import override

from infra.lanes import Lane
from tests.conformance.sources import SourceConformance
from tests.receiver.door import Door, Pushed

TOKEN = b"x-goog-channel-token"
STATE = b"x-goog-resource-state"


async def notification(door: Door, **fields: object) -> Pushed:
    """A channel's message as calendars.md shows it: everything in headers, no body."""
    route, token = await door.channel(**fields)
    headers = {
        b"content-type": b"application/json; utf-8",
        b"content-length": b"0",
        b"x-goog-channel-id": (route.subscription or "").encode(),
        TOKEN: token.encode(),
        b"x-goog-channel-expiration": b"Tue, 17 Nov 2026 01:13:52 GMT",
        b"x-goog-resource-id": (route.resource or "ret08u3rv24htgh289g").encode(),
        b"x-goog-resource-uri": b"https://www.googleapis.com/calendar/v3/calendars/a/events",
        STATE: b"exists",
        b"x-goog-message-number": b"10",
    }
    lane = Lane(door.tenant, "calendar", route.calendar or "")
    return Pushed(f"/hooks/google/{door.tenant}.{route.id}", headers, b"", lane)


class TestGoogleSource(SourceConformance):
    provider = "google"
    proof = TOKEN
    too_long = 1025

    @override
    async def notification(self, door: Door, **how: str) -> Pushed:
        return await notification(door, retired="retired" in how)


@pytest.mark.parametrize("state", [b"sync", b"exists", b"not_exists", b"add", b""])
async def test_every_state_is_a_hint_and_none_needs_a_body(door: Door, state: bytes) -> None:
    """T14"""
    pushed = (await notification(door)).with_header(STATE, state)

    answer = await door.push(pushed)

    assert answer.status_code == 200
    assert await door.kept(pushed) == 1


async def test_many_hints_are_one_mark_and_no_items(door: Door) -> None:
    pushed = await notification(door)
    for number in range(20):
        await door.push(pushed.with_header(b"x-goog-message-number", b"%d" % number))

    state = await door.store.lanes.state(pushed.lane)

    assert (state.depth, state.mark) == (0, 20)


async def test_a_resource_that_is_not_yet_known_is_not_asked_for(door: Door) -> None:
    pushed = (await notification(door, resource=None)).with_header(STATE, b"sync")

    assert (await door.push(pushed)).status_code == 200
    assert door.counted("google", "opened") == 1


@pytest.mark.parametrize("header", [b"x-goog-channel-id", b"x-goog-resource-id"])
async def test_the_right_token_with_a_strange_channel_or_resource_is_nobody(
    door: Door, header: bytes
) -> None:
    pushed = await notification(door)

    answers = [
        (await door.push(each)).status_code
        for each in (pushed.with_header(header, b"another"), pushed.without(header))
    ]

    assert answers == [404, 404]
    assert await door.kept(pushed) == 0


async def test_an_address_without_a_token_believes_nobody(door: Door) -> None:
    pushed = await notification(door, proof_sha256=None)

    answers = [(await door.push(each)).status_code for each in (pushed, pushed.without(TOKEN))]

    assert answers == [404, 404]
