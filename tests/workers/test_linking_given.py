"""Tokens that a partner brings are proven before they are linked; built-ins need none."""

from __future__ import annotations

from datetime import timedelta

from infra.lanes import Item, Lane, Post
from infra.sandbox.client import Sandbox
from schemas.callbacks import CallbackType
from schemas.desk import LinkGiven
from schemas.items import DeskAsked, write_load
from schemas.problems import ProblemType
from schemas.providers import ZOOM, Role
from tests.workers.desk import ask, given, put
from tests.workers.stage import Stage, until
from workers.access import access
from workers.jobs.answer_desk import answer_desk

ADA = "ada@example.org"


async def test_tokens_that_were_brought_are_proven_and_linked(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    wanted = await given(stage, sandbox, client, host)

    answer = await ask(stage, wanted)

    assert answer.state == "done", answer.detail
    connection = await stage.connection(wanted.connection)
    assert connection.account.id == host
    granted = await access(stage.runtime, stage.tenant, connection.id)
    assert (await stage.runtime.conferences["zoom"].account(granted)).id == host


async def test_tokens_that_are_worth_nothing_are_refused(stage: Stage, sandbox: Sandbox) -> None:
    host = await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    wanted = await given(stage, sandbox, client, host)
    await sandbox.zoom.revoke_grants(host)

    answer = await ask(stage, wanted)

    assert (answer.state, answer.problem) == ("refused", ProblemType.LINK_REFUSED)


async def test_an_access_token_alone_serves_for_as_long_as_it_lasts(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    wanted = await given(stage, sandbox, client, host)
    scopes = ZOOM.oauth.scopes if ZOOM.oauth else ()

    answer = await ask(
        stage, wanted.model_copy(update={"refresh_sealed": None, "scopes": tuple(scopes)})
    )

    assert answer.state == "done", answer.detail
    tokens = await stage.tokens(wanted.connection)
    assert tokens is not None
    assert tokens.refresh_sealed is None
    assert tokens.expires_at <= stage.runtime.now() + timedelta(hours=1)
    assert await sandbox.calls("zoom.refresh") == 0


async def test_a_role_that_the_provider_has_not_is_refused(stage: Stage, sandbox: Sandbox) -> None:
    host = await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    wanted = await given(stage, sandbox, client, host)

    answer = await ask(stage, wanted.model_copy(update={"role": Role.CALENDAR}))

    assert answer.problem == ProblemType.LINK_REFUSED
    assert "has no role `calendar`" in answer.detail


async def test_a_link_without_any_token_is_refused(stage: Stage, sandbox: Sandbox) -> None:
    host = await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    wanted = await given(stage, sandbox, client, host)

    nothing = {"access_sealed": None, "refresh_sealed": None}
    answer = await ask(stage, wanted.model_copy(update=nothing))

    assert answer.problem == ProblemType.LINK_REFUSED
    assert "needs a token" in answer.detail


async def test_a_jitsi_server_needs_no_account(stage: Stage, sandbox: Sandbox) -> None:
    name = stage.runtime.new_id("con")
    wanted = LinkGiven(
        connection=name,
        provider="jitsi",
        role=Role.CONFERENCING,
        room_url="https://meet.example.org",
    )

    answer = await ask(stage, wanted)

    assert answer.state == "done", answer.detail
    granted = await access(stage.runtime, stage.tenant, name)
    assert (granted.api, granted.token) == ("https://meet.example.org", "")
    assert await stage.tokens(name) is None


async def test_a_second_run_finds_the_answer_and_does_nothing(
    stage: Stage, sandbox: Sandbox
) -> None:
    name = stage.runtime.new_id("con")
    wanted = LinkGiven(
        connection=name, provider="static", role=Role.CONFERENCING, room_url="https://r.example/1"
    )
    request = await put(stage, wanted)
    lanes = stage.runtime.store.lanes
    [claimed] = [one for one in await lanes.claim("desk", 50, empty=True) if one.items]
    await answer_desk(claimed, stage.runtime)
    await lanes.release(claimed)
    lane = Lane(stage.tenant, "desk", request)
    await lanes.post(Post(lane, Item("again", write_load(DeskAsked(request=request)))))

    async with stage.at_work("desk"):
        await until(lambda: stage.idle("desk", request))

    assert len(await stage.told(CallbackType.CONNECTION_LINKED)) == 1
