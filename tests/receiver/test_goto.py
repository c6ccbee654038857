"""Does the door hear what GoToWebinar says, once, and believe nobody else?"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

import orjson
import pytest
from typing_extensions import override

from schemas.items import Report, read_load
from tests.conformance.sources import SourceConformance
from tests.receiver.door import NUMBERS, SECRET, Door, Pushed


def event(account: object, name: str = "webinar.created", **more: object) -> bytes:
    """A webinar as conferencing.md shows it, unlike any other."""
    number = next(NUMBERS)
    return orjson.dumps(
        {
            "eventName": name,
            "eventVersion": "1.0.0",
            "product": "g2w",
            "eventKey": f"5d4b9bb3-8af8-4a23-9e6f-{number:012}",
            "accountKey": account,
            "organizerKey": "9876543210987654321",
            "webinarKey": "5620084814059709442",
            "webinarTitle": "Quarterly Product Update",
            "status": "NEW",
            **more,
        }
    )


def signed(body: bytes, stamp: bytes, *, secret: str = SECRET) -> dict[bytes, bytes]:
    """The headers with which GoToWebinar would send this body, written from the description."""
    digest = hmac.new(secret.encode(), stamp + b":" + body, hashlib.sha256).digest()
    return {
        b"content-type": b"application/json",
        b"x-webhook-signature-timestamp": stamp,
        b"x-webhook-signature": base64.b64encode(digest),
    }


def seconds(moment: datetime) -> bytes:
    return str(int(moment.timestamp())).encode()


async def notification(
    door: Door,
    body: bytes | None = None,
    *,
    known: tuple[str, ...] = (SECRET,),
    ago: timedelta = timedelta(0),
    retired: bool = False,
) -> Pushed:
    """An event about an account that one connection is linked to, signed with the first secret."""
    account = f"account-{next(NUMBERS)}"
    lane = await door.linked(account, provider="goto")
    route = await door.app_route(*known, provider="goto", retired=retired)
    body = event(account) if body is None else body
    headers = signed(body, seconds(door.now - ago), secret=known[0])
    return Pushed(f"/hooks/goto/{door.tenant}.{route.id}", headers, body, lane)


def again(door: Door, pushed: Pushed, body: bytes, *, secret: str = SECRET) -> Pushed:
    """Another body to the same address, signed now."""
    return pushed._replace(body=body, headers=signed(body, seconds(door.now), secret=secret))


class TestGoToSource(SourceConformance):
    provider = "goto"
    proof = b"x-webhook-signature"
    too_long = 256 * 1024 + 1

    @override
    async def notification(self, door: Door, **how: str) -> Pushed:
        own = f"secret-{next(NUMBERS)}"  # with a common one, one address could stand for another
        return await notification(door, known=(own,), retired="retired" in how)


async def test_the_address_says_yes_when_it_is_asked_for(door: Door) -> None:
    """A webhook is made only for an address that answers GET with 200."""
    pushed = await notification(door)

    answer = await door.http.get(pushed.path)

    assert answer.status_code == 200
    assert (await door.http.put(pushed.path)).status_code == 405


async def test_a_repetition_that_is_signed_anew_is_known_by_its_key(door: Door) -> None:
    pushed = await notification(door)
    said = orjson.loads(pushed.body)
    account = said["accountKey"]
    first = event(account, eventKey="one and the same")
    repeated = event(account, eventKey="one and the same", status="UPDATED")

    answers = [await door.push(again(door, pushed, body)) for body in (first, repeated, first)]

    assert {answer.status_code for answer in answers} == {200}
    assert await door.items(pushed) == 1
    assert door.counted("goto", "duplicate") == 2


async def test_without_a_key_the_body_itself_tells_a_repetition(door: Door) -> None:
    pushed = await notification(door)
    account = orjson.loads(pushed.body)["accountKey"]
    keyless = event(account, eventKey=None)

    for body in (keyless, keyless, event(account, eventKey=None, status="DELETED")):
        await door.push(again(door, pushed, body))

    assert await door.items(pushed) == 2


async def test_old_and_new_secret_are_good_while_they_change(door: Door) -> None:
    pushed = await notification(door, known=("new", "old"))

    answers = [
        (await door.push(again(door, pushed, pushed.body, secret=each))).status_code
        for each in ("old", "new", "older")
    ]

    assert answers == [200, 200, 404]


@pytest.mark.parametrize(
    ("ago", "status"),
    [(timedelta(minutes=85), 200), (timedelta(minutes=91), 404), (timedelta(minutes=-91), 404)],
)
async def test_a_signature_is_believed_for_ninety_minutes(
    door: Door, ago: timedelta, status: int
) -> None:
    pushed = await notification(door, ago=ago)

    assert (await door.push(pushed)).status_code == status


async def test_its_moment_is_read_in_any_form_that_the_vendor_may_write(door: Door) -> None:
    pushed = await notification(door)
    stamps = [seconds(door.now) + b"917", door.now.isoformat().encode()]

    answers = [
        await door.push(pushed._replace(headers=signed(pushed.body, stamp))) for stamp in stamps
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize(
    "stamp", [b"", b"soon", b"-1", b"2026-11-29T10:00:00", "\uff11".encode(), b"9" * 4_000]
)
async def test_an_odd_moment_proves_nothing(door: Door, stamp: bytes) -> None:
    pushed = await notification(door)

    odd = pushed._replace(headers=signed(pushed.body, stamp))

    assert (await door.push(odd)).status_code == 404


async def test_a_signature_is_for_its_own_body_and_moment(door: Door) -> None:
    pushed = await notification(door)

    body = await door.push(pushed._replace(body=pushed.body + b" "))
    later = seconds(door.now + timedelta(seconds=1))
    moment = await door.push(pushed.with_header(b"x-webhook-signature-timestamp", later))

    assert (body.status_code, moment.status_code) == (404, 404)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b'{"event":1}', b"{", b"[" * 100_000])
async def test_a_signed_body_that_is_no_event_is_refused_in_words(door: Door, body: bytes) -> None:
    pushed = again(door, await notification(door), body)

    answer = await door.push(pushed)

    assert (answer.status_code, b"JSON" in answer.content) == (400, True)
    assert await door.kept(pushed) == 0


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("registrant.added", "not_needed"),
        ("registrant.joined", "not_needed"),
        ("survey.submitted", "not_needed"),
        ("webinar.resurrected", "unknown_event"),
    ],
)
async def test_what_concerns_no_meeting_is_thanked_counted_and_not_kept(
    door: Door, name: str, outcome: str
) -> None:
    pushed = await notification(door)
    account = orjson.loads(pushed.body)["accountKey"]

    answer = await door.push(again(door, pushed, event(account, name, email="a@example.org")))

    assert answer.status_code == 200
    assert await door.kept(pushed) == 0
    assert door.counted("goto", outcome) == 1


async def test_a_key_of_nineteen_digits_is_read_whole_whichever_way_it_is_written(
    door: Door,
) -> None:
    account = 5_620_084_814_059_709_000 + next(NUMBERS)
    lane = await door.linked(str(account), provider="goto")
    pushed = await notification(door)

    for key in (account, str(account), account + 1):  # the last would be the same as a float
        await door.push(again(door, pushed, event(key)))

    claimed = await door.claim(lane)
    assert len(claimed.items) == 2
    report = read_load(claimed.items[0].body)
    assert isinstance(report, Report)
    assert report.provider == "goto"


@pytest.mark.parametrize("account", [10**40, "9" * 65, "x" * 200_000, 7.5, True, None, ["7"]])
async def test_a_key_that_is_none_names_nobody(door: Door, account: object) -> None:
    body = event("account").replace(b'"account"', _json(account))
    pushed = again(door, await notification(door), body)

    assert (await door.push(pushed)).status_code == 200
    assert await door.kept(pushed) == 0


def _json(value: object) -> bytes:
    return str(value).encode() if isinstance(value, int) and value > 2 else orjson.dumps(value)
