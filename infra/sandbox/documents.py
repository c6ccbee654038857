"""How is a field read out of a JSON document whose shape nobody promised?"""

from __future__ import annotations

from typing import TypeAlias

Doc: TypeAlias = dict[str, object]


def text(doc: Doc, key: str, default: str = "") -> str:
    """Return a string field; anything else counts as absent."""
    value = doc.get(key)
    return value if isinstance(value, str) else default


def number(doc: Doc, key: str, default: float = 0) -> float:
    """Return a numeric field; anything else counts as absent."""
    value = doc.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return value


def whole(doc: Doc, key: str, default: int = 0) -> int:
    """Return an integer field, also when it was sent as a string of digits."""
    value = doc.get(key)
    if isinstance(value, str):
        return int(value) if value.isdigit() else default
    return int(number(doc, key, default))


def section(doc: Doc, key: str) -> Doc:
    """Return a nested object; an empty one when it is absent."""
    value = doc.get(key)
    return value if isinstance(value, dict) else {}


def rows(doc: Doc, key: str) -> list[Doc]:
    """Return a list of objects; other elements are left out."""
    value = doc.get(key)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def words(doc: Doc, key: str) -> list[str]:
    """Return a list of strings; a single string separated by spaces counts as one too."""
    value = doc.get(key)
    if isinstance(value, str):
        return value.split()
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def merged(doc: Doc, patch: Doc) -> Doc:
    """Apply a JSON merge patch (RFC 7396): null removes, objects merge, all else replaces."""
    result = dict(doc)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(section(result, key), value)
        else:
            result[key] = value
    return result
