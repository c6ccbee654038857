"""Where do people meet at a Jitsi Meet server? A room is its address: nothing is called, made or
deleted, and the same reference is the same room.

https://jitsi.github.io/handbook/docs/devops-guide/token-authentication
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from infra.errors import Refused
from schemas.connections import Account
from schemas.drift import Listed
from schemas.events import Slot
from schemas.meetings import Conference
from workers.ports import Access, Found

VALID: Final = timedelta(hours=2)
"""As long as Zoom's start links."""


class Jitsi:
    """Rooms below the server that a connection names. A server that asks for a proof of who opens a
    room gets one if the connection holds `<app id>:<app secret>` in place of a token."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    async def account(self, access: Access) -> Account:
        """The server, and the app id if rooms are opened by token."""
        host = urlsplit(access.api).netloc
        if not host:
            raise Refused("Say where the Jitsi Meet server is, as https://meet.example.org")
        return Account(id=_app(access)[0] or host, name=host)

    async def create(
        self, access: Access, slot: Slot, reference: str, *, send_by: float
    ) -> Conference:
        """The room of the reference."""
        return Conference(
            provider="jitsi",
            connection=access.connection,
            id=reference,
            host=access.host,
            join_url=f"{access.api.rstrip('/')}/{reference}",
            reference=reference,
            shown=slot.fingerprint,
            slot=slot,
            made_at=slot.starts_at,
        )

    async def find(
        self, access: Access, slot: Slot, reference: str, *, since: datetime
    ) -> list[Found]:
        """The one there is."""
        return [Found(await self.create(access, slot, reference, send_by=0), None)]

    async def listed(self, access: Access) -> list[Listed] | None:
        """A room is there when it is entered: nobody can tell which there are."""
        return None

    async def read(self, access: Access, conference: Conference) -> Conference | None:
        """It is always there."""
        return conference

    async def update(self, access: Access, conference: Conference, slot: Slot) -> Conference | None:
        """A room has no time and no title."""
        return conference.model_copy(update={"slot": slot, "shown": slot.fingerprint})

    async def delete(self, access: Access, conference: Conference) -> None:
        """A room that nobody enters is not there."""

    async def host_link(self, access: Access, conference: Conference) -> str:
        """The room with a token of a moderator for it; the plain room where tokens are not used."""
        app, secret = _app(access)
        if not secret:
            return conference.join_url
        claims = {
            "aud": app,
            "iss": app,
            "sub": "*",
            "room": conference.id,
            "exp": int((self._now() + VALID).timestamp()),
            "context": {"user": {"moderator": "true"}},
        }
        return f"{conference.join_url}?jwt={_jwt(claims, secret)}"


def _app(access: Access) -> tuple[str, str]:
    app, _, secret = access.token.partition(":")
    return app, secret


def _jwt(claims: Mapping[str, Any], secret: str) -> str:
    """RFC 7519 with HS256, the only algorithm that the server's shared secret is for."""
    head = _part({"alg": "HS256", "typ": "JWT"})
    body = f"{head}.{_part(claims)}"
    signature = hmac.digest(secret.encode(), body.encode(), hashlib.sha256)
    return f"{body}.{_text(signature)}"


def _part(claims: Mapping[str, Any]) -> str:
    return _text(json.dumps(claims, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
