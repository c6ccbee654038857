"""Who is a mailbox's owner, and which calendars does it hold?"""

from __future__ import annotations

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, whole
from infra.sandbox.graph.simulator import READ, Graph
from infra.sandbox.graph.state import Calendar, Mailbox
from infra.sandbox.graph.writing import calendar_of


def user(graph: Graph, call: Call) -> Reply:
    """`GET /me`."""
    mailbox = graph.mailbox(call, ("User.Read", "User.Read.All", "User.ReadBasic.All"))
    return answer(
        {
            "id": mailbox.id,
            "displayName": mailbox.name,
            "mail": mailbox.address,
            "userPrincipalName": mailbox.address,
        }
    )


def calendar(graph: Graph, call: Call) -> Reply:
    """`GET /calendar` or `/calendars/{id}`."""
    mailbox = graph.mailbox(call, READ)
    return answer(_shown(mailbox, calendar_of(mailbox, call)))


def calendars(graph: Graph, call: Call) -> Reply:
    """`GET /calendars`, paged."""
    mailbox = graph.mailbox(call, READ)
    rows = [_shown(mailbox, one) for one in mailbox.calendars.values()]
    query: Doc = {**call.query}
    skip, top = whole(query, "$skip"), min(whole(query, "$top", 10), graph.settings.page_cap)
    page: Doc = {"value": rows[skip : skip + top]}
    if skip + top < len(rows):
        root = f"http://{call.headers.get('host', 'localhost')}{call.address}"
        page["@odata.nextLink"] = f"{root}?$top={top}&$skip={skip + top}"
    return answer(page)


def _shown(mailbox: Mailbox, one: Calendar) -> Doc:
    return {
        "id": one.id,
        "name": one.name,
        "color": "auto",
        "isDefaultCalendar": one.is_default,
        "canEdit": True,
        "canShare": True,
        "owner": {"name": mailbox.name, "address": mailbox.address},
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
    }
