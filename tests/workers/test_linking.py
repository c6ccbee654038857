"""An account is linked once, with all it needs, or refused in words; a code is spent only once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra import points
from infra.lanes import IndexSet, Lane, Unit
from infra.points import Fault
from infra.sandbox.client import Sandbox
from infra.seal import KeyRing
from infra.settings import Settings
from schemas.callbacks import CallbackType
from schemas.connections import LinkRequest, LinkState
from schemas.problems import ProblemType
from schemas.providers import ZOOM
from tests.workers.desk import ask, consented
from tests.workers.stage import Stage, until
from workers.access import access

ADA = "ada@example.org"


@pytest.fixture
def cut_before_exchange(tmp_path: Path) -> Iterator[None]:
    """The line breaks before the code has left."""
    flag = tmp_path / "flag"
    points.arm(Fault(point="zoom.exchange", when="before", do="cut", flag_file=flag))
    yield
    points.arm()
    assert flag.exists(), "it broke"


async def test_a_code_becomes_a_connection_that_works(stage: Stage, sandbox: Sandbox) -> None:
    host = await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)

    answer = await ask(stage, await consented(stage, sandbox, client, user="ada"))

    assert answer.state == "done", answer.detail
    assert answer.connection is not None
    connection = await stage.connection(answer.connection)
    assert (connection.account.id, connection.user) == (host, "ada")
    assert set(ZOOM.oauth.scopes if ZOOM.oauth else ()) <= set(connection.scopes)
    granted = await access(stage.runtime, stage.tenant, connection.id)
    port = stage.runtime.conferences["zoom"]
    assert (await port.account(granted)).id == host
    accounts = stage.runtime.store.accounts
    linked = await accounts.linked("zoom", connection.account.account_id)
    assert (stage.tenant, connection.id) in set(linked)
    state = await stage.runtime.store.lanes.state(Lane(stage.tenant, "connection", connection.id))
    assert "refresh" in state.timers
    [told] = await stage.told(CallbackType.CONNECTION_LINKED)
    assert granted.token not in str(told)


async def test_t26_a_scope_that_was_not_ticked_refuses_the_link_and_is_named(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    await sandbox.zoom.consent(scopes="meeting:write:meeting user:read:user")

    answer = await ask(stage, await consented(stage, sandbox, client))

    assert (answer.state, answer.problem) == ("refused", ProblemType.LINK_REFUSED)
    assert "meeting:delete:meeting" in answer.detail
    assert not await stage.runtime.store.index.all(stage.tenant, "connections", 10)


async def test_s4_6_a_free_account_is_refused_with_the_reason(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.add_account(ADA, plan="free")
    client = await stage.client(sandbox)

    answer = await ask(stage, await consented(stage, sandbox, client))

    assert (answer.state, answer.problem) == ("refused", ProblemType.LINK_REFUSED)
    assert "paid plan" in answer.detail


class TestWithAWarning:
    """The installation's setting turns the refusal of free accounts into a warning."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"free_plan": "warn"})

    async def test_s4_6_a_free_account_is_linked_and_the_answer_warns(
        self, stage: Stage, sandbox: Sandbox
    ) -> None:
        await sandbox.zoom.add_account(ADA, plan="free")
        client = await stage.client(sandbox)

        answer = await ask(stage, await consented(stage, sandbox, client))

        assert answer.state == "done"
        assert "free" in answer.sentences[0]


async def test_the_wrong_account_is_refused(stage: Stage, sandbox: Sandbox) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)

    asked = await consented(stage, sandbox, client, expected_account="somebody else")
    answer = await ask(stage, asked)

    assert (answer.state, answer.problem) == ("refused", ProblemType.LINK_REFUSED)
    assert "not somebody else" in answer.detail


async def test_a_code_is_spent_at_most_once(stage: Stage, sandbox: Sandbox) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    asked = await consented(stage, sandbox, client)

    first, second = await ask(stage, asked), await ask(stage, asked)

    assert (first.state, second.state) == ("done", "refused")
    assert second.problem == ProblemType.LINK_EXPIRED
    assert await sandbox.calls("zoom.token") == 1


