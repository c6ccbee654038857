"""What does one reading of one calendar hold, from its first page to its last?"""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.lanes import Claimed, Unit
from infra.records import saved
from schemas.connections import Calendar, Reading
from schemas.events import Occurrence
from schemas.items import ContentTold
from schemas.policy import Policy
from workers.runtime import Runtime


@dataclass(slots=True)
class Round:
    """One reading of one calendar."""

    claimed: Claimed
    """What lay in the lane when we began. A hint that comes meanwhile is not handled with it, for
    the reading may have begun before (T16)."""
    runtime: Runtime
    calendar: Calendar
    reading: Reading
    policy: Policy
    trace: str
    hints: int
    """How many came since the reading before."""
    contents: tuple[ContentTold, ...] = ()
    """What came with notifications."""
    changes: int = 0
    strays: list[Occurrence] = field(default_factory=list)
    """What differs in series that no page has shown yet: a series that was edited later comes
    later."""

    @property
    def tenant(self) -> str:
        """Whose calendar it is."""
        return self.claimed.lane.tenant

    @property
    def was_told(self) -> bool:
        """Whether the provider told of a change, and no timer alone brought us here."""
        return bool(self.claimed.mark or self.contents)

    async def save(self, unit: Unit, reading: Reading) -> None:
        """Commit a step of the reading and keep the lane."""
        unit.puts.append(reading)
        await self.runtime.save(self.claimed, unit)
        self.reading = saved(reading)
