"""What is asked of a provider that pushes nothing, when again, and what is kept of its answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from infra.lanes import IndexSet, Lane, Post, RankSet, Unit
from infra.sandbox.client import Sandbox
from schemas.account_asks import ListHeld, Span, Whose
from schemas.accounts import AccountConference, Found
from schemas.connections import Connection
from schemas.tending import Harvest, Held, Polled
from tests.workers.desk import ask
from tests.workers.stage import Stage, until

NOW = timedelta(0)
EVERYTHING = ("collab:", "identity:")


@dataclass
class Account:
    """Ada's account at GoTo, linked."""

    stage: Stage
    sandbox: Sandbox
    connection: Connection
    key: str

    @property
    def lane(self) -> Lane:
        """The lane of the connection."""
        return Lane(self.stage.tenant, "connection", self.connection.id)

    async def fires(self, timer: str) -> None:
        """Let a timer be due, and its work be done."""
        operation = {"poll": "goto.list", "harvest": "goto.history"}[timer]
        before = await self.sandbox.calls(operation)
        await self.stage.runtime.store.lanes.post(Post(self.lane, timers={timer: NOW}))

        async def asked() -> bool:
            return await self.sandbox.calls(operation) > before

        async with self.stage.at_work("connection"):
            await until(asked)
            await until(lambda: self.stage.idle("connection", self.connection.id))

    async def due(self, timer: str) -> timedelta | None:
        """How long from now a timer fires."""
        at = (await self.stage.runtime.store.lanes.state(self.lane)).timers.get(timer)
        return None if at is None else at - datetime.now(UTC)

    async def may(self, scopes: tuple[str, ...]) -> None:
        """The link has these scopes from now on."""
        connection = await self.stage.connection(self.connection.id)
        await self.stage.keep(connection.model_copy(update={"scopes": scopes}))

    async def held(self, guest: str) -> int:
        """A conference that was held, with a guest."""
        number = await self.sandbox.goto.add_meeting(self.key, "Review")
        await self.sandbox.goto.start_meeting(number)
        await self.sandbox.goto.join_meeting(number, guest)
        await self.sandbox.goto.end_meeting(number)
        return number

    async def harvested(self) -> Harvest | None:
        """How far back what was kept is whole."""
        documents = self.stage.runtime.store.documents
        return await documents.get(self.stage.tenant, Harvest, self.connection.id)

    async def kept(self) -> list[Held]:
        """What was kept."""
        store, rank = self.stage.runtime.store, f"held:{self.connection.id}"
        names = [name for name, _ in await store.rank.page(self.stage.tenant, rank, None, 10)]
        return await store.documents.get_all(self.stage.tenant, Held, names)

    async def told(self, days: int, whose: Whose) -> Found:
        """What was held in so many days."""
        until_ = datetime.now(UTC)
        span = Span(since=until_ - timedelta(days=days), until=until_)
        answer = await ask(
            self.stage, ListHeld(connection=self.connection.id, span=span, whose=whose)
        )
        assert answer.found is not None, answer.detail
        return answer.found


@pytest.fixture
async def account(stage: Stage, sandbox: Sandbox) -> Account:
    corporate = await sandbox.goto.add_account()
    key = await sandbox.goto.add_organizer("ada@example.org", account=corporate, admin=True)
    connection = await stage.link(sandbox, host=key, provider="goto")
    return Account(stage, sandbox, connection, key)


async def test_a_question_that_failed_is_asked_again(account: Account) -> None:
    await account.sandbox.fault("goto.list", "before", status=503)
    await account.sandbox.fault("goto.history", "before", status=503)

    await account.fires("poll")
    await account.fires("harvest")

    for timer in ("poll", "harvest"):
        assert (due := await account.due(timer)) is not None
        assert due <= timedelta(minutes=1)


async def test_what_has_ended_is_harvested_soon(account: Account, stage: Stage) -> None:
    number = await account.sandbox.goto.add_meeting(account.key, "Review")
    meeting = await stage.meeting()
    row = IndexSet(f"ledger:{account.connection.id}", str(number), meeting.id)
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(index=[row]))
    await account.sandbox.goto.start_meeting(number)
    await account.fires("poll")
    polled = await stage.runtime.store.documents.get(stage.tenant, Polled, account.connection.id)
    running = await account.due("harvest")

    await account.sandbox.goto.end_meeting(number)
    await account.fires("poll")

    assert polled is not None
    assert [one.running for one in polled.seen] == [True]
    assert running is None
    assert (due := await account.due("harvest")) is not None
    assert due <= timedelta(minutes=2)


async def test_who_was_there_is_asked_for_once_the_link_may_know(account: Account) -> None:
    """A link that gets its wider scope later loses nothing that GoTo still remembers."""
    await account.may(EVERYTHING[:1])
    await account.held("Cyd")
    await account.fires("harvest")
    (before,) = await account.kept()
    lately = await account.harvested()
    assert lately is not None
    earlier = lately.model_copy(update={"reached": lately.reached + timedelta(days=30)})
    await account.stage.keep(earlier)  # so that only a look from the beginning finds it

    await account.may(EVERYTHING)
    await account.fires("harvest")

    (after,) = await account.kept()
    assert before.attendance is None
    assert after.attendance is not None
    assert [one.name for one in after.attendance] == ["Cyd"]
    assert await account.sandbox.calls("goto.attendees") == 1


@pytest.mark.parametrize(
    ("reached", "complete"), [(1, 100), (70, 60)], ids=["without a gap", "with a gap"]
)
async def test_nothing_is_missing_from_as_long_ago_as_was_harvested_without_a_gap(
    account: Account, reached: int, complete: int
) -> None:
    began = datetime.now(UTC)
    whole = began - timedelta(days=100)
    last = began - timedelta(days=reached)
    await account.stage.keep(Harvest(id=account.connection.id, complete_from=whole, reached=last))

    await account.fires("harvest")

    told = await account.told(365, Whose())
    assert told.complete_from is not None
    apart = told.complete_from - (began - timedelta(days=complete))
    assert timedelta(0) <= apart < timedelta(hours=1)


async def test_what_was_harvested_is_nobody_elses(account: Account) -> None:
    began = datetime.now(UTC) - timedelta(days=70)
    held, name = AccountConference(id="1", starts_at=began), f"{account.connection.id}/1"
    rank = RankSet(f"held:{account.connection.id}", name, began.timestamp())
    await account.stage.runtime.store.lanes.submit(
        account.stage.tenant, Unit(puts=[Held(id=name, conference=held)], rank=[rank])
    )

    own = await account.told(90, Whose())
    others = await account.told(90, Whose(organizer=account.key))

    assert [row.id for row in own.conferences] == ["1"]
    assert others.conferences == ()
    assert others.complete_from is not None
