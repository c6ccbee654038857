"""What must every client of a conferencing provider do? A provider joins by one method, `join`."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.events import Slot
from schemas.meetings import Conference
from workers.ports import Access, Conferences

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
STARTS = NOW + timedelta(days=2)
SLOT = Slot(
    title="Interview", starts_at=STARTS, ends_at=STARTS + timedelta(minutes=45), timezone="UTC"
)
MOVED = SLOT.model_copy(
    update={
        "starts_at": STARTS + timedelta(hours=3),
        "ends_at": STARTS + timedelta(hours=4),
        "timezone": "America/New_York",
    }
)
SERIES = SLOT.model_copy(update={"recurrence": ("RRULE:FREQ=WEEKLY",)})
REFERENCE = "tl-abcdefghijklmnopqrstuvwxyz"
ANOTHER = "tl-bbcdefghijklmnopqrstuvwxyz"


def soon() -> float:
    """The monotonic instant until which a create may leave."""
    return time.monotonic() + 5


def at(api: str, *, token: str = "", host: str = "jane") -> Access:
    return Access(connection="con_1", api=api, host=host, token=token, serial=1)


@dataclass
class Joined:
    """A provider as the suite sees it."""

    port: Conferences
    access: Access

    async def create(self, reference: str = REFERENCE, slot: Slot = SLOT) -> Conference:
        """Make one."""
        return await self.port.create(self.access, slot, reference, send_by=soon())

    async def find(self, reference: str = REFERENCE, slot: Slot = SLOT) -> list[Conference]:
        """Look for those of a reference."""
        found = await self.port.find(self.access, slot, reference, since=NOW)
        return [one.conference for one in found]


class Rooms(ABC):
    """Every provider in the role `conferencing`."""

    @abstractmethod
    async def join(self, sandbox: Sandbox, wire: Wire) -> Joined:
        """The provider's client, linked to an account."""

    @pytest.fixture
    async def joined(self, sandbox: Sandbox, wire: Wire) -> Joined:
        return await self.join(sandbox, wire)

    async def test_an_account_has_an_id_that_hosts_and_a_name(self, joined: Joined) -> None:
        account = await joined.port.account(joined.access)

        assert account.id
        assert account.name

    async def test_a_conference_shows_its_slot_and_knows_its_reference(
        self, joined: Joined
    ) -> None:
        made = await joined.create()

        assert made.shown == SLOT.fingerprint
        assert (made.slot, made.reference) == (SLOT, REFERENCE)
        assert (made.connection, made.host) == (joined.access.connection, joined.access.host)
        assert made.join_url.startswith("http")

    async def test_what_was_made_is_found_by_its_reference(self, joined: Joined) -> None:
        made = await joined.create()

        (found,) = await joined.find()

        assert found == made

    async def test_it_is_there_when_it_is_read(self, joined: Joined) -> None:
        made = await joined.create()

        assert await joined.port.read(joined.access, made) == made

    @pytest.mark.parametrize("slot", [MOVED, SERIES], ids=["moved", "series"])
    async def test_an_update_shows_the_new_slot(self, joined: Joined, slot: Slot) -> None:
        made = await joined.create()

        updated = await joined.port.update(joined.access, made, slot)

        assert updated is not None
        assert (updated.slot, updated.shown, updated.id) == (slot, slot.fingerprint, made.id)
        assert await joined.port.read(joined.access, updated) == updated

    async def test_a_series_is_one_conference(self, joined: Joined) -> None:
        made = await joined.create(slot=SERIES)

        assert await joined.port.read(joined.access, made) == made
        assert await joined.find(slot=SERIES) == [made]

    async def test_deleting_twice_is_deleting(self, joined: Joined) -> None:
        made = await joined.create()

        await joined.port.delete(joined.access, made)
        await joined.port.delete(joined.access, made)

    async def test_the_host_gets_a_link(self, joined: Joined) -> None:
        made = await joined.create()

        assert (await joined.port.host_link(joined.access, made)).startswith("http")
