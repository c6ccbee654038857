"""Who sent these bytes? Signs and verifies Standard Webhooks, vendors' schemes and shared tokens.

Everything works on the raw bytes as they travelled; comparisons take constant time and bytes (with
str and a header beyond ASCII `compare_digest` raises TypeError, which would be a 500 for anybody).
Specification: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as chance
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from infra import verifier
from infra.verifier import (
    PRIVATE,
    PUBLIC,
    SYMMETRIC,
    TOLERANCE,
    Reason,
    Unproven,
    check_age,
    decoded,
    signed_content,
)

_SEED: Final = 32
_MILLISECONDS: Final = 13
"""Digits of a moment in milliseconds, from 2001 to 2286."""


def sign(message_id: str, body: bytes, *, at: datetime, secrets: Sequence[SecretStr]) -> str:
    """Make the `webhook-signature` header: one entry per secret, so that receivers can rotate.

    `whsec_` secrets sign v1 (HMAC-SHA256), `whsk_` ones v1a (Ed25519). `at` is the moment of the
    attempt, whole seconds of which go into `webhook-timestamp`. Raises ValueError for an id with a
    dot (it would let id and body trade places under one signature) and for an unusable secret.
    """
    if not message_id or "." in message_id:
        raise ValueError("a message id must not be empty nor hold a dot")
    content = signed_content(message_id, str(int(at.timestamp())), body)
    return " ".join(_entry(secret.get_secret_value(), content) for secret in secrets)


def verify(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[SecretStr], now: datetime
) -> SecretStr:
    """Check a Standard Webhooks message and return the secret that proves it.

    As partners do, with `infra.verifier`. Raises Unproven, and nothing else.
    """
    given = {secret.get_secret_value(): secret for secret in secrets}
    return given[verifier.verify(headers, body, list(given), now=now)]


def sign_v0(body: bytes, *, timestamp: str, secret: SecretStr) -> str:
    """Zoom's `x-zm-signature` over `x-zm-request-timestamp` and the raw body."""
    content = b"v0:" + timestamp.encode("utf-8", "surrogatepass") + b":" + body
    return "v0=" + digest(secret, content).hex()


def verify_v0(
    body: bytes,
    *,
    signature: str,
    timestamp: str,
    secrets: Sequence[SecretStr],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> SecretStr:
    """Check a notification of Zoom and return the secret that proves it; it answers its handshake.

    Whether Zoom's repeats carry a new timestamp is not documented; they come up to 90 minutes late,
    hence `tolerance`. Raises Unproven, and nothing else.
    """
    if not (signature and timestamp):
        raise Unproven(Reason.NO_HEADER)
    check_age(timestamp, now, tolerance)
    return _signer(
        signature, secrets, lambda secret: sign_v0(body, timestamp=timestamp, secret=secret)
    )


def sign_stamped(body: bytes, *, timestamp: str, secret: SecretStr) -> str:
    """GoToWebinar's `x-webhook-signature` over its timestamp and the raw body."""
    content = timestamp.encode("utf-8", "surrogatepass") + b":" + body
    return base64.b64encode(digest(secret, content)).decode()


def verify_stamped(
    body: bytes,
    *,
    signature: str,
    timestamp: str,
    secrets: Sequence[SecretStr],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> SecretStr:
    """Check a notification of GoToWebinar and return the secret that proves it.

    Raises Unproven, and nothing else.
    """
    if not (signature and timestamp):
        raise Unproven(Reason.NO_HEADER)
    check_age(_seconds(timestamp), now, tolerance)
    return _signer(
        signature, secrets, lambda secret: sign_stamped(body, timestamp=timestamp, secret=secret)
    )


def answer_v0(plain_token: str, *, secret: SecretStr) -> str:
    """The `encryptedToken` of Zoom's handshake.

    Only for a request that `verify_v0` believed: it is the same HMAC with the same key, so
    answering strangers would sign notifications for them.
    """
    return digest(secret, plain_token.encode()).hex()


def same_token(given: str, *, expected: SecretStr) -> bool:
    """Compare a shared token (Google's channel token, Graph's clientState); empty is none."""
    kept = expected.get_secret_value()
    return bool(kept) and _same(kept, given)


def hash_token(token: SecretStr) -> str:
    """What to store of a token of 256 random bits: its SHA-256, in hex."""
    return hashlib.sha256(token.get_secret_value().encode("utf-8", "surrogatepass")).hexdigest()


def fits_hash(given: str, *, hashed: str) -> bool:
    """Whether `hash_token` of the given token is the stored hash."""
    return bool(hashed) and _same(hash_token(SecretStr(given)), hashed)


def digest(secret: SecretStr, content: bytes) -> bytes:
    """HMAC-SHA256 with the secret's UTF-8 bytes."""
    return hmac.digest(secret.get_secret_value().encode(), content, "sha256")


def new_secret() -> SecretStr:
    """A v1 secret: 32 random bytes."""
    return SecretStr(SYMMETRIC + base64.b64encode(chance.token_bytes(32)).decode())


def new_key_pair() -> tuple[SecretStr, str]:
    """A v1a pair in Svix's form: `whsk_` (seed and public key) and `whpk_` (public key)."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    private = base64.b64encode(key.private_bytes_raw() + public).decode()
    return SecretStr(PRIVATE + private), PUBLIC + base64.b64encode(public).decode()


def _entry(secret: str, content: bytes) -> str:
    kind, prefix = ("v1a", PRIVATE) if secret.startswith(PRIVATE) else ("v1", SYMMETRIC)
    key = decoded(secret.removeprefix(prefix))
    if not key or secret.startswith(PUBLIC):
        raise ValueError("this secret cannot sign")
    if kind == "v1a":
        raw = Ed25519PrivateKey.from_private_bytes(key[:_SEED]).sign(content)
    else:
        raw = hmac.digest(key, content, "sha256")
    return f"{kind},{base64.b64encode(raw).decode()}"


def _signer(
    signature: str, secrets: Sequence[SecretStr], sign_with: Callable[[SecretStr], str]
) -> SecretStr:
    """The secret that made the signature. Raises Unproven."""
    known = [secret for secret in secrets if secret.get_secret_value()]
    if not known:
        raise Unproven(Reason.NO_SECRET)
    for secret in known:
        if _same(sign_with(secret), signature):
            return secret
    raise Unproven(Reason.NO_MATCH)


def _seconds(timestamp: str) -> str:
    """Whole seconds. In which form GoToWebinar writes the moment is not documented; its bodies hold
    milliseconds as well as ISO 8601."""
    if timestamp.isascii() and timestamp.isdigit():
        return timestamp[:-3] if len(timestamp) == _MILLISECONDS else timestamp
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return ""
    return str(int(moment.timestamp())) if moment.tzinfo else ""


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
