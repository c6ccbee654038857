"""What came back, or is it surely not sent, or maybe done? One call over HTTP.

One deadline spans connect, headers and body; the body is bounded and never decoded; nothing follows
a redirect, keeps a cookie or reads a proxy from the environment. A client of our own, because a
callback is what is done most often: httpx's types and aiohttp's machinery were half of its cost.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache, partial
from typing import Final
from weakref import WeakValueDictionary

import httpx

from infra.errors import NotSent, Unknown
from infra.http.answers import Answer, Broken
from infra.http.counting import Count, counted
from infra.http.dialling import Dial
from infra.http.guard import Guard
from infra.http.lines import Line, Lines
from infra.http.names import LookUp
from infra.http.places import Address, Place, place_of
from infra.http.requests import written
from infra.points import point
from infra.settings import Settings

DEADLINE: Final = timedelta(seconds=20)  # ENGINE 11: shorter than a lease and its takeover
IDLE: Final = timedelta(seconds=15)  # shorter than servers keep idle lines: fewer lost POSTs
PROVIDER_BODY: Final = 8 * 1024 * 1024  # a page of 2,500 Google events
PARTNER_BODY: Final = 64 * 1024
PLACES: Final = 4096  # addresses of which a wire knows that their text is in order
_REPEATABLE: Final = frozenset({"GET", "OPTIONS", "PUT", "DELETE"})  # RFC 9110 §9.2.2


@dataclass(slots=True)
class _Exchange:
    """How far one call got: nothing of it is on a line before `begun`."""

    request: bytes
    limit: int
    repeatable: bool
    send_by: float | None
    begun: bool = False
    started: float = field(default_factory=time.monotonic)

    async def over(self, line: Line, lines: Lines) -> Answer:
        """Over this line of those, which keep it if it lasts. Raises NotSent, OSError."""
        answer = Answer(self.limit, started=self.started, connected=time.monotonic())
        kept = line.answered > 0
        try:
            if not line.stands:
                raise Broken("the line was closed")
            self._begin()
            await line.carry(self.request, answer)
        except OSError:
            if kept and self.repeatable and not answer.fed:
                raise _Stale from None
            raise
        finally:
            lines.keep(line)
        return answer

    def _begin(self) -> None:
        # One that is repeated may have been done over the first line, late or not.
        if not self.begun and self.send_by is not None and time.monotonic() > self.send_by:
            raise NotSent("too late: an answer could come after its quarantine")
        self.begun = True


class _Stale(OSError):
    """A kept line was dead, as it turned out; the call may be repeated on another one."""


class Wire:
    """A pool of lines. Make it inside the running loop; `await wire.aclose()` when done."""

    def __init__(
        self,
        *,
        guard: Guard | None = None,
        max_body: int = PROVIDER_BODY,
        per_host: int = 64,
        kept_for: timedelta = IDLE,
        look_up: LookUp | None = None,
        tls: ssl.SSLContext | None = None,
        count: Count | None = None,
        deadline: timedelta = DEADLINE,
    ) -> None:
        self._count = count
        self._deadline = deadline
        self._max_body = max_body
        self._per_host = per_host
        self._kept_for = kept_for
        self._dial = Dial(guard, look_up, tls)
        self._read = partial(place_of, guard=guard)
        self._place = lru_cache(maxsize=PLACES)(self._read)
        self._lines: WeakValueDictionary[Address, Lines] = WeakValueDictionary()
        self._closed = False

    @classmethod
    def to_providers(cls, settings: Settings, count: Count | None = None) -> Wire:
        """Base URLs that the operator or the product chose: no guard."""
        return cls(count=count, deadline=timedelta(seconds=settings.provider_deadline_s))

    @classmethod
    def to_partners(cls, settings: Settings, count: Count | None = None) -> Wire:
        """Addresses that strangers chose: guarded, and little is read of what they answer."""
        return cls(guard=Guard.of(settings), max_body=PARTNER_BODY, per_host=16, count=count)

    async def send(
        self,
        request: httpx.Request,
        *,
        name: str = "",
        deadline: timedelta | None = None,
        send_by: float | None = None,
        max_body: int | None = None,
    ) -> httpx.Response:
        """`call`, with httpx's types; the answer's `extensions` are `cut`, `coding` and `timing`.

        A coding that was sent although we asked for none stays as it is.
        """
        answer = await self.call(
            request.method,
            request.url,
            [(key.decode("latin-1"), said.decode("latin-1")) for key, said in request.headers.raw],
            await request.aread(),
            name=name,
            deadline=deadline,
            send_by=send_by,
            max_body=max_body,
        )
        return httpx.Response(
            answer.status,
            # httpx would decode what it is given with this header, however much comes out.
            headers=[pair for pair in answer.headers if pair[0].lower() != b"content-encoding"],
            content=answer.body,
            request=request,
            extensions={"cut": answer.cut, "coding": answer.coding, "timing": answer.timing},
        )

    async def call(
        self,
        method: str,
        url: str | httpx.URL,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        *,
        name: str = "",
        deadline: timedelta | None = None,
        send_by: float | None = None,
        max_body: int | None = None,
    ) -> Answer:
        """Make one call and read its whole answer, whatever its status; redirects are answers.

        `name` is its point (default "http.<method>"); `deadline` (default: the wire's) spans
        everything; `send_by`, on the monotonic clock, is when the first byte must have been
        written. A body longer than `max_body` is cut. HEAD is not spoken.
        Raises NotSent (surely), Unknown (maybe done), Refused (an address that we may not call).
        """
        name = name or f"http.{method.lower()}"
        limit = self._max_body if max_body is None else max_body
        with counted(self._count, name) as came:
            # A URL is read already, and hardly ever comes again: it names what it is about.
            place = self._place(url) if isinstance(url, str) else self._read(url)
            request = written(method, place, headers, body)
            exchange = _Exchange(request, limit, method in _REPEATABLE, send_by)
            async with point(name):
                try:
                    async with asyncio.timeout((deadline or self._deadline).total_seconds()):
                        answer = await self._carried(exchange, place)
                except OSError as error:  # a timeout is one
                    failed = Unknown if exchange.begun else NotSent
                    raise failed(_words(f"{method} {place.address.host}", error)) from None
            came.append(answer.status)
        return answer

    async def _carried(self, exchange: _Exchange, place: Place) -> Answer:
        lines = self._lines_to(place.address)
        async with lines.room:
            try:
                return await exchange.over(lines.free() or await self._opened(lines), lines)
            except _Stale:
                return await exchange.over(await self._opened(lines), lines)

    def _lines_to(self, address: Address) -> Lines:
        lines = self._lines.get(address)
        if lines is None:
            lines = self._lines[address] = Lines(address, self._per_host, self._kept_for)
        return lines

    async def _opened(self, lines: Lines) -> Line:
        line = await self._dial.open(lines)
        if self._closed:
            line.hang_up()
        return line

    async def aclose(self) -> None:
        """Close all lines; calls under way end as Unknown."""
        self._closed = True
        self._dial.close()
        lost = [line.lost for lines in self._lines.values() for line in lines.hang_up()]
        if lost:
            await asyncio.wait(lost)


def _words(call: str, error: OSError) -> str:
    """Which call failed and how; never its path or query, where secrets travel."""
    match error:
        case TimeoutError():
            return f"{call}: no answer before the deadline"
        case Broken():
            return f"{call}: {error}"
        case _:
            return f"{call}: {type(error).__name__}: {error}"
