"""How does Microsoft Graph notify? With batches, and our own secret in each element of them.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs

from pydantic import SecretStr

from infra.signatures import fits_hash
from schemas.connections import Route
from schemas.wire.graph_notifications import Element, read_elements
from webhooks.sources import UNPROVEN, Answer, Heard, Notification

TOKEN: Final = "validationToken"  # noqa: S105 - a parameter's name
TOKEN_AT_MOST: Final = 4096
NO_STATE: Final = Element()


class Graph:
    """Subscriptions of Graph. Every change is a hint; what befalls the subscription itself is one
    more, and has the worker see whether it still lives."""

    provider: Final = "graph"
    body_limit: Final = 4 * 1024 * 1024

    def greet(self, method: str, query: bytes) -> Answer | None:
        """The handshake: whoever asks is told its own token, as text and escaped, for it proves
        nothing and names nobody. It comes while the subscription is being made."""
        if method != "POST" or TOKEN.encode() not in query:
            return None
        told = parse_qs(query.decode("latin-1"), keep_blank_values=True).get(TOKEN, [""])[0]
        return Answer(200, html.escape(told[:TOKEN_AT_MOST], quote=False).encode())

    def read(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> Heard:
        """Hear a batch: each element by itself, for one that is not ours fails no other."""
        ours = [one for one in _elements(notification) if _proves(one, route)]
        if not ours:
            return UNPROVEN
        if route.retired or route.calendar is None:
            return Heard("retired")
        ailing = any(one.lifecycle for one in ours)
        return Heard("lifecycle" if ailing else "accepted", calendar=route.calendar, ailing=ailing)

    def proven(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> bool:
        """Whether some element's state is the route's."""
        return sum(_proves(one, route) for one in _elements(notification)) > 0


def _elements(notification: Notification) -> list[Element]:
    """What was sent; something to compare with also when it cannot be read, for equal time."""
    return read_elements(notification.body) or [NO_STATE]


def _proves(one: Element, route: Route) -> bool:
    """Compared by hash, so neither its letters nor its length show in the time it takes. The
    subscription's id we learn from Graph's answer, which an early message may outrun."""
    fits = fits_hash(one.state or "", hashed=route.proof_sha256 or "")
    return fits and route.resource in (None, one.subscription)
