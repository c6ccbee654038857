"""What does the API promise? OpenAPI 3.1, made of the table that also mounts the routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.callbacks import DATA, CallbackType
from schemas.problems import STATUS, Problem, ProblemType
from webhooks.api import keyed
from webhooks.api.examples import example
from webhooks.api.operation import HEADERS, PARAMETERS, Row
from webhooks.api.problems import MEDIA_TYPE
from webhooks.api.requests import WAITING, RequestView

Json: TypeAlias = dict[str, Any]
Mode: TypeAlias = Literal["validation", "serialization"]

SUMMARY: Final = """Tieline keeps exactly one conference per calendar event, and tells you of it.

Every change can be repeated without harm. Errors are RFC 9457 problems: `type` is stable, `detail`
says what to do next. Every answer carries `Tieline-Trace`; quote it when you ask us. Secrets are
shown once, where they are made. Send `Tieline-User` with your id of a user to act for them.
Callbacks follow Standard Webhooks 1.0: verify them with any of its libraries."""

LICENSE: Final = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
KEYS: Final = {"key": "An application's key, tlk_…", "operator": "The admin key."}

TOLD: Final = {
    "Tieline-Trace": "Names this request in our logs.",
    "RateLimit": "What is left of the key's requests (`r`), full again in `t` seconds.",
    "RateLimit-Policy": "How many at once after a rest (`q`), gained again in `w` seconds.",
    "Idempotency-Replayed": "`true` when this is the answer to an earlier request with this key.",
    "ETag": "The version: send it as `If-Match` with a change.",
}
WEBHOOK_HEADERS: Final = {
    "webhook-id": "The same for every attempt at this endpoint; drop what you have seen.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "`v1,<base64>` for each secret in force, separated by spaces.",
}


class Shapes:
    """The schemas of all models, by what they are used for: what may be left out of a request is
    always there in an answer."""

    def __init__(self, rows: Iterable[Row]) -> None:
        wanted: dict[tuple[type[BaseModel], Mode], None] = {}
        for row in rows:
            wanted |= {(row.takes, "validation"): None} if row.takes else {}
            wanted |= {(row.gives, "serialization"): None} if row.gives else {}
        always: tuple[type[BaseModel], ...] = (Problem, RequestView, *DATA.values())
        wanted |= {(model, "serialization"): None for model in always}
        self._refs, definitions = models_json_schema(
            list(wanted), ref_template="#/components/schemas/{model}"
        )
        self.all: Json = definitions["$defs"]

    def of(self, model: type[BaseModel], mode: Mode) -> Json:
        """Where the schema stands."""
        return self._refs[model, mode]


def document(rows: Iterable[Row], server: str) -> Json:
    """The whole document, as plain JSON."""
    rows = tuple(rows)
    shapes = Shapes(rows)
    paths: Json = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tieline", "version": "1", "description": SUMMARY, "license": LICENSE},
        "servers": [{"url": server}],
        "tags": [{"name": room} for room in (*dict.fromkeys(r.room for r in rows), "Callbacks")],
        "paths": paths,
        "webhooks": {kind.value: {"post": _webhook(kind, shapes)} for kind in CallbackType},
        "components": {
            "schemas": shapes.all,
            "securitySchemes": {
                name: {"type": "http", "scheme": "bearer", "description": means}
                for name, means in KEYS.items()
            },
        },
    }


def problems_of(row: Row) -> list[ProblemType]:
    """Every problem that this row may answer with, the general ones among them."""
    kinds = {ProblemType.UNAUTHENTICATED, ProblemType.UNAVAILABLE, ProblemType.BUSY, *row.problems}
    if row.needs not in {"operator", "key"}:
        kinds.add(ProblemType.FORBIDDEN)
    if row.needs != "operator":
        kinds.add(ProblemType.RATE_LIMITED)
    if "{" in row.path:
        kinds.add(ProblemType.NOT_FOUND)
    if row.takes is not None:
        kinds |= {ProblemType.TOO_LARGE, ProblemType.UNSUPPORTED_MEDIA}
    if row.method != "GET":
        kinds.add(ProblemType.CHANGED)
    if row.method == "POST":
        kinds |= {ProblemType.DIFFERENT_BODY, ProblemType.UNDER_WAY}
        kinds |= set() if row.harmless else {ProblemType.OUTCOME_UNKNOWN}
    kinds.add(ProblemType.INVALID)  # a query that is not known, where nothing else
    return sorted(kinds, key=lambda kind: (STATUS[kind], kind))


def _operation(row: Row, shapes: Shapes) -> Json:
    scoped = row.needs not in {"operator", "key"}
    operation: Json = {
        "operationId": row.name,
        "tags": [row.room],
        "description": f"{row.says} Needs the scope `{row.needs}`." if scoped else row.says,
        "security": [{"operator" if row.needs == "operator" else "key": []}],
        "parameters": list(_parameters(row)),
        "responses": _responses(row, shapes),
    }
    if row.takes is not None:
        schema = shapes.of(row.takes, "validation")
        operation["requestBody"] = {
            "required": not row.body_optional,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _parameters(row: Row) -> Iterator[Json]:
    for name, parameter in PARAMETERS.items():
        if f"{{{name}}}" in row.path:
            schema = {"type": "string", "pattern": f"^{parameter.pattern}$"}
            yield _parameter(name, "path", parameter.means, schema)
    if row.query is not None:
        for name, schema in row.query.model_json_schema()["properties"].items():
            means = schema.pop("description")
            yield _parameter(name, "query", means, schema)
    for name in (*row.headers, *((keyed.HEADER,) if row.method == "POST" else ())):
        yield _parameter(name, "header", HEADERS[name], {"type": "string"})


def _parameter(name: str, place: str, means: str, schema: Json) -> Json:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": means,
        "schema": schema,
    }


def _responses(row: Row, shapes: Shapes) -> Json:
    responses: Json = {str(row.status): _good(row, row.gives, "As asked.", shapes)}
    for status, when in row.also.items():
        model = RequestView if row.also is WAITING else row.gives
        responses[str(status)] = _good(row, model, when, shapes)
    by_status: dict[int, list[str]] = {}
    for kind in problems_of(row):
        by_status.setdefault(STATUS[kind], []).append(f"`{kind.value}`")
    for status, kinds in by_status.items():
        responses[str(status)] = {
            "description": f"Problem: {', '.join(kinds)}.",
            "content": {MEDIA_TYPE: {"schema": shapes.of(Problem, "serialization")}},
        }
    return responses


def _good(row: Row, model: type[BaseModel] | None, when: str, shapes: Shapes) -> Json:
    good: Json = {"description": when, "headers": _told(row)}
    if model is not None:
        schema = shapes.of(model, "serialization")
        good["content"] = {"application/json": {"schema": schema}}
    return good


def _told(row: Row) -> Json:
    """The headers that every good answer of the row may have."""
    names = ["Tieline-Trace"]
    names += [] if row.needs == "operator" else ["RateLimit", "RateLimit-Policy"]
    names += ["Idempotency-Replayed"] if row.method == "POST" else []
    names += ["ETag"] if "If-Match" in row.headers or row.versioned else []
    schema = {"type": "string"}
    return {name: {"description": TOLD[name], "schema": schema} for name in names}


def envelope_of(kind: CallbackType, data: Json) -> Json:
    """The schema of a callback's whole body around that of its data."""
    return {
        "type": "object",
        "required": ["id", "type", "timestamp", "data"],
        "properties": {
            "id": {"type": "string", "description": "The same at every endpoint that hears it."},
            "type": {"const": kind.value},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": data,
        },
    }


def _webhook(kind: CallbackType, shapes: Shapes) -> Json:
    schema = envelope_of(kind, shapes.of(DATA[kind], "serialization"))
    said = example(kind).model_dump(mode="json")
    headers = [
        _parameter(name, "header", means, {"type": "string"}) | {"required": True}
        for name, means in WEBHOOK_HEADERS.items()
    ]
    words = kind.value.replace("_", ".").split(".")
    return {
        "operationId": "on" + "".join(word.title() for word in words),
        "tags": ["Callbacks"],
        "description": DATA[kind].__doc__,
        "parameters": headers,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": said}},
        },
        "responses": {
            "2XX": {"description": "Heard. Anything else is tried again, for three days."}
        },
    }
