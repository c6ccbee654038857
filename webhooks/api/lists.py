"""What is there of a kind? Lists by id, a page at a time, from the tenant's indexes."""

from __future__ import annotations

from typing import Any, TypeVar

from schemas.records import Record
from webhooks.api.operation import Call
from webhooks.api.problems import not_found

R = TypeVar("R", bound=Record)


async def page_of(call: Call[Any], index: str, of: type[R]) -> tuple[list[R], str | None]:
    """The documents that an index names, in order of their ids, and where the next page starts.
    The index is read whole, since ids have no order there; they are few, and none is left out."""
    ids = sorted(await call.front.store.index.all(call.tenant, index))
    rest = [id_ for id_ in ids if id_ > call.page.after]
    chosen = rest[: call.page.limit]
    found = await call.front.store.documents.get_all(call.tenant, of, chosen)
    return found, chosen[-1] if len(rest) > len(chosen) else None


async def the(call: Call[Any], of: type[R], id_: str, what: str) -> R:
    """The document of this id. Raises Denied when there is none in the caller's tenant."""
    found = await call.front.store.documents.get(call.tenant, of, id_)
    if found is None:
        raise not_found(what)
    return found
