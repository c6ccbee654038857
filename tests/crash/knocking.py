"""Who knocks at doors that are killed in mid-request? Partners and providers that come again.

A partner repeats a POST under its Idempotency-Key until it is answered, a provider its notification
until it hears 2xx, as both are told to; what they were promised then must be there.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, Final

import httpx

from infra.cli.rehearsal import Rehearsal
from tests.chaos.tenants import Host

PATIENCE: Final = 120.0
"""Seconds of calm: a key whose process died is free after 30, and a door takes some to come up."""
AGAIN: Final = 0.5
STARTS: Final = timedelta(days=3)


@dataclass
class Knocking:
    """All who knock, and what they heard."""

    house: Rehearsal
    hosts: Sequence[Host]
    http: httpx.AsyncClient
    answers: dict[str, Any] = field(default_factory=dict)
    """To each POST, by its key."""
    told: list[str] = field(default_factory=list)
    """Events whose notification was acknowledged."""
    wrong: list[str] = field(default_factory=list)
    _deadline: float = inf
    _asked: dict[str, Callable[[], Awaitable[httpx.Response]]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def go_on(self, every: float) -> None:
        """One after the other, for ever, nobody waiting for those before."""
        for number in itertools.count():
            host = self.hosts[number % len(self.hosts)]
            for visit in (self._event, self._meeting, self._client):
                task = asyncio.create_task(visit(number, host))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(every)

    async def served(self) -> None:
        """No door falls any more: wait until both are up again and everybody was answered."""
        await self.house.ready()
        self._deadline = asyncio.get_running_loop().time() + PATIENCE
        await asyncio.gather(*self._tasks)

    async def leave(self) -> None:
        """Nobody waits any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ask_again(self) -> list[str]:
        """Repeat each POST; those that are answered otherwise than at first."""
        answers = {key: (await ask()).json() for key, ask in self._asked.items()}
        return [key for key, answer in answers.items() if answer["id"] != self.answers[key]["id"]]

    async def _event(self, number: int, host: Host) -> None:
        """An event, and Google's push that tells of it."""
        title, google = f"Event {number}", self.house.sandbox.google
        await google.add_event(host.calendar, title=title, location=host.keyword)
        channels = await google.channels()
        channel = next(one for one in channels if one["calendar"] == host.calendar)
        headers = {
            "X-Goog-Channel-ID": str(channel["id"]),
            "X-Goog-Channel-Token": str(channel["token"]),
            "X-Goog-Resource-ID": str(channel["resource"]),
            "X-Goog-Resource-State": "exists",
            "X-Goog-Message-Number": str(number + 2),
        }
        address = str(channel["address"])
        if await self._until_kept(title, lambda: self.http.post(address, headers=headers)):
            self.told.append(title)

    async def _meeting(self, number: int, host: Host) -> None:
        """A meeting with a conference, of an application."""
        starts = datetime.now(UTC).replace(microsecond=0) + STARTS
        body = {
            "external_id": f"meeting-{number}",
            "title": f"Meeting {number}",
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=1)).isoformat(),
            "conferencing": {"connection": host.conferencing},
        }
        await self._ask(host, "/v1/meetings", body, key=f"Meeting {number}")

    async def _client(self, number: int, host: Host) -> None:
        """What two POSTs without a key would make twice."""
        body = {"provider": "zoom", "client_id": f"Client {number}", "secret": "made-up"}
        await self._ask(host, "/v1/clients", body, key=f"Client {number}")

    async def _ask(self, host: Host, path: str, body: dict[str, Any], *, key: str) -> None:
        headers = {"Authorization": f"Bearer {host.key}", "Idempotency-Key": key.replace(" ", "-")}
        url = f"{self.house.api}{path}"

        async def ask() -> httpx.Response:
            return await self.http.post(url, json=body, headers=headers)

        if (answer := await self._until_kept(key, ask)) is not None:
            self.answers[key], self._asked[key] = answer.json(), ask

    async def _until_kept(
        self, what: str, knock: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response | None:
        last = "no answer"
        while asyncio.get_running_loop().time() < self._deadline:
            try:
                answer = await knock()
            except httpx.TransportError as error:
                last = repr(error)
            else:
                if answer.is_success:
                    return answer
                last = f"{answer.status_code} {answer.text}"
            await asyncio.sleep(AGAIN)
        self.wrong.append(f"{what}: {last}")
        return None
