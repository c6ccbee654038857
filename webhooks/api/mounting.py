"""How does a row of the table become a route? Admit, understand, do, answer: the same for all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import structlog
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.keyed import Said
from schemas.people import Scope
from schemas.problems import ProblemType
from schemas.records import Schema
from webhooks.api import cursors
from webhooks.api.auth import Caller, admit, admit_operator
from webhooks.api.front import Front
from webhooks.api.keyed import INSTALLATION, REPLAYED, Asked, Hold, Start, begin, key_of
from webhooks.api.limits import draw
from webhooks.api.operation import PARAMETERS, Answer, Call, Needs, Page, Row
from webhooks.api.problems import Denied, not_found, tell, trace_of, wrong_fields
from webhooks.bodies import TurnedAway, WentAway, take_body

log = structlog.get_logger("webhooks.api")

BODY_AT_MOST: Final = 256 * 1024
_TURNED_AWAY: Final = {
    "encoded": (ProblemType.UNSUPPORTED_MEDIA, "Send the body without a Content-Encoding."),
    "too_large": (ProblemType.TOO_LARGE, "The body may have 256 KiB at most. Send less."),
    "too_slow": (ProblemType.INVALID, "The body did not arrive in time. Send it again."),
}
_UNSUPPORTED: Final = Denied(
    ProblemType.UNSUPPORTED_MEDIA, "Send the body as JSON: Content-Type: application/json."
)


class Nothing(Schema):
    """What may stand behind the question mark of most paths."""


_WRITTEN: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {name: re.compile(parameter.pattern) for name, parameter in PARAMETERS.items()}
)


def mount(rows: Iterable[Row], front: Front) -> list[Route]:
    """A route for every path; its methods are those of the rows."""
    paths: dict[str, dict[str, Row]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method] = row
    return [
        Route(path, _endpoint(by_method, front), methods=[*by_method])
        for path, by_method in paths.items()
    ]


def _endpoint(
    by_method: Mapping[str, Row], front: Front
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await _run(by_method[method], request, front)

    return endpoint


async def _run(row: Row, request: Request, front: Front) -> Response:
    began = time.monotonic()
    caller = await _admit(row.needs, request, front)
    tell(request, await draw(caller, front.settings, front.store))
    response = await _do(row, request, front, caller)
    log.info(
        "request.answered",
        operation=row.name,
        status=response.status_code,
        tenant=caller.tenant,
        application=caller.application,
        trace=trace_of(request),
        took_ms=round((time.monotonic() - began) * 1000),
    )
    return response


async def _do(row: Row, request: Request, front: Front, caller: Caller) -> Response:
    raw = await _take(row, request)
    call = _understand(row, request, front=front, caller=caller, raw=raw)
    key = key_of(request.headers) if row.method == "POST" else None
    if key is None:
        return _write(row, await row.handle(call))
    asked = Asked(caller, row.name, request.url.path, raw, key)
    slot = caller.tenant or call.path.get("tenant") or INSTALLATION
    start = Start(front.store, slot, call.now, front.new_id("dr"))
    begun = await begin(start, asked, status=row.status, harmless=row.harmless)
    if isinstance(begun, Said):
        return _respond(begun.status, begun.body.encode(), {**begun.headers, **REPLAYED})
    return await _do_once(row, replace(call, hold=begun), begun)


async def _do_once(row: Row, call: Call[Any], hold: Hold) -> Response:
    """Do it while holding its key; a refusal frees the key, an accident does not."""
    try:
        answer = await row.handle(call)
    except Denied:
        await hold.let_go()
        raise
    await hold.close(answer.said(row.status))
    return _write(row, answer)


async def _admit(needs: Needs, request: Request, front: Front) -> Caller:
    if needs == "operator":
        return admit_operator(request.headers, front.settings)
    caller = await admit(request.headers, front.store)
    if isinstance(needs, Scope) and needs not in caller.scopes:
        raise Denied(
            ProblemType.FORBIDDEN,
            f"This key lacks the scope `{needs}`. Use a key that has it, or ask for one.",
        )
    if caller.key is not None:
        await front.uses.note(caller.tenant, caller.key, front.now())
    return caller


def _understand(
    row: Row, request: Request, *, front: Front, caller: Caller, raw: bytes
) -> Call[Any]:
    """What the request says. Raises Denied."""
    path: Mapping[str, str] = request.path_params
    for name, value in path.items():
        if not _WRITTEN[name].fullmatch(value):
            raise not_found(name.replace("_id", ""))
    query = _read_query(row, request)
    return Call(
        front=front,
        caller=caller,
        body=_read_body(row, raw),
        path=path,
        headers=request.headers,
        page=query if isinstance(query, Page) else Page(),
        query=query,
        trace=trace_of(request),
        now=front.now(),
    )


def _read_body(row: Row, raw: bytes) -> BaseModel | None:
    if row.takes is None:
        return None
    if not raw and row.body_optional:
        nothing: BaseModel = row.takes()
        return nothing
    try:
        body: BaseModel = row.takes.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise wrong_fields(error) from None  # its own text quotes what was sent
    return body


async def _take(row: Row, request: Request) -> bytes:
    """The body of a row that takes one, bounded as it comes. Raises Denied."""
    if row.takes is None:
        return b""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    without = row.body_optional and not media
    if media != "application/json" and not without:
        raise _UNSUPPORTED
    body = await _take_bytes(request)
    if body and without:
        raise _UNSUPPORTED
    return body


async def _take_bytes(request: Request) -> bytes:
    headers = dict(request.scope["headers"])
    try:
        return await take_body(headers, request.receive, at_most=BODY_AT_MOST)
    except TurnedAway as away:
        kind, detail = _TURNED_AWAY[away.outcome]
        raise Denied(kind, detail, headers={"Connection": "close"}) from None
    except WentAway:
        raise Denied(ProblemType.INVALID, "The body did not arrive.") from None


def _read_query(row: Row, request: Request) -> Schema:
    """What stands behind the question mark; a cursor in it is opened. Raises Denied."""
    of: type[Schema] = row.query or Nothing
    try:
        query = of.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise wrong_fields(error) from None
    if isinstance(query, Page):
        return query.model_copy(update={"after": cursors.read(row.name, query.after)})
    return query


def _write(row: Row, answer: Answer) -> Response:
    shown = answer.body
    if row.paged and shown is not None and (place := getattr(shown, "next", None)):
        shown = shown.model_copy(update={"next": cursors.write(row.name, place)})
    body = answer.text if shown is None else shown.model_dump_json().encode()
    return _respond(answer.status or row.status, body, answer.headers)


def _respond(status: int, body: bytes, headers: Mapping[str, str]) -> Response:
    return Response(
        body,
        status,
        {"Cache-Control": "no-store", **headers},
        media_type="application/json" if body else None,
    )
