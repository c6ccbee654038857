"""Does the door hear what Zoom says, prove itself to Zoom, and sign for nobody else?"""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from typing_extensions import override

from schemas.items import Report, read_load
from tests.conformance.sources import SourceConformance
from tests.receiver.door import NUMBERS, SECRET, Door, Pushed, zoom_body, zoom_headers
from webhooks.addresses import stranger

CHALLENGE = {
    "event": "endpoint.url_validation",
    "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"},
}


async def notification(
    door: Door,
    body: bytes | None = None,
    *,
    secret: str = SECRET,
    known: tuple[str, ...] = (SECRET,),
    ago: timedelta = timedelta(0),
    retired: bool = False,
) -> Pushed:
    """An event about an account that one connection is linked to, signed with `secret`."""
    account = f"account-{next(NUMBERS)}"
    lane = await door.linked(account)
    address = await door.app_route(*known, retired=retired)
    path = f"/hooks/zoom/{door.tenant}.{address.id}"
    body = zoom_body(account) if body is None else body
    return Pushed(path, zoom_headers(door, body, secret=secret, ago=ago), body, lane)


def again(door: Door, pushed: Pushed, body: bytes, *, secret: str = SECRET) -> Pushed:
    """Another body to the same address, signed now."""
    return pushed._replace(body=body, headers=zoom_headers(door, body, secret=secret))


class TestZoomSource(SourceConformance):
    provider = "zoom"
    proof = b"x-zm-signature"
    too_long = 256 * 1024 + 1

    @override
    async def notification(self, door: Door, **how: str) -> Pushed:
        own = f"secret-{next(NUMBERS)}"  # with a common one, one address could stand for another
        return await notification(door, secret=own, known=(own,), retired="retired" in how)


async def test_what_lies_in_the_lane_is_the_report_as_sent(door: Door) -> None:
    account = f"account-{next(NUMBERS)}"
    lane = await door.linked(account)
    body = zoom_body(account, object={"id": 9_223_372_036_854_775_807, "topic": "Café 🚒"})
    pushed = again(door, await notification(door), body)

    await door.push(pushed)

    claimed = await door.claim(lane)
    report = read_load(claimed.items[0].body)
    assert isinstance(report, Report)
    assert (report.provider, report.body.encode(), report.heard_at) == ("zoom", body, door.now)
    assert report.trace.startswith("tr_")


async def test_the_same_report_twice_is_one_item(door: Door) -> None:
    pushed = await notification(door)

    for late in (0, 300, 1_500, 5_100):
        door.now += timedelta(seconds=late)
        await door.push(again(door, pushed, pushed.body))

    assert await door.items(pushed) == 1
    assert door.counted("zoom", "duplicate") == 3


async def test_old_and_new_secret_are_good_while_they_change(door: Door) -> None:
    pushed = await notification(door, known=("new", "old"))

    answers = [
        (await door.push(again(door, pushed, pushed.body, secret=each))).status_code
        for each in ("old", "new", "older")
    ]

    assert answers == [200, 200, 404]


@pytest.mark.parametrize(
    ("ago", "status"),
    [(timedelta(minutes=85), 200), (timedelta(minutes=-4), 200), (timedelta(minutes=91), 404)],
)
async def test_a_signature_is_believed_for_ninety_minutes(
    door: Door, ago: timedelta, status: int
) -> None:
    pushed = await notification(door, ago=ago)

    assert (await door.push(pushed)).status_code == status


async def test_a_late_delivery_is_counted_for_an_alarm(door: Door) -> None:
    await door.push(await notification(door, ago=timedelta(minutes=6)))

    stale = door.registry.get_sample_value(
        "tieline_notifications_stale_total", {"provider": "zoom"}
    )

    assert stale == 1


@pytest.mark.parametrize(
    "stamp", [b"", b"soon", b"-1", b"1e9", "\uff11\uff12".encode(), b"9" * 4_000]
)
async def test_an_odd_timestamp_proves_nothing(door: Door, stamp: bytes) -> None:
    pushed = (await notification(door)).with_header(b"x-zm-request-timestamp", stamp)

    assert (await door.push(pushed)).status_code == 404


async def test_the_handshake_is_answered_whenever_it_comes(door: Door) -> None:
    """T29"""
    pushed = await notification(door, orjson.dumps(CHALLENGE))

    answers = []
    for _ in range(3):
        answers.append(await door.push(again(door, pushed, pushed.body)))
        door.now += timedelta(hours=72)

    assert {each.status_code for each in answers} == {200}
    assert {each.headers["content-type"] for each in answers} == {"application/json"}
    assert {each.json()["plainToken"] for each in answers} == {"qgg8vlvZRS6UYooatFL8Aw"}