@pytest.mark.parametrize("when", ["after", "reset_after"])
async def test_a_code_whose_answer_was_lost_asks_the_person_to_start_again(
    stage: Stage, sandbox: Sandbox, when: str
) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    asked = await consented(stage, sandbox, client)
    await sandbox.fault("zoom.token", when, status=500)  # type: ignore[arg-type]  # one of them

    answer = await ask(stage, asked)

    assert (answer.state, answer.problem) == ("refused", ProblemType.LINK_REFUSED)
    assert "Start the link again" in answer.detail
    assert await sandbox.calls("zoom.token") == 1


async def test_a_code_that_surely_was_not_sent_is_sent_once_more(
    stage: Stage, sandbox: Sandbox, cut_before_exchange: None
) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)

    answer = await ask(stage, await consented(stage, sandbox, client))

    assert answer.state == "done", answer.detail
    assert await sandbox.calls("zoom.token") == 1


async def test_a_code_that_our_vault_cannot_open_is_not_sent(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    asked = await consented(stage, sandbox, client)
    elsewhere = KeyRing.fresh().newest.seal(b"a code", context="another vault")

    answer = await ask(stage, asked.model_copy(update={"code_sealed": elsewhere}))

    assert (answer.state, answer.problem) == ("refused", ProblemType.LINK_REFUSED)
    assert await sandbox.calls("zoom.token") == 0


async def test_a_link_of_a_connection_that_is_not_there_is_refused(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)

    asked = await consented(stage, sandbox, client, connection="con_absent")
    answer = await ask(stage, asked)

    assert answer.problem == ProblemType.NOT_FOUND
    assert await sandbox.calls("zoom.token") == 0


async def test_a_run_that_died_in_the_exchange_does_not_send_the_code_again(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    asked = await consented(stage, sandbox, client)
    link = await stage.runtime.store.documents.get(stage.tenant, LinkRequest, asked.link_request)
    assert link is not None
    spent = link.model_copy(update={"spent_at": stage.runtime.now()})
    await stage.runtime.store.documents.put(stage.tenant, spent)

    answer = await ask(stage, asked)

    assert answer.problem == ProblemType.LINK_EXPIRED
    assert await sandbox.calls("zoom.token") == 0


async def test_an_expired_link_is_refused(stage: Stage, sandbox: Sandbox) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)

    past = stage.runtime.now() - timedelta(seconds=1)
    answer = await ask(stage, await consented(stage, sandbox, client, expires_at=past))

    assert answer.problem == ProblemType.LINK_EXPIRED


async def test_authorising_again_keeps_the_id_and_wakes_what_waited(
    stage: Stage, sandbox: Sandbox
) -> None:
    host = await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)
    first = await ask(stage, await consented(stage, sandbox, client))
    assert first.connection is not None
    before = await stage.connection(first.connection)
    broken = before.model_copy(update={"state": LinkState.NEEDS_REAUTH, "reason": "gone"})
    await stage.runtime.store.documents.put(stage.tenant, broken)
    row = IndexSet(f"waiting:{before.id}", "mtg_1", "")
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(index=[row]))

    again = await ask(stage, await consented(stage, sandbox, client, connection=before.id))

    async with stage.at_work("connection"):
        await until(lambda: stage.idle("connection", before.id))
    assert again.connection == before.id
    after = await stage.connection(before.id)
    assert (after.usable, after.reason, after.account.id) == (True, "", host)
    state = await stage.runtime.store.lanes.state(Lane(stage.tenant, "meeting", "mtg_1"))
    assert state.depth == 1


async def test_linking_an_account_twice_renews_the_link_that_is_there(
    stage: Stage, sandbox: Sandbox
) -> None:
    await sandbox.zoom.add_account(ADA)
    client = await stage.client(sandbox)

    first = await ask(stage, await consented(stage, sandbox, client))
    second = await ask(stage, await consented(stage, sandbox, client))

    assert second.connection == first.connection
