"""What goes on while workers are cut off: events, moves, links, calendars that are watched."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, Final

import httpx

from infra.cli.api import Api, Problem
from infra.cli.moving_in import NoConsent, consent
from infra.cli.rehearsal import Rehearsal
from infra.errors import StoreAway
from infra.lanes import Lanes
from infra.settings import Settings
from infra.store import open_store
from tests.chaos import vendors
from tests.chaos.partner import Unreliable
from tests.chaos.vendors import Host, side_of

STARTS: Final = timedelta(days=3)
LATER: Final = timedelta(hours=2)
FATES: Final = ("left alone", "moved", "cancelled")
PEOPLE_LOOK: Final = 1.0  # seconds
WATCHED_WITHIN: Final = 20.0
PATIENCE: Final = 300.0
"""Seconds of calm until all must have come true: what failed eight times in a row waits for 120.
While workers fall there is no such time: on a busy machine they hardly come to work."""


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
    stuck: list[tuple[str, str]] = field(default_factory=list)
    """What did not come true in time: a title, and what was not heard of it."""
    linked_again: int = 0
    """Accounts whose rotated token a worker took into its grave."""
    retried: int = 0
    """Lanes that lost their holders thrice in a row."""
    is_over: bool = False
    """Nobody has to look after anything any more."""
    _deadline: float = inf
    _guests: int = 0
    _consenting: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """One person at a time sits before a vendor's page of consent."""

    def calm_down(self) -> None:
        """From now on nobody falls any more."""
        self._deadline = asyncio.get_running_loop().time() + PATIENCE

    def heard(self, kind: str, title: str) -> int:
        """Under how many ids the partner heard this of an event."""
        return sum(1 for one in self.partner.titles[kind].values() if one == title)

    async def of_event(self, number: int) -> None:
        """Made; then moved, cancelled, or left alone."""
        sandbox, host = self.house.sandbox, self._host(number)
        title, starts = f"Case {number}", _starts()
        event = await vendors.add_event(sandbox, host, title, starts)
        self.stands.append(title)
        if not await self._comes("meeting.provisioned", title):
            return
        match self._fate(number):
            case "moved":
                await vendors.move_event(sandbox, host, event, starts + LATER)
                await self._comes("meeting.rescheduled", title)
            case "cancelled":
                await vendors.cancel_event(sandbox, host, event)
                self._goes(title)
                await self._comes("meeting.torn_down", title)
            case _:
                return  # left alone

    async def of_meeting(self, number: int) -> None:
        """The same with a meeting of a partner's, whose conference lives in an event of our own."""
        homes = [host for host in self.hosts if host.pair.conferencing == "teams-event"]
        host = homes[number % len(homes)]
        title, starts = f"Meeting {number}", _starts()
        api, path = Api(self.house.api, host.key), f"/v1/meetings/meeting-{number}"
        try:
            await api.put(path, _wish(host, title, starts))
            self.stands.append(title)
            if not await self._comes("meeting.provisioned", title):
                return
            match self._fate(number):
                case "moved":
                    await api.put(path, _wish(host, title, starts + LATER))
                    await self._comes("meeting.rescheduled", title)
                case "cancelled":
                    await api.delete(path)
                    self._goes(title)
                    await self._comes("meeting.torn_down", title)
                case _:
                    return  # left alone
        finally:
            await api.aclose()

    async def of_tokens(self, number: int) -> None:
        """Every access token of a host runs out, and Graph wants to know that we still listen."""
        host, graph = self._host(number), self.house.sandbox.graph
        for provider, account in zip(host.pair, (host.owner, host.user), strict=True):
            await side_of(self.house.sandbox, provider).expire_access(account)
        for one in await graph.subscriptions():
            if one["mailbox"] == host.calendar:
                await graph.lifecycle(str(one["id"]), "reauthorizationRequired")

    async def of_calendar(self, number: int) -> None:
        """Another calendar is watched, and let go again."""
        host = self._host(number)
        provider = host.pair.calendar
        async with self._visiting(host) as api:
            guest = await self._guest(provider)
            watched, linked = await self._watch(api, host, guest)
            await api.delete(f"/v1/calendars/{watched}")
            await self._let_go(provider, guest)
            await api.delete(f"/v1/connections/{linked}")

    async def of_account(self, number: int) -> None:
        """Another account is linked, tried, and let go."""
        host = self._host(number)
        provider = host.pair.conferencing
        async with self._visiting(host) as api:
            guest = await self._guest(provider)
            linked = await self._consent(api, provider, host.client, guest)
            await api.post(f"/v1/connections/{linked}/test")
            await api.delete(f"/v1/connections/{linked}")

    @asynccontextmanager
    async def _visiting(self, host: Host) -> AsyncIterator[Api]:
        """Whoever hears that it does not work just now gives up; the next one comes soon."""
        api = Api(self.house.api, host.key)
        try:
            with suppress(Problem, NoConsent):
                yield api
        finally:
            await api.aclose()

    async def _watch(self, api: Api, host: Host, guest: str) -> tuple[str, str]:
        """The calendar of somebody new, who is linked for it: our names of both."""
        provider = host.pair.calendar
        linked = await self._consent(api, provider, host.registration, guest)
        await api.get(f"/v1/connections/{linked}/calendars")
        wish = {"connection": linked, "provider_id": guest if "@" in guest else "primary"}
        watched = (await api.post("/v1/calendars", wish))["id"]
        until = asyncio.get_running_loop().time() + WATCHED_WITHIN
        while asyncio.get_running_loop().time() < until:  # let go before, it has nothing to stop
            if (await api.get(f"/v1/calendars/{watched}"))["pushed_until"]:
                break
            await asyncio.sleep(0.2)
        return watched, linked

    async def _let_go(self, provider: str, calendar: str) -> None:
        """Wait until nobody is told of it: with the link gone there is no access to say so with."""
        until = asyncio.get_running_loop().time() + WATCHED_WITHIN
        while await vendors.is_told_of(self.house.sandbox, provider, calendar):
            if asyncio.get_running_loop().time() > until:
                return
            await asyncio.sleep(0.2)

    async def _guest(self, provider: str) -> str:
        """Somebody new with an account."""
        sandbox = self.house.sandbox
        self._guests += 1
        email = f"guest{self._guests}@example.org"
        match provider:
            case "google":
                return await sandbox.google.add_account(email)
            case "zoom":
                return await sandbox.zoom.add_account(email)
            case "goto":
                return await sandbox.goto.add_organizer(email)
            case _:
                return await sandbox.graph.add_account(email)

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
            while not self.is_over:
                for host in self.hosts:
                    await self._link_again(apis[host.key], host)
                    await self._retry(store.lanes, host.tenant)
                await asyncio.sleep(PEOPLE_LOOK)

    async def _retry(self, lanes: Lanes, tenant: str) -> None:
        with suppress(StoreAway):  # on a busy machine: they look again
            for lane, _ in await lanes.parked(tenant, "", 100):
                if (await lanes.state(lane)).parked == "poison":
                    await lanes.retry(lane)
                    self.retried += 1

    async def _link_again(self, api: Api, host: Host) -> None:
        with suppress(Problem, NoConsent):  # said so while no worker lives: they try again
            link = await api.get(f"/v1/connections/{host.conferencing}")
            if link["state"] == "needs_reauth":
                ours = (host.pair.conferencing, host.client, host.user)
                await self._consent(api, *ours, connection=host.conferencing)
                self.linked_again += 1

    async def _consent(
        self, api: Api, provider: str, client: str, account: str, *, connection: str | None = None
    ) -> str:
        side = side_of(self.house.sandbox, provider)
        async with self._consenting[side.provider]:
            await side.consent(account=account)
            back = f"{self.partner.url}/back"
            try:
                return await consent(api, client, back=back, connection=connection)
            except httpx.TransportError as error:
                raise NoConsent(repr(error)) from error

    def _host(self, number: int) -> Host:
        return self.hosts[number % len(self.hosts)]

    def _fate(self, number: int) -> str:
        """Each host sees every kind, one after the other."""
        return FATES[sum(divmod(number, len(self.hosts))) % len(FATES)]

    def _goes(self, title: str) -> None:
        self.stands.remove(title)
        self.went.append(title)

    async def _comes(self, kind: str, title: str) -> bool:
        """Wait until the partner heard it."""
        while not self.heard(kind, title):
            if asyncio.get_running_loop().time() > self._deadline:
                self.stuck.append((title, kind))
                return False
            await asyncio.sleep(0.1)
        return True


def _starts() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + STARTS


def _wish(host: Host, title: str, starts: datetime) -> dict[str, Any]:
    return {
        "title": title,
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=1)).isoformat(),
        "conferencing": {"connection": host.conferencing},
    }
