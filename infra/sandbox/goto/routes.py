"""Which path is which operation of GoTo's?"""

from __future__ import annotations

from starlette.routing import Route

from infra.sandbox.consent import Consenting
from infra.sandbox.goto import errors, history, meetings, oauth, people
from infra.sandbox.goto.meetings import Act
from infra.sandbox.goto.simulator import GoTo
from infra.sandbox.operation import Operation

G2M = "/G2M/rest"


Table = list[tuple[str, str, str, Act]]
_ONE, _WHO, _GROUP = "/meetings/{meeting}", "/organizers/{user}", "/groups/{group}"
MEETINGS: Table = [
    ("/meetings", "POST", "create", meetings.create),
    (_ONE, "GET", "get", meetings.get),
    (_ONE, "PUT", "update", meetings.update),
    (_ONE, "DELETE", "delete", meetings.delete),
    (f"{_ONE}/start", "GET", "start", meetings.start),
    (f"{_ONE}/attendees", "GET", "attendees", history.attendees),
    (f"{_WHO}/attendees", "GET", "attendees", history.attendees_of_organizer),
    (f"{_GROUP}/attendees", "GET", "attendees", history.attendees_of_group),
    ("/upcomingMeetings", "GET", "list", history.upcoming),
    (f"{_WHO}/upcomingMeetings", "GET", "list", history.upcoming_of_organizer),
    (f"{_GROUP}/upcomingMeetings", "GET", "list", history.upcoming_of_group),
    ("/historicalMeetings", "GET", "history", history.held),
    (f"{_WHO}/historicalMeetings", "GET", "history", history.held_by_organizer),
    (f"{_GROUP}/historicalMeetings", "GET", "history", history.held_by_group),
]
PEOPLE: Table = [
    ("/organizers", "GET", "organizers", people.listed),
    ("/organizers", "POST", "invite", people.create),
    ("/organizers", "DELETE", "remove_by_email", people.delete_by_email),
    (_WHO, "GET", "organizer", people.get),
    (_WHO, "PUT", "change_organizer", people.change),
    (_WHO, "DELETE", "remove_organizer", people.delete),
    ("/groups", "GET", "groups", people.groups),
    (f"{_GROUP}/organizers", "GET", "organizers", people.in_group),
    (f"{_GROUP}/organizers", "POST", "invite", people.create_in_group),
]


def routes(goto: GoTo) -> list[Route]:
    """Return GoTo's operations under the paths of `https://api.getgo.com` and `/oauth`."""

    def at(path: str, method: str, name: str, act: Act) -> Route:
        operation = Operation(
            goto.stage, f"goto.{name}", lambda call: act(goto, call), errors.reply
        )
        return Route(path, operation, methods=[method])

    return [
        *(at(f"{G2M}{path}", method, name, act) for path, method, name, act in MEETINGS + PEOPLE),
        at("/admin/rest/v1/me", "GET", "user", people.me),
        at("/oauth/token", "POST", "token", oauth.token),
        Route("/oauth/authorize", Consenting(goto.stage, "goto", goto.who, lambda: goto.authority)),
    ]
