"""Did Microsoft's own service send this? A token says so, signed with a key that it publishes.

https://learn.microsoft.com/graph/change-notifications-with-resource-data#validating-the-authenticity-of-notifications
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import httpx
import jwt
from pydantic import ValidationError

from infra.errors import NotSent, Unknown
from infra.http.wire import Wire
from schemas.connections import Addressee
from schemas.wire.graph import KeySet

PUBLISHER: Final = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The application that sends all change notifications."""
KEYS_GOOD_FOR: Final = timedelta(hours=24)
ASKED_AT_MOST_EVERY: Final = timedelta(minutes=5)
"""Anybody can name a key that does not exist; we ask for it no more often than this."""
CLOCKS_APART: Final = timedelta(minutes=5)
ISSUERS: Final = ("https://sts.windows.net/{}/", "https://sts.chinacloudapi.cn/{}/")
"""Of tokens of version 1; those of version 2 name the doors where people sign in."""
TOKENS_AT_MOST: Final = 16
GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Flaw(StrEnum):
    """Why a content is not believed, or not read; a word for the figures."""

    NO_TOKEN = "no_token"  # noqa: S105 - a word
    ODD_TOKEN = "odd_token"  # noqa: S105 - a word
    KEYS_AWAY = "keys_away"
    STRANGE_KEY = "strange_key"
    STRANGE_SIGNER = "strange_signer"
    NOT_IN_TIME = "not_in_time"
    OTHER_AUDIENCE = "other_audience"
    OTHER_ISSUER = "other_issuer"
    OTHER_DIRECTORY = "other_directory"
    OTHER_PUBLISHER = "other_publisher"
    OTHER_CERTIFICATE = "other_certificate"
    BAD_KEY = "bad_key"
    BAD_SIGNATURE = "bad_signature"
    BAD_DATA = "bad_data"
    UNREADABLE = "unreadable"


class Doubtful(Exception):
    """It is not believed, or cannot be read."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(slots=True)
class _Known:
    keys: Mapping[str, jwt.PyJWK] = field(default_factory=dict)
    asked_at: datetime | None = None
    """Whatever came of it."""
    read_at: datetime | None = None


class Publisher:
    """Believes tokens of the service that sends notifications. Remembers the keys of each cloud."""

    def __init__(self, wire: Wire, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._now = now
        self._known: dict[str, _Known] = {}
        self._asking = asyncio.Lock()

    async def prove(self, tokens: Iterable[str], tenant: str, addressee: Addressee) -> None:
        """Whether one of the tokens says that the service sent this for our client and this
        organisation. Raises Doubtful."""
        flaw = Flaw.NO_TOKEN
        for token in [*tokens][:TOKENS_AT_MOST]:
            try:
                claims = await self._signed(token, addressee)
                self._agree(claims, tenant, addressee)
            except Doubtful as doubtful:
                flaw = doubtful.flaw
            else:
                return
        raise Doubtful(flaw)

    async def _signed(self, token: str, addressee: Addressee) -> dict[str, Any]:
        """What the token says, once its signature is good. Only RS256: with the algorithm that a
        token itself names, a public key could be made to pass for a secret."""
        try:
            name = str(jwt.get_unverified_header(token).get("kid", ""))
        except (jwt.PyJWTError, RecursionError) as error:
            raise Doubtful(Flaw.ODD_TOKEN) from error
        key = await self._key(name, addressee.identity)
        ours = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        options = {"require": ["exp", "nbf", "aud", "iss", "tid"], **ours}
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                options=options,  # type: ignore[arg-type]
            )
        except jwt.InvalidSignatureError as error:
            raise Doubtful(Flaw.STRANGE_SIGNER) from error
        except (jwt.PyJWTError, RecursionError) as error:
            raise Doubtful(Flaw.ODD_TOKEN) from error
        return claims

    def _agree(self, claims: Mapping[str, Any], tenant: str, addressee: Addressee) -> None:
        """Everything beside the signature. Raises Doubtful."""
        now = self._now().timestamp()
        slack = CLOCKS_APART.total_seconds()
        begins, ends = claims["nbf"], claims["exp"]
        if not (isinstance(begins, int | float) and isinstance(ends, int | float)):
            raise Doubtful(Flaw.ODD_TOKEN)
        if not begins - slack <= now <= ends + slack:
            raise Doubtful(Flaw.NOT_IN_TIME)
        if claims["aud"] != addressee.client:
            raise Doubtful(Flaw.OTHER_AUDIENCE)
        issuers = [issuer.format(tenant) for issuer in ISSUERS]
        issuers.append(f"{addressee.identity}/{tenant}/v2.0")
        if not tenant or claims["tid"] != tenant or claims["iss"] not in issuers:
            raise Doubtful(Flaw.OTHER_ISSUER)
        if GUID.fullmatch(addressee.directory) and addressee.directory.lower() != tenant.lower():
            raise Doubtful(Flaw.OTHER_DIRECTORY)
        if PUBLISHER not in (claims.get("appid"), claims.get("azp")):  # version 1, version 2
            raise Doubtful(Flaw.OTHER_PUBLISHER)

    async def _key(self, name: str, identity: str) -> jwt.PyJWK:
        async with self._asking:
            known = self._known.setdefault(identity, _Known())
            if self._is_due(known, name):
                known.asked_at = self._now()
                if (keys := await self._asked(identity)) is not None:
                    known.keys, known.read_at = keys, self._now()
        if name in known.keys:
            return known.keys[name]
        raise Doubtful(Flaw.KEYS_AWAY if known.read_at is None else Flaw.STRANGE_KEY)

    def _is_due(self, known: _Known, name: str) -> bool:
        now = self._now()
        if known.asked_at is not None and now - known.asked_at < ASKED_AT_MOST_EVERY:
            return False
        old = known.read_at is None or now - known.read_at > KEYS_GOOD_FOR
        return old or name not in known.keys

    async def _asked(self, identity: str) -> Mapping[str, jwt.PyJWK] | None:
        """The keys that are published; None if they cannot be had, and those that we know go on."""
        request = httpx.Request("GET", f"{identity}/common/discovery/v2.0/keys")
        try:
            answer = await self._wire.send(request, name="graph.keys")
            said = KeySet.model_validate_json(answer.content)
        except (NotSent, Unknown, ValidationError):
            return None
        return {name: key for name, key in map(_read_key, said.keys) if key is not None}


def _read_key(row: Mapping[str, Any]) -> tuple[str, jwt.PyJWK | None]:
    try:
        key = jwt.PyJWK.from_dict(dict(row), algorithm="RS256")
    except jwt.PyJWTError:
        return "", None
    return str(row.get("kid", "")), key
