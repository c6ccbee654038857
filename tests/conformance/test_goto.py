"""GoTo Meeting joins the suite of its role, and what only it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from infra.errors import Refused, TokenExpired, Vanished
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.meetings import Conference
from schemas.providers import GOTO
from tests.conformance.conferences import (
    ANOTHER,
    MOVED,
    NOW,
    REFERENCE,
    SERIES,
    SLOT,
    STARTS,
    Joined,
    at,
)
from tests.conformance.conferences_elsewhere import Elsewhere, RoomsElsewhere
from workers.providers import conferences

HOST = "ada@example.org"


@dataclass
class AtGoTo(Elsewhere):
    """GoTo as the sandbox plays it."""

    user: str

    @override
    async def made(self) -> int:
        return len(await self.sandbox.goto.meetings(self.user))

    @override
    async def delete_there(self, conference: Conference) -> None:
        await self.sandbox.goto.delete_meeting(int(conference.id))

    @override
    async def move_there(self, conference: Conference) -> None:
        await self.sandbox.goto.move_meeting(int(conference.id), MOVED.starts_at, MOVED.ends_at)

    @override
    async def start_there(self, conference: Conference) -> None:
        await self.sandbox.goto.start_meeting(int(conference.id))

    @override
    async def lose_scopes(self) -> None:
        await self.sandbox.goto.set_scopes(self.user, "")

    @override
    async def expire(self) -> None:
        await self.sandbox.goto.expire_access(self.user)

    async def doc(self, conference: Conference) -> dict[str, Any]:
        """The meeting as GoTo keeps it."""
        return await self.sandbox.goto.meeting(int(conference.id))


async def at_goto(sandbox: Sandbox, wire: Wire, **account: object) -> AtGoTo:
    key = await sandbox.goto.add_account(**account)
    user = await sandbox.goto.add_organizer(HOST, account=key)
    scopes = " ".join(GOTO.oauth.scopes) if GOTO.oauth else ""
    tokens = await sandbox.goto.sign_in(user, scopes=scopes)
    access = at(f"{sandbox.url}/goto", token=tokens.access, host=user)
    port = conferences(wire, lambda: NOW)["goto"]
    return AtGoTo(port, access, sandbox=sandbox, name="goto", user=user)


class TestGoTo(RoomsElsewhere):
    """GoTo joins with the least scope, and with answers as odd as real ones were."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> AtGoTo:
        await sandbox.goto.settings(as_seen=True, join_links_listed=False)
        return await at_goto(sandbox, wire)

    @override
    async def test_each_create_is_a_conference_and_all_are_found_oldest_first(
        self, there: Elsewhere
    ) -> None:
        """GoTo tells no moment of creation: the lowest number comes first, at every look."""
        made = [(await there.create()).id for _ in range(5)]
        await there.create(ANOTHER)

        found = await there.port.find(there.access, SLOT, REFERENCE, since=NOW)

        assert [one.conference.id for one in found] == sorted(made)
        assert {one.created_at for one in found} == {None}

    @override
    async def test_bad_input_is_refused_in_the_providers_words(self, there: Elsewhere) -> None:
        """Of a zone it knows nothing; an end before the start it refuses."""
        backwards = SLOT.model_copy(update={"ends_at": SLOT.starts_at})

        with pytest.raises(Refused) as raised:
            await there.create(slot=backwards)

        assert "endtime" in raised.value.reason


@pytest.fixture
async def goto(sandbox: Sandbox, wire: Wire) -> AtGoTo:
    return await at_goto(sandbox, wire)


async def test_people_see_the_title_and_a_short_reference(goto: AtGoTo) -> None:
    made = await goto.create()

    doc = await goto.doc(made)
    assert doc["subject"] == f"Interview [{REFERENCE[:15]}]"
    assert made.join_url == f"https://meet.goto.com/{made.id}"


async def test_a_title_leaves_room_for_the_reference_and_keeps_its_signs(goto: AtGoTo) -> None:
    long = SLOT.model_copy(update={"title": "<b>&" + "x" * 200})
    nameless = SLOT.model_copy(update={"title": ""})

    one, two = await goto.create(slot=long), await goto.create(slot=nameless)

    subject = str((await goto.doc(one))["subject"])
    assert len(subject) == 100
    assert subject.startswith("<b>&xx")
    assert subject.endswith(f" [{REFERENCE[:15]}]")
    assert str((await goto.doc(two))["subject"]).startswith("Meeting [")
    assert {found.id for found in await goto.find()} == {one.id, two.id}


