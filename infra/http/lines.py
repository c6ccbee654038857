"""How do a request and its answer travel over one connection? HTTP/1.1, one call after another."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final, cast

from typing_extensions import override

from infra.http.answers import Answer, Broken
from infra.http.places import Address


class Line(asyncio.Protocol):
    """One connection that is kept between calls."""

    _transport: asyncio.Transport

    def __init__(self, lines: Lines) -> None:
        self.answered = 0
        """How many calls it has carried."""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines = lines
        self._up = False
        self._answer: Answer | None = None
        self._whole: asyncio.Future[None] | None = None

    @property
    def stands(self) -> bool:
        """Whether something may be written to it."""
        return self._up and not self._transport.is_closing()

    async def carry(self, request: bytes, answer: Answer) -> None:
        """Write a request on a line that stands, and read its answer. Raises OSError."""
        self._answer = answer
        self._whole = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(request)
            await self._whole
            self.answered += 1
        finally:
            self._answer = self._whole = None
            if not (answer.whole and answer.lasts):
                self.hang_up()

    def hang_up(self) -> None:
        """At once: nothing is waited for that might still be on the line."""
        if self._up:
            self._up = False
            self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._up = True
        self._lines.all.add(self)

    @override
    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.whole:
            self.hang_up()  # nobody asked
            return
        try:
            answer.feed(data)
        except Broken as broken:
            self._settle(broken)
        else:
            if answer.whole:
                self._settle(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.whole:
            try:
                self._answer.end()
            except Broken as broken:
                self._settle(exc or broken)
            else:
                self._settle(exc)
        self._up = False
        self._lines.forget(self)
        if not self.lost.done():
            self.lost.set_result(None)

    def _settle(self, error: Exception | None) -> None:
        if self._whole is None or self._whole.done():
            return
        if error is None:
            self._whole.set_result(None)
        else:
            self._whole.set_exception(error)


class Lines:
    """All lines to one address: how many there may be, and which are free."""

    def __init__(self, address: Address, most: int, kept_for: timedelta) -> None:
        self.address: Final = address
        self._kept_for = kept_for.total_seconds()
        self.room: Final = asyncio.Semaphore(most)
        """To be held by every call: who holds it takes a free line before opening one."""
        self.all: Final[set[Line]] = set()
        self._free: list[tuple[Line, asyncio.TimerHandle]] = []

    def free(self) -> Line | None:
        """The one that was used last, if one stands."""
        while self._free:
            line, end = self._free.pop()
            end.cancel()
            if line.stands:
                return line
        return None

    def keep(self, line: Line) -> None:
        """For the next call, but not for ever."""
        if line.stands:
            loop = asyncio.get_running_loop()
            self._free.append((line, loop.call_later(self._kept_for, line.hang_up)))

    def hang_up(self) -> list[Line]:
        """All of them; which those were."""
        lines = list(self.all)
        for line in lines:
            line.hang_up()
        return lines

    def forget(self, line: Line) -> None:
        """It is lost."""
        self.all.discard(line)
        for kept in self._free:
            if kept[0] is line:
                kept[1].cancel()
                self._free.remove(kept)
                return
