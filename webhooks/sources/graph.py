"""How does Microsoft Graph notify? With batches, and our own secret in each element of them.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs

from pydantic import SecretStr

from infra.signatures import fits_hash
from schemas.connections import Route
from schemas.wire.graph_notifications import Carriers, Element, read_batch
from webhooks.sources import UNPROVEN, Answer, Content, Heard, Notification

TOKEN: Final = "validationToken"  # noqa: S105 - a parameter's name
TOKEN_AT_MOST: Final = 4096
NO_STATE: Final = Element()
"""To compare with when nothing can be read, for equal time."""
CONTENT_AT_MOST: Final = 128 * 1024
"""Sealed it is a third longer, and a post may have 256 KiB."""


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
        batch = read_batch(notification.body)
        ours = [one for one in batch.elements or [NO_STATE] if _proves(one, route)]
        if not ours:
            return UNPROVEN
        if route.retired or route.calendar is None:
            return Heard("retired")
        if any(one.lifecycle for one in ours):
            return Heard("lifecycle", calendar=route.calendar, ailing=True)
        content = _content(ours, batch.tokens)
        outcome = "accepted" if content is None else "content"
        return Heard(outcome, calendar=route.calendar, content=content)

    def proven(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> bool:
        """Whether some element's state is the route's."""
        elements = read_batch(notification.body).elements or [NO_STATE]
        return sum(_proves(one, route) for one in elements) > 0


def _content(ours: Sequence[Element], tokens: list[object]) -> Content | None:
    """What all of them carry. One without content, one that is not as Graph writes it, or more than
    a lane takes, leaves the hint: a reading shows it all."""
    if not all(one.encrypted for one in ours):
        return None
    try:
        carried = Carriers.model_validate({"value": ours, "validationTokens": tokens})
        body = carried.model_dump_json(by_alias=True).encode()
    except ValueError:  # out of shape, or half a surrogate pair, which is no text
        return None
    if len(body) > CONTENT_AT_MOST:
        return None
    versions = sorted(one.version for one in ours)
    named = json.dumps(versions).encode() if all(versions) else body
    return Content(body, sha256(named).hexdigest())


def _proves(one: Element, route: Route) -> bool:
    """Compared by hash, so neither its letters nor its length show in the time it takes. The
    subscription's id we learn from Graph's answer, which an early message may outrun."""
    fits = fits_hash(one.state or "", hashed=route.proof_sha256 or "")
    return fits and route.resource in (None, one.subscription)
