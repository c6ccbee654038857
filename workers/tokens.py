"""How do tokens come, stay fresh and go back? The calls to a provider's OAuth doors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import httpx
from pydantic import SecretStr

from infra import tokens as doors
from infra.errors import Refused
from infra.tokens import ClientKey, Dead, Granted
from schemas.connections import Client, Tokens
from schemas.providers import PROVIDERS, OAuth, Provider
from schemas.seals import Sealed
from workers.runtime import Runtime

EARLY: Final = (0.6, 0.2)
"""Refreshed at 60 to 80 % of its life: while the old access token still works, so that a refresh
that fails is felt by nobody, and not with all others that were linked in the same hour."""
ANSWER_AT_MOST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Registration:
    """A client of ours at a provider, with its secret opened, and the provider's doors."""

    provider: Provider
    oauth: OAuth
    key: ClientKey
    base_url: str | None

    @property
    def rotates(self) -> bool:
        """Whether a refresh token works once."""
        return self.oauth.refresh_tokens == "rotated"

    @property
    def at(self) -> doors.OAuth:
        """Where and how it is asked."""
        urls = self.provider.urls
        return doors.OAuth(
            authorize_url=urls.authorize,
            token_url=urls.token,
            revoke_url=urls.revoke or None,
            revoke="query" if self.oauth.revoke_in_query else "form",
            client_auth="basic" if self.oauth.client_auth == "basic" else "form",
            extra=self.oauth.authorize_extra,
        )


def provider_at(runtime: Runtime, name: str, base_url: str | None) -> Provider:
    """The provider's row, at another address if the link or the installation has one."""
    return PROVIDERS[name].at(base_url or runtime.settings.provider_urls.get(name))


async def registration(runtime: Runtime, tenant: str, client_id: str | None) -> Registration:
    """The client by its id. Raises Refused when there is none, or its provider has no OAuth."""
    client = None
    if client_id is not None:
        client = await runtime.store.documents.get(tenant, Client, client_id)
    if client is None:
        raise Refused(f"client {client_id} does not exist any more: register it, then link again")
    provider = provider_at(runtime, client.provider, client.base_url)
    if provider.oauth is None:
        raise Refused(f"{provider.title} is linked without a client")
    context = Sealed.CLIENT_SECRET.of(tenant, client.id)
    secret = SecretStr(runtime.vault.open(client.secret_sealed, context=context).decode())
    return Registration(
        provider, provider.oauth, ClientKey(client.client_id, secret), client.base_url
    )


async def exchange(
    runtime: Runtime, ours: Registration, *, code: SecretStr, verifier: SecretStr
) -> Granted | Dead:
    """Trade a code for tokens. Sent once: raises NotSent, Unknown, or TryLater for an answer that
    says nothing."""
    request = doors.exchange(
        ours.at,
        ours.key,
        code=code,
        redirect_uri=redirect_uri(runtime, ours.provider.name),
        verifier=verifier,
    )
    return doors.read(await _send(runtime, ours, "exchange", request), now=runtime.now())


async def refresh(runtime: Runtime, ours: Registration, token: SecretStr) -> Granted | Dead:
    """Renew the access token. A provider that rotates has spent `token` with this."""
    request = doors.refresh(ours.at, ours.key, token=token)
    return doors.read(await _send(runtime, ours, "refresh", request), now=runtime.now())


async def on_its_own(runtime: Runtime, ours: Registration, directory: str) -> Granted | Dead:
    """An access token in the client's own name, which an administrator of the organisation has to
    have allowed. Asking again is harmless."""
    request = in_its_own_name(ours, directory)
    return doors.read(await _send(runtime, ours, "refresh", request), now=runtime.now())


def in_its_own_name(ours: Registration, directory: str) -> httpx.Request:
    """What asks for it, at the organisation's own door, for all that was allowed there. Pure."""
    urls = ours.provider.urls.of(directory)
    return doors.ask(
        replace(ours.at, token_url=urls.token),
        ours.key,
        grant_type="client_credentials",
        scope=str(httpx.URL(urls.api).copy_with(path=ours.oauth.application_scope)),
    )


async def give_back(runtime: Runtime, ours: Registration, token: SecretStr) -> None:
    """Revoke a token. Raises NotSent or Unknown; a refusal means that it is worth nothing already,
    which is what we want."""
    request = doors.revoke(ours.at, ours.key, token=token)
    if request is not None:
        await _send(runtime, ours, "revoke", request)


def redirect_uri(runtime: Runtime, provider: str) -> str:
    """Where the provider sends people back to; must be the same in both halves of the exchange."""
    return f"{runtime.settings.public_url.rstrip('/')}/connect/callback/{provider}"


def sealed_tokens(
    runtime: Runtime, tenant: str, connection: str, granted: Granted, *, before: Tokens | None
) -> Tokens:
    """The tokens to store, one serial on. An answer without a refresh token leaves the old one
    good (Google)."""
    access = _sealed(runtime, granted.access_token, Sealed.ACCESS_TOKEN.of(tenant, connection))
    sealed = before.refresh_sealed if before else None
    if granted.refresh_token is not None:
        context = Sealed.REFRESH_TOKEN.of(tenant, connection)
        sealed = _sealed(runtime, granted.refresh_token, context)
    if before is None:
        expires_at = granted.expires_at
        return Tokens(
            id=connection, access_sealed=access, refresh_sealed=sealed, expires_at=expires_at
        )
    renewed: dict[str, object] = {
        "access_sealed": access,
        "refresh_sealed": sealed,
        "expires_at": granted.expires_at,
        "serial": before.serial + 1,
        "refresh_started_at": None,
    }
    return before.model_copy(update=renewed)


def _sealed(runtime: Runtime, secret: SecretStr, context: str) -> str:
    return runtime.vault_lock.seal(secret.get_secret_value().encode(), context=context)


def opened(runtime: Runtime, sealed: str, *, context: str) -> SecretStr:
    """A secret of the vault. Raises Unsealable."""
    return SecretStr(runtime.vault.open(sealed, context=context).decode())


def refresh_in(expires_at: datetime, now: datetime, dice: float) -> timedelta:
    """How long from now the next refresh is due."""
    life = max(expires_at - now, timedelta(seconds=1))
    return life * (EARLY[0] + EARLY[1] * dice)


def lacking(granted: Granted | Sequence[str], oauth: OAuth) -> tuple[str, ...]:
    """The scopes we need and were not given; a provider that names none gave what was asked."""
    have = granted.scopes if isinstance(granted, Granted) else frozenset(granted)
    return () if have is None else tuple(sorted(doors.missing(have, oauth.scopes)))


async def _send(
    runtime: Runtime, ours: Registration, operation: str, request: httpx.Request
) -> httpx.Response:
    name = f"{ours.provider.name}.{operation}"
    return await runtime.providers_wire.send(request, name=name, max_body=ANSWER_AT_MOST)
