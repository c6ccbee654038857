"""Does the door hear what Microsoft Graph says, greet it at any time, and believe nobody else?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from typing_extensions import override

from infra.lanes import Lane
from infra.seal import KeyRing, Unsealable
from schemas.items import ContentTold, read_load
from schemas.seals import Sealed
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


CONTENT = {
    "data": "ZW5jcnlwdGVk",
    "dataKey": "a2V5",
    "dataSignature": "c2lnbmF0dXJl",
    "encryptionCertificateId": "first",
    "encryptionCertificateThumbprint": "00",
}


def telling(pushed: Pushed, *etags: str, **more: object) -> Pushed:
    """The same with a content for each version of its event."""
    (element,) = elements(pushed)
    resource = element["resourceData"]
    rows = [
        {**element, "resourceData": {**resource, "@odata.etag": etag}, "encryptedContent": CONTENT}
        for etag in etags
    ]
    rows = [row | more for row in rows]
    return pushed._replace(body=orjson.dumps({"value": rows, "validationTokens": ["eyJ.a.b"]}))


async def contents(door: Door, pushed: Pushed) -> list[ContentTold]:
    loads = [read_load(item.body) for item in (await door.claim(pushed.lane)).items]
    return [load for load in loads if isinstance(load, ContentTold)]


async def test_content_lies_in_the_lane_sealed_for_the_vault_and_this_calendar(door: Door) -> None:
    pushed = await notification(door)

    answer = await door.push(telling(pushed, 'W/"1"'))

    (told,) = await contents(door, pushed)
    assert door.vault is not None
    context = Sealed.CONTENT.of(door.tenant, pushed.lane.subject)
    carried = orjson.loads(door.vault.open(told.sealed, context=context))
    (row,) = carried["value"]
    assert answer.status_code == 200
    assert carried["validationTokens"] == ["eyJ.a.b"]
    assert row["encryptedContent"]["data"] == CONTENT["data"]
    assert "clientState" not in row
    assert (await door.claim(pushed.lane)).mark == 0
    assert door.counted("graph", "content") == 1
    with pytest.raises(Unsealable):
        door.vault.open(told.sealed, context=Sealed.CONTENT.of(door.tenant, "another"))


async def test_the_same_versions_are_kept_once_however_often_and_anew_they_are_encrypted(
    door: Door,
) -> None:
    pushed = await notification(door)
    anew = {"encryptedContent": {**CONTENT, "dataKey": "YW5ldw=="}}

    for each in (
        telling(pushed, 'W/"1"'),
        telling(pushed, 'W/"1"', **anew),
        telling(pushed, 'W/"2"'),
    ):
        await door.push(each)

    assert len(await contents(door, pushed)) == 2
    assert door.counted("graph", "duplicate") == 1


async def test_versions_that_are_not_named_are_told_apart_by_the_bytes(door: Door) -> None:
    pushed = await notification(door)
    unnamed = {"resourceData": None}
    anew = {**unnamed, "encryptedContent": {**CONTENT, "dataKey": "YW5ldw=="}}

    for more in (unnamed, unnamed, anew):
        await door.push(telling(pushed, "", **more))

    assert len(await contents(door, pushed)) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"encryptedContent": None},
        {"encryptedContent": "text"},
        {"encryptedContent": {**CONTENT, "data": 7}},
        {"encryptedContent": {**CONTENT, "data": "x" * 140_000}},
        {"encryptedContent": {key: CONTENT[key] for key in ("data", "dataKey")}},
        {"encryptedContent": {**CONTENT, "dataKey": "\ud800"}},
        {"tenantId": ["t"]},
    ],
)
async def test_a_content_that_is_none_leaves_the_hint(door: Door, more: dict[str, object]) -> None:
    pushed = await notification(door)
    (element,) = elements(pushed)
    row = {**element, "encryptedContent": CONTENT} | more
    body = json.dumps({"value": [row], "validationTokens": ["eyJ.a.b"]}).encode()

    answer = await door.push(pushed._replace(body=body))

    claimed = await door.claim(pushed.lane)
    assert answer.status_code == 200
    assert (claimed.mark, claimed.items) == (1, ())


async def test_one_without_content_makes_its_whole_batch_a_hint(door: Door) -> None:
    pushed = await notification(door)
    (plain,) = elements(pushed)
    (rich,) = elements(telling(pushed, 'W/"1"'))

    await door.push(of(pushed, rich, {**plain, "changeType": "deleted"}))

    claimed = await door.claim(pushed.lane)
    assert (claimed.mark, claimed.items) == (1, ())


async def test_a_forged_element_carries_nothing_in(door: Door) -> None:
    pushed = await notification(door)
    (good,) = elements(telling(pushed, 'W/"1"'))
    forged = {**good, "clientState": "forged", "tenantId": "of a stranger"}

    await door.push(of(pushed, forged, good))

    (told,) = await contents(door, pushed)
    assert door.vault is not None
    context = Sealed.CONTENT.of(door.tenant, pushed.lane.subject)
    assert b"stranger" not in door.vault.open(told.sealed, context=context)


async def test_a_door_that_can_seal_for_no_vault_keeps_the_hint(blind: Door) -> None:
    pushed = await notification(blind)

    answer = await blind.push(telling(pushed, 'W/"1"'))

    claimed = await blind.claim(pushed.lane)
    assert answer.status_code == 200
    assert (claimed.mark, claimed.items) == (1, ())


@pytest.fixture
async def blind(door: Door) -> AsyncIterator[Door]:
    """A door without the vault's public key."""
    other = Door(door.store, KeyRing.fresh(), vault=None)
    yield other
    await other.http.aclose()