async def test_a_series_is_a_recurring_meeting_without_times(goto: AtGoTo) -> None:
    made = await goto.create(slot=SERIES)

    doc = await goto.doc(made)
    assert (doc["kind"], doc["starts"], doc["ends"]) == ("recurring", "", "")


async def test_a_free_account_is_told_by_its_plan(sandbox: Sandbox, wire: Wire) -> None:
    free = await at_goto(sandbox, wire, free=True)
    paid = await at_goto(sandbox, wire)

    assert (await free.port.account(free.access)).plan == "free"
    account = await paid.port.account(paid.access)
    assert (account.plan, account.id, account.name) == ("paid", paid.user, "Ada Raju")
    assert account.account_id not in ("", account.id)


async def test_keys_of_nineteen_digits_stay_whole(goto: AtGoTo) -> None:
    account = await goto.port.account(goto.access)

    assert len(account.id) == 19
    assert account.id != str(int(float(account.id)))


async def test_what_people_chose_at_goto_survives_our_update(goto: AtGoTo) -> None:
    """PUT replaces everything, so what is there is sent along."""
    friend = await goto.sandbox.goto.add_organizer("bob@example.org")
    number = await goto.sandbox.goto.add_meeting(
        goto.user,
        f"Interview [{REFERENCE[:15]}]",
        starts=STARTS.isoformat(),
        ends=(STARTS + timedelta(minutes=45)).isoformat(),
        password=True,
        coorganizers=[],
    )
    (found,) = await goto.find()

    await goto.port.update(goto.access, found, MOVED)

    doc = await goto.sandbox.goto.meeting(number)
    assert friend
    assert doc["password"] is True
    assert doc["starts"] == MOVED.starts_at.isoformat()


async def test_coorganizers_survive_our_update(sandbox: Sandbox, wire: Wire) -> None:
    goto = await at_goto(sandbox, wire)
    account = (await goto.port.account(goto.access)).account_id
    friend = await sandbox.goto.add_organizer("bob@example.org", account=account)
    await sandbox.goto.add_meeting(
        goto.user,
        f"Interview [{REFERENCE[:15]}]",
        starts=STARTS.isoformat(),
        ends=(STARTS + timedelta(minutes=45)).isoformat(),
        coorganizers=[friend],
    )
    (found,) = await goto.find()

    await goto.port.update(goto.access, found, MOVED)

    assert (await goto.doc(found))["coorganizers"] == [friend]


async def test_an_update_is_read_back(goto: AtGoTo) -> None:
    made = await goto.create()
    await goto.sandbox.forget_calls()

    await goto.port.update(goto.access, made, MOVED)

    calls = await goto.sandbox.all_calls()
    assert (calls["goto.update"], calls["goto.get"]) == (1, 2)


async def test_what_goes_between_reading_and_replacing_is_gone(goto: AtGoTo) -> None:
    made = await goto.create()
    await goto.sandbox.fault("goto.update", "before", status=404)

    assert await goto.port.update(goto.access, made, MOVED) is None


async def test_an_expired_token_is_a_403_at_goto(goto: AtGoTo) -> None:
    await goto.expire()

    with pytest.raises(TokenExpired, match="403"):
        await goto.create()


async def test_nobody_starts_what_is_gone(goto: AtGoTo) -> None:
    made = await goto.create()
    await goto.delete_there(made)

    with pytest.raises(Vanished):
        await goto.port.host_link(goto.access, made)


async def test_a_host_link_is_not_printed(goto: AtGoTo) -> None:
    made = await goto.create()

    link = await goto.port.host_link(goto.access, made)

    assert "authorizationCode=" in link


class TestWithoutAReferenceInTheTitle:
    """A connection may go without; then nothing is adopted on the strength of its looks."""

    @pytest.fixture
    def plain(self, goto: AtGoTo) -> Joined:
        goto.access = replace(goto.access, marks=False)
        return goto

    async def test_people_see_the_title_alone(self, plain: AtGoTo) -> None:
        made = await plain.create()

        assert (await plain.doc(made))["subject"] == "Interview"

    async def test_what_looks_like_ours_is_left_to_a_person(self, plain: AtGoTo) -> None:
        made = await plain.create()

        with pytest.raises(Refused) as raised:
            await plain.find()

        assert made.id in raised.value.reason

    async def test_nothing_like_it_proves_that_nothing_was_made(self, plain: AtGoTo) -> None:
        await plain.create(slot=MOVED)

        assert await plain.find() == []

    async def test_an_update_keeps_the_title_plain(self, plain: AtGoTo) -> None:
        made = await plain.create()

        await plain.port.update(plain.access, made, MOVED)

        assert (await plain.doc(made))["subject"] == "Interview"
