"""Who may do what: clients, consent, codes, grants and tokens of one provider."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from infra.sandbox.stage import Stage


@dataclass(slots=True)
class Client:
    """An application registered at the provider."""

    id: str
    secret: str
    redirect_uris: list[str] = field(default_factory=list)
    account: str = ""


@dataclass(slots=True)
class Grant:
    """What one person allowed one client."""

    id: str
    client: str
    account: str
    scopes: tuple[str, ...]
    refresh: str
    given_at: datetime
    alive: bool = True

    def covers(self, scopes: tuple[str, ...]) -> bool:
        """Whether one of these scopes was granted; nothing asked is always covered."""
        return not scopes or any(scope in self.scopes for scope in scopes)


@dataclass(slots=True)
class Code:
    """An authorization code on its way back to the client."""

    grant: Grant
    redirect_uri: str
    challenge: str
    expires: datetime
    used: bool = False


@dataclass(slots=True)
class Consent:
    """How the person at the consent page behaves: who signs in, what they tick, whether at all."""

    account: str = ""
    approve: bool = True
    scopes: tuple[str, ...] | None = None
    page: bool = False


class Denied(Exception):
    """The token endpoint refuses; named by OAuth's own error words (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Authority:
    """The authorization server of one provider.

    `rotating`: every refresh gives a new refresh token. `reuse` says what a spent one does:
    `kill` ends the grant (both of two parallel refreshes lose), `refuse` only refuses.
    """

    def __init__(self, stage: Stage, prefix: str, *, rotating: bool) -> None:
        self._stage = stage
        self._prefix = prefix
        self._rotating = rotating
        self.reuse: Literal["kill", "refuse"] = "kill"
        self.access_life = timedelta(hours=1)
        self.code_life = timedelta(minutes=5)
        self.clients: dict[str, Client] = {}
        self.grants: dict[str, Grant] = {}
        self.consent = Consent()
        self._codes: dict[str, Code] = {}
        self._refresh: dict[str, Grant] = {}
        self._access: dict[str, tuple[Grant, datetime]] = {}
        self._living: Counter[tuple[str, str]] = Counter()

    def client(self, name: str, secret: str) -> Client:
        """Return the client that these credentials prove; Denied otherwise."""
        client = self.clients.get(name)
        if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise Denied("invalid_client", "Invalid client_id or client_secret")
        return client

    def grant(self, client: str, account: str, scopes: tuple[str, ...]) -> Grant:
        """Record a person's consent."""
        word = self._stage.chance.word
        grant = Grant(word(12), client, account, scopes, "", self._stage.clock.now())
        self.grants[grant.id] = grant
        self._living[client, account] += 1
        return grant

    def installed(self, client: str, account: str) -> bool:
        """Whether an account has a living grant for a client."""
        return self._living[client, account] > 0

    def approve(self, query: dict[str, str], account: str) -> str:
        """Return where the browser goes after this account said yes or no."""
        back = query.get("redirect_uri", "")
        state = {"state": query["state"]} if "state" in query else {}
        if not self.consent.approve:
            return _with(back, {"error": "access_denied", **state})
        asked = tuple(query.get("scope", "").split())
        ticked = asked if self.consent.scopes is None else self.consent.scopes
        grant = self.grant(query.get("client_id", ""), account, ticked)
        code = self._stage.chance.word(40)
        self._codes[code] = Code(
            grant,
            back,
            query.get("code_challenge", ""),
            self._stage.clock.now() + self.code_life,
        )
        return _with(back, {"code": code, **state})

    def exchange(self, client: Client, form: dict[str, str]) -> Grant:
        """Trade a code for its grant, once; a second use also ends what the first one gave."""
        code = self._codes.get(form.get("code", ""))
        if code is None or code.grant.client != client.id:
            raise Denied("invalid_grant", "Malformed auth code.")
        if code.used:
            self.end(code.grant)
            raise Denied("invalid_grant", "The code was used before.")
        if self._stage.clock.now() > code.expires:
            raise Denied("invalid_grant", "The code has expired.")
        if form.get("redirect_uri", "") != code.redirect_uri:
            raise Denied("redirect_uri_mismatch", "Bad Request")
        if code.challenge and not _proves(form.get("code_verifier", ""), code.challenge):
            raise Denied("invalid_grant", "Invalid code verifier.")
        code.used = True
        return code.grant

    def new_refresh(self, grant: Grant) -> str:
        """Give the grant a refresh token; with rotation the one before is spent."""
        grant.refresh = f"{self._prefix}-refresh-{self._stage.chance.word(40)}"
        self._refresh[grant.refresh] = grant
        return grant.refresh

    def new_access(self, grant: Grant) -> str:
        """Give the grant another access token."""
        token = f"{self._prefix}-access-{self._stage.chance.word(40)}"
        self._access[token] = (grant, self._stage.clock.now() + self.access_life)
        return token

    def refresh(self, client: Client, token: str) -> Grant:
        """Return the grant a refresh token stands for, with its next token when they rotate."""
        grant = self._refresh.get(token)
        if grant is None or not grant.alive or grant.client != client.id:
            raise Denied("invalid_grant", "Token has been expired or revoked.")
        if grant.refresh != token:
            if self.reuse == "kill":
                self.end(grant)
            raise Denied("invalid_grant", "Token has been expired or revoked.")
        if self._rotating:
            self.new_refresh(grant)
        return grant

    def bearer(self, token: str) -> Grant | None:
        """Return the grant behind an access token that is valid now."""
        found = self._access.get(token)
        if found is None or not found[0].alive or self._stage.clock.now() >= found[1]:
            return None
        return found[0]

    def holder(self, token: str) -> Grant | None:
        """Return the grant that any of its tokens names, also a dead one."""
        found = self._access.get(token)
        return found[0] if found else self._refresh.get(token)

    def expire_access(self, account: str) -> None:
        """Let every access token of an account run out now."""
        now = self._stage.clock.now()
        for token, (grant, _) in self._access.items():
            if grant.account == account:
                self._access[token] = (grant, now)

    def end(self, grant: Grant) -> None:
        """End a grant: none of its tokens works any more."""
        if grant.alive:
            grant.alive = False
            self._living[grant.client, grant.account] -= 1

    def of_account(self, account: str) -> list[Grant]:
        """Return the living grants of an account."""
        return [g for g in self.grants.values() if g.alive and g.account == account]


def _proves(verifier: str, challenge: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge


def _with(address: str, query: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"
