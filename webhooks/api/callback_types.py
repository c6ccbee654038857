"""Which callbacks are there? Each type with its JSON Schema and an example, made of its model."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from schemas.callbacks import DATA, CallbackType, Envelope
from webhooks.api.examples import example
from webhooks.api.openapi import Json, envelope_of
from webhooks.api.operation import Answer, Call, Operation, Row, Shape

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class CallbackTypeView(Shape):
    """A type of callback."""

    type: CallbackType
    says: str
    schema_url: str
    """Its JSON Schema, for anyone to fetch."""
    example: Envelope
    """As `send example` would send it."""


class CallbackTypes(Shape):
    """Every type there is."""

    items: tuple[CallbackTypeView, ...]


async def list_callback_types(call: Call[None]) -> Answer:
    """The same for every caller."""
    base = call.front.settings.public_url
    views = tuple(
        CallbackTypeView(
            type=kind,
            says=(DATA[kind].__doc__ or "").strip(),
            schema_url=schema_url(base, kind),
            example=example(kind),
        )
        for kind in CallbackType
    )
    return Answer(CallbackTypes(items=views))


def schema_url(base: str, kind: CallbackType) -> str:
    """Where the type's JSON Schema stands."""
    return f"{base.rstrip('/')}/schemas/{kind.value}.json"


def schema_of(kind: CallbackType, base: str) -> Json:
    """The JSON Schema of a callback's whole body, complete in itself."""
    of = DATA[kind]
    refs, definitions = models_json_schema([(of, "serialization")])
    return {
        "$schema": DIALECT,
        "$id": schema_url(base, kind),
        "title": kind.value,
        "description": (of.__doc__ or "").strip(),
        **envelope_of(kind, refs[of, "serialization"]),
        "$defs": definitions["$defs"],
    }


_row = partial(Operation[Any], room="Callbacks sent", needs="key")

ROWS: tuple[Row, ...] = (
    _row(
        name="listCallbackTypes",
        method="GET",
        path="/v1/callback-types",
        says="Every callback type, what it says, where its JSON Schema is, and an example.",
        handle=list_callback_types,
        gives=CallbackTypes,
    ),
)
