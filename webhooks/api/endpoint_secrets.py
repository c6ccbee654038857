"""With what does an endpoint sign? New secrets, sealed and shown once, and the public keys."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.lanes import IndexDrop, IndexSet
from infra.signatures import new_key_pair, new_secret
from infra.verifier import PUBLIC
from schemas.endpoints import Endpoint, EndpointSecret
from schemas.problems import ProblemType
from schemas.seals import Sealed
from webhooks.api.auth import TENANT_ID
from webhooks.api.front import Front
from webhooks.api.operation import Call
from webhooks.api.problems import Denied, answer, wrong_field

Signature = Literal["v1", "v1a"]

SIGNING_AT_MOST: Final = 8
"""Secrets that sign at once: receivers need not look at more."""
SIGNING_KEYS: Final = "signing-keys"
"""Index of a tenant: fingerprint -> what the key set says of it, and until when."""
KEEP_KEYS: Final = "public, max-age=300"


def make_secret(call: Call[Any], endpoint: str, signature: Signature) -> tuple[EndpointSecret, str]:
    """A new secret, sealed; and what its receiver verifies with, to be shown once."""
    if signature == "v1a":
        private, public = new_key_pair()
    else:
        private, public = new_secret(), None
    context = Sealed.ENDPOINT_SECRET.of(call.tenant, endpoint)
    sealed = call.front.vault.seal(private.get_secret_value().encode(), context=context)
    return EndpointSecret(sealed=sealed, public=public), public or private.get_secret_value()


def signature_of(secret: EndpointSecret) -> Signature:
    """How it signs."""
    return "v1a" if secret.public else "v1"


def rotated(
    secrets: Sequence[EndpointSecret], new: EndpointSecret, *, now: datetime, overlap: timedelta
) -> tuple[EndpointSecret, ...]:
    """The new secret before those that still sign, none of them beyond the overlap.

    Raises Denied when too many would sign.
    """
    end = now + overlap
    kept = [
        old.model_copy(update={"until": min(old.until or end, end)})
        for old in secrets
        if old.signs(now)
    ]
    signing = (new, *(old for old in kept if old.signs(now)))
    if len(signing) > SIGNING_AT_MOST:
        raise wrong_field(
            "overlap_s",
            f"{SIGNING_AT_MOST} secrets sign already. Wait until some of them end, or send 0.",
        )
    return signing


def key_rows(
    before: Sequence[EndpointSecret], after: Sequence[EndpointSecret]
) -> list[IndexSet | IndexDrop]:
    """What changes in the tenant's set of public keys."""
    there = {secret.public: secret for secret in after if secret.public}
    gone = [secret.public for secret in before if secret.public and secret.public not in there]
    rows: list[IndexSet | IndexDrop] = [
        IndexDrop(SIGNING_KEYS, _fingerprint(public)) for public in gone
    ]
    rows += [
        IndexSet(SIGNING_KEYS, _fingerprint(public), _row(secret))
        for public, secret in there.items()
    ]
    return rows


def _row(secret: EndpointSecret) -> str:
    until = secret.until.timestamp() if secret.until else None
    return json.dumps({"public": secret.public, "until": until})


def _fingerprint(public: str) -> str:
    """The key's thumbprint (RFC 7638), its `kid`."""
    said = {"crv": "Ed25519", "kty": "OKP", "x": _x(public)}
    digest = hashlib.sha256(json.dumps(said, separators=(",", ":"), sort_keys=True).encode())
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _x(public: str) -> str:
    raw = base64.b64decode(public.removeprefix(PUBLIC))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def key_set(rows: dict[str, str], now: datetime) -> dict[str, Any]:
    """The public keys in force, as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    keys = []
    for kid, row in sorted(rows.items()):
        said = orjson.loads(row)
        if said["until"] is None or now.timestamp() < said["until"]:
            key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig"}
            keys.append({**key, "kid": kid, "x": _x(said["public"])})
    return {"keys": keys}


def key_routes(front: Front) -> list[Route]:
    """`/.well-known/jwks.json?tenant=…`, which anybody may read."""

    async def read(request: Request) -> Response:
        tenant = request.query_params.get("tenant", "")
        if not TENANT_ID.fullmatch(tenant):
            return answer(
                request,
                Denied(
                    ProblemType.INVALID,
                    "Name the tenant whose callbacks you verify: /.well-known/jwks.json?tenant=…",
                ),
            )
        rows = await front.store.index.all(tenant, SIGNING_KEYS)
        return Response(
            orjson.dumps(key_set(rows, front.now())),
            media_type="application/jwk-set+json",
            headers={"Cache-Control": KEEP_KEYS},
        )

    return [Route("/.well-known/jwks.json", read)]


def owned(endpoint: Endpoint) -> list[IndexSet | IndexDrop]:
    """The rows of an endpoint that goes."""
    return key_rows(endpoint.secrets, ())
