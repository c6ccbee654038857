"""Which calendars does an account see?"""

from __future__ import annotations

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, whole
from infra.sandbox.google.simulator import LIST, Google
from infra.sandbox.google.state import Calendar


def listed(google: Google, call: Call) -> Reply:
    """`calendarList.list`, the primary calendar first, paged by position."""
    account = google.caller(call, LIST)
    seen = [c for c in google.calendars.values() if c.role_of(account)]
    seen.sort(key=lambda calendar: calendar.owner != account or not calendar.is_primary)
    start = whole({"at": call.query.get("pageToken", "0")}, "at")
    size = min(
        whole({"n": call.query.get("maxResults", "")}, "n", 100), 250, google.settings.page_cap
    )
    page: Doc = {
        "kind": "calendar#calendarList",
        "etag": f'"l{len(seen)}"',
        "items": [_entry(calendar, account) for calendar in seen[start : start + size]],
    }
    more = start + size < len(seen)
    return answer(page | ({"nextPageToken": str(start + size)} if more else {}))


def entry(google: Google, call: Call) -> Reply:
    """`calendarList.get`."""
    return answer(_entry(google.calendar(call, LIST), google.caller(call, LIST)))


def get(google: Google, call: Call) -> Reply:
    """`calendars.get`."""
    return answer({"kind": "calendar#calendar", **_facts(google.calendar(call, LIST))})


def _entry(calendar: Calendar, account: str) -> Doc:
    mine: Doc = {"primary": True} if calendar.is_primary and calendar.owner == account else {}
    return {
        "kind": "calendar#calendarListEntry",
        **_facts(calendar),
        "accessRole": calendar.role_of(account),
        "selected": True,
        "defaultReminders": [],
        **mine,
    }


def _facts(calendar: Calendar) -> Doc:
    return {
        "etag": f'"c{calendar.seq}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "description": calendar.description,
        "timeZone": calendar.zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": calendar.conference_types},
    }
