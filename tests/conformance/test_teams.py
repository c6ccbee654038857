"""Microsoft Teams joins the suite of conferences, and what only it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from infra.errors import InSession, Refused, Unknown
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.meetings import Conference
from tests.conformance.conferences import ANOTHER, MOVED, NOW, REFERENCE, SERIES, SLOT
from tests.conformance.conferences_elsewhere import Do, Elsewhere, RoomsElsewhere
from workers.ports import Access
from workers.providers import conferences

ADA = "ada@example.org"


@dataclass
class AtTeams(Elsewhere):
    """A person's Teams; Graph's names of the operations stand beside the suite's."""

    mailbox: str

    @override
    async def made(self) -> int:
        return len(await self.sandbox.graph.meetings(self.mailbox))

    @override
    async def delete_there(self, conference: Conference) -> None:
        await self.sandbox.graph.delete_meeting(self.mailbox, conference.id)

    @override
    async def move_there(self, conference: Conference) -> None:
        later = NOW + timedelta(days=9)
        await self.sandbox.graph.move_meeting(self.mailbox, conference.id, starts=later)

    @override
    async def lose_scopes(self) -> None:
        await self.sandbox.graph.set_scopes(self.mailbox, "User.Read")

    @override
    async def expire(self) -> None:
        await self.sandbox.graph.expire_access(self.mailbox)

    @override
    def calls(self, made: Conference) -> dict[str, Do]:
        given = super().calls(made)
        nobody = replace(self.access, host="")
        # Searching is creating: a fault of the suite's `list` meets the same call.
        return {**given, "user": lambda: self.port.account(nobody)}


async def at_teams(sandbox: Sandbox, wire: Wire) -> AtTeams:
    mailbox = await sandbox.graph.add_account(ADA, name="Ada")
    tokens = await sandbox.graph.sign_in(mailbox, scopes="User.Read OnlineMeetings.ReadWrite")
    api = f"{sandbox.url}/graph/v1.0"
    access = Access(connection="con_1", api=api, host=mailbox, token=tokens.access, serial=1)
    port = conferences(wire, lambda: datetime.now(NOW.tzinfo))["teams"]
    return AtTeams(port, access, sandbox, "graph", mailbox)


OPERATIONS = {
    "user": "graph.user",
    "create": "graph.create",
    "list": "graph.create",
    "get": "graph.meeting",
    "update": "graph.update",
    "delete": "graph.end",
}
TWICE = 2


class TestTeams(RoomsElsewhere):
    """Teams joins with the least scopes that the product asks for."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> AtTeams:
        return await at_teams(sandbox, wire)

    @override
    async def test_each_create_is_a_conference_and_all_are_found_oldest_first(
        self, there: Elsewhere
    ) -> None:
        """Not so here: the same reference is the same meeting, however often it is made."""
        first, again = await there.create(), await there.create()
        other = await there.create(ANOTHER)

        assert first == again
        assert other.id != first.id
        assert [one.id for one in await there.find()] == [first.id]
        assert await there.made() == 2

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize(
        "fault",
        [
            {"when": "before", "status": 500},
            {"when": "after", "status": 502, "body": "<html>Bad Gateway</html>"},
            {"when": "hang_after", "delay_s": 0.05, "times": TWICE},
            {"when": "reset_after", "times": TWICE},
        ],
        ids=lambda fault: "-".join(map(str, fault.values())),
    )
    @override
    async def test_what_may_have_been_done_is_unknown(
        self, there: Elsewhere, operation: str, fault: dict[str, Any]
    ) -> None:
        made = await there.create()
        await there.sandbox.fault(OPERATIONS[operation], **fault)

        with pytest.raises(Unknown):
            await there.calls(made)[operation]()

    @pytest.mark.parametrize("operation", OPERATIONS)
    @override
    async def test_too_many_calls_are_made_later(self, there: Elsewhere, operation: str) -> None:
        made = await there.create()
        await there.sandbox.fault(OPERATIONS[operation], "before", status=429)

        with pytest.raises(Exception, match="429") as raised:
            await there.calls(made)[operation]()

        assert not isinstance(raised.value, Unknown)

    @override
    async def test_a_conference_in_session_is_left_alone(self, there: Elsewhere) -> None:
        """Graph says nothing of a meeting in session, and deletes it: no client can know."""
        made = await there.create()

        try:
            await there.port.delete(there.access, made)
        except InSession:
            pytest.fail("nothing says so")

        assert await there.made() == 0

    @override
    async def test_a_host_link_is_fresh_each_time(self, there: Elsewhere) -> None:
        """The host joins by the same link as all, and is known by signing in."""
        made = await there.create()

        assert await there.port.host_link(there.access, made) == made.join_url

    @override
    async def test_bad_input_is_refused_in_the_providers_words(self, there: Elsewhere) -> None:
        with pytest.raises(Refused) as raised:
            await there.create("")

        assert "ExternalId is required" in raised.value.reason


@pytest.fixture
async def teams(sandbox: Sandbox, wire: Wire) -> AtTeams:
    return await at_teams(sandbox, wire)


async def test_looking_for_what_is_not_there_leaves_nothing_behind(teams: AtTeams) -> None:
    """The only search there is makes what it does not find."""
    assert await teams.find() == []

    assert await teams.made() == 0


async def test_a_create_behind_a_lost_answer_is_adopted_by_the_next(teams: AtTeams) -> None:
    await teams.sandbox.fault("graph.create", "reset_after")
    with pytest.raises(Unknown):
        await teams.create()

    made = await teams.create()

    assert await teams.made() == 1
    assert made.reference == REFERENCE


async def test_a_series_is_one_meeting_of_a_year(teams: AtTeams) -> None:
    made = await teams.create(slot=SERIES)

    (doc,) = await teams.sandbox.graph.meetings(teams.mailbox)

    starts, ends = (datetime.fromisoformat(str(doc[f"{at}DateTime"])) for at in ("start", "end"))
    assert ends - starts == timedelta(days=365)
    assert await teams.port.update(teams.access, made, MOVED) is not None


async def test_an_applications_host_is_who_it_was_sent_to(teams: AtTeams) -> None:
    account = await teams.port.account(teams.access)

    assert account.id == teams.mailbox
    assert await teams.sandbox.calls("graph.user") == 0


async def test_a_slot_is_shown_to_the_second(teams: AtTeams) -> None:
    made = await teams.create()

    assert made.shown == SLOT.fingerprint
