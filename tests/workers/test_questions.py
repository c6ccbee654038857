"""What the desk is asked is read afresh, answered in words, and never holds a secret in clear."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infra.sandbox.client import Sandbox
from infra.seal import KeyRing, Unsealable
from schemas.connections import Account, Calendar, Connection, LinkState
from schemas.desk import DeskAnswer, DeskAsk, ExplainEvent, FetchHostLink, ListCalendars
from schemas.desk import TestConnection as TryConnection
from schemas.events import Slot
from schemas.meetings import Conference
from schemas.policy import KeywordRule, PolicyRules
from schemas.problems import ProblemType
from schemas.providers import Role
from tests.workers.desk import ask, put
from tests.workers.stage import APPLICATION, NOON, Stage, until
from workers.access import with_access
from workers.ports import Access

ADA = "ada@example.org"


async def test_the_calendars_of_an_account_are_listed(stage: Stage, sandbox: Sandbox) -> None:
    calendar = await sandbox.google.add_account(ADA)
    connection = await stage.link(sandbox, host=ADA, provider="google")

    answer = await ask(stage, ListCalendars(connection=connection.id))

    assert answer.state == "done", answer.detail
    assert calendar in [one.provider_id for one in answer.calendars]


async def test_a_host_link_is_sealed_to_who_asked(stage: Stage, sandbox: Sandbox) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    start = stage.runtime.now() + timedelta(days=1)
    slot = Slot(title="t", starts_at=start, ends_at=start + timedelta(hours=1))

    async def make(provider: str, granted: Access) -> Conference:
        port = stage.runtime.conferences[provider]
        return await port.create(granted, slot, "tl-1", send_by=float("inf"))

    conference = await with_access(stage.runtime, stage.tenant, connection.id, make)
    meeting = await stage.meeting(conference=conference)
    ring = KeyRing.fresh()

    answer = await ask(stage, FetchHostLink(meeting=meeting.id, reply_key=str(ring.newest)))

    assert answer.state == "done", answer.detail
    context = f"{stage.tenant}|{answer.id}|host_link"
    link = ring.open(answer.sealed, context=context).decode()
    assert link.startswith("https://")
    assert "zak=" in link
    assert "zak=" not in answer.model_dump_json()
    with pytest.raises(Unsealable):
        stage.runtime.vault.open(answer.sealed, context=context)


async def test_a_meeting_without_a_conference_has_no_host_link(
    stage: Stage, sandbox: Sandbox
) -> None:
    meeting = await stage.meeting()
    key = str(KeyRing.fresh().newest)

    answer = await ask(stage, FetchHostLink(meeting=meeting.id, reply_key=key))

    assert answer.problem == ProblemType.NOT_PROVISIONED


async def test_a_connection_says_as_whom_it_works(stage: Stage, sandbox: Sandbox) -> None:
    connection = await stage.link(sandbox)

    answer = await ask(stage, TryConnection(connection=connection.id))

    assert answer.state == "done", answer.detail
    assert connection.account.id in answer.sentences[0]


async def test_a_grant_that_was_withdrawn_is_found_by_the_test_and_known_from_then_on(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.revoke_grants(host)

    answer = await ask(stage, TryConnection(connection=connection.id))

    assert (answer.state, answer.problem) == ("refused", ProblemType.NOT_LINKED)
    assert (await stage.connection(connection.id)).state is LinkState.NEEDS_REAUTH


async def test_t27_a_scope_that_was_taken_away_is_found_and_named_on_the_connection(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    connection = await stage.link(sandbox, host=host)
    await sandbox.zoom.set_scopes(host, "meeting:read:meeting")

    answer = await ask(stage, TryConnection(connection=connection.id))
    async with stage.at_work("connection"):
        await until(lambda: stage.idle("connection", connection.id))

    assert answer.problem == ProblemType.NOT_LINKED
    stored = await stage.connection(connection.id)
    assert (stored.state, stored.missing_scopes) == (LinkState.NEEDS_REAUTH, ("user:read:user",))


async def test_a_provider_that_is_down_fails_the_question_and_harms_nothing(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)
    await sandbox.fault("zoom.user", status=503)

    answer = await ask(stage, TryConnection(connection=connection.id))

    assert (answer.state, answer.problem) == ("failed", ProblemType.UNAVAILABLE)
    assert (await stage.connection(connection.id)).usable


async def test_a_question_that_nobody_waits_for_is_not_asked(
    stage: Stage, sandbox: Sandbox
) -> None:
    connection = await stage.link(sandbox)

    answer = await ask(
        stage,
        TryConnection(connection=connection.id),
        not_after=stage.runtime.now() - timedelta(seconds=1),
    )

    assert answer.problem == ProblemType.BUSY
    assert await sandbox.calls("zoom.user") == 0


async def explained(stage: Stage, sandbox: Sandbox, conferencing: str) -> list[DeskAnswer]:
    """What is said of an event that the rules send to this connection, and of a plain one."""
    provider_id = await sandbox.google.add_account(ADA)
    connection = await stage.link(sandbox, host=ADA, provider="google")
    calendar = Calendar(
        id="cal_1",
        connection=connection.id,
        provider="google",
        provider_id=provider_id,
        created_at=NOON,
    )
    rules = PolicyRules(
        id="policy", rules=(KeywordRule(keyword="zoom", conferencing=conferencing),)
    )
    await stage.keep(calendar, rules)
    wanted = await sandbox.google.add_event(provider_id, title="a", location="Zoom")
    plain = await sandbox.google.add_event(provider_id, title="b", location="Room 5")
    return [
        await ask(stage, ExplainEvent(calendar="cal_1", event=event.id))
        for event in (wanted, plain)
    ]


async def test_b2_an_event_is_explained_by_the_rules_of_today(
    stage: Stage, sandbox: Sandbox
) -> None:
    zoom = await stage.link(sandbox)

    yes, no = await explained(stage, sandbox, zoom.id)

    assert zoom.id in yes.sentences[0]
    assert "keyword" in no.sentences[0]
    assert "no conference" in no.sentences[0]


async def test_b2_an_explanation_says_that_the_conference_would_wait_for_a_re_link(
    stage: Stage, sandbox: Sandbox
) -> None:
    zoom = await stage.connection((await stage.link(sandbox)).id)
    await stage.keep(zoom.model_copy(update={"state": LinkState.NEEDS_REAUTH}))

    waits, _ = await explained(stage, sandbox, zoom.id)

    assert waits.sentences[1] == "That connection is needs_reauth, so it waits for the re-link."


async def test_b2_an_explanation_says_that_there_is_no_such_connection(
    stage: Stage, sandbox: Sandbox
) -> None:
    waits, _ = await explained(stage, sandbox, "con_absent")

    assert waits.sentences[1] == "That connection does not exist, so it waits."


@pytest.mark.parametrize(
    "question",
    [
        FetchHostLink(meeting="mtg_absent", reply_key=""),
        TryConnection(connection="con_absent"),
        ExplainEvent(calendar="cal_absent", event="e"),
    ],
)
async def test_a_question_about_what_is_not_there_is_answered_so(
    stage: Stage, question: DeskAsk
) -> None:
    answer = await ask(stage, question)

    assert answer.problem == ProblemType.NOT_FOUND


async def test_a_built_in_provider_needs_no_account_to_be_tried(stage: Stage) -> None:
    jitsi = Connection(
        id="con_jitsi",
        provider="jitsi",
        role=Role.CONFERENCING,
        account=Account(id="https://jitsi.example"),
        linked_at=NOON,
        linked_by=APPLICATION,
    )
    await stage.keep(jitsi)

    answer = await ask(stage, TryConnection(connection=jitsi.id))

    assert "needs no account" in answer.sentences[0]


async def test_the_answer_is_rung_where_somebody_waits(stage: Stage, sandbox: Sandbox) -> None:
    process = stage.runtime.new_id("web")
    meeting = await stage.meeting()
    key = str(KeyRing.fresh().newest)
    heard: list[str] = []
    name = await put(stage, FetchHostLink(meeting=meeting.id, reply_key=key), reply_to=process)

    async with stage.at_work("desk"):
        async for request in stage.runtime.store.answers.follow(process):
            heard.append(request)
            break

    assert heard == [name]