async def test_the_handshake_signs_nothing_for_strangers(door: Door) -> None:
    """Its answer is the HMAC that would prove a forged notification: verify first."""
    forged = orjson.dumps(
        {"event": "endpoint.url_validation", "payload": {"plainToken": "v0:1720547519:{}"}}
    )
    pushed = await notification(door, forged, secret="a stranger's")

    answers = [
        await door.push(each)
        for each in (
            pushed,
            pushed.without(b"x-zm-signature"),
            pushed.without(b"x-zm-request-timestamp"),
            pushed.to(f"/hooks/zoom/{door.tenant}.{'n' * 32}"),
        )
    ]

    assert {(each.status_code, each.content) for each in answers} == {(404, answers[0].content)}
    assert b"encryptedToken" not in answers[0].content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"null",
        b'{"event": 1}',
        b'{"event": "endpoint.url_validation"}',
        b'{"event": "endpoint.url_validation", "payload": {"plainToken": 5}}',
        b'{"event": "\xff"}',
        b"[" * 100_000,
    ],
)
async def test_a_signed_body_that_is_not_zooms_is_refused(door: Door, body: bytes) -> None:
    pushed = await notification(door, body)

    assert (await door.push(pushed)).status_code == 400
    assert await door.kept(pushed) == 0


async def test_the_secret_that_strangers_are_verified_with_opens_nothing(door: Door) -> None:
    """It stands in the source for everybody to read."""
    secret = stranger("zoom").secrets[0].get_secret_value()
    pushed = await notification(door, orjson.dumps(CHALLENGE), secret=secret)

    answer = await door.push(pushed.to(f"/hooks/zoom/{door.tenant}.{'n' * 32}"))

    assert answer.status_code == 404


async def test_what_nobody_needs_is_thanked_and_not_kept(door: Door) -> None:
    pushed = await notification(door)
    account = orjson.loads(pushed.body)["payload"]["account_id"]
    bodies = [
        zoom_body(account, "recording.completed", download_token="of no business of ours"),
        zoom_body("an account that nobody linked"),
        orjson.dumps({"event": "meeting.started"}),
        orjson.dumps({"event": "meeting.started", "payload": []}),
    ]

    answers = [(await door.push(again(door, pushed, body))).status_code for body in bodies]

    assert answers == [200] * 4
    assert await door.kept(pushed) == 0
    assert door.counted("zoom", "not_needed") == 3
    assert door.counted("zoom", "unknown_account") == 1


async def test_every_connection_of_the_account_hears_of_it(door: Door) -> None:
    pushed = await notification(door)
    account = orjson.loads(pushed.body)["payload"]["account_id"]
    second = await door.linked(account)

    await door.push(pushed)

    assert await door.items(pushed) == 1
    assert await door.items(pushed._replace(lane=second)) == 1


async def test_another_tenant_with_the_same_app_hears_of_it(door: Door) -> None:
    pushed = await notification(door)
    account = orjson.loads(pushed.body)["payload"]["account_id"]
    theirs = await door.app_route(tenant=f"{door.tenant}-b")
    lane = await door.linked(account, tenant=f"{door.tenant}-b", client=theirs.client)

    await door.push(pushed)

    assert await door.items(pushed._replace(lane=lane)) == 1


async def test_a_tenant_cannot_sign_reports_about_anothers_account(door: Door) -> None:
    """With the secret of its own app anybody could else unlink anybody."""
    pushed = await notification(door)
    victim, account = f"{door.tenant}-v", f"account-{next(NUMBERS)}"
    app = await door.app_route("the victim's own secret", tenant=victim)
    lanes = [
        await door.linked(account, tenant=victim, client=app.client),
        await door.linked(account, tenant=victim, client=None),
        await door.linked(account, tenant=victim, client="cli_unknown"),
    ]

    answer = await door.push(again(door, pushed, zoom_body(account, "app_deauthorized")))

    assert answer.status_code == 200
    assert [await door.items(pushed._replace(lane=lane)) for lane in lanes] == [0, 0, 0]


async def test_a_body_that_grows_too_large_in_its_item_harms_nobody_else(door: Door) -> None:
    pushed = await notification(door)
    account = orjson.loads(pushed.body)["payload"]["account_id"]
    quoted = again(door, pushed, zoom_body(account, object={"topic": '"' * 100_000}))

    answer = await door.push(quoted)

    assert answer.status_code == 413
    assert (await door.push(pushed)).status_code == 200
    assert await door.items(pushed) == 1


async def test_t13_what_comes_to_a_retired_address_is_counted(door: Door) -> None:
    pushed = await notification(door, retired=True)

    answer = await door.push(pushed)

    assert answer.status_code == 200
    assert await door.kept(pushed) == 0
    assert door.counted("zoom", "retired") == 1
