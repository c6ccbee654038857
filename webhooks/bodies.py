"""What did they send us? A body that is small and plain, or none; the server sees to its speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.types import Receive

from webhooks.sources import Answer

MOST_DIGITS: Final = 12
ENCODED: Final = Answer(415, b"Send the body as it is, without a Content-Encoding.\n")
TOO_LARGE: Final = Answer(413, b"The body is larger than any notification.\n")


class TurnedAway(Exception):
    """Answer this and hang up: the rest of the body is not read."""

    def __init__(self, outcome: str, answer: Answer) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.answer = answer


class WentAway(Exception):
    """They hung up first: there is nobody to answer."""


async def take_body(headers: Mapping[bytes, bytes], receive: Receive, *, at_most: int) -> bytes:
    """The whole body, counted as it comes. Raises TurnedAway or WentAway."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise TurnedAway("encoded", ENCODED)
    announced = headers.get(b"content-length", b"0")
    if not _small(announced, at_most):
        raise TurnedAway("too_large", TOO_LARGE)
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise WentAway
        part: bytes = message.get("body", b"")
        body = body + part if body else part
        if len(body) > at_most:
            raise TurnedAway("too_large", TOO_LARGE)
        if not message.get("more_body", False):
            return body


def plain(headers: Mapping[bytes, bytes], body: bytes, at_most: int) -> bool:
    """Whether `take_body` would take a body that is whole already."""
    return b"content-encoding" not in headers and len(body) <= at_most


def _small(announced: bytes, at_most: int) -> bool:
    return announced.isdigit() and len(announced) <= MOST_DIGITS and int(announced) <= at_most
