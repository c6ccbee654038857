"""Who is right about one meeting of a calendar is chosen by whoever may see and manage it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from infra.store import Store
from schemas.events import Slot
from schemas.items import Asked, read_load
from schemas.meetings import Meeting
from schemas.people import Scope
from schemas.policy import Leading, Wish
from schemas.providers import Role
from tests.api.meeting_lane import take_lane
from tests.api.stage import MEETING, LinkUp, MakePartner, kind_of

NOW = datetime(2027, 1, 1, tzinfo=UTC)
NAME = f"mtg_{'a1' * 12}"
PATH = f"/v1/meetings/{NAME}"
LEADS = {"source_of_truth": "conference"}


@pytest.fixture
async def owner(make_partner: MakePartner) -> httpx.AsyncClient:
    """Who may see what calendars made, and manage."""
    return await make_partner("acme", Scope.MANAGE, Scope.MEETINGS, Scope.TENANT_WIDE)


async def seen(store: Store, connection: str = "con_zoom") -> None:
    """A calendar's meeting, as a worker wrote it."""
    slot = Slot(title="Standup", starts_at=NOW, ends_at=datetime(2027, 1, 1, 1, tzinfo=UTC))
    meeting = Meeting(
        id=NAME,
        origin="calendar",
        identity="uid-1",
        wish=Wish(slot=slot, connection=connection),
        created_at=NOW,
        changed_at=NOW,
    )
    await store.documents.put("acme", meeting)


async def test_the_choice_and_its_item_appear_together(
    owner: httpx.AsyncClient, store: Store
) -> None:
    await seen(store)

    answer = await owner.patch(PATH, json=LEADS)

    kept = await store.documents.get("acme", Leading, NAME)
    (item,) = (await take_lane(store)).items
    assert (answer.status_code, answer.json()["source_of_truth"]) == (200, "conference")
    assert kept is not None
    assert isinstance(load := read_load(item.body), Asked)
    assert (kept.truth, kept.actor) == ("conference", load.actor)


async def test_the_last_choice_stands(owner: httpx.AsyncClient, store: Store) -> None:
    await seen(store)

    for truth in ("conference", "conference", "calendar"):
        assert (await owner.patch(PATH, json={"source_of_truth": truth})).status_code == 200

    kept = await store.documents.get("acme", Leading, NAME)
    assert kept is not None
    assert kept.truth == "calendar"


async def test_a_conference_that_nobody_tells_us_of_cannot_lead(
    owner: httpx.AsyncClient, store: Store, link_up: LinkUp
) -> None:
    await seen(store, await link_up(Role.CONFERENCING, "jitsi"))

    answer = await owner.patch(PATH, json=LEADS)

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")
    assert answer.json()["errors"][0]["field"] == "source_of_truth"
    assert await store.documents.get("acme", Leading, NAME) is None


async def test_an_applications_meeting_is_put_with_its_own(owner: httpx.AsyncClient) -> None:
    await owner.put("/v1/meetings/interview-1", json=MEETING)

    answer = await owner.patch("/v1/meetings/interview-1", json=LEADS)

    assert answer.status_code == 422
    assert "put it" in answer.json()["errors"][0]["fault"]


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        ((Scope.MEETINGS, Scope.TENANT_WIDE), 403),
        ((Scope.MANAGE, Scope.MEETINGS), 404),
    ],
)
async def test_who_may_not_manage_or_see_it_chooses_nothing(
    make_partner: MakePartner, store: Store, scopes: tuple[Scope, ...], status: int
) -> None:
    partner = await make_partner("acme", *scopes)
    await seen(store)

    answer = await partner.patch(PATH, json=LEADS)

    assert answer.status_code == status
    assert await store.documents.get("acme", Leading, NAME) is None


async def test_no_other_word_is_a_choice(owner: httpx.AsyncClient, store: Store) -> None:
    await seen(store)

    answer = await owner.patch(PATH, json={"source_of_truth": "application"})

    assert answer.status_code == 422
