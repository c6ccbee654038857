"""Can a stored document leave out what says nothing, and be read back the same?"""

from __future__ import annotations

import importlib
import pkgutil
import typing
from collections.abc import Iterator

from pydantic import BaseModel

import schemas
from schemas.records import Record


def kinds(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in of.__subclasses__():
        yield one
        yield from kinds(one)


def within(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from within(part)


def stored() -> set[type[BaseModel]]:
    """All documents and whatever stands within them."""
    for module in pkgutil.walk_packages(schemas.__path__, "schemas."):
        importlib.import_module(module.name)
    found: set[type[BaseModel]] = set()
    left = [one for one in kinds(Record) if one.__module__.startswith("schemas.")]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += [
                part for field in one.model_fields.values() for part in within(field.annotation)
            ]
    return found


def says_something_by_default(model: type[BaseModel]) -> list[str]:
    """Fields that may be None, but are not by default."""
    return [
        f"{model.__name__}.{name}"
        for name, field in model.model_fields.items()
        if type(None) in typing.get_args(field.annotation)
        and (field.is_required() or field.get_default(call_default_factory=True) is not None)
    ]


def test_what_a_stored_document_leaves_out_reads_back_as_nothing() -> None:
    models = stored()

    assert len(models) > 40
    assert [name for model in models for name in says_something_by_default(model)] == []


def test_this_rule_bites() -> None:
    class Broken(BaseModel):
        ends: int | None
        begins: int | None = 1

    assert says_something_by_default(Broken) == ["Broken.ends", "Broken.begins"]
