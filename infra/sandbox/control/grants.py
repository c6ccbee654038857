"""Steering who signs in, what they allow, and which clients are registered."""

from __future__ import annotations

from datetime import timedelta

from infra.sandbox.documents import Doc, number, text, words
from infra.sandbox.oauth import Authority, Client


class GrantActions:
    """What every provider's group has: the actions on its authorization server."""

    @property
    def _authority(self) -> Authority:
        raise NotImplementedError

    def add_client(self, told: Doc) -> Doc:
        """Register a client: `id`, `secret`, `redirect_uris`, `account` (server-to-server)."""
        secret, account = text(told, "secret"), text(told, "account")
        client = Client(text(told, "id"), secret, words(told, "redirect_uris"), account)
        self._authority.clients[client.id] = client
        return {"id": client.id}

    def consent(self, told: Doc) -> Doc:
        """Say who signs in (`account`), whether they `approve`, what `scopes` they tick, `page`."""
        held = self._authority.consent
        held.account = text(told, "account", held.account)
        held.approve = bool(told.get("approve", held.approve))
        held.page = bool(told.get("page", held.page))
        if "scopes" in told:
            held.scopes = tuple(words(told, "scopes")) if told["scopes"] is not None else None
        return {"account": held.account, "approve": held.approve, "scopes": held.scopes}

    def sign_in(self, told: Doc) -> Doc:
        """Grant a `client` `scopes` of `account` without a browser; answers the tokens."""
        held = self._authority
        name = text(told, "client") or next(iter(held.clients))
        grant = held.grant(name, text(told, "account"), tuple(words(told, "scopes")))
        refresh = held.new_refresh(grant)
        return {
            "access_token": held.new_access(grant),
            "refresh_token": refresh,
            "expires_in": int(held.access_life.total_seconds()),
            "scope": " ".join(grant.scopes),
            "grant": grant.id,
        }

    def revoke_grants(self, told: Doc) -> Doc:
        """The person withdraws what they allowed: the grants of `account` end."""
        ended = self._authority.of_account(text(told, "account"))
        for grant in ended:
            self._authority.end(grant)
        return {"ended": len(ended)}

    def expire_access(self, told: Doc) -> Doc:
        """Let the access tokens of `account` run out now."""
        self._authority.expire_access(text(told, "account"))
        return {}

    def set_scopes(self, told: Doc) -> Doc:
        """Change what the living grants of `account` cover."""
        for grant in self._authority.of_account(text(told, "account")):
            grant.scopes = tuple(words(told, "scopes"))
        return {}

    def token_rules(self, told: Doc) -> Doc:
        """Set `access_life_s`, `code_life_s`, and what a spent refresh token does: `reuse`."""
        held = self._authority
        held.access_life = _span(told, "access_life_s", held.access_life)
        held.code_life = _span(told, "code_life_s", held.code_life)
        held.reuse = "refuse" if text(told, "reuse", held.reuse) == "refuse" else "kill"
        return {"reuse": held.reuse}

    def grants(self, told: Doc) -> list[Doc]:
        """List the grants."""
        return [
            {
                "id": grant.id,
                "client": grant.client,
                "account": grant.account,
                "scopes": list(grant.scopes),
                "alive": grant.alive,
            }
            for grant in self._authority.grants.values()
        ]


def _span(told: Doc, key: str, held: timedelta) -> timedelta:
    return timedelta(seconds=number(told, key, held.total_seconds()))
