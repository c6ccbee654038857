"""What only the ledger, or a reference, knows as ours: removed, left, or given to the sweep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from infra.lanes import IndexSet, Unit
from infra.sandbox.client import Sandbox
from schemas.account_asks import Reconcile
from schemas.connections import Connection
from schemas.drift import Reconciled
from schemas.policy import Wish
from schemas.problems import ProblemType
from tests.workers.asking import slot
from tests.workers.desk import ask
from tests.workers.stage import Stage

MEETING = "mtg_0123456789"


@dataclass
class Account:
    """A host at Zoom, linked."""

    stage: Stage
    sandbox: Sandbox
    connection: Connection
    host: str

    async def made(self, **body: Any) -> int:  # noqa: ANN401 - as Zoom takes it
        """A conference at Zoom."""
        start = f"{self.stage.runtime.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        given = {"topic": "Interview", "type": 2, "start_time": start, "duration": 60, **body}
        return (await self.sandbox.zoom.add_meeting(self.host, **given)).id

    async def held(self, name: str) -> None:
        """A row of the ledger."""
        row = IndexSet(f"ledger:{self.connection.id}", name, MEETING)
        await self.stage.runtime.store.lanes.submit(self.stage.tenant, Unit(index=[row]))

    async def holder(self, name: str) -> str | None:
        """Whose it is by the ledger."""
        ledger = f"ledger:{self.connection.id}"
        return await self.stage.runtime.store.index.get(self.stage.tenant, ledger, name)

    async def reconciled(self, *, apply: bool = True) -> Reconciled:
        """The report."""
        answer = await ask(self.stage, Reconcile(connection=self.connection.id, apply=apply))
        assert answer.drift is not None, answer.detail
        return answer.drift

    async def there(self) -> list[int]:
        """What exists at Zoom."""
        return [one.id for one in await self.sandbox.zoom.meetings(self.host)]


@pytest.fixture
async def account(stage: Stage, sandbox: Sandbox) -> Account:
    host = await sandbox.zoom.add_account("ada@example.org")
    return Account(stage, sandbox, await stage.link(sandbox, host=host), host)


async def test_what_the_ledger_names_and_no_meeting_has_is_removed(account: Account) -> None:
    number = await account.made()
    await account.held(str(number))

    dry = await account.reconciled(apply=False)
    kept = await account.there()
    done = await account.reconciled()

    assert (dry.counts, kept) == ({"orphaned": 1}, [number])
    assert [one.mended for one in done.items] == [True]
    assert await account.there() == []
    assert await account.holder(str(number)) is None


async def test_one_in_session_is_left(account: Account) -> None:
    number = await account.made()
    await account.held(str(number))
    await account.sandbox.zoom.start_meeting(number)

    done = await account.reconciled()

    assert [one.mended for one in done.items] == [False]
    assert await account.holder(str(number)) == MEETING


async def test_one_that_its_meeting_may_adopt_is_left(account: Account) -> None:
    number = await account.made()
    await account.held(str(number))
    wish = Wish(slot=slot(account.stage), connection=account.connection.id)
    await account.stage.meeting(id=MEETING, wish=wish)

    done = await account.reconciled()

    assert [one.mended for one in done.items] == [False]
    assert await account.there() == [number]


async def test_a_known_reference_alone_is_given_to_the_sweep(account: Account) -> None:
    """A person may have copied it; the sweep deletes only what is provably a lost try."""
    reference = "tl-abcdefghijklmnopqrstuvwxyz"
    number = await account.made(agenda=f"ref {reference}")
    await account.held(reference)

    done = await account.reconciled()

    (row,) = done.items
    assert (row.kind, row.reference, row.mended) == ("orphaned", reference, True)
    assert await account.there() == [number]


async def test_where_nothing_can_be_listed_that_is_said(stage: Stage) -> None:
    jitsi = Connection.model_validate(
        {
            "id": "con_jitsi",
            "provider": "jitsi",
            "role": "conferencing",
            "account": {"id": "https://meet.example"},
            "linked_at": stage.runtime.now(),
            "linked_by": {"kind": "application", "id": "app_1"},
        }
    )
    await stage.keep(jitsi)

    answer = await ask(stage, Reconcile(connection=jitsi.id))

    assert answer.problem == ProblemType.NOT_OFFERED
    assert "Jitsi" in answer.detail
