"""What do we answer when something is wrong? Every refusal becomes an RFC 9457 problem."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import structlog
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from infra.errors import Conflict, NewerVersion, StoreAway, StoreFull
from schemas.problems import FieldFault, ProblemType, problem

log = structlog.get_logger("webhooks.api")

MEDIA_TYPE: Final = "application/problem+json"
COME_BACK: Final = timedelta(seconds=2)
MOST_FAULTS: Final = 20

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "This field is needed.",
        "extra_forbidden": "There is no such field. See /docs for those there are.",
        "timezone_aware": "Say the zone too, as in 2027-01-05T10:00:00+01:00 or …Z.",
        "json_invalid": "This is not valid JSON.",
        "none_required": "Leave this out or send null.",
    }
)
"""What to say instead of pydantic's own words, where those are not for partners."""


class Denied(Exception):
    """Answer with this problem; `detail` says what happened and what to do next."""

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        *,
        errors: tuple[FieldFault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


def wrong_field(field: str, fault: str) -> Denied:
    """A field that is well formed, and wrong all the same."""
    return Denied(
        ProblemType.INVALID,
        "The request was understood, but not accepted. Correct the fields in `errors` and repeat.",
        errors=(FieldFault(field=field, fault=fault),),
    )


def wrong_fields(error: ValidationError) -> Denied:
    """What pydantic found, in words, and never the values it found them in."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    faults = {
        ".".join(str(part) for part in fault["loc"]): WORDS.get(
            fault["type"], fault["msg"].removeprefix("Value error, ")
        )
        for fault in reversed(found)
    }
    return Denied(
        ProblemType.INVALID,
        "The request was not accepted. Correct the fields in `errors` and repeat.",
        errors=tuple(
            FieldFault(field=field, fault=fault)
            for field, fault in list(reversed(faults.items()))[:MOST_FAULTS]
        ),
    )


def not_found(what: str) -> Denied:
    """Not there, or not the caller's to see: the same answer (RELIABILITY §5.4)."""
    return Denied(
        ProblemType.NOT_FOUND, f"There is no such {what} here. Check the id and the key you use."
    )


def changed(what: str) -> Denied:
    """Somebody else wrote first."""
    return Denied(
        ProblemType.CHANGED,
        f"The {what} was changed meanwhile. Read it again, then repeat with its new ETag.",
    )


def read_first(what: str) -> Denied:
    """A change that would go over what its caller has never seen."""
    return Denied(
        ProblemType.READ_FIRST,
        f"There is a {what} already. Read it, and send its ETag as If-Match with the change, so"
        " that nobody's work is written over unseen.",
    )


def busy(detail: str, *, after: timedelta = COME_BACK) -> Denied:
    """Come back a little later."""
    return Denied(
        ProblemType.BUSY, detail, headers={"Retry-After": str(round(after.total_seconds()))}
    )


def trace_of(connection: HTTPConnection) -> str:
    """The trace id that the outermost middleware gave this request."""
    trace: str = connection.scope.get("state", {}).get("trace", "")
    return trace


def tell(connection: HTTPConnection, headers: Mapping[str, str]) -> None:
    """Let the answer to this request have these headers, whatever it will be."""
    connection.scope.setdefault("state", {}).setdefault("told", {}).update(headers)


def answer(connection: HTTPConnection, denied: Denied) -> Response:
    """The problem document."""
    trace = trace_of(connection)
    said = problem(denied.kind, denied.detail, errors=denied.errors, trace_id=trace)
    headers = {**denied.headers, "Tieline-Trace": trace, "Cache-Control": "no-store"}
    return Response(
        said.model_dump_json(exclude_defaults=True),
        status_code=said.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


_SOON: Final = {"Retry-After": str(round(COME_BACK.total_seconds()))}
_ANSWERS: Final[Mapping[type[Exception], Denied]] = MappingProxyType(
    {
        Conflict: changed("document"),
        StoreFull: busy("The store takes no new work until some is done. Repeat in a moment."),
        StoreAway: Denied(
            ProblemType.UNAVAILABLE,
            "The store does not answer. It may have been kept all the same; repeating is harmless.",
            headers=_SOON,
        ),
        NewerVersion: Denied(
            ProblemType.UNAVAILABLE,
            "This was written by a newer release, which is being rolled out. Repeat shortly.",
            headers=_SOON,
        ),
    }
)
_BROKE: Final = Denied(
    ProblemType.INTERNAL,
    "Something broke on our side. Repeat once; if it stays, tell us the trace id.",
)


def _translate(error: Exception) -> Denied:
    if isinstance(error, Denied):
        return error
    if isinstance(error, HTTPException):
        return _routing(error)
    return _ANSWERS.get(type(error), _BROKE)


def _routing(error: HTTPException) -> Denied:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        known = "This path does not know that method. See /docs for those it knows."
        return Denied(ProblemType.NOT_ALLOWED, known, headers=error.headers)
    return Denied(ProblemType.NOT_FOUND, "There is nothing at this path. See /docs.")


async def explain(request: Request, error: Exception) -> Response:
    """Starlette's exception handler for everything that we know how to answer."""
    denied = _translate(error)
    log.info("request.refused", problem=denied.kind, trace=trace_of(request))
    return answer(request, denied)


async def confess(request: Request, error: Exception) -> Response:
    """The last resort. Starlette raises the error on, so that the server logs its traceback."""
    log.error("request.broke", error=type(error).__name__, trace=trace_of(request))
    return answer(request, _translate(error))


HANDLERS: Final = {
    Denied: explain,
    HTTPException: explain,
    Conflict: explain,
    StoreFull: explain,
    StoreAway: explain,
    NewerVersion: explain,
    Exception: confess,
}
