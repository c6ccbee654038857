"""How do people read the API? One page, made of the same rows as everything else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, Final

from schemas.callbacks import DATA, CallbackType
from webhooks.api import verifying
from webhooks.api.examples import example
from webhooks.api.openapi import SUMMARY, Json, problems_of
from webhooks.api.operation import Row
from webhooks.pages import prose


def inner(rows: Iterable[Row], document: Json) -> str:
    """The page's HTML, below its heading. `document` is the OpenAPI document of the rows."""
    rows = tuple(rows)
    rooms = [*dict.fromkeys(row.room for row in rows), "Callbacks"]
    links = "".join(f'<a href="#{_anchor(room)}">{escape(room)}</a>' for room in rooms)
    parts = [
        *(f"<p>{prose(part)}</p>" for part in SUMMARY.split("\n\n")),
        f'<nav>{links}<a href="#verifying">Verifying</a>',
        '<a href="/openapi.json">openapi.json</a><a href="/help">Help for users</a></nav>',
    ]
    for room in rooms[:-1]:
        parts.append(f'<h2 id="{_anchor(room)}">{escape(room)}</h2>')
        parts += [_row(row, document) for row in rows if row.room == room]
    return "".join([*parts, *verifying.section(), *_callbacks()])


def _row(row: Row, document: Json) -> str:
    operation = document["paths"][row.path][row.method.lower()]
    taken = operation.get("requestBody", {}).get("content", {}).get("application/json")
    given = operation["responses"][str(row.status)].get("content", {}).get("application/json")
    parts = [
        f'<h3 id="{row.name}"><b>{row.method}</b><code>{escape(row.path)}</code></h3>',
        f"<p>{prose(operation['description'])}</p>",
        _table("Send", _parameters(operation)),
        _table("Body", _fields(taken, document)) if taken else "",
        _table(f"Answer {row.status}", _fields(given, document)) if given else "",
        f"<p>Problems: {', '.join(f'<code>{kind}</code>' for kind in problems_of(row))}</p>",
    ]
    return "".join(parts)


def _parameters(operation: Json) -> Iterator[tuple[str, str, str]]:
    for parameter in operation["parameters"]:
        yield parameter["name"], parameter["in"], parameter["description"]


def _fields(content: Json, document: Json) -> Iterator[tuple[str, str, str]]:
    schema = _resolve(content["schema"], document)
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        kind = _kind(field, document) + ("" if name in required else ", optional")
        yield name, kind, field.get("description", "")


_WORDS: Final = {"date-time": "moment with a zone", "password": "secret"}


def _kind(schema: Json, document: Json) -> str:
    if "$ref" in schema:
        whole = _resolve(schema, document)
        name = str(schema["$ref"]).rpartition("/")[2]
        return _kind(whole, document) if "enum" in whole else name
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each, document) for each in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " or ".join(map(str, schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), document)}"
    return _WORDS.get(schema.get("format", ""), str(schema.get("type", "anything")))


def _resolve(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _anchor(room: str) -> str:
    return escape(room.lower().replace(" ", "-"))


def _table(heading: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{prose(means)}"
        for name, kind, means in rows
    )
    return f"<table><tr><th>{escape(heading)}<th><th>{lines}</table>" if lines else ""


def _callbacks() -> Iterator[str]:
    yield '<h2 id="callbacks">Callbacks</h2>'
    for kind in CallbackType:
        body: Any = example(kind).model_dump(mode="json")
        text = json.dumps(body, indent=2, ensure_ascii=False)
        yield (
            f"<h3><code>{kind.value}</code></h3><p>{prose((DATA[kind].__doc__ or '').strip())}</p>"
            f"<pre>{escape(text)}</pre>"
        )
