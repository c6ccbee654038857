"""Receiver and API are killed, cut off, kept waiting and cancelled in mid-request: what they
acknowledged is not lost, and a POST that is repeated under its key is answered as it was."""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from infra.cli.api import Api
from infra.cli.rehearsal import rehearsing
from tests.chaos.partner import Unreliable, listening
from tests.chaos.tenants import open_tenants
from tests.crash.arming import Case, arm, cases_of, deal, each_once, start
from tests.crash.knocking import Knocking

DOORS = ("receiver", "api")
HEARD = 8  # of each kind, in the golden run
KNOCKS_EVERY = 0.7
CALM_WITHIN = 150.0


@dataclass
class Doors:
    """The two doors, and who knocks at them."""

    knocking: Knocking
    partner: Unreliable
    home: Path
    struck: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    async def golden(self) -> dict[str, set[str]]:
        """The points that each door passes."""
        logs = {door: self.home / f"{door}-points" for door in DOORS}
        for door, log in logs.items():
            await self._replace(door, {"TIELINE_POINTS_LOG": str(log)})
        while len(self.knocking.told) < HEARD or len(self.knocking.answers) < HEARD:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return {door: set(log.read_text().split()) for door, log in logs.items()}

    async def fall(self, door: str, cases: Sequence[Case]) -> None:
        """One process of the door after the other, until all cases have struck."""
        waiting, processes = list(cases), self.knocking.house.processes
        await processes.kill(door)
        while waiting:
            armed = await arm(processes, door, deal(waiting), self.home / door)
            while not armed.done:  # noqa: ASYNC110 - a file of another process
                await asyncio.sleep(0.05)
            over = armed.struck
            self.struck.update(case.do for case in over)
            if not (armed.ended and over):
                self.missed += map(str, armed.left)
                over += armed.left
            waiting = [case for case in waiting if case not in over]
            if not armed.ended:
                armed.process.terminate()
            await armed.process.wait()
        await processes.start(door)

    async def look(self) -> list[str]:
        """Everything that is not as was promised, in words."""
        knocking, heard = self.knocking, self.partner.titles["meeting.provisioned"]
        meetings = [key for key in knocking.answers if key.startswith("Meeting")]
        wanted = [*knocking.told, *meetings]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CALM_WITHIN):
                while not set(wanted) <= set(heard.values()):  # noqa: ASYNC110 - polled
                    await asyncio.sleep(0.1)
        there = Counter(one.topic for one in await knocking.house.sandbox.zoom.meetings())
        told = Counter(heard.values())
        otherwise = await knocking.ask_again()
        wrong = [*knocking.wrong, *(f"{key}: answered otherwise" for key in otherwise)]
        wrong += [f"{one}: {there[one]} conferences" for one in wanted if there[one] != 1]
        wrong += [f"{one}: announced {told[one]} times" for one in wanted if told[one] != 1]
        clients = await self._clients()
        wrong += [f"{one}: {count} times" for one, count in clients.items() if count != 1]
        return wrong + [
            f"{key}: lost"
            for key in knocking.answers
            if key.startswith("Client") and key not in clients
        ]

    async def _clients(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for host in self.knocking.hosts:
            api = Api(self.knocking.house.api, host.key)
            page = await api.get("/v1/clients", limit="200")
            found.update(one["client_id"] for one in page["items"])
            await api.aclose()
        return Counter({name: count for name, count in found.items() if name.startswith("Client")})

    async def _replace(self, door: str, settings: dict[str, str]) -> None:
        await self.knocking.house.processes.kill(door)
        await start(self.knocking.house.processes, door, settings)


@contextlib.asynccontextmanager
async def doors(tenants: int) -> AsyncIterator[Doors]:
    """All is up, and people knock until the block ends."""
    async with contextlib.AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tieline-doors-")))
        partner = await stack.enter_async_context(listening(random.Random(1)))
        partner.fails = partner.hangs = 0.0
        house = await stack.enter_async_context(rehearsing(home))
        hosts = await open_tenants(house, partner, tenants, each=1)
        await house.sandbox.manners("google", paused=True)  # the tests push, until they are heard
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        knocking = Knocking(house, hosts, http)
        stack.push_async_callback(knocking.leave)
        yield Doors(knocking, partner, home)


def within(cases: list[Case], *passages: int) -> list[Case]:
    """The same at these passages: a POST passes `store.submit` when it takes hold of its key, and
    again with its effect, and many are under way."""
    return [replace(case, nth=nth) for case in cases for nth in passages]


async def stand(here: Doors, choose: Callable[[set[str]], list[Case]]) -> list[str]:
    """Let both doors fall at all their points; what is wrong in the end."""
    knocking = asyncio.create_task(here.knocking.go_on(KNOCKS_EVERY))
    try:
        points = await here.golden()
        await asyncio.gather(*(here.fall(door, choose(points[door])) for door in DOORS))
    finally:
        knocking.cancel()
    await here.knocking.served()
    wrong = await here.look()
    struck = ", ".join(f"{count} {do}" for do, count in sorted(here.struck.items()))
    names = ", ".join(f"{len(points[door])} of the {door}" for door in DOORS)
    answers = len(here.knocking.answers) + len(here.knocking.told)
    print(f"\n[F4_doors] points {names}, {here.struck.total()} cases ({struck})")
    violations = len(wrong + here.missed)
    print(f"[F4_doors] {answers} requests acknowledged, {violations} violations")
    return wrong


@pytest.mark.timeout(400)
async def test_doors_that_fall_once_at_every_point_keep_what_they_promised() -> None:
    async with doors(tenants=4) as here:
        wrong = await stand(here, lambda points: within(each_once(points), 4))

    assert set(here.struck) == {"kill", "cut", "timeout", "cancel"}
    assert (wrong, here.missed) == ([], [])


@pytest.mark.full
@pytest.mark.timeout(2400)
async def test_doors_that_fall_in_every_way_at_every_point_keep_what_they_promised() -> None:
    async with doors(tenants=12) as here:
        wrong = await stand(here, lambda points: within(cases_of(points), 1, 4))

    assert (wrong, here.missed) == ([], [])
