"""What do the tests of the core talk about? Slots, events, links and meetings with short names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from schemas.events import Event, Slot
from schemas.meetings import Ask, Conference, EventCopy, Meeting
from schemas.people import Actor
from schemas.policy import KeywordRule, Link, Policy, Wish

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
STARTS = NOW + timedelta(days=3)
QUARANTINE = timedelta(seconds=90)
PARTNER = Actor(kind="application", id="app_1")


def slot(title: str = "Interview", *, after: timedelta = timedelta(0), **fields: object) -> Slot:
    """An hour, three days from now."""
    begin = STARTS + after
    ends = begin + timedelta(hours=1)
    return Slot.model_validate({"title": title, "starts_at": begin, "ends_at": ends, **fields})


PAST = slot(after=timedelta(days=-5))
SERIES = slot("Standup", recurrence=("RRULE:FREQ=WEEKLY",), timezone="Europe/Madrid")


def event(**fields: object) -> Event:
    """An event that asks for Zoom in its location."""
    given = {"id": "ev", "etag": "1", "ical_uid": "uid", "slot": slot(), "location": "zoom"}
    return Event.model_validate({**given, **fields})


def copy(calendar: str = "cal", *, seen: timedelta = timedelta(0), **fields: object) -> EventCopy:
    """The event as one calendar shows it."""
    return EventCopy(calendar=calendar, event=event(**fields), first_seen_at=NOW + seen)


def link(connection: str = "con_zoom", **fields: object) -> Link:
    """A usable link to Zoom."""
    given = {"provider": "zoom", "usable": True, "host": "jane", "quarantine": QUARANTINE}
    return Link.model_validate({"connection": connection, **given, **fields})


JITSI = link("con_jitsi", provider="jitsi", derived=True, can_lead=False, quarantine=timedelta(0))


def policy(
    *links: Link,
    default: str | None = "con_zoom",
    truth: Literal["calendar", "conference"] = "calendar",
) -> Policy:
    """Rules for `zoom`, `jitsi` and `call` (the default), over the links, or one to each."""
    named = (("zoom", "con_zoom"), ("jitsi", "con_jitsi"), ("video call", "default"))
    rules = tuple(
        KeywordRule(keyword=keyword, conferencing=connection, source_of_truth=truth)
        for keyword, connection in named
    )
    known = {row.connection: row for row in links or (link(), JITSI)}
    return Policy(rules=rules, default=default, links=known)


def conference(**fields: object) -> Conference:
    """A conference at Zoom that shows the slot."""
    shows = Slot.model_validate(fields.pop("slot", slot()))
    given = {
        "provider": "zoom",
        "connection": "con_zoom",
        "id": "c1",
        "host": "jane",
        "join_url": "https://zoom.us/j/1",
        "reference": "tl-ref",
        "shown": shows.fingerprint,
        "slot": shows,
        "made_at": NOW,
    }
    return Conference.model_validate({**given, **fields})


def meeting(**fields: object) -> Meeting:
    """A meeting of a calendar event, wanted at Zoom, of which nothing exists yet."""
    given = {
        "id": "mtg_1",
        "origin": "calendar",
        "identity": "uid",
        "wish": Wish(slot=slot(), connection="con_zoom"),
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Meeting.model_validate({**given, **fields})


def ask(**fields: object) -> Ask:
    """A partner's meeting with the default conference."""
    given = {
        "id": "mtg_1",
        "application": "app_1",
        "external_id": "x-1",
        "slot": slot(),
        "conferencing": "default",
        "actor": PARTNER,
        "asked_at": NOW,
        "body_sha256": "0",
    }
    return Ask.model_validate({**given, **fields})
