"""Which path is which operation of Zoom's?"""

from __future__ import annotations

from starlette.routing import Route

from infra.sandbox.consent import Consenting
from infra.sandbox.operation import Operation
from infra.sandbox.zoom import errors, history, lists, meetings, oauth, people
from infra.sandbox.zoom.meetings import Act
from infra.sandbox.zoom.simulator import Zoom


def routes(zoom: Zoom) -> list[Route]:
    """Return Zoom's operations under the paths of `https://api.zoom.us/v2` and `/oauth`."""

    def at(path: str, method: str, name: str, act: Act) -> Route:
        operation = Operation(
            zoom.stage, f"zoom.{name}", lambda call: act(zoom, call), errors.reply
        )
        return Route(path, operation, methods=[method])

    return [
        at("/v2/users/{user}/meetings", "POST", "create", meetings.create),
        at("/v2/users/{user}/meetings", "GET", "list", lists.listed),
        at("/v2/users/{user}/upcoming_meetings", "GET", "upcoming", lists.upcoming),
        at("/v2/meetings/{meeting}", "GET", "get", meetings.get),
        at("/v2/meetings/{meeting}", "PATCH", "update", meetings.update),
        at("/v2/meetings/{meeting}", "DELETE", "delete", meetings.delete),
        at("/v2/meetings/{meeting}/status", "PUT", "status", meetings.status),
        at("/v2/meetings/{meeting}/invitation", "GET", "invitation", history.invitation),
        at("/v2/past_meetings/{meeting}", "GET", "past", history.past),
        at("/v2/past_meetings/{meeting}/instances", "GET", "past_instances", history.instances),
        at("/v2/past_meetings/{meeting}/participants", "GET", "participants", history.participants),
        at("/v2/report/meetings/{meeting}/participants", "GET", "report", history.report),
        at("/v2/users/{user}", "GET", "user", people.user),
        at("/v2/users/{user}/zak", "GET", "zak", people.zak),
        at("/v2/users/{user}/token", "GET", "zak", people.zak),
        at("/oauth/token", "POST", "token", oauth.token),
        at("/oauth/revoke", "POST", "revoke", oauth.revoke),
        Route("/oauth/authorize", Consenting(zoom.stage, "zoom", zoom.who, lambda: zoom.authority)),
    ]
