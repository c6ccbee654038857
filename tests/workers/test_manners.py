"""How a partner is called: as it asked, within its limits, and with all that HTTP lets it say."""

from __future__ import annotations

import asyncio
import base64
import gzip
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

from tests.machines.peer import Peer, Play, drips, hangs, peer, says
from tests.workers.hearing import OK, headers, undelivered
from tests.workers.partner import Partner, at_the_door
from tests.workers.stage import Stage, until

LONG = timedelta(seconds=60)


async def hears(partner: Partner, theirs: Peer, **facts: object) -> dict[str, Any]:
    """An endpoint that was sent one callback."""
    made = await partner.endpoint(theirs.url, **facts)
    async with partner.stage.at_work("callback"):
        await partner.told()
        await partner.nothing_waits(made["id"])
    return made


@pytest.mark.parametrize("format_", ["standard", "cloudevents-binary", "cloudevents-structured"])
async def test_every_format_is_signed_so_that_the_reference_libraries_accept_it(
    partner: Partner, format_: str
) -> None:
    async with peer(OK) as theirs:
        made = await hears(partner, theirs, format=format_)

    Webhook(made["secret"]).verify(theirs.bodies[0], headers(theirs, 0))
    SvixWebhook(made["secret"]).verify(theirs.bodies[0], headers(theirs, 0))


async def test_a_binary_cloud_event_says_its_attributes_in_headers(partner: Partner) -> None:
    async with peer(OK) as theirs:
        await hears(partner, theirs, format="cloudevents-binary")

    said, data = headers(theirs, 0), orjson.loads(theirs.bodies[0])
    assert said["ce-specversion"] == "1.0"
    assert said["ce-type"] == "meeting.provisioned"
    assert said["ce-subject"] == data["subject"] == data["meeting"]["id"]
    assert said["ce-source"] == f"/tenants/{partner.stage.tenant}"
    assert said["ce-sequence"] == "1"
    assert said["ce-id"].startswith("cb_")


async def test_a_structured_cloud_event_is_one_document(partner: Partner) -> None:
    async with peer(OK) as theirs:
        await hears(partner, theirs, format="cloudevents-structured")

    said, event = headers(theirs, 0), orjson.loads(theirs.bodies[0])
    assert said["content-type"] == "application/cloudevents+json"
    assert (event["specversion"], event["type"]) == ("1.0", "meeting.provisioned")
    assert event["data"]["sequence"] == 1


async def test_a_key_pair_signs_and_its_public_key_is_published(partner: Partner) -> None:
    async with peer(OK) as theirs:
        made = await hears(partner, theirs, signature="v1a")
        path = f"/.well-known/jwks.json?tenant={partner.stage.tenant}"
        [key] = (await partner.client.get(path, headers={"authorization": ""})).json()["keys"]

    said = headers(theirs, 0)
    content = f"{said['webhook-id']}.{said['webhook-timestamp']}.".encode() + theirs.bodies[0]
    kind, _, signature = said["webhook-signature"].partition(",")
    assert (kind, key["kty"], key["crv"], key["alg"]) == ("v1a", "OKP", "Ed25519", "EdDSA")
    raw = Ed25519PublicKey.from_public_bytes(_b64(key["x"]))
    raw.verify(_b64(signature), content)
    assert made["secret"] == made["public_keys"][0]


def _b64(text: str) -> bytes:
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


async def test_extra_headers_are_sent_and_take_the_place_of_none_of_ours(
    partner: Partner,
) -> None:
    extra = {"Authorization": "Bearer of-the-partner", "X-Team": "recruiting"}
    async with peer(OK) as theirs:
        made = await hears(partner, theirs, headers=extra)
        refused = [
            await partner.client.post(
                "/v1/endpoints", json={"url": theirs.url, "headers": {name: "x"}}
            )
            for name in ("Webhook-Id", "host", "Content-Length", "Tieline-Attempt", "a b", "CE-Id")
        ]

    assert headers(theirs, 0)["authorization"] == "Bearer of-the-partner"
    assert headers(theirs, 0)["x-team"] == "recruiting"
    assert made["header_names"] == ["Authorization", "X-Team"]
    assert "of-the-partner" not in str(await partner.read(f"/v1/endpoints/{made['id']}"))
    assert "of-the-partner" not in (await partner.stored(made["id"])).model_dump_json()
    assert [answer.status_code for answer in refused] == [422] * 6


@pytest.mark.parametrize("play", [hangs, drips])
async def test_one_deadline_of_the_endpoints_own_ends_a_slow_attempt(
    partner: Partner, stage: Stage, play: Play
) -> None:
    async with peer(play) as theirs, stage.at_work("callback"):
        await partner.endpoint(theirs.url, timeout_s=1)
        [[callback]] = await partner.told()
        await until(lambda: stage.attempts(callback), within=LONG)
        [attempt] = await stage.attempts(callback)

    assert (attempt.status, "deadline" in attempt.error) == (None, True)
    assert attempt.took_ms >= 1000


async def test_the_endpoints_own_schedule_is_followed_to_its_end(
    partner: Partner, stage: Stage
) -> None:
    async with peer(says("500 No")) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, retry_s=[1])
        [[callback]] = await partner.told()
        await partner.nothing_waits(made["id"])

    first, second = await stage.attempts(callback)
    [row] = await undelivered(stage)
    assert first.again_at is not None
    assert second.at >= first.at + (first.again_at - first.at) / 2
    assert (second.again_at, row.why.value) == (None, "exhausted")


