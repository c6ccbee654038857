"""What goes on while workers are cut off: events, moves, links, calendars that are watched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final

from infra.cli.api import Api, Problem
from infra.cli.moving_in import NoConsent, consent
from infra.cli.rehearsal import Rehearsal
from infra.lanes import Lanes
from infra.settings import Settings
from infra.store import open_store
from tests.chaos.partner import Unreliable
from tests.chaos.tenants import Host

STARTS: Final = timedelta(days=3)
PEOPLE_LOOK: Final = 1.0  # seconds
PATIENCE: Final = 150.0
"""Seconds of calm until all must have come true: leases, quarantines and waits together. While
workers fall there is no such time: on a busy machine they hardly come to work."""


@dataclass
class Life:
    """The lives of many events, each with a title of its own."""

    house: Rehearsal
    partner: Unreliable
    hosts: list[Host]
    stands: list[str] = field(default_factory=list)
    """Titles that must have one conference in the end."""
    went: list[str] = field(default_factory=list)
    """Titles that must have none."""
    stuck: list[str] = field(default_factory=list)
    """What did not come true in time."""
    linked_again: int = 0
    """Accounts whose rotated token a worker took into its grave."""
    retried: int = 0
    """Lanes that lost their holders thrice in a row."""
    _deadline: float = inf
    _begun: int = 0
    _consenting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One person at a time sits before Zoom's page of consent."""

    def calm_down(self) -> None:
        """From now on nobody falls any more."""
        self._deadline = asyncio.get_running_loop().time() + PATIENCE

    def heard(self, kind: str, title: str) -> int:
        """Under how many ids the partner heard this of an event."""
        return sum(1 for one in self.partner.titles[kind].values() if one == title)

    async def of_event(self) -> None:
        """Made; then moved, cancelled, or left alone."""
        number, self._begun = self._begun, self._begun + 1
        google, host = self.house.sandbox.google, self.hosts[number % len(self.hosts)]
        title, starts = f"Case {number}", datetime.now(UTC).replace(microsecond=0) + STARTS
        event = await google.add_event(
            host.calendar, title=title, location=host.keyword, starts=starts
        )
        self.stands.append(title)
        if not await self._comes(lambda: self.heard("meeting.provisioned", title), title):
            return
        match number % 3:
            case 1:
                later = starts + timedelta(hours=2)
                await google.move_event(host.calendar, event.id, starts=later)
                told = lambda: self.heard("meeting.rescheduled", title)  # noqa: E731
                await self._comes(told, f"{title} moved")
            case 2:
                await google.cancel_event(host.calendar, event.id)
                self.stands.remove(title)
                self.went.append(title)
                told = lambda: self.heard("meeting.torn_down", title)  # noqa: E731
                await self._comes(told, f"{title} cancelled")
            case _:
                return  # left alone

    async def of_tokens(self) -> None:
        """Every access token of a host runs out."""
        host = self.hosts[self._begun % len(self.hosts)]
        await self.house.sandbox.google.expire_access(host.owner)
        await self.house.sandbox.zoom.expire_access(host.user)

    async def of_calendar(self) -> None:
        """Another calendar is watched, and let go again; an account linked, tried, and let go."""
        host = self.hosts[self._begun % len(self.hosts)]
        api = Api(self.house.api, host.key)
        with suppress(Problem, NoConsent):  # said so while no worker lives, and can be asked again
            other = await self.house.sandbox.google.add_calendar(host.owner, "another")
            wish = {"connection": host.connection, "provider_id": other}
            watched = await api.post("/v1/calendars", wish)
            guest = await self.house.sandbox.zoom.add_account(f"guest{self._begun}@example.org")
            linked = await self._consent(api, host, guest)
            await api.post(f"/v1/connections/{linked}/test")
            await api.delete(f"/v1/connections/{linked}")
            await api.delete(f"/v1/calendars/{watched['id']}")
        await api.aclose()

    async def of_people(self) -> None:
        """Whoever is asked to link an account again does so: a worker that is cut off after the
        provider rotated a token has lost the link, and no lock cures it (RELIABILITY §5.3). An
        operator retries what is parked as poison: workers die around it, though not of it."""
        settings = Settings(data_dir=self.house.processes.plan.data_dir)
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(open_store(settings))
            apis = {host.key: Api(self.house.api, host.key) for host in self.hosts}
            for api in apis.values():
                stack.push_async_callback(api.aclose)
            while True:
                for host in self.hosts:
                    await self._link_again(apis[host.key], host)
                    await self._retry(store.lanes, host.tenant)
                await asyncio.sleep(PEOPLE_LOOK)

    async def _retry(self, lanes: Lanes, tenant: str) -> None:
        for lane, _ in await lanes.parked(tenant, "", 100):
            if (await lanes.state(lane)).parked == "poison":
                await lanes.retry(lane)
                self.retried += 1

    async def _link_again(self, api: Api, host: Host) -> None:
        with suppress(Problem, NoConsent):  # said so while no worker lives: they try again
            link = await api.get(f"/v1/connections/{host.conferencing}")
            if link["state"] == "needs_reauth":
                await self._consent(api, host, host.user, connection=host.conferencing)
                self.linked_again += 1

    async def _consent(
        self, api: Api, host: Host, account: str, *, connection: str | None = None
    ) -> str:
        async with self._consenting:
            await self.house.sandbox.zoom.consent(account=account)
            back = f"{self.partner.url}/back"
            return await consent(api, host.client, back=back, connection=connection)

    async def _comes(self, holds: Callable[[], object], what: str) -> bool:
        while not holds():
            if asyncio.get_running_loop().time() > self._deadline:
                self.stuck.append(what)
                return False
            await asyncio.sleep(0.1)
        return True
