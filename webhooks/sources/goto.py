"""How does GoToWebinar notify? With a signature over moment and body, by a secret it made for us.

https://developer.goto.com/guides/HowTos/07_HOW_WebHooksOverview/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from pydantic import SecretStr

from infra.signatures import verify_stamped
from infra.verifier import Unproven
from schemas.connections import Route
from schemas.wire.goto_notifications import (
    KNOWN,
    SIGNATURE,
    TIMESTAMP,
    WORTH_KEEPING,
    read_notification,
)
from webhooks.sources import (
    THANKS,
    UNPROVEN,
    UNREADABLE,
    AccountReport,
    Answer,
    Heard,
    Notification,
)

BELIEVED_FOR: Final = timedelta(minutes=90)
"""How late it repeats, and whether it then signs anew, is not documented. A repetition within this
is known by its key; the store remembers keys for longer (ENGINE 20)."""


class GoTo:
    """Webhooks of GoToWebinar. Nothing is pushed of meetings; but who plans webinars plans meetings
    with them, so what was planned has the connections of the account look at once."""

    provider: Final = "goto"
    body_limit: Final = 256 * 1024

    def greet(self, method: str, query: bytes) -> Answer | None:
        """An address is asked for with GET when a webhook is made, and must say 200."""
        return THANKS if method == "GET" else None

    def read(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> Heard:
        """Hear one event. Unknown ones are counted and thanked for: the vendor may add some."""
        if not self.proven(notification, route, secrets, now):
            return UNPROVEN
        try:
            said = read_notification(notification.body)
        except ValueError:
            return Heard("unreadable", UNREADABLE)
        if said.event not in KNOWN:
            return Heard("unknown_event")
        if route.retired:
            return Heard("retired")
        if said.event not in WORTH_KEEPING or not said.account:
            return Heard("not_needed")
        once = sha256(said.key.encode() or notification.body).hexdigest()
        return Heard("accepted", report=AccountReport(said.account, once))

    def proven(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> bool:
        """Whether one of these secrets signed it, not too long ago."""
        headers = notification.headers
        try:
            verify_stamped(
                notification.body,
                signature=headers.get(SIGNATURE, b"").decode("latin-1"),
                timestamp=headers.get(TIMESTAMP, b"").decode("latin-1"),
                secrets=secrets,
                now=now,
                tolerance=BELIEVED_FOR,
            )
        except Unproven:
            return False
        return True
