"""ENGINE 15: is what earlier releases stored still read, and what a later one stored left alone?

`stored/v<n>.json` holds a document of each kind as the first release with version n of it wrote it,
taken from a store and never edited since. A kind whose version rises needs a row in the next file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

import schemas
from infra.errors import NewerVersion
from infra.records import decode, encode
from schemas.records import Record

STORED = Path(__file__).parent / "stored"
for module in pkgutil.walk_packages(schemas.__path__, "schemas."):
    importlib.import_module(module.name)


def kinds(of: type[Record] = Record) -> Iterator[type[Record]]:
    for kind in of.__subclasses__():
        if kind.__module__.startswith("schemas."):
            yield kind
        yield from kinds(kind)


READABLE = [
    (kind, version)
    for kind in sorted(kinds(), key=lambda kind: kind.kind)
    for version in (kind.version, kind.version - 1)
    if version > 0
]


def stored(kind: type[Record], version: int) -> dict[str, Any]:
    written = orjson.loads((STORED / f"v{version}.json").read_bytes())
    assert kind.kind in written, f"stored/v{version}.json has no {kind.kind}"
    body: dict[str, Any] = written[kind.kind]
    return body


@pytest.mark.parametrize(
    ("kind", "version"), READABLE, ids=[f"{kind.kind}-v{version}" for kind, version in READABLE]
)
def test_a_document_of_this_release_and_the_last_is_read_and_loses_nothing(
    kind: type[Record], version: int
) -> None:
    body = {**stored(kind, version), "of_a_later_release": [1]}

    read = decode(kind, b"7\n" + orjson.dumps(body))
    rev, _, again = encode(read).partition(b"\n")

    assert (read.rev, rev) == (7, b"8")
    assert orjson.loads(again).items() >= body.items()


@pytest.mark.parametrize("kind", [kind for kind, _ in READABLE], ids=lambda kind: kind.kind)
def test_a_document_of_a_later_version_is_not_touched(kind: type[Record]) -> None:
    body = {**stored(kind, kind.version), "v": kind.version + 1}

    with pytest.raises(NewerVersion, match=kind.kind):
        decode(kind, b"7\n" + orjson.dumps(body))
