"""How is a record kept? As "<rev>\\n<json>"; unknown fields survive, newer versions are left."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

import orjson

from infra.errors import NewerVersion
from schemas.records import Record

R = TypeVar("R", bound=Record)
BREAK: Final = b"\n"
REMEMBERED: Final = 1024  # readings, of at most so many bytes each: 5 MB together
REMEMBERED_BYTES: Final = 2048


def encode(record: Record) -> bytes:
    """What is written over this record: its next revision and its fields.

    Fields that say nothing are left out, a tenth of a meeting; read back they say nothing again,
    since no field of a document that may be None is anything else by default.
    """
    return b"%d\n%s" % (record.rev + 1, record.model_dump_json(exclude_none=True).encode())


def decode(of: type[R], raw: bytes) -> R:
    """The stored record with its revision. Raises NewerVersion, or pydantic's ValidationError.

    The same bytes are the same record, and records are frozen: policies, connections, calendars
    and endpoints are read over and over by what works on meetings and callbacks.
    """
    return _remembered(of, raw) if len(raw) <= REMEMBERED_BYTES else _read(of, raw)


def _read(of: type[R], raw: bytes) -> R:
    rev, _, body = raw.partition(BREAK)
    fields = orjson.loads(body)
    if fields.get("v", 1) > of.version:
        raise NewerVersion(f"{of.kind} {fields.get('id')} is of version {fields['v']}")
    return of.model_validate({**fields, "rev": int(rev)})


_remembered = lru_cache(maxsize=REMEMBERED)(_read)


def saved(record: R) -> R:
    """The record as it is stored after the commit or `put` that took it."""
    return record.model_copy(update={"rev": record.rev + 1})
