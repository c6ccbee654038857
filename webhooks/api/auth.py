"""Who is calling, and what may they do?"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

from infra.settings import Settings
from infra.store import Store
from schemas.people import Actor, ApiKey, Scope
from schemas.problems import ProblemType
from webhooks.api.problems import Denied, wrong_field

TENANT: Final = r"[a-z0-9-]{2,40}"
TENANT_ID: Final = re.compile(TENANT)
_KEY: Final = re.compile(rf"tlk_(?P<tenant>{TENANT})_(?P<id>[a-z2-7]{{20}})_(?P<secret>[a-z2-7]+)")
_USER: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from. An operator has no tenant, application or scope."""

    actor: Actor
    tenant: str = ""
    application: str = ""
    scopes: frozenset[Scope] = frozenset()
    key: str | None = None
    """Id of the API key."""

    def sees(self, application: str | None) -> bool:
        """Whether a meeting that this application made (None: a calendar's) may be shown."""
        return Scope.TENANT_WIDE in self.scopes or self.application == application


def digest(secret: str) -> str:
    """How secrets that only come back to us are stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def spell_key(tenant: str, key_id: str, secret: str) -> str:
    """The API key as the partner keeps it. The tenant in it says where the key is looked up."""
    return f"tlk_{tenant}_{key_id.removeprefix('key_')}_{secret}"


def admit_operator(headers: Headers, settings: Settings) -> Caller:
    """The operator, by the admin key. Raises Denied."""
    if settings.admin_key is None:
        raise _stranger("This installation has no admin key. Set TIELINE_ADMIN_KEY and restart.")
    given, wanted = _bearer(headers), settings.admin_key.get_secret_value()
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise _stranger("Send the admin key as `Authorization: Bearer …`.")
    return Caller(actor=Actor(kind="operator"))


async def admit(headers: Headers, store: Store) -> Caller:
    """The application that holds this key. Raises Denied, with one answer for every wrong key."""
    stranger = _stranger("Send a valid API key as `Authorization: Bearer tlk_…`.")
    spelt = _KEY.fullmatch(_bearer(headers))
    if spelt is None:
        raise stranger
    tenant = spelt["tenant"]
    key = await store.documents.get(tenant, ApiKey, f"key_{spelt['id']}")
    expected = key.secret_sha256 if key else digest("")
    same = hmac.compare_digest(digest(spelt["secret"]), expected)
    if key is None or key.revoked_at is not None or not same:
        raise stranger
    actor = Actor(kind="application", id=key.application, on_behalf_of=_user(headers))
    return Caller(actor, tenant, key.application, frozenset(key.scopes), key.id)


def _bearer(headers: Headers) -> str:
    kind, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


def _user(headers: Headers) -> str | None:
    named = headers.get("tieline-user")
    if named is not None and not _USER.fullmatch(named):
        raise wrong_field("Tieline-User", "Send the user's external id: 1 to 200 ASCII characters.")
    return named


def _stranger(detail: str) -> Denied:
    return Denied(ProblemType.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": "Bearer"})
