"""What does a list call ask for, and where does it go on?"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import orjson

from infra.sandbox.calls import Call
from infra.sandbox.documents import Doc, text, whole
from infra.sandbox.google.errors import parameter, refuse
from infra.sandbox.google.simulator import Google, stamp
from infra.sandbox.google.state import Calendar, Event
from infra.sandbox.google.times import INFINITY, rfc3339

FORBIDDEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)


@dataclass(frozen=True, slots=True)
class Query:
    """What a list call asks for; times in seconds since 1970. Tokens are tied to `bound`."""

    bound: str
    size: int
    single: bool
    show_deleted: bool
    earliest: float
    latest: float
    updated_min: str
    kinds: tuple[str, ...]
    q: str
    order: str

    def wants(self, event: Event) -> bool:
        """Whether an event that was not deleted belongs into the answer."""
        if event.ends <= self.earliest or event.begins >= self.latest:
            return False
        if self.kinds and text(event.doc, "eventType") not in self.kinds:
            return False
        if self.updated_min and text(event.doc, "updated") < self.updated_min:
            return False
        return not self.q or self.q in _searched(event)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing is: changes after `after` up to `upto`; `skip` counts rows laid out."""

    after: int
    upto: int
    delta: bool = False
    skip: int = 0


def query_of(google: Google, call: Call) -> Query:
    """Read a list call's parameters; refuses those that are none."""
    given = call.query
    kinds = tuple(sorted(call.every("eventTypes")))
    single = given.get("singleEvents", "false") == "true"
    size = given.get("maxResults", "250")
    if not size.isdigit() or not int(size):
        raise parameter("maxResults", f"Invalid integer value: '{size}'.")
    since = given.get("updatedMin")
    return Query(
        bound=f"{single}|{','.join(kinds)}|{given.get('showHiddenInvitations', 'false')}",
        size=min(int(size), 2_500, google.settings.page_cap),
        single=single,
        show_deleted=given.get("showDeleted", "false") == "true",
        earliest=_seconds(given, "timeMin", 0),
        latest=_seconds(given, "timeMax", INFINITY),
        updated_min=stamp(rfc3339(since, "updatedMin")) if since else "",
        kinds=kinds,
        q=given.get("q", "").lower(),
        order=given.get("orderBy", ""),
    )


def place_of(google: Google, calendar: Calendar, call: Call, query: Query) -> Place:
    """Where a list call begins or goes on."""
    given = call.query
    if "pageToken" in given:
        held = _read(given["pageToken"], "pageToken", calendar, query)
        after, upto, skip = (whole(held, key) for key in ("after", "upto", "skip"))
        return Place(after, upto, bool(held.get("delta")), skip)
    if "syncToken" in given:
        return _place_of_sync(google, calendar, given, query)
    return Place(0, calendar.seq)


def page_token(calendar: Calendar, query: Query, place: Place) -> str:
    """Write where the next page begins."""
    held: Doc = {"after": place.after, "upto": place.upto, "skip": place.skip}
    return _token(calendar, query, held | {"delta": place.delta})


def sync_token(google: Google, calendar: Calendar, query: Query, place: Place) -> str:
    """Write up to where this listing saw the calendar."""
    made = int(google.stage.clock.now().timestamp())
    return _token(calendar, query, {"upto": place.upto, "made": made})


def _place_of_sync(
    google: Google, calendar: Calendar, given: dict[str, str], query: Query
) -> Place:
    """Where a sync token goes on; 400 with what it does not allow, 410 when it is too old."""
    for name in FORBIDDEN:
        if name in given:
            raise parameter(name, f"Sync token cannot be used with {name}.")
    if given.get("showDeleted") == "false":
        raise parameter("showDeleted", "Sync token cannot be used with showDeleted=false.")
    held = _read(given["syncToken"], "syncToken", calendar, query)
    age = google.stage.clock.now().timestamp() - whole(held, "made")
    if held.get("epoch") != calendar.epoch or age > google.settings.sync_token_life_s:
        raise refuse(410, "fullSyncRequired", locationType="parameter", location="syncToken")
    return Place(whole(held, "upto"), calendar.seq, delta=True)


def _token(calendar: Calendar, query: Query, held: Doc) -> str:
    tied = {"calendar": calendar.id, "epoch": calendar.epoch, "bound": query.bound}
    return base64.urlsafe_b64encode(orjson.dumps(held | tied)).decode().rstrip("=")


def _read(token: str, name: str, calendar: Calendar, query: Query) -> Doc:
    """Read a token back; 400 when it is none, or was given out for another query."""
    try:
        held = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError) as error:
        raise parameter(name, f"Invalid {name} value.") from error
    if not isinstance(held, dict) or held.get("calendar") != calendar.id:
        raise parameter(name, f"Invalid {name} value.")
    if held.get("bound") != query.bound:
        raise parameter(name, f"The {name} was given out for other query parameters.")
    return held


def _seconds(given: dict[str, str], name: str, otherwise: float) -> float:
    return rfc3339(given[name], name).timestamp() if name in given else otherwise


def _searched(event: Event) -> str:
    return " ".join(text(event.doc, key) for key in ("summary", "description", "location")).lower()
