"""Who is told that a mailbox's events changed, and how?

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.courier import Parcel
from infra.sandbox.documents import Doc, text
from infra.sandbox.graph import contents
from infra.sandbox.graph.contents import DIRECTORY
from infra.sandbox.graph.errors import body_of, refuse
from infra.sandbox.graph.state import Event, Mailbox, Subscription

if TYPE_CHECKING:
    from infra.sandbox.graph.simulator import Graph

LEAST_LIFE = timedelta(minutes=45)
GIVES_UP_AFTER = timedelta(hours=4)
LONGEST_STATE = 128
_CERTIFICATE = ("encryptionCertificate", "encryptionCertificateId")
_RESOURCE = re.compile(r"/?(?:me|[uU]sers/([^/]+))/events(?:\?.*)?", re.IGNORECASE)


def create(graph: Graph, call: Call) -> Reply:
    """`POST /subscriptions`, once both addresses have greeted."""
    body = body_of(call)
    found = _RESOURCE.fullmatch(text(body, "resource"))
    if found is None or len(text(body, "clientState")) > LONGEST_STATE:
        raise refuse(400, "InvalidRequest", "The value of a parameter is invalid.")
    contents.demand(body)
    call.path = {"user": found[1]} if found[1] else {}
    mailbox = graph.mailbox(call, ("Calendars.Read", "Calendars.ReadWrite"))
    client = _client(graph, call)
    if any(_is_twin(one, client, mailbox, body) for one in _living(graph)):
        message = "Operation: Create; [Status Code: Conflict; A subscripton already exists]"
        raise refuse(409, "ExtensionError", message)
    name = graph.new_guid()
    one = Subscription(name, client, mailbox.id, dict(body), _expiry(graph, body))
    graph.subscriptions[name] = one
    return answer(shown(one), 201)


def listed(graph: Graph, call: Call) -> Reply:
    """`GET /subscriptions`: those of the calling client; who watches what is not told twice."""
    graph.caller(call, ())
    client = _client(graph, call)
    return answer({"value": [shown(one) for one in _living(graph) if one.client == client]})


def get(graph: Graph, call: Call) -> Reply:
    """`GET /subscriptions/{id}`."""
    return answer(shown(_mine(graph, call)))


def renew(graph: Graph, call: Call) -> Reply:
    """`PATCH /subscriptions/{id}`: lives on, and is authorised anew by the same call. Another
    certificate may be named."""
    one, patch = _mine(graph, call), body_of(call)
    doc = one.doc | {key: patch[key] for key in _CERTIFICATE if key in patch}
    contents.demand(doc)
    one.expires = _expiry(graph, {**doc, "expirationDateTime": patch.get("expirationDateTime")})
    one.doc = doc
    return answer(shown(one))


def reauthorize(graph: Graph, call: Call) -> Reply:
    """`POST /subscriptions/{id}/reauthorize`."""
    _mine(graph, call)
    return Reply(204)


def delete(graph: Graph, call: Call) -> Reply:
    """`DELETE /subscriptions/{id}`."""
    del graph.subscriptions[_mine(graph, call).id]
    return Reply(204)


def changed(graph: Graph, mailbox: Mailbox, event: Event, change: str) -> None:
    """Tell every living subscription of the mailbox; those of one address in one message."""
    by_address: dict[str, list[Doc]] = {}
    clients: dict[str, set[str]] = {}
    for one in _living(graph):
        if one.mailbox == mailbox.id and change in text(one.doc, "changeType").split(","):
            element = _element(one, mailbox, event, change)
            if one.doc.get("includeResourceData") and change != "deleted":
                element["encryptedContent"] = contents.encrypted(graph, one, mailbox, event)
                clients.setdefault(one.address, set()).add(one.client)
            by_address.setdefault(one.address, []).append(element)
            one.sent += 1
    for address, elements in by_address.items():
        tokens = [contents.token(graph, client) for client in sorted(clients.get(address, ()))]
        post(graph, address, elements, label=change, tokens=tokens)


def lifecycle(graph: Graph, one: Subscription, what: str) -> None:
    """Tell a subscription of its own fate; `subscriptionRemoved` ends it."""
    element: Doc = {
        "subscriptionId": one.id,
        "subscriptionExpirationDateTime": _written(one.expires),
        "tenantId": DIRECTORY,
        "clientState": one.doc.get("clientState"),
        "lifecycleEvent": what,
    }
    if what == "subscriptionRemoved":
        graph.subscriptions.pop(one.id, None)
    if one.lifecycle_address:
        post(graph, one.lifecycle_address, [element], label=what)


def post(
    graph: Graph, address: str, elements: list[Doc], *, label: str, tokens: Sequence[str] = ()
) -> None:
    """Send one message; what is not answered 2xx comes again for four hours."""
    message = {"value": elements} | ({"validationTokens": [*tokens]} if tokens else {})
    begun = graph.stage.clock.now()

    def again(status: int | None, tries: int) -> timedelta | None:
        wait = timedelta(seconds=5 * 2 ** (tries - 1))
        over = graph.stage.clock.now() + wait > begun + GIVES_UP_AFTER
        return None if over else wait

    graph.stage.courier.send(
        Parcel(
            provider="graph",
            stream=f"graph:{address}",
            label=label,
            url=address,
            body=orjson.dumps(message),
            headers=lambda _: {"Content-Type": "application/json; charset=utf-8"},
            again=again,
        )
    )


def shown(one: Subscription) -> Doc:
    """Write a subscription as the API answers it: its state is not told again."""
    kept = ("resource", "changeType", "notificationUrl", "lifecycleNotificationUrl")
    return {
        "id": one.id,
        "applicationId": one.client,
        **{key: one.doc[key] for key in kept if key in one.doc},
        "clientState": None,
        "creatorId": one.mailbox,
        "includeResourceData": bool(one.doc.get("includeResourceData")),
        "encryptionCertificateId": one.doc.get("encryptionCertificateId"),
        "latestSupportedTlsVersion": text(one.doc, "latestSupportedTlsVersion", "v1_2"),
        "expirationDateTime": _written(one.expires),
    }


def _element(one: Subscription, mailbox: Mailbox, event: Event, change: str) -> Doc:
    place = f"Users/{mailbox.id}/Events/{event.id}"
    data = {
        "@odata.type": "#Microsoft.Graph.Event",
        "@odata.id": place,
        "@odata.etag": event.etag,
        "id": event.id,
    }
    return {
        "subscriptionId": one.id,
        "subscriptionExpirationDateTime": _written(one.expires),
        "changeType": change,
        "resource": place,
        "resourceData": data,
        "clientState": one.doc.get("clientState"),
        "tenantId": DIRECTORY,
    }


def _living(graph: Graph) -> list[Subscription]:
    now = graph.stage.clock.now()
    return [one for one in graph.subscriptions.values() if one.expires > now]


def _mine(graph: Graph, call: Call) -> Subscription:
    graph.caller(call, ())
    one = graph.subscriptions.get(call.path["subscription"])
    if one is None or one not in _living(graph) or one.client != _client(graph, call):
        raise refuse(404, "ResourceNotFound", "The object was not found.")
    return one


def _client(graph: Graph, call: Call) -> str:
    grant = graph.authority.bearer(call.bearer)
    return grant.client if grant else ""


def _is_twin(one: Subscription, client: str, mailbox: Mailbox, body: Doc) -> bool:
    same = text(one.doc, "changeType") == text(body, "changeType")
    return one.client == client and one.mailbox == mailbox.id and same


def _expiry(graph: Graph, body: Doc) -> datetime:
    now = graph.stage.clock.now()
    try:
        asked = datetime.fromisoformat(text(body, "expirationDateTime"))
    except ValueError as error:
        raise refuse(400, "InvalidRequest", "Property expirationDateTime is invalid.") from error
    asked = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    longest = timedelta(seconds=graph.settings.subscription_life_s)
    if body.get("includeResourceData"):
        longest = min(longest, contents.LONGEST_LIFE)
    # A clock that is a little ahead of ours is no longer life.
    if asked - now > longest + timedelta(seconds=60):
        minutes = longest // timedelta(minutes=1)
        message = f"Subscription expiration can only be {minutes} minutes in the future."
        raise refuse(400, "ValidationError", message)
    return max(asked, now + LEAST_LIFE)


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
