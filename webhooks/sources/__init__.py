"""How does a notification prove itself, and what does it say? One pure source for each provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from pydantic import SecretStr

from schemas.connections import Route


class Notification(NamedTuple):
    """An inbound push as it came: raw bytes, for only those were signed. Header names are lower."""

    headers: Mapping[bytes, bytes]
    body: bytes


class Answer(NamedTuple):
    """What the provider gets to hear."""

    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()


THANKS: Final = Answer(200)
NO_PROOF: Final = Answer(404, b"Nothing is heard here, or the proof does not hold.\n")
"""The same for an address that does not exist and for a proof that fails."""
UNREADABLE: Final = Answer(400, b"The signature is good, but the body is not a JSON object.\n")


class AccountReport(NamedTuple):
    """Something that cannot be read again, about an account at the provider."""

    account: str
    once: str
    """The same for every delivery of the same notification."""


class Content(NamedTuple):
    """What a notification carries of its subject, encrypted for a key that is not here."""

    body: bytes
    once: str
    """The same for every notification of the same versions."""


class Heard(NamedTuple):
    """What a notification comes to: an answer, and what to keep before the answer may go out."""

    outcome: str
    """A word for the figures."""
    answer: Answer = THANKS
    calendar: str | None = None
    """Look at this calendar again."""
    content: Content | None = None
    """What the calendar's provider told beside the hint."""
    report: AccountReport | None = None
    ailing: bool = False
    """Something befell the channel itself: let the worker see whether it still lives."""
    stale: bool = False
    """It was signed longer ago than a first delivery takes; counted, and heard all the same."""


UNPROVEN: Final = Heard("bad_proof", NO_PROOF)


class Source(Protocol):
    """One provider's way of notifying. Pure: the clock and the secrets are arguments."""

    @property
    def provider(self) -> str:
        """The name of its provider's row."""
        ...

    @property
    def body_limit(self) -> int:
        """Bytes; more than any notification of this provider has."""
        ...

    def greet(self, method: str, query: bytes) -> Answer | None:
        """The answer to a handshake that proves nothing, told by method and query alone: it needs
        no store, for it may come before we know the channel. None where there is none."""
        ...

    def read(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> Heard:
        """Check the proof, greet if asked to, and say what to keep; in this provider's own order.

        Never raises on what came from outside.
        """
        ...

    def proven(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> bool:
        """Whether the proof holds for the route, made with one of these secrets if it is signed."""
        ...
