"""How does Zoom notify? With a signature over the raw body, by a secret of the app.

https://developers.zoom.us/docs/api/webhooks/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import orjson
from pydantic import SecretStr

from infra.signatures import answer_v0, verify_v0
from infra.verifier import Unproven
from schemas.connections import Route
from schemas.wire.zoom_notifications import (
    SIGNATURE,
    TIMESTAMP,
    VALIDATION,
    WORTH_KEEPING,
    Said,
    read_notification,
)
from webhooks.sources import UNPROVEN, UNREADABLE, AccountReport, Answer, Heard, Notification

BELIEVED_FOR: Final = timedelta(minutes=90)
"""The last retry comes 85 minutes late, and nobody says whether it is stamped anew."""
STALE_AFTER: Final = timedelta(minutes=5)


class Zoom:
    """An app's event subscriptions. The handshake is verified before it is answered: its answer is
    an HMAC with the same secret, so answering first would sign anything for anybody."""

    provider: Final = "zoom"
    body_limit: Final = 256 * 1024

    def greet(self, method: str, query: bytes) -> Answer | None:
        """Zoom's handshake is signed like every message."""
        return None

    def read(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> Heard:
        """Hear one event of an app. Its handshake may come at any time, and again (T29)."""
        secret = _secret_of(notification, secrets, now)
        if secret is None:
            return UNPROVEN
        stale = _is_stale(notification, now)
        try:
            said = read_notification(notification.body)
        except ValueError:
            return Heard("unreadable", UNREADABLE, stale=stale)
        if said.event == VALIDATION:
            return _greet(said, secret)
        if route.retired:
            return Heard("retired", stale=stale)
        if said.event not in WORTH_KEEPING or not said.account:
            return Heard("not_needed", stale=stale)
        once = sha256(notification.body).hexdigest()
        return Heard("accepted", report=AccountReport(said.account, once), stale=stale)

    def proven(
        self, notification: Notification, route: Route, secrets: Sequence[SecretStr], now: datetime
    ) -> bool:
        """Whether one of these secrets signed it, not too long ago."""
        return _secret_of(notification, secrets, now) is not None


def _secret_of(
    notification: Notification, secrets: Sequence[SecretStr], now: datetime
) -> SecretStr | None:
    headers = notification.headers
    try:
        return verify_v0(
            notification.body,
            signature=headers.get(SIGNATURE, b"").decode("latin-1"),
            timestamp=headers.get(TIMESTAMP, b"").decode("latin-1"),
            secrets=secrets,
            now=now,
            tolerance=BELIEVED_FOR,
        )
    except Unproven:
        return None


def _is_stale(notification: Notification, now: datetime) -> bool:
    age = now.timestamp() - int(notification.headers[TIMESTAMP])  # digits, or it were unproven
    return age > STALE_AFTER.total_seconds()


def _greet(said: Said, secret: SecretStr) -> Heard:
    if not said.plain_token:
        return Heard("unreadable", UNREADABLE)
    proof = answer_v0(said.plain_token, secret=secret)
    body = orjson.dumps({"plainToken": said.plain_token, "encryptedToken": proof})
    return Heard("greeted", Answer(200, body, b"application/json"))
