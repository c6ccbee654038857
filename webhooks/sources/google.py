"""How does Google Calendar notify? With empty bodies and a secret of ours in a header.

https://developers.google.com/workspace/calendar/api/guides/push
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import SecretStr

from infra.signatures import fits_hash
from schemas.connections import Route
from schemas.wire.google_notifications import CHANNEL, OPENED, RESOURCE, STATE, TOKEN
from webhooks.sources import UNPROVEN, Answer, Heard, Notification


class Google:
    """Channels of Google Calendar. Every state is a hint, known to us or not: a reading that finds
    nothing costs little, and waiting for a word that never came cost others everything (T14)."""

    provider: Final = "google"
    body_limit: Final = 1024

    def greet(self, method: str, query: bytes) -> Answer | None:
        """Google greets with an ordinary message."""
        return None

    def read(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> Heard:
        """Hear a channel's message. The state `sync` says that the channel has begun to live."""
        if not self.proven(notification, route, secrets, now):
            return UNPROVEN
        if route.retired or route.calendar is None:
            return Heard("retired")  # stopped channels go on for a while (T13)
        opened = notification.headers.get(STATE) == OPENED
        return Heard("opened" if opened else "accepted", calendar=route.calendar)

    def proven(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> bool:
        """Whether token, channel and resource are the route's. The token is compared by hash, so
        neither its letters nor its length show in the time it takes."""
        headers = notification.headers
        token = headers.get(TOKEN, b"").decode("latin-1")
        # Google names the resource when it answers our request; its `sync` may be faster than that.
        return (
            fits_hash(token, hashed=route.proof_sha256 or "")
            and _agrees(headers.get(CHANNEL), route.subscription)
            and _agrees(headers.get(RESOURCE), route.resource)
        )


def _agrees(told: bytes | None, known: str | None) -> bool:
    return known is None or told == known.encode()
