"""When is an answer whole, and how much of it is read? Its bytes as they come, and no I/O.

The words are parsed by llhttp, the parser of Node. What is bounded: the body, which is cut, and all
that is no body: headers, trailers, frames of chunks, answers of the kind 1xx.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MOST_BESIDE: Final = 64 * 1024
"""Bytes of an answer that are no body, and no more than came of that besides."""
_FRAMES: Final = frozenset({b"content-length", b"transfer-encoding"})
_SWITCHING: Final = 101
_FINAL: Final = 200


class Broken(OSError):
    """The line ended before the answer did, or what came is no answer."""


class _Another(Exception):
    """Stops the parser: this answer is whole, and nobody asked for a second."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How an answered call spent its time, from its start: a kept line is there at once."""

    connect: timedelta
    first_byte: timedelta


class Answer:
    """One answer: it is fed until it is `whole`, or breaks.

    `started` and `connected` are when its call began and had a line, on the monotonic clock.
    """

    def __init__(self, limit: int, *, started: float = 0, connected: float = 0) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.whole = False
        self.cut = False
        """Whether its body was longer than `limit`."""
        self.lasts = False
        """Whether the line may carry another one."""
        self.fed = 0
        self.began = 0.0
        """When its headers were there."""
        self._started = started
        self._connected = connected
        self._limit = limit
        self._body = bytearray()
        self._framed = False
        self._parser = HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """As it came: nothing is decoded."""
        return bytes(self._body)

    def header(self, name: bytes) -> str | None:
        """The first header of this name, which is given in small letters."""
        for key, value in self.headers:
            if key.lower() == name:
                return value.decode("latin-1")
        return None

    @property
    def coding(self) -> str:
        """The coding that was sent although we ask for none."""
        return self.header(b"content-encoding") or "identity"

    @property
    def timing(self) -> Timing:
        """To be asked when the answer is whole."""
        return Timing(
            timedelta(seconds=self._connected - self._started),
            timedelta(seconds=self.began - self._started),
        )

    def feed(self, data: bytes) -> None:
        """Take what came. Raises Broken."""
        self.fed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            pass  # nobody asked for one: it is answered, and over
        except HttpParserError as error:
            self.lasts = False  # what stands behind a whole answer belongs to none
            if not self.whole:
                raise Broken(f"what came is no HTTP answer ({error})") from None
        if not self.whole and self.fed - 2 * len(self._body) > MOST_BESIDE:
            raise Broken("the answer has no end of headers or frames")

    def end(self) -> None:
        """The line has ended, which may be the end of the body as well. Raises Broken."""
        if not self.began or self._framed:
            raise Broken("the line was closed before the answer was whole")
        self.whole = True

    def on_message_begin(self) -> None:
        if self.whole:
            raise _Another

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.began:
            return  # a trailer
        self.headers.append((name, value))
        self._framed = self._framed or name.lower() in _FRAMES

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < _FINAL and self.status != _SWITCHING:
            self.headers.clear()
            self._framed = False
            return
        self.began = time.monotonic()

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._limit:
            del self._body[self._limit :]
            self.cut = self.whole = True  # the rest is not worth a connection

    def on_message_complete(self) -> None:
        if self.began:
            self.whole = True
            self.lasts = self.status != _SWITCHING and self._parser.should_keep_alive()
