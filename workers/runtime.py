"""What does a job get, and how does it say that it is too early?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.http.wire import Wire
from infra.lanes import Claimed, Unit
from infra.seal import KeyRing, PublicKey
from infra.settings import Settings
from infra.store import Store
from workers.ports import Calendars, Conferences, Contents


@dataclass(frozen=True, slots=True)
class Runtime:
    """The machines and the vendors, wired once in workers/main.py."""

    store: Store
    settings: Settings
    vault: KeyRing
    vault_lock: PublicKey
    reference_key: bytes
    partners_wire: Wire
    calendars: Mapping[str, Calendars]
    conferences: Mapping[str, Conferences]
    providers_wire: Wire
    now: Callable[[], datetime]
    dice: Callable[[], float]
    new_id: Callable[[str], str]
    contents: Mapping[str, Contents] = field(default_factory=dict)
    """Who opens what notifications carry, by provider; empty where that is switched off."""
    content_told: Callable[[str, str], None] = lambda _provider, _outcome: None
    """Counts what became of a content."""
    rests: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """Until when nothing is sent for a connection of a tenant: its provider asked this process for
    rest. What others were asked for stands in the store (workers/access.py)."""
    retrying: set[str] = field(default_factory=set)
    """Claims of callbacks that failed before and are tried again by this process right now."""

    async def save(self, claimed: Claimed, unit: Unit) -> Claimed:
        """Commit what is known so far and keep the lane."""
        unit.hold = True
        return await self.store.lanes.commit(claimed, unit)


class NotYet(Exception):
    """Give the lane back untouched: nothing was tried and nothing is counted. `after` is when its
    turn comes; without it the gate that keeps it says so."""

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


Handler = Callable[[Claimed, Runtime], Awaitable[Unit]]
