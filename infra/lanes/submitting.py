"""How does a door write what it owns together with the items that tell of it? Without a lane."""

from __future__ import annotations

from datetime import timedelta

from infra import keys
from infra.errors import Conflict
from infra.functions.calls import Calls, fresh_id
from infra.lanes.committing import Words, check, say_written
from infra.lanes.posting import due_in
from infra.lanes.turns import Turns
from infra.lanes.words import Unit


class Submitting:
    """Writes of a process that holds no lane, such as the API."""

    def __init__(
        self,
        calls: Calls,
        turns: Turns,
        *,
        keep_feed: timedelta,
    ) -> None:
        self._calls = calls
        self._turns = turns
        self._keep_feed = keep_feed

    async def submit(self, tenant: str, unit: Unit) -> None:
        """Write all that the unit says, or nothing, in one function call.

        Raises Conflict (nothing was written), StoreFull, StoreAway (it may have been written:
        asking again with the same revisions tells), TooMuch, ValueError for what needs a lane.
        """
        if unit.handled or unit.timers or unit.mark is not None or unit.hold:
            raise ValueError("only a lane's holder handles items, marks and timers")
        words = Words()
        words.keys += [*keys.calls(tenant), *keys.seen(tenant)]
        words.say(fresh_id())
        say_written(tenant, unit, words, self._keep_feed)
        check(unit, words, tenant)
        stale = await self._calls.call(
            "submit", words.keys, words.args, then=lambda: self._tell(unit)
        )
        if stale:
            raise Conflict(f"{stale.decode()} was written by another")

    def _tell(self, unit: Unit) -> None:
        for kind, tenants in due_in(unit.posts).items():
            self._turns.ring(kind, tenants)
