"""The lane of a calendar at Microsoft 365: its subscription is found lost, and made again."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import Lane
from infra.sandbox.client import Sandbox
from schemas.connections import Calendar
from schemas.events import Sighting
from schemas.policy import KeywordRule, PolicyRules
from tests.workers.stage import NOON, Stage, until
from tests.workers.watching import ADA, mark, reading_of, sighting, was_read
from workers.providers.graph.client import PRIMARY

RULES = (KeywordRule(keyword="zoom", conferencing="con_zoom"),)


async def watch(stage: Stage, sandbox: Sandbox, provider_id: str = PRIMARY) -> tuple[Calendar, str]:
    """Ada's mailbox, linked and to be read. Nobody listens, so no handshake is asked for: the
    tests of the receiver show that one."""
    await sandbox.graph.settings(handshake=False)
    mailbox = await sandbox.graph.add_account(ADA, name="Ada")
    connection = await stage.link(sandbox, host=mailbox, provider="graph")
    calendar = Calendar(
        id=stage.runtime.new_id("cal"),
        connection=connection.id,
        provider="graph",
        provider_id=provider_id,
        created_at=NOON,
    )
    policy = PolicyRules(id="policy", rules=RULES)
    await stage.keep(calendar, policy, index={"calendars": [calendar.id]})
    await mark(stage, calendar)
    return calendar, mailbox


async def test_a_subscription_lost_without_a_word_is_made_again_and_its_gap_read(
    stage: Stage, sandbox: Sandbox
) -> None:
    """T28"""
    calendar, mailbox = await watch(stage, sandbox)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        (lost,) = await sandbox.graph.subscriptions()
        await sandbox.graph.drop_subscription(str(lost["id"]))
        place = {"displayName": "zoom"}
        missed = await sandbox.graph.add_event(mailbox, title="Interview", location=place)
        await mark(stage, calendar, "poll")
        key = Sighting.key(calendar.id, missed.id)

        async def mended() -> bool:
            seen = await stage.runtime.store.documents.get(stage.tenant, Sighting, key)
            return seen is not None and len(await sandbox.graph.subscriptions()) == 1

        await until(mended)

    (made,) = await sandbox.graph.subscriptions()
    assert made["id"] != lost["id"]


async def test_a_subscription_that_lives_is_renewed_and_not_made_twice(
    stage: Stage, sandbox: Sandbox
) -> None:
    """What the receiver does with a `reauthorizationRequired`: the timer `renew` is due."""
    calendar, _ = await watch(stage, sandbox)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        await mark(stage, calendar, "renew")

        async def renewed() -> bool:
            return await sandbox.calls("graph.renew") > 0

        await until(renewed)
        await was_read(stage, calendar)

    assert await sandbox.calls("graph.watch") == 1
    (one,) = (await reading_of(stage, calendar)).subscriptions
    assert one.state == "live"


async def test_a_calendar_that_cannot_be_watched_is_read_and_leaves_no_address(
    stage: Stage, sandbox: Sandbox
) -> None:
    calendar, mailbox = await watch(stage, sandbox, provider_id="")
    team = await sandbox.graph.add_calendar(mailbox, "Team")
    place = {"displayName": "zoom"}
    made = await sandbox.graph.add_event(mailbox, title="Plan", location=place, calendar=team)
    stored = await stage.runtime.store.documents.get(stage.tenant, Calendar, calendar.id)
    assert stored is not None
    await stage.keep(stored.model_copy(update={"provider_id": team}))
    key = Sighting.key(calendar.id, made.id)
    async with stage.at_work("calendar"):

        async def seen() -> bool:
            found = await stage.runtime.store.documents.get(stage.tenant, Sighting, key)
            return found is not None and await stage.idle("calendar", calendar.id)

        await until(seen)
        await mark(stage, calendar, "poll")
        await until(seen)

    reading = await reading_of(stage, calendar)
    assert reading.subscriptions == ()
    assert reading.cursor is None
    assert await sandbox.calls("graph.watch") == 0


async def test_a_full_reading_believes_only_a_confirmed_absence(
    stage: Stage, sandbox: Sandbox
) -> None:
    """What it does not show is asked for one by one: one is gone, one is there after all."""
    calendar, mailbox = await watch(stage, sandbox)
    place = {"displayName": "zoom"}
    gone = await sandbox.graph.add_event(mailbox, title="Gone", location=place)
    stays = await sandbox.graph.add_event(mailbox, title="Stays", location=place)
    async with stage.at_work("calendar"):
        await was_read(stage, calendar)
        known = await sighting(stage, calendar, gone.id)
        assert known is not None
        await sandbox.manners("graph", paused=True)
        await sandbox.graph.cancel_event(mailbox, gone.id)
        long_ago = stage.runtime.now() - timedelta(days=9)
        await sandbox.graph.move_event(mailbox, stays.id, starts=long_ago)
        await mark(stage, calendar, "full")
        await was_read(stage, calendar, generation=2)

    looks = await stage.runtime.store.lanes.state(Lane(stage.tenant, "meeting", known.meeting))
    assert await sighting(stage, calendar, gone.id) is None
    assert looks.depth == 2, "it was seen, and is told to look again"
    assert await sighting(stage, calendar, stays.id) is not None


async def test_the_window_moves_on_with_every_full_reading(stage: Stage, sandbox: Sandbox) -> None:
    """A view ends a year after its beginning; what lies behind that is seen when its time comes."""
    calendar, mailbox = await watch(stage, sandbox)
    async with stage.at_work("calendar"):
        reading = await was_read(stage, calendar)
    now = stage.runtime.now()
    before = {"window_from": now - timedelta(days=40)}  # as if it had been read then
    await stage.keep(reading.model_copy(update=before))
    far = await sandbox.graph.add_event(
        mailbox,
        title="Far",
        location={"displayName": "zoom"},
        starts=now + timedelta(days=350),
    )

    async with stage.at_work("calendar"):
        await mark(stage, calendar, "full")
        await was_read(stage, calendar, generation=2)

    assert await sighting(stage, calendar, far.id) is not None


async def test_a_mailbox_out_of_policy_is_not_looked_at_again_by_itself(
    stage: Stage, sandbox: Sandbox
) -> None:
    """S0-12: administrators say who may be reached; nothing is gained by asking on."""
    calendar, _ = await watch(stage, sandbox)
    policy = "Access to OData is disabled: [RAOP] : Blocked by tenant configured policy."
    body = {"error": {"code": "ErrorAccessDenied", "message": policy}}
    await sandbox.fault("graph.list", "before", status=403, body=body, times=9)
    async with stage.at_work("calendar"):

        async def refused() -> bool:
            troubled = (await reading_of(stage, calendar)).trouble.startswith("not permitted")
            return troubled and await stage.idle("calendar", calendar.id)

        await until(refused)

    state = await stage.runtime.store.lanes.state(Lane(stage.tenant, "calendar", calendar.id))
    assert state.timers == {}
    assert await sandbox.calls("graph.list") == 1
