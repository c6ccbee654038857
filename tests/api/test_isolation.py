"""Over the whole table: nobody comes in without a key, and no key opens another tenant's things."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

import httpx
import pytest

from infra import valkey
from infra.settings import Settings
from infra.store import Store
from schemas.people import Scope
from schemas.providers import Role
from tests.api.stage import MEETING, DeskWorker, LinkUp, MakePartner, kind_of
from webhooks.api.operation import Row
from webhooks.api.table import ROWS

SAMPLES = {
    "tenant": "acme",
    "application": "app_" + "a" * 20,
    "key": "key_" + "a" * 20,
    "client": "cli_" + "a" * 20,
    "connection": "con_" + "a" * 20,
    "calendar": "cal_" + "a" * 20,
    "endpoint": "end_" + "a" * 20,
    "grant": "grt_" + "a" * 20,
    "request": "dr_" + "a" * 20,
    "callback": "cb_" + "a" * 20,
    "recovery": "rec_" + "a" * 20,
    "conference": "123",
    "organizer": "456",
    "meeting": "some-meeting",
    "event": "event1",
}

ROOMS = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
KEYED = [row for row in ROWS if row.needs != "operator"]
OWN_WORDS = {"putMeeting", "dryRunMeeting"}  # the path holds a name that the caller gives
NAMING = [row for row in KEYED if "{" in row.path and row.name not in OWN_WORDS]


def path_of(row: Row, names: dict[str, str] | None = None) -> str:
    return row.path.format_map({**SAMPLES, **(names or {})})


async def call(
    client: httpx.AsyncClient,
    row: Row,
    names: dict[str, str] | None = None,
    body: Mapping[str, object] | None = None,
) -> httpx.Response:
    json = body if body is not None else {} if row.takes else None
    params = QUERIES.get(row.name)
    return await client.request(row.method, path_of(row, names), json=json, params=params)


@ROOMS
async def test_without_a_key_nobody_comes_in(stranger: httpx.AsyncClient, row: Row) -> None:
    answer = await call(stranger, row)

    assert (answer.status_code, kind_of(answer)) == (401, "unauthenticated")
    assert answer.json()["trace_id"] == answer.headers["tieline-trace"]


@pytest.mark.parametrize("row", KEYED, ids=lambda row: row.name)
async def test_a_key_without_the_scope_does_nothing(make_partner: MakePartner, row: Row) -> None:
    if not isinstance(row.needs, Scope):
        return
    others = [scope for scope in Scope if scope is not row.needs]

    answer = await call(await make_partner("acme", *others), row)

    assert (answer.status_code, kind_of(answer)) == (403, "forbidden")


DURING = {"since": "2027-01-01T00:00:00Z", "until": "2027-01-02T00:00:00Z"}
QUERIES: dict[str, dict[str, str]] = {
    "listHeldConferences": DURING,
    "listAttendees": DURING,
    "listEvents": DURING,
    "deleteOrganizerByEmail": {"email": "ada@partner.example"},
}
TIMES = {"starts_at": "2027-01-05T10:00:00Z", "ends_at": "2027-01-05T11:00:00Z"}
INVITED = {"email": "ada@partner.example", "first_name": "Ada", "last_name": "Lovelace"}
BODIES: dict[str, dict[str, object]] = {
    "replaceClientSecret": {"secret": "x"},
    "replaceWebhookSecret": {"secret": "x"},
    "redeliverCallback": {"endpoint": "end_" + "a" * 20},
    "createAccountConference": {"title": "Interview", **TIMES},
    "replaceAccountConference": {"title": "Interview", **TIMES},
    "inviteOrganizers": {"people": [INVITED]},
    "changeOrganizer": {"suspended": True},
    "chooseTruth": {"source_of_truth": "conference"},
    "bindRoom": {"connection": "con_" + "a" * 20},
}


@pytest.mark.parametrize("row", NAMING, ids=lambda row: row.name)
async def test_the_things_of_another_tenant_are_not_there(
    make_partner: MakePartner,
    worker: DeskWorker,
    store: Store,
    link_up: LinkUp,
    row: Row,
) -> None:
    owner, thief = await make_partner("acme", *Scope), await make_partner("umbrella", *Scope)
    names = await furnish(owner, link_up)
    worker.asked.clear()

    stolen = await call(thief, row, names, BODIES.get(row.name))
    absent = await call(thief, row, body=BODIES.get(row.name))

    assert (stolen.status_code, kind_of(stolen)) == (404, "not-found")
    same = [{**each.json(), "trace_id": ""} for each in (stolen, absent)]
    assert same[0] == same[1]
    assert worker.asked == []


async def furnish(
    owner: httpx.AsyncClient, link_up: LinkUp, *, tenant: str = "acme"
) -> dict[str, str]:
    """One of everything, and the name that a path would have for it."""
    google = await link_up(Role.CALENDAR, "google", tenant=tenant)
    zoom = {"provider": "zoom", "client_id": "x", "secret": "x"}
    client = (await owner.post("/v1/clients", json=zoom)).json()["id"]
    endpoint = await owner.post("/v1/endpoints", json={"url": "https://partner.example/"})
    body = {"connection": google, "provider_id": "primary"}
    calendar = (await owner.post("/v1/calendars", json=body)).json()["id"]
    meeting = (await owner.put("/v1/meetings/mine", json=MEETING)).json()["id"]
    key = (await owner.get("/v1/keys")).json()["items"][0]
    given = {"application": key["application"], "connection": google}
    grant = await owner.post("/v1/grants", json=given)
    test = await owner.post(f"/v1/endpoints/{endpoint.json()['id']}/test")
    recovery = await owner.post("/v1/recover", json={})
    return {
        "callback": test.json()["callback"],
        "recovery": recovery.json()["id"],
        "key": key["id"],
        "application": key["application"],
        "grant": grant.json()["id"],
        "client": client,
        "connection": google,
        "calendar": calendar,
        "endpoint": endpoint.json()["id"],
        "meeting": meeting,
    }


@pytest.mark.parametrize("row", KEYED, ids=lambda row: row.name)
async def test_no_call_of_a_random_neighbour_reads_or_changes_anything(
    make_partner: MakePartner, worker: DeskWorker, settings: Settings, link_up: LinkUp, row: Row
) -> None:
    """Both tenants are drawn anew for every row, and the thief names all that the owner has."""
    dice = random.Random(row.name)
    names = ["".join(dice.choices("abcdefghijkl-", k=dice.randint(2, 40))) for _ in range(2)]
    owner, thief = await make_partner(names[0], *Scope), await make_partner(names[1], *Scope)
    things = await furnish(owner, link_up, tenant=names[0])
    before = await everything(settings, names[0])
    worker.asked.clear()

    stolen = await call(thief, row, things, {**BODIES.get(row.name, {}), **fields_of(row, things)})

    assert stolen.status_code not in range(500, 600)
    assert names[0] not in stolen.text
    assert not any(name in stolen.text for name in things.values())
    assert len(before) > 20
    assert await everything(settings, names[0]) == before
    assert [request for request in worker.asked if request.ask.ask != "link_given"] == []


def fields_of(row: Row, things: dict[str, str]) -> dict[str, str]:
    """A body that names the owner's things wherever it may name some."""
    known = row.takes.model_fields if row.takes is not None else ()
    left_out = {"calendar"} if row.name == "giveGrant" else set()  # which is for one place
    return {name: value for name, value in things.items() if name in set(known) - left_out}


async def everything(settings: Settings, tenant: str) -> dict[bytes, bytes]:
    """Whatever the store holds of a tenant: documents, lanes, indexes, logs, bodies, the feed. Left
    out are answered calls and what its keys may still ask, which end by themselves."""
    raw = valkey.connect(settings)
    try:
        names = [name async for name in raw.scan_iter(match=f"{{{tenant}}}:*", count=1000)]
        lasting = [name for name in names if b":calls:" not in name and b":bucket:" not in name]
        return {name: await raw.dump(name) for name in lasting}
    finally:
        await raw.aclose()


async def test_lists_show_the_own_tenant_only(make_partner: MakePartner, link_up: LinkUp) -> None:
    owner, other = await make_partner("acme", *Scope), await make_partner("umbrella")
    names = await furnish(owner, link_up)

    lists = [row.path for row in KEYED if row.paged and "{" not in row.path]
    theirs = [(await other.get(path)).text for path in lists]

    assert len(lists) >= 5
    assert [name for name in names.values() if name in "".join(theirs)] == []


def test_every_row_has_a_sample_for_each_part_of_its_path() -> None:
    parts = {part for row in ROWS for part in re.findall(r"{(\w+)}", row.path)}

    assert parts <= SAMPLES.keys()
