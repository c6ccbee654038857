"""How are events read: one, all, the view of a calendar, and what changed in that view?

https://learn.microsoft.com/graph/delta-query-events
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import orjson

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, whole
from infra.sandbox.graph.errors import refuse
from infra.sandbox.graph.lookup import find, laid_out
from infra.sandbox.graph.shown import shown, slim
from infra.sandbox.graph.simulator import READ, Graph
from infra.sandbox.graph.state import Calendar, Event, Mailbox
from infra.sandbox.graph.writing import calendar_of

DEFAULT_PAGE = 10
_MAX_PAGE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)
_PROPERTY = re.compile(r"ep/id eq '([^']+)' and ep/value eq '([^']*)'")
_UID = re.compile(r"iCalUId eq '([^']+)'")
_NOT_IN_DELTA = ("$select", "$expand", "$filter", "$orderby", "$search")


def get(graph: Graph, call: Call) -> Reply:
    """`GET /events/{id}`."""
    mailbox = graph.mailbox(call, READ)
    _, event = find(mailbox, call.path["event"])
    return answer(shown(mailbox, event, call), headers=[(b"etag", event.etag.encode())])


def listed(graph: Graph, call: Call) -> Reply:
    """`GET /events`: single events and masters of series; filtered by a property or a uid."""
    mailbox = graph.mailbox(call, READ)
    every = calendar_of(mailbox, call).alive()
    kept = [one for one in every if not one.master and _matches(one, call.query.get("$filter", ""))]
    return answer(_paged(graph, call, [shown(mailbox, one, call) for one in kept]))


def view(graph: Graph, call: Call) -> Reply:
    """`GET /calendarView`: what happens in a span, series laid out; masters are not shown."""
    mailbox = graph.mailbox(call, READ)
    calendar = calendar_of(mailbox, call)
    window = _window(call)
    rows: list[Event] = []
    for event in calendar.alive():
        if event.is_series:
            rows += laid_out(calendar, event, window[1])
        elif not event.master:
            rows.append(event)
    kept = sorted((e for e in rows if _inside(e, window)), key=lambda event: event.starts)
    return answer(_paged(graph, call, [shown(mailbox, one, call) for one in kept]))


def instances(graph: Graph, call: Call) -> Reply:
    """`GET /events/{id}/instances`: the occurrences of a series in a span."""
    mailbox = graph.mailbox(call, READ)
    calendar, master = find(mailbox, call.path["event"])
    window = _window(call)
    kept = [e for e in laid_out(calendar, master, window[1]) if _inside(e, window)]
    return answer(_paged(graph, call, [shown(mailbox, one, call) for one in kept]))


def delta(graph: Graph, call: Call) -> Reply:
    """`GET /calendarView/delta`: the whole view, or what changed in it since a token."""
    mailbox = graph.mailbox(call, READ)
    calendar = mailbox.default
    for name in _NOT_IN_DELTA:
        if name in call.query:
            raise refuse(400, "ErrorInvalidUrlQuery", f"{name} is not supported with delta.")
    held = _place(call, calendar)
    window = (float(whole(held, "from")), float(whole(held, "to")))
    found = calendar.changed(whole(held, "after"), whole(held, "upto"))
    items: list[Doc] = []
    size, last = _size(graph, call), whole(held, "upto")
    for event in found:
        rows = list(
            _changes(
                graph,
                mailbox,
                calendar,
                event,
                call=call,
                window=window,
                since=whole(held, "since"),
            )
        )
        if items and len(items) + len(rows) > size:
            break
        items += rows
        last = event.seq
    else:
        last = whole(held, "upto")
    done = last == whole(held, "upto")
    further = (
        {**held, "after": last} if not done else {**held, "since": last, "after": last, "upto": 0}
    )
    name = "deltatoken" if done else "skiptoken"
    link = f"{_root(call)}?${name}={quote(_token(further))}"
    return answer({"value": items, "@odata.deltaLink" if done else "@odata.nextLink": link})


def _changes(
    graph: Graph,
    mailbox: Mailbox,
    calendar: Calendar,
    event: Event,
    *,
    call: Call,
    window: tuple[float, float],
    since: int,
) -> Iterator[Doc]:
    """Yield what a changed event is in the view: itself, a series laid out, or removed."""
    if event.is_series and not event.deleted:
        if graph.settings.shows_masters:
            yield {"@odata.type": "#microsoft.graph.event", **shown(mailbox, event, call)}
        for one in laid_out(calendar, event, window[1]):
            if _inside(one, window) and one.kind == "occurrence":
                yield slim(one, call)
        if since:
            yield from (_removed(name) for name in sorted(event.called_off))
    elif event.deleted or not _inside(event, window):
        if since:
            yield _removed(event.id)
    else:
        yield {"@odata.type": "#microsoft.graph.event", **shown(mailbox, event, call)}


def _removed(name: str) -> Doc:
    return {"@odata.type": "#microsoft.graph.event", "id": name, "@removed": {"reason": "deleted"}}


def _place(call: Call, calendar: Calendar) -> Doc:
    """Where a round begins or goes on; 410 with a token of another life."""
    token = call.query.get("$deltatoken") or call.query.get("$skiptoken")
    if token is None:
        start, end = _window(call)
        held: Doc = {"since": 0, "after": 0, "upto": calendar.seq, "epoch": calendar.epoch}
        return {**held, "from": int(start), "to": int(end)}
    try:
        held = orjson.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError) as error:
        raise refuse(400, "SyncStateInvalid", "The sync state is invalid.") from error
    if held.get("epoch") != calendar.epoch:
        raise refuse(410)
    return {**held, "upto": calendar.seq} if not whole(held, "upto") else held


def _matches(event: Event, wanted: str) -> bool:
    if not wanted:
        return True
    if found := _PROPERTY.search(wanted):
        return event.properties.get(found[1]) == found[2]
    if found := _UID.search(wanted):
        return event.doc["iCalUId"] == found[1]
    raise refuse(
        400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes."
    )


def _paged(graph: Graph, call: Call, found: Iterable[Doc]) -> Doc:
    rows, skip = list(found), whole(dict(call.query), "$skip")
    size = min(whole(dict(call.query), "$top", _size(graph, call)), graph.settings.page_cap)
    page: Doc = {"value": rows[skip : skip + size]}
    if skip + size < len(rows):
        query = {**call.query, "$skip": str(skip + size)}
        told = "&".join(f"{key}={quote(value)}" for key, value in query.items())
        page["@odata.nextLink"] = f"{_root(call)}?{told}"
    return page


def _root(call: Call) -> str:
    return f"http://{call.headers.get('host', 'localhost')}{call.address}"


def _size(graph: Graph, call: Call) -> int:
    found = _MAX_PAGE.search(call.headers.get("prefer", ""))
    return min(int(found[1]) if found else DEFAULT_PAGE, graph.settings.page_cap)


def _window(call: Call) -> tuple[float, float]:
    given = {key.lower(): value for key, value in call.query.items()}
    try:
        start, end = (_instant(given[name]) for name in ("startdatetime", "enddatetime"))
    except (KeyError, ValueError) as error:
        message = (
            "This request requires a time window specified by the query string parameters"
            " StartDateTime and EndDateTime."
        )
        raise refuse(400, "ErrorInvalidParameter", message) from error
    return start, end


def _instant(value: str) -> float:
    at = datetime.fromisoformat(value)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _inside(event: Event, window: tuple[float, float]) -> bool:
    return event.ends.timestamp() > window[0] and event.starts.timestamp() < window[1]


def _token(held: Doc) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(held)).decode()