async def test_disable_in_the_answer_ends_the_endpoint_though_the_callback_was_taken(
    partner: Partner, stage: Stage
) -> None:
    bye = says("200 OK", headers="webhook-delivery: disable\r\n")
    async with peer(bye) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url)
        [[callback, _]] = await partner.told(2)
        await partner.waits_for(made["id"], "disabled")
        shown = await partner.read(f"/v1/endpoints/{made['id']}")

    assert len(theirs.heads) == 1
    assert [one.delivered for one in await stage.attempts(callback)] == [True]
    assert shown["held"] == 1


async def test_abort_message_gives_one_callback_up_and_goes_on_with_the_next(
    partner: Partner, stage: Stage
) -> None:
    no_more = says("422 No", headers="webhook-delivery: abort-message\r\n")
    async with peer(no_more, OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        [[first, second]] = await partner.told(2)
        await partner.nothing_waits(made["id"])

    [row] = await undelivered(stage)
    assert (row.callback, row.why.value) == (first, "aborted")
    assert [one.delivered for one in await stage.attempts(second)] == [True]


async def test_no_more_are_on_their_way_at_once_than_the_endpoint_allows(
    partner: Partner, stage: Stage
) -> None:
    gate, busy, most = asyncio.Event(), 0, 0

    async def counts(writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await gate.wait()
        busy -= 1
        await OK(writer)

    async with peer(counts) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, concurrency=2)
        await partner.told(meetings=6)

        async def two() -> bool:
            return busy == 2

        await until(two)
        gate.set()
        await partner.nothing_waits(made["id"])

    assert (most, len(theirs.heads)) == (2, 6)


async def test_a_limited_rate_hands_out_places_and_burns_no_attempt(
    partner: Partner, stage: Stage
) -> None:
    async with peer(OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url, rate_per_s=2)
        callbacks = [one for [one] in await partner.told(meetings=6)]
        await partner.nothing_waits(made["id"])

    attempts = [attempt for one in callbacks for attempt in await stage.attempts(one)]
    moments = sorted(attempt.at for attempt in attempts)
    assert [(one.number, one.delivered) for one in attempts] == [(1, True)] * 6
    assert (moments[-1] - moments[0]).total_seconds() > 1.5  # two at once, then two a second


async def test_a_coded_answer_is_kept_out_of_the_log_and_never_decoded(
    partner: Partner, stage: Stage
) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    coded = says("500 No", headers="Content-Encoding: gzip\r\n", body=bomb)
    async with peer(coded) as theirs, stage.at_work("callback"):
        await partner.endpoint(theirs.url)
        [[callback]] = await partner.told()
        await until(lambda: stage.attempts(callback))

    [attempt] = await stage.attempts(callback)
    assert attempt.status == 500
    assert "not decoded" in attempt.excerpt
    assert len(attempt.excerpt) < 200


async def test_the_attempt_log_says_how_the_time_was_spent(partner: Partner, stage: Stage) -> None:
    async with peer(OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        [[callback]] = await partner.told()
        await partner.nothing_waits(made["id"])
        page = await partner.read(f"/v1/callbacks/{callback}/attempts")
        shown = await partner.read(f"/v1/callbacks/{callback}")

    [attempt] = page["items"]
    assert attempt["id"] == headers(theirs, 0)["tieline-attempt"]
    assert attempt["webhook_id"] == headers(theirs, 0)["webhook-id"]
    assert 0 <= attempt["connect_ms"] <= attempt["first_byte_ms"] <= attempt["took_ms"] + 1
    assert attempt["queued_ms"] >= 0
    assert [one["state"] for one in shown["deliveries"]] == ["delivered"]
    assert shown["data"]["sequence"] == 1


async def test_the_example_of_a_type_is_sent_on_request(partner: Partner, stage: Stage) -> None:
    async with peer(OK) as theirs, stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        sent = await partner.ask(f"/v1/endpoints/{made['id']}/test", type="meeting.rescheduled")

        async def there() -> bool:
            return bool((await partner.read(f"/v1/callbacks/{sent['callback']}"))["deliveries"])

        await until(there)

    body = orjson.loads(theirs.bodies[0])
    assert headers(theirs, 0)["tieline-test"] == "true"
    assert (body["type"], body["id"]) == ("meeting.rescheduled", sent["callback"])
    Webhook(made["secret"]).verify(theirs.bodies[0], headers(theirs, 0))


async def test_another_application_sees_neither_the_callback_nor_its_attempts(
    partner: Partner, stage: Stage
) -> None:
    [[callback]] = await partner.told()

    async with at_the_door(stage) as other:
        paths = (f"/v1/callbacks/{callback}", f"/v1/callbacks/{callback}/attempts")
        answers = [await other.client.get(path) for path in paths]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_nothing_is_sent_before_the_owner_agreed(partner: Partner, stage: Stage) -> None:
    refuses = says("403 No", body=b"")
    agrees = says("200 OK", headers="WebHook-Allowed-Origin: 127.0.0.1\r\n", body=b"")
    async with peer(refuses, agrees, OK) as theirs, stage.at_work("callback", "house"):
        made = await partner.endpoint(theirs.url, challenge=True)

        async def refused() -> bool:
            shown = await partner.read(f"/v1/endpoints/{made['id']}")
            return "403" in shown["reason"]

        await until(refused)
        [[callback]] = await partner.told()
        before = await partner.read(f"/v1/endpoints/{made['id']}")
        await partner.ask(f"/v1/endpoints/{made['id']}/challenge")
        await partner.nothing_waits(made["id"])

    lines = [head.split("\r\n")[0].split()[0] for head in theirs.heads]
    assert (before["state"], before["held"]) == ("unproven", 1)
    assert lines == ["OPTIONS", "OPTIONS", "POST"]
    assert headers(theirs, 0)["webhook-request-origin"] == "127.0.0.1"
    assert headers(theirs, 2)["webhook-request-origin"] == "127.0.0.1"
    assert [one.delivered for one in await stage.attempts(callback)] == [True]
