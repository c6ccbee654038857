"""How does one line to the store carry words and answers? redis-py greets, then it is ours.

Its own way costs a task and a timer for each sending and each answer, which was half of what a lone
call cost a worker. So calls are written to the transport, and answers are read where they arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from hiredis import Reader
from redis.asyncio.connection import AbstractConnection, DefaultParser
from redis.exceptions import ConnectionError as LineLost
from redis.exceptions import InvalidResponse
from typing_extensions import override

_NOT_YET: Final = object()


class Line(asyncio.Protocol):
    """A connection of redis-py that has greeted the store, and does nothing more with it.

    `heard` is told each answer, errors among them; `lost` why it ended, unless we hung up.
    """

    def __init__(
        self,
        connection: AbstractConnection,
        *,
        heard: Callable[[Any], None],
        lost: Callable[[Exception], None],
        free: Callable[[], None],
    ) -> None:
        self._heard = heard
        self._lost = lost
        self._free = free
        self._reader = Reader(
            protocolError=InvalidResponse,
            replyError=DefaultParser.parse_error,
            notEnoughData=_NOT_YET,
        )
        self._open = True
        self.full = False
        """Whether the store must read before more is said; `free` is called when it has."""
        self._writer = cast("asyncio.StreamWriter", connection._writer)  # noqa: SLF001  of redis 5
        connection._writer = None  # noqa: SLF001  it has nothing to close or to warn of
        self._writer.transport.set_protocol(self)

    def say(self, words: bytes) -> None:
        """Send packed commands."""
        self._writer.write(words)

    def hang_up(self) -> None:
        """Tell nothing from now on."""
        self._open = False
        self._writer.close()

    @override
    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while self._open and (answer := self._reader.gets()) is not _NOT_YET:
                self._heard(answer)
        except InvalidResponse as error:
            self._end(error)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end(LineLost(f"the line was lost: {exc or 'the store hung up'}"))

    def _end(self, why: Exception) -> None:
        if self._open:
            self._lost(why)

    @override
    def pause_writing(self) -> None:
        self.full = True

    @override
    def resume_writing(self) -> None:
        self.full = False
        if self._open:
            self._free()
