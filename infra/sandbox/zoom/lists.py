"""Which meetings does a host have?"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import islice

import orjson

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, number, text, whole
from infra.sandbox.zoom.errors import invalid
from infra.sandbox.zoom.simulator import Zoom, scopes
from infra.sandbox.zoom.state import INFINITY, Meeting

LIST = scopes("meeting:read:list_meetings", classic="meeting:read")
UPCOMING = scopes("meeting:read:list_upcoming_meetings", classic="meeting:read")
_KEPT = 30 * 86_400
_KINDS = ("scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings")
_COLUMNS = [
    "uuid",
    "id",
    "host_id",
    "topic",
    "type",
    "start_time",
    "duration",
    "timezone",
    "created_at",
    "join_url",
    "agenda",
]
CUT = 250


def listed(zoom: Zoom, call: Call) -> Reply:
    """`GET /users/{user}/meetings`: a page; instant meetings are never in it, agenda is cut."""
    host = zoom.host(call, LIST)
    headers = zoom.quota.demand_call(
        host.account_id, host.plan, "Medium", enforce=zoom.settings.qps
    )
    kind = call.query.get("type", "scheduled")
    if kind not in _KINDS:
        raise invalid("type", "Invalid field.")
    size = min(whole({"n": call.query.get("page_size", "")}, "n", 30), 300)
    now = zoom.stage.clock.now().timestamp()
    lowest, upto = _span(kind, now)
    after = _place(zoom, call, kind, host.id) or (lowest, 0)
    found = _of_kind(zoom, host.id, kind, (after, upto))
    page = list(islice(found, size + 1))
    token = _token(zoom, kind, host.id, page[size - 1]) if len(page) > size else ""
    told: Doc = {
        "page_size": size,
        "total_records": zoom.shelf.count(host.id, lowest, upto),
        "next_page_token": token,
        "meetings": [_row(meeting) for meeting in page[:size]],
    }
    return answer(told, headers=headers)


def upcoming(zoom: Zoom, call: Call) -> Reply:
    """`GET /users/{user}/upcoming_meetings`: the next 24 hours."""
    host = zoom.host(call, UPCOMING)
    now = zoom.stage.clock.now().timestamp()
    found = [
        meeting
        for meeting in zoom.shelf.between(host.id, (now, 0))
        if not meeting.doc.get("start_time") or meeting.expires <= now + 2 * 86_400
    ]
    meetings = [_upcoming_row(meeting) for meeting in found]
    return answer({"total_records": len(meetings), "meetings": meetings})


def _of_kind(
    zoom: Zoom, host: str, kind: str, span: tuple[tuple[float, int], float]
) -> Iterator[Meeting]:
    for meeting in zoom.shelf.between(host, span[0], span[1]):
        if kind != "live" or meeting.live:
            yield meeting


def _span(kind: str, now: float) -> tuple[float, float]:
    """Which expiries belong to a kind of list."""
    match kind:
        case "previous_meetings":
            return 0, now
        case "upcoming" | "upcoming_meetings":
            return now, INFINITY
        case _:
            return now - _KEPT, INFINITY


def _row(meeting: Meeting) -> Doc:
    row = {key: meeting.doc[key] for key in _COLUMNS if key in meeting.doc}
    return row | {"agenda": text(meeting.doc, "agenda")[:CUT]}


def _upcoming_row(meeting: Meeting) -> Doc:
    columns = [
        "id",
        "topic",
        "type",
        "start_time",
        "duration",
        "timezone",
        "created_at",
        "join_url",
    ]
    row = {key: meeting.doc[key] for key in columns if key in meeting.doc}
    return row | {"passcode": text(meeting.doc, "password"), "use_pmi": False, "is_host": True}


def _token(zoom: Zoom, kind: str, host: str, last: Meeting) -> str:
    at = zoom.stage.clock.now().timestamp()
    expires = None if last.expires == INFINITY else last.expires
    place = {"kind": kind, "host": host, "at": at, "expires": expires, "id": last.id}
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _place(zoom: Zoom, call: Call, kind: str, host: str) -> tuple[float, int] | None:
    """Where a page token goes on; tokens live 15 minutes."""
    token = call.query.get("next_page_token", "")
    if not token:
        return None
    try:
        place = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError) as error:
        raise invalid("next_page_token", "Invalid next page token.") from error
    age = zoom.stage.clock.now().timestamp() - number(place, "at")
    is_other = place.get("kind") != kind or place.get("host") != host
    if is_other or age > zoom.settings.page_token_life_s:
        raise invalid("next_page_token", "The next page token is invalid or expired.")
    return number(place, "expires", INFINITY), whole(place, "id")
