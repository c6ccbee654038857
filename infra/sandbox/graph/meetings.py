"""How are Teams meetings made, found, changed and deleted, without an event?

https://learn.microsoft.com/graph/api/onlinemeeting-createorget
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, text
from infra.sandbox.graph.errors import body_of, refuse
from infra.sandbox.graph.simulator import MEETINGS, Graph

_LINK = re.compile(r"JoinWebUrl eq '([^']+)'", re.IGNORECASE)
_WRITABLE = ("subject", "startDateTime", "endDateTime")


def create_or_get(graph: Graph, call: Call) -> Reply:
    """`POST /onlineMeetings/createOrGet`: the meeting of this external id, made if need be."""
    mailbox = graph.mailbox(call, MEETINGS)
    body = body_of(call)
    external = text(body, "externalId")
    if not external:
        raise refuse(400, "InvalidArgument", "ExternalId is required.")
    for doc in mailbox.meetings.values():
        if doc["externalId"] == external:
            return answer(doc, 200)
    now = graph.stage.clock.now()
    name = f"MSo{graph.stage.chance.word(60)}"
    thread = f"19%3ameeting_{graph.stage.chance.word(32)}%40thread.v2"
    mailbox.meetings[name] = doc = {
        "id": name,
        "externalId": external,
        "creationDateTime": _written(now),
        "startDateTime": _written(_moment(body, "startDateTime", now)),
        "endDateTime": _written(_moment(body, "endDateTime", now + timedelta(hours=1))),
        "subject": text(body, "subject"),
        "joinWebUrl": f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={mailbox.id}",
    }
    return answer(doc, 201)


def get(graph: Graph, call: Call) -> Reply:
    """`GET /onlineMeetings/{id}`."""
    return answer(_found(graph, call))


def listed(graph: Graph, call: Call) -> Reply:
    """`GET /onlineMeetings?$filter=JoinWebUrl eq '…'`: without a filter there is no list."""
    mailbox = graph.mailbox(call, MEETINGS)
    wanted = _LINK.search(call.query.get("$filter", ""))
    if wanted is None:
        raise refuse(
            400,
            "InvalidArgument",
            "Filter expression expected - /onlineMeetings?$filter=JoinWebUrl eq '{value}'.",
        )
    return answer({"value": [d for d in mailbox.meetings.values() if d["joinWebUrl"] == wanted[1]]})


def patch(graph: Graph, call: Call) -> Reply:
    """`PATCH /onlineMeetings/{id}`."""
    doc, body = _found(graph, call), body_of(call)
    for key in _WRITABLE:
        if key in body:
            at = _moment(body, key, graph.stage.clock.now()) if key != "subject" else None
            doc[key] = _written(at) if at else body[key]
    return answer(doc)


def delete(graph: Graph, call: Call) -> Reply:
    """`DELETE /onlineMeetings/{id}`."""
    doc = _found(graph, call)
    del graph.mailbox(call, MEETINGS).meetings[text(doc, "id")]
    return Reply(204)


def _found(graph: Graph, call: Call) -> Doc:
    mailbox = graph.mailbox(call, MEETINGS)
    doc = mailbox.meetings.get(call.path["meeting"])
    if doc is None:
        raise refuse(404, "NotFound", "Meeting not found.")
    return doc


def _moment(body: Doc, which: str, otherwise: datetime) -> datetime:
    if which not in body:
        return otherwise
    try:
        at = datetime.fromisoformat(text(body, which))
    except ValueError as error:
        raise refuse(
            400, "BadRequest", f"Cannot convert the literal to Edm.DateTimeOffset: {which}"
        ) from error
    if at.tzinfo is None:
        raise refuse(
            400, "BadRequest", f"Cannot convert the literal to Edm.DateTimeOffset: {which}"
        )
    return at.astimezone(UTC)


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
