"""Where does each sealed secret belong? The door that seals and the hand that opens agree here.

A ciphertext is bound to its place (RELIABILITY §5.3): moved to another tenant, subject or field it
does not open.
"""

from __future__ import annotations

from enum import StrEnum


class Sealed(StrEnum):
    """The secrets that documents, requests and answers carry, and whose id they are bound to."""

    CLIENT_SECRET = "client_secret"  # noqa: S105 - a name; the client
    WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - likewise; the client, in its routes too
    ENDPOINT_SECRET = "endpoint_secret"  # noqa: S105 - likewise; the endpoint
    ENDPOINT_HEADERS = "endpoint_headers"
    """The endpoint."""
    PKCE_VERIFIER = "pkce_verifier"
    """The link request."""
    OAUTH_CODE = "oauth_code"
    """The link request."""
    ACCESS_TOKEN = "access_token"  # noqa: S105 - likewise; the connection
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - likewise; the connection
    CONTENT = "content"
    """The calendar whose provider sent it."""
    HOST_LINK = "host_link"
    """The desk request."""

    def of(self, tenant: str, subject: str) -> str:
        """The context to seal and to open it with."""
        return f"{tenant}|{subject}|{self.value}"
