"""Each POST of the OpenAPI document under a key: twice the same is done once, and another request
under the same key is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.lanes import Item, Lane, Post
from infra.store import Store
from schemas.desk import DeskRequest
from schemas.people import Scope
from schemas.providers import Role
from tests.api.stage import MEETING, DeskWorker, LinkUp, MakePartner, kind_of
from tests.api.test_isolation import SAMPLES, TIMES, furnish
from webhooks.api.openapi import document
from webhooks.api.operation import Row
from webhooks.api.table import ROWS

KEY = {"Idempotency-Key": "0c6f6f0e-5b1e-4d9e-9f57-2d7b9a3f7f10"}
REPLAYED = "idempotency-replayed"
PLACES = {
    (method.upper(), path): said["operationId"]
    for path, methods in document(ROWS, "http://api.test")["paths"].items()
    for method, said in methods.items()
    if method == "post"
}
POSTS = [row for row in ROWS if row.name in PLACES.values()]
ADA = {"email": "ada@partner.example", "first_name": "Ada", "last_name": "Lovelace"}
PARKED = "meeting:mtg_parked"


@dataclass(frozen=True)
class Two:
    """A body that is done, and another that would be; none of a row that takes none."""

    body: Mapping[str, Any] | None = None
    other: Mapping[str, Any] | None = None


def bodies(name: str, of: Mapping[str, str]) -> Two:
    """What to send to a row, where its things are called so."""
    meeting = {**MEETING, "external_id": "one"}
    conference = {"title": "Interview", **TIMES}
    jitsi = {"provider": "jitsi", "room_url": "https://meet.example"}
    zoom = {"provider": "zoom", "client_id": "x", "secret": "one-secret"}
    link = {"client": of["client"], "return_url": "https://partner.example/linked"}
    calendar = {"connection": of["connection"], "provider_id": "primary"}
    grant = {"application": of["application"], "user": "ada"}
    return {
        "createMeeting": Two(meeting, {**meeting, "title": "Another"}),
        "dryRunMeeting": Two(MEETING, {**MEETING, "title": "Another"}),
        "dryRunEvent": Two(),
        "createEndpoint": Two({"url": "https://partner.example/1"}, {"url": "https://a.example/"}),
        "pauseEndpoint": Two(),
        "enableEndpoint": Two({"rate_per_s": 5}, {"rate_per_s": 6}),
        "proveEndpoint": Two(),
        "testEndpoint": Two({"type": "meeting.updated"}, {"type": "meeting.failed"}),
        "rotateEndpointSecret": Two({"overlap_s": 60}, {"overlap_s": 61}),
        "redeliverCallback": Two({"endpoint": of["endpoint"]}, {"endpoint": "end_" + "b" * 20}),
        "recover": Two({"endpoint": of["endpoint"]}, {}),
        "cancelRecovery": Two(),
        "createConnection": Two(jitsi, {**jitsi, "room_url": "https://other.example"}),
        "testConnection": Two({}, {"operation": "account"}),
        "reconcileConnection": Two({"limit": 5}, {"limit": 5, "apply": True}),
        "createLink": Two(link, {**link, "return_url": "https://partner.example/other"}),
        "createAccountConference": Two(conference, {**conference, "title": "Another"}),
        "inviteOrganizers": Two({"people": [ADA]}, {"people": [{**ADA, "first_name": "A."}]}),
        "watchCalendar": Two(calendar, {**calendar, "provider_id": "another"}),
        "createClient": Two(zoom, {**zoom, "secret": "another"}),
        "giveGrant": Two(grant, {**grant, "user": "bob"}),
        "retryParked": Two({"lane": PARKED}, {"lane": "meeting:mtg_other"}),
        "createNextKey": Two(),
        "createTenant": Two({"id": "fresh", "name": "Fresh"}, {"id": "fresh", "name": "Other"}),
        "createApplication": Two({"name": "one"}, {"name": "other"}),
        "createKey": Two({"scopes": ["manage"]}, {"scopes": ["meetings"]}),
    }[name]


def done(request: DeskRequest, tenant: str) -> dict[str, Any]:
    """A worker that does what it is asked, each time with another result."""
    number = request.id
    return {
        "state": "done",
        "connection": f"con_{'google':a<20}",
        "sentences": (number,),
        "calls": ({"do": "wait", "words": number},),
        "found": {
            "conferences": [{"id": "1", "title": number}],
            "organizers": [{"email": ADA["email"], "state": "pending", "group": number}],
        },
    }


@pytest.fixture
async def partner(make_partner: MakePartner) -> httpx.AsyncClient:
    """An application with every scope."""
    return await make_partner("acme", *Scope)


@pytest.fixture
async def things(
    partner: httpx.AsyncClient, store: Store, worker: DeskWorker, link_up: LinkUp
) -> dict[str, str]:
    """One of everything that a path or a body may name."""
    names = await furnish(partner, link_up)
    await link_up(Role.CONFERENCING, "goto")
    await store.lanes.post(Post(Lane.parse("acme", PARKED), Item("it_1")))
    await store.lanes.park(Lane.parse("acme", PARKED), "a person must look")
    worker.reply = done
    return {**SAMPLES, **names, "meeting": "of-the-caller"}


@pytest.mark.parametrize("row", POSTS, ids=lambda row: row.name)
async def test_a_post_under_a_key_is_done_once_and_another_under_it_is_refused(
    partner: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    worker: DeskWorker,
    things: dict[str, str],
    row: Row,
) -> None:
    caller = operator if row.needs == "operator" else partner
    path = path_of(row, things)
    two = bodies(row.name, things)
    worker.asked.clear()

    first = await caller.post(path, json=two.body, headers=KEY)
    asked = len(worker.asked)
    again = await caller.post(path, json=two.body, headers=KEY)
    elsewhere = KEY if two.body is not None else {**KEY, "Tieline-User": "somebody-else"}
    other = await caller.post(path, json=two.other, headers=elsewhere)

    assert first.is_success, first.text
    assert REPLAYED not in first.headers
    assert (again.status_code, again.headers[REPLAYED]) == (first.status_code, "true")
    assert again.json() == {**first.json(), **dict.fromkeys(once(again.json()))}
    assert (other.status_code, kind_of(other)) == (409, "different-body")
    assert len(worker.asked) == asked


def path_of(row: Row, things: Mapping[str, str]) -> str:
    """With the things' names in it; of conferences only GoTo's account can be asked."""
    of_an_account = row.name in {"createAccountConference", "inviteOrganizers"}
    goto = {"connection": "con_goto" + "a" * 16} if of_an_account else {}
    return row.path.format_map({**things, **goto})


def once(said: Mapping[str, object]) -> list[str]:
    """What a repeat does not tell again."""
    return [name for name in ("secret", "url") if name in said and said[name] is None]


def test_no_post_of_the_document_is_left_out() -> None:
    assert len(POSTS) == len(PLACES) >= 20
