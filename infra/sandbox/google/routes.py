"""Which path is which operation of Google's?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import Route

from infra.sandbox.calls import Call, Reply
from infra.sandbox.consent import Consenting
from infra.sandbox.google import calendars, errors, oauth, push, reading, writing
from infra.sandbox.google.simulator import READ, Google
from infra.sandbox.operation import Operation

_EVENTS = "/calendar/v3/calendars/{calendar}/events"


def routes(google: Google) -> list[Route]:
    """Return Google's operations under the paths its own clients use."""

    def at(path: str, method: str, name: str, act: Callable[[Google, Call], Reply]) -> Route:
        operation = Operation(
            google.stage, f"google.{name}", lambda call: act(google, call), errors.reply
        )
        return Route(path, operation, methods=[method])

    return [
        at(f"{_EVENTS}/watch", "POST", "watch", _watch),
        at("/calendar/v3/channels/stop", "POST", "stop", push.stop),
        at(_EVENTS, "GET", "list", reading.listed),
        at(_EVENTS, "POST", "insert", writing.insert),
        at(f"{_EVENTS}/{{event}}", "GET", "get", reading.get),
        at(f"{_EVENTS}/{{event}}", "PATCH", "patch", writing.patch),
        at(f"{_EVENTS}/{{event}}", "PUT", "update", writing.update),
        at(f"{_EVENTS}/{{event}}", "DELETE", "delete", writing.delete),
        at(f"{_EVENTS}/{{event}}/instances", "GET", "instances", reading.instances),
        at("/calendar/v3/users/me/calendarList", "GET", "calendars", calendars.listed),
        at("/calendar/v3/users/me/calendarList/{calendar}", "GET", "calendar", calendars.entry),
        at("/calendar/v3/calendars/{calendar}", "GET", "calendar", calendars.get),
        at("/oauth/token", "POST", "token", oauth.token),
        at("/oauth/revoke", "POST", "revoke", oauth.revoke),
        Route(
            "/oauth/authorize",
            Consenting(google.stage, "google", google.who, lambda: google.authority),
        ),
    ]


def _watch(google: Google, call: Call) -> Reply:
    calendar = google.calendar(call, READ)
    return push.watch(google, calendar, google.caller(call, READ), errors.body_of(call))
