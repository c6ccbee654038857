"""Does the door hear what Microsoft Graph says, greet it at any time, and believe nobody else?"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from typing_extensions import override

from infra.lanes import Lane
from tests.conformance.sources import SourceConformance
from tests.receiver.door import Door, Pushed


async def notification(door: Door, **fields: object) -> Pushed:
    """A batch of one element as calendars.md shows it."""
    route, token = await door.channel(provider="graph", **fields)
    element = {
        "subscriptionId": route.resource or "76619225-0000-0000-0000-000000000000",
        "subscriptionExpirationDateTime": "2026-11-20T11:00:00Z",
        "clientState": token,
        "changeType": "updated",
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "resource": "Users/a/Events/b",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": "b"},
    }
    lane = Lane(door.tenant, "calendar", route.calendar or "")
    headers = {b"content-type": b"application/json; charset=utf-8"}
    path = f"/hooks/graph/{door.tenant}.{route.id}"
    return Pushed(path, headers, orjson.dumps({"value": [element]}), lane)


def elements(pushed: Pushed) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(pushed.body)["value"]
    return found


def of(pushed: Pushed, *rows: object) -> Pushed:
    return pushed._replace(body=orjson.dumps({"value": rows}))


class TestGraphSource(SourceConformance):
    provider = "graph"
    proof = b"clientState"
    too_long = 4 * 1024 * 1024 + 1

    @override
    async def notification(self, door: Door, **how: str) -> Pushed:
        return await notification(door, retired="retired" in how)

    @override
    async def test_without_its_proof_it_is_nobody(self, door: Door) -> None:
        pushed = await notification(door)
        (element,) = elements(pushed)
        del element["clientState"]

        assert await self._refused_like_an_unknown_address(door, of(pushed, element))

    @override
    async def test_with_a_bad_proof_it_is_nobody(self, door: Door) -> None:
        pushed = await notification(door)
        (element,) = elements(pushed)

        worse = [
            of(pushed, {**element, "clientState": state}) for state in ("", "x" * 128, None, 7)
        ]

        refused = [await self._refused_like_an_unknown_address(door, each) for each in worse]
        assert refused == [True] * 4


@pytest.mark.parametrize("where", ["/hooks/graph/t.unknown", "/hooks/graph/", "known"])
async def test_a_handshake_is_answered_anywhere_and_needs_no_store(door: Door, where: str) -> None:
    path = (await notification(door)).path if where == "known" else where
    door.pressed = True

    answer = await door.http.post(
        f"{path}?validationToken=Validation%3A+a%2Bb%20%C3%BC", content=b""
    )

    assert answer.status_code == 200
    assert answer.text == "Validation: a+b ü"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert door.counted("graph", "greeted") == 1


async def test_a_handshake_reflects_no_script_and_no_book(door: Door) -> None:
    script = "%3Cscript%3Ealert(1)%3C/script%3E"

    answer = await door.http.post(f"/hooks/graph/x?validationToken={script}", content=b"")
    long = await door.http.post(f"/hooks/graph/x?validationToken={'a' * 9000}", content=b"")

    assert "<script" not in answer.text
    assert len(long.content) == 4096


async def test_each_element_of_a_batch_stands_for_itself(door: Door) -> None:
    pushed = await notification(door)
    (good,) = elements(pushed)
    bad = {**good, "clientState": "forged"}

    answer = await door.push(of(pushed, bad, "no object", {"subscriptionId": 7}, good))

    assert answer.status_code == 200
    assert await door.kept(pushed) == 1


async def test_another_subscriptions_element_is_nobodys(door: Door) -> None:
    pushed = await notification(door)
    (element,) = elements(pushed)

    answer = await door.push(of(pushed, {**element, "subscriptionId": "another"}))

    assert answer.status_code == 404
    assert await door.kept(pushed) == 0


async def test_a_message_that_outruns_the_answer_is_believed_by_its_state(door: Door) -> None:
    pushed = await notification(door, resource=None)

    assert (await door.push(pushed)).status_code == 200


@pytest.mark.parametrize("what", ["reauthorizationRequired", "subscriptionRemoved", "missed"])
async def test_what_befalls_a_subscription_has_its_lane_renew_it(door: Door, what: str) -> None:
    """T28: such a message has neither `changeType` nor `resource`."""
    pushed = await notification(door)
    (element,) = elements(pushed)
    kept = ("subscriptionId", "subscriptionExpirationDateTime", "clientState", "tenantId")
    message = {key: element[key] for key in kept} | {"lifecycleEvent": what}

    answer = await door.push(of(pushed, message))

    assert answer.status_code == 200
    claimed = await door.claim(pushed.lane)
    assert claimed.mark == 1
    assert "renew" in claimed.fired
    assert door.counted("graph", "lifecycle") == 1


@pytest.mark.parametrize("body", [b"", b"[]", b'{"value":7}', b'"x"', b"[" * 100_000])
async def test_a_body_that_is_no_batch_is_nobodys(door: Door, body: bytes) -> None:
    pushed = (await notification(door))._replace(body=body)

    assert (await door.push(pushed)).status_code == 404
