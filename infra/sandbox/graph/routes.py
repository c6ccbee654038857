"""Which path is which operation of Graph's?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route
from starlette.types import ASGIApp

from infra.sandbox.calls import Call, Reply
from infra.sandbox.consent import Consenting
from infra.sandbox.graph import (
    contents,
    errors,
    meetings,
    oauth,
    people,
    push,
    reading,
    writing,
)
from infra.sandbox.graph.handshake import Greeted
from infra.sandbox.graph.quota import Narrow
from infra.sandbox.graph.simulator import Graph
from infra.sandbox.operation import Operation

Act = Callable[[Graph, Call], Reply]

_OF_A_MAILBOX: tuple[tuple[str, str, str, Act], ...] = (
    ("", "GET", "user", people.user),
    ("/calendars", "GET", "calendars", people.calendars),
    ("/calendar", "GET", "calendar", people.calendar),
    ("/calendars/{calendar}", "GET", "calendar", people.calendar),
    ("/calendarView", "GET", "view", reading.view),
    ("/calendar/calendarView", "GET", "view", reading.view),
    ("/calendars/{calendar}/calendarView", "GET", "view", reading.view),
    ("/calendarView/delta", "GET", "list", reading.delta),
    ("/calendarView/delta()", "GET", "list", reading.delta),
    ("/events", "GET", "events", reading.listed),
    ("/calendars/{calendar}/events", "GET", "events", reading.listed),
    ("/events", "POST", "insert", writing.create),
    ("/calendars/{calendar}/events", "POST", "insert", writing.create),
    ("/events/{event}", "GET", "get", reading.get),
    ("/events/{event}", "PATCH", "patch", writing.patch),
    ("/events/{event}", "DELETE", "delete", writing.delete),
    ("/events/{event}/cancel", "POST", "cancel", writing.cancel),
    ("/events/{event}/instances", "GET", "instances", reading.instances),
    ("/onlineMeetings", "GET", "meetings", meetings.listed),
    ("/onlineMeetings/createOrGet", "POST", "create", meetings.create_or_get),
    ("/onlineMeetings/{meeting}", "GET", "meeting", meetings.get),
    ("/onlineMeetings/{meeting}", "PATCH", "update", meetings.patch),
    ("/onlineMeetings/{meeting}", "DELETE", "end", meetings.delete),
)


def routes(graph: Graph) -> list[Route]:
    """Return Graph's operations under the paths its own clients use."""

    def operation(name: str, act: Act) -> ASGIApp:
        return Operation(graph.stage, f"graph.{name}", lambda call: act(graph, call), errors.reply)

    def at(path: str, method: str, endpoint: ASGIApp) -> Route:
        return Route(path, endpoint, methods=[method])

    of_mailboxes = [
        at(f"/v1.0/{whose}{path}", method, Narrow(graph, operation(name, act)))
        for path, method, name, act in _OF_A_MAILBOX
        for whose in ("me", "users/{user}")
    ]
    one = "/v1.0/subscriptions/{subscription}"
    return [
        *of_mailboxes,
        at("/v1.0/subscriptions", "POST", Greeted(graph, operation("watch", push.create))),
        at("/v1.0/subscriptions", "GET", operation("subscriptions", push.listed)),
        at(one, "GET", operation("subscription", push.get)),
        at(one, "PATCH", operation("renew", push.renew)),
        at(one, "DELETE", operation("stop", push.delete)),
        at(f"{one}/reauthorize", "POST", operation("reauthorize", push.reauthorize)),
        at("/common/discovery/v2.0/keys", "GET", operation("keys", contents.published)),
        at("/oauth/token", "POST", operation("token", oauth.token)),
        at("/{directory}/oauth2/v2.0/token", "POST", operation("token", oauth.token)),
        Route(
            "/oauth/authorize",
            Consenting(graph.stage, "graph", graph.who, lambda: graph.authority),
        ),
    ]
