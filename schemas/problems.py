"""What we answer when something is wrong: RFC 9457 problems with a stable type and a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.records import Schema


class ProblemType(StrEnum):
    """The last part of a problem's `type`; part of the API and never renamed."""

    INVALID = "invalid-request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    NOT_ALLOWED = "method-not-allowed"
    DIFFERENT_BODY = "different-body"
    UNDER_WAY = "under-way"
    OUTCOME_UNKNOWN = "outcome-unknown"
    TOO_MANY_KEYS = "too-many-keys"
    TOO_MANY_GRANTS = "too-many-grants"
    CHANGED = "changed-meanwhile"
    READ_FIRST = "read-first"
    CURSOR_RESET = "cursor-reset"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA = "unsupported-media-type"
    LINK_REFUSED = "link-refused"
    LINK_EXPIRED = "link-expired"
    NOT_LINKED = "not-linked"
    PROVIDER_REFUSED = "provider-refused"
    NOT_PROVISIONED = "not-provisioned"
    NOT_OFFERED = "not-offered"
    ADMIN_ONLY = "admin-only"
    FREE_PLAN = "free-plan"
    MISSING_SCOPE = "missing-scope"
    NO_LICENCE = "no-licence"
    ORGANIZER_SUSPENDED = "organizer-suspended"
    ORGANIZER_PENDING = "organizer-pending"
    EXISTS = "exists-already"
    IN_SESSION = "in-session"
    ENDPOINT_REFUSED = "endpoint-refused"
    RATE_LIMITED = "rate-limited"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


STATUS: Final[Mapping[ProblemType, int]] = MappingProxyType(
    {
        ProblemType.INVALID: 422,
        ProblemType.UNAUTHENTICATED: 401,
        ProblemType.FORBIDDEN: 403,
        ProblemType.NOT_FOUND: 404,
        ProblemType.NOT_ALLOWED: 405,
        ProblemType.DIFFERENT_BODY: 409,
        ProblemType.UNDER_WAY: 409,
        ProblemType.OUTCOME_UNKNOWN: 409,
        ProblemType.TOO_MANY_KEYS: 409,
        ProblemType.TOO_MANY_GRANTS: 409,
        ProblemType.CHANGED: 412,
        ProblemType.READ_FIRST: 428,
        ProblemType.CURSOR_RESET: 410,
        ProblemType.TOO_LARGE: 413,
        ProblemType.UNSUPPORTED_MEDIA: 415,
        ProblemType.LINK_REFUSED: 409,
        ProblemType.LINK_EXPIRED: 410,
        ProblemType.NOT_LINKED: 409,
        ProblemType.PROVIDER_REFUSED: 502,
        ProblemType.NOT_PROVISIONED: 409,
        ProblemType.NOT_OFFERED: 501,
        ProblemType.ADMIN_ONLY: 403,
        ProblemType.FREE_PLAN: 409,
        ProblemType.MISSING_SCOPE: 409,
        ProblemType.NO_LICENCE: 409,
        ProblemType.ORGANIZER_SUSPENDED: 409,
        ProblemType.ORGANIZER_PENDING: 409,
        ProblemType.EXISTS: 409,
        ProblemType.IN_SESSION: 409,
        ProblemType.ENDPOINT_REFUSED: 422,
        ProblemType.RATE_LIMITED: 429,
        ProblemType.BUSY: 503,
        ProblemType.UNAVAILABLE: 503,
        ProblemType.INTERNAL: 500,
    }
)


class FieldFault(Schema):
    """What is wrong with one field of a request."""

    field: str
    fault: str


class Problem(Schema):
    """RFC 9457. `detail` says what happened and what to do next, in one or two sentences."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldFault, ...] = ()
    trace_id: str = ""


def problem(
    kind: ProblemType, detail: str, *, errors: tuple[FieldFault, ...] = (), trace_id: str = ""
) -> Problem:
    """The problem of this type, with its own status and a title made of its name."""
    return Problem(
        type=f"https://tieline.invalid/problems/{kind.value}",
        title=kind.value.replace("-", " ").capitalize(),
        status=STATUS[kind],
        detail=detail,
        errors=errors,
        trace_id=trace_id,
    )
