"""How does a test or the demo set up a sandbox, play its users, and look into it?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx

from infra.sandbox.documents import Doc, rows, section, text, whole
from infra.sandbox.faults import When
from infra.sandbox.google.client import Event, GoogleSide
from infra.sandbox.goto.client import GoToSide
from infra.sandbox.graph.client import Entry, GraphSide
from infra.sandbox.hands import Hands, Json, Provider, Refused, Tokens
from infra.sandbox.zoom.client import Meeting, ZoomSide

WRITES = ("insert", "patch", "update", "create", "delete", "status")
__all__ = ["Entry", "Event", "Meeting", "Refused", "Sandbox", "Tokens"]


class Sandbox(Hands):
    """One running sandbox: `google`, `graph`, `zoom` and `goto` are its providers."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        super().__init__(http)
        self.url = url
        self.google = GoogleSide(self)
        self.graph = GraphSide(self)
        self.zoom = ZoomSide(self)
        self.goto = GoToSide(self)

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Sandbox]:
        """Talk to the sandbox at an address."""
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
            yield cls(url, http)

    async def reset(self, seed: int = 1) -> None:
        """Begin again: nobody, nothing, no faults, the machine's time."""
        await self.do("stage/reset", seed=seed)

    async def calls(self, operation: str, subject: str = "") -> int:
        """Count the requests of an operation such as `zoom.create`, of one subject if named."""
        told: dict[str, Json] = {"subject": subject} if subject else {}
        return whole(await self.doc("stage/calls", **told), operation)

    async def all_calls(self) -> dict[str, int]:
        """Count the requests of every operation."""
        counts = await self.doc("stage/calls")
        return {name: whole(counts, name) for name in counts}

    async def writes(self, provider: Provider) -> int:
        """Count the requests that change something at a provider (tokens and channels do not)."""
        counts = await self.all_calls()
        return sum(counts.get(f"{provider}.{name}", 0) for name in WRITES)

    async def latest_calls(self, limit: int = 200) -> list[Doc]:
        """Return the latest requests with what they were answered."""
        return await self.docs("stage/latest_calls", limit=limit)

    async def forget_calls(self) -> None:
        """Start counting anew."""
        await self.do("stage/forget_calls")

    async def now(self) -> datetime:
        """Return the sandbox's present."""
        return datetime.fromisoformat(text(await self.doc("stage/clock"), "now"))

    async def advance(self, span: timedelta) -> datetime:
        """Push the sandbox's time ahead; what falls due on the way is done."""
        told = await self.doc("stage/clock", seconds=span.total_seconds())
        return datetime.fromisoformat(text(told, "now"))

    async def fault(self, operation: str, when: When = "before", **rule: Json) -> str:
        """Let an operation such as `zoom.create` go wrong; returns the rule's id.

        `status`, `reason`, `body`, `headers`: the answer. `times` (default 1) or `rate` with
        `seed`; `skip` lets the first ones pass; `delay_s`; `match`; `kill_pid`.
        """
        provider, _, name = operation.partition(".")
        told = await self.doc(
            "stage/fault", provider=provider, operation=name or "*", when=when, **rule
        )
        return text(told, "id")

    async def hits(self, fault: str) -> int:
        """Count how often a rule struck."""
        for rule in await self.docs("stage/faults"):
            if rule.get("id") == fault:
                return whole(rule, "hits")
        return 0

    async def lift(self, fault: str = "") -> None:
        """Lift one rule, or all."""
        await (self.do("stage/lift", id=fault) if fault else self.do("stage/lift"))

    async def manners(self, provider: Provider, **manners: Json) -> None:
        """Set how notifications travel: paused, drop, duplicate, late(_s), reorder(_s), stamp."""
        await self.do("stage/manners", provider=provider, **manners)

    async def settled(self, at_most: timedelta = timedelta(seconds=10)) -> bool:
        """Wait until no notification is under way; those put off or held do not count."""
        told = await self.doc("stage/settle", seconds=at_most.total_seconds())
        return bool(told.get("settled"))

    async def notifications(self, limit: int = 200) -> list[Doc]:
        """Return the latest tries: label, url, fate, status, tries, body."""
        return rows(await self.doc("stage/notifications", limit=limit), "latest")

    async def fates(self) -> dict[str, int]:
        """Count notifications per fate, such as `zoom.delivered`, `google.dropped`."""
        counts = section(await self.doc("stage/notifications"), "counts")
        return {name: whole(counts, name) for name in counts}

    async def send_again(self, provider: Provider, count: int = 1) -> None:
        """Send a provider's latest notifications once more, as they were."""
        await self.do("stage/send_again", provider=provider, count=count)
