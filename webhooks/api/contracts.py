"""Does the API still keep what it promised? Shapes of today beside those that are published.

`python -m webhooks.api.contracts` writes today's shapes into `schemas/published.json`, unless they
break what stands there; `make check` refuses a change that does. What we give may gain fields, what
we take may gain optional ones; nothing else changes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from webhooks.api.openapi import Json, document
from webhooks.api.table import ROWS

PUBLISHED: Final = Path(__file__).parents[2] / "schemas" / "published.json"
DEEP: Final = 8
Shape: TypeAlias = Mapping[str, str]
"""Where a value stands -> the types it may have, and `!` if it is always there."""


def shapes(described: Json) -> Json:
    """What an OpenAPI document promises, flattened so that it can be compared."""
    defs = described["components"]["schemas"]
    hooks = described["webhooks"]
    return {
        "callbacks": {name: _flat(_body(hook["post"]), defs) for name, hook in hooks.items()},
        "operations": {
            f"{method.upper()} {path}": _operation(operation, defs)
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
        },
    }


def breaks(published: Json, now: Json) -> list[str]:
    """Every promise that today's shapes no longer keep, in words."""
    found: list[str] = []
    for name, shape in published["callbacks"].items():
        found += _lost(f"callback {name}", shape, now["callbacks"].get(name))
    for name, operation in published["operations"].items():
        today = now["operations"].get(name)
        if today is None:
            found.append(f"{name} is gone")
            continue
        found += _narrowed(name, operation["takes"], today["takes"])
        for status, shape in operation["gives"].items():
            found += _lost(f"{name} {status}", shape, today["gives"].get(status))
    return found


def _operation(operation: Json, defs: Json) -> Json:
    takes = {
        f"{one['in']} {one['name']}": "string" + "!" * one["required"]
        for one in operation["parameters"]
    }
    if "requestBody" in operation:
        takes |= _flat(_body(operation), defs)
    gives = {
        status: _flat(_schema(answer), defs)
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    }
    return {"takes": takes, "gives": gives}


def _body(operation: Json) -> Json:
    return _schema(operation["requestBody"])


def _schema(content: Json) -> Json:
    media: Json = content.get("content", {}).get("application/json", {})
    schema: Json = media.get("schema", {})
    return schema


def _flat(schema: Json, defs: Json) -> dict[str, str]:
    flat: dict[str, str] = {}
    for place, types, always in _walk(schema, defs, "", DEEP):
        known = flat.get(place, "").rstrip("!").split("|") if place in flat else []
        flat[place] = "|".join(sorted({*known, *types})) + "!" * always
    return flat


def _walk(schema: Json, defs: Json, at: str, deep: int) -> Iterator[tuple[str, set[str], bool]]:
    for each in _alternatives(schema, defs):
        required = set(each.get("required", ()))
        for name, inner in each.get("properties", {}).items():
            place = f"{at}.{name}" if at else name
            yield (
                place,
                {kind for one in _alternatives(inner, defs) for kind in _types(one)},
                (name in required),
            )
            if deep:
                yield from _walk(inner, defs, place, deep - 1)
        if "items" in each and deep:
            yield from _walk(each["items"], defs, f"{at}[]", deep - 1)


def _alternatives(schema: Json, defs: Json) -> Iterator[Json]:
    if "$ref" in schema:
        yield from _alternatives(defs[schema["$ref"].rpartition("/")[2]], defs)
        return
    several = schema.get("anyOf") or schema.get("oneOf")
    if several is None:
        yield schema
        return
    for each in several:
        yield from _alternatives(each, defs)


def _types(schema: Json) -> Iterable[str]:
    said: Any = schema.get("type", "string" if "const" in schema or "enum" in schema else "any")
    return [said] if isinstance(said, str) else said


def _kinds(said: str) -> set[str]:
    return set(said.rstrip("!").split("|"))


def _lost(what: str, promised: Shape, today: Shape | None) -> Iterator[str]:
    """What its reader was promised, and does not get any more."""
    if today is None:
        yield f"{what} is gone"
        return
    for place, said in promised.items():
        now = today.get(place)
        if now is None:
            yield f"{what}: {place} is gone"
        elif not _kinds(now) <= _kinds(said):
            yield f"{what}: {place} was {said}, is {now}"
        elif said.endswith("!") and not now.endswith("!"):
            yield f"{what}: {place} is not always there any more"


def _narrowed(what: str, taken: Shape, today: Shape) -> Iterator[str]:
    """What its caller was allowed to send, and is not any more."""
    for place, said in taken.items():
        now = today.get(place)
        if now is None:
            yield f"{what}: {place} is not taken any more"
        elif not _kinds(said) <= _kinds(now):
            yield f"{what}: {place} took {said}, takes {now}"
    for place, now in today.items():
        if now.endswith("!") and not taken.get(place, "").endswith("!") and _asked(place, taken):
            yield f"{what}: {place} is demanded now"


def _asked(place: str, taken: Shape) -> bool:
    """Whether the object that this stands in could be sent before."""
    holder = place.rpartition(".")[0].removesuffix("[]")
    return not holder or holder in taken


def publish(at: Path = PUBLISHED) -> list[str]:
    """Write today's shapes, unless they break what is published; what they break."""
    now = shapes(document(ROWS, ""))
    broken = breaks(json.loads(at.read_text("utf-8")), now) if at.exists() else []
    if not broken:
        at.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", "utf-8")
    return broken


if __name__ == "__main__":
    sys.exit("\n".join(publish()) or 0)
