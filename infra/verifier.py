"""Did this callback come from who shares a secret with us? Verifies Standard Webhooks, strictly.

Written to be copied: one file, nothing but Python 3.11, and `cryptography` for v1a (Ed25519) only.

    from datetime import UTC, datetime
    from verifier import Unproven, verify

    try:
        verify(request.headers, raw_body, ["whsec_..."], now=datetime.now(UTC))
    except Unproven as refused:
        log.warning("callback refused: %s", refused.reason)  # and answer 400

Verify the bytes as they arrived, before anything parses them. Then remember `webhook-id` for as
long as callbacks are repeated: the same id is the same callback. Give all secrets in force, old and
new; v1 takes `whsec_...`, v1a the public key `whpk_...`; neither is ever taken for the other.
Specification: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

TOLERANCE: Final = timedelta(minutes=5)  # of all reference libraries, in both directions
SYMMETRIC: Final = "whsec_"
PRIVATE: Final = "whsk_"
PUBLIC: Final = "whpk_"
_KEY: Final = 32  # bytes of an Ed25519 key
_MOST_SIGNATURES: Final = 16  # a rotation has a few; more is an attempt to make us work
_MOST_DIGITS: Final = 12


class Reason(StrEnum):
    """Why a proof was not believed; for counters and logs, never for the sender."""

    NO_HEADER = "a header is missing"
    ODD_TIMESTAMP = "the timestamp is not a number of seconds"
    TOO_OLD = "signed too long ago"
    TOO_NEW = "signed in the future"
    NO_SECRET = "we hold no usable secret"  # noqa: S105  a sentence
    NO_MATCH = "no signature matches"


class Unproven(Exception):
    """Who sent this cannot be told: answer 400, and nothing else happened."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> str:
    """Check a message and return the secret that proves it.

    Header names in any case, also in Svix's spelling; the prefix of a `whsec_` secret may be
    missing. Comparisons take constant time. Raises Unproven, and nothing else.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (
        named.get(f"webhook-{part}") or named.get(f"svix-{part}") or ""
        for part in ("id", "timestamp", "signature")
    )
    if not (message_id and timestamp and signatures):
        raise Unproven(Reason.NO_HEADER)
    check_age(timestamp, now, tolerance)
    content = signed_content(message_id, timestamp, body)
    usable = [secret for secret in secrets if _usable(secret)]
    if not usable:
        raise Unproven(Reason.NO_SECRET)
    offered = list(_offered(signatures))
    for secret in usable:
        if any(_fits(secret, kind, raw, content) for kind, raw in offered):
            return secret
    raise Unproven(Reason.NO_MATCH)


def signed_content(message_id: str, timestamp: str, body: bytes) -> bytes:
    """The bytes that are signed."""
    return f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body


def check_age(timestamp: str, now: datetime, tolerance: timedelta) -> None:
    """Refuse a message whose moment of signing is too far from now. Raises Unproven."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _MOST_DIGITS):
        raise Unproven(Reason.ODD_TIMESTAMP)
    age, most = int(now.timestamp()) - int(timestamp), tolerance.total_seconds()
    if age > most:
        raise Unproven(Reason.TOO_OLD)
    if -age > most:
        raise Unproven(Reason.TOO_NEW)


def decoded(text: str) -> bytes | None:
    """Base64, padded or not; None for anything else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _usable(secret: str) -> bool:
    if secret.startswith(PRIVATE):
        return False
    if secret.startswith(PUBLIC):
        return len(decoded(secret.removeprefix(PUBLIC)) or b"") == _KEY
    return bool(decoded(secret.removeprefix(SYMMETRIC)))


def _offered(signatures: str) -> Iterator[tuple[str, bytes]]:
    for entry in signatures.split(" ", _MOST_SIGNATURES)[:_MOST_SIGNATURES]:
        kind, _, text = entry.partition(",")
        if raw := decoded(text):
            yield kind, raw


def _fits(secret: str, kind: str, raw: bytes, content: bytes) -> bool:
    if secret.startswith(PUBLIC):
        return kind == "v1a" and _fits_public(secret, raw, content)
    key = decoded(secret.removeprefix(SYMMETRIC)) or b""
    return kind == "v1" and hmac.compare_digest(hmac.digest(key, content, "sha256"), raw)


def _fits_public(secret: str, raw: bytes, content: bytes) -> bool:
    # Asked for here, so that who verifies v1 needs no package at all.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    key = Ed25519PublicKey.from_public_bytes(decoded(secret.removeprefix(PUBLIC)) or b"")
    try:
        key.verify(raw, content)
    except InvalidSignature:
        return False
    return True
