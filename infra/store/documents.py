"""What do we know? Documents of a tenant, read by id, written only over what was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from infra import keys
from infra.errors import Conflict
from infra.functions.calls import Calls, Word, fresh_id
from infra.records import R, decode, encode, saved
from schemas.records import Record

B = TypeVar("B", bound=Record)


class Documents:
    """Documents of all tenants. What a lane owns is written by its commits, not here (ENGINE 9)."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self, tenant: str, of: type[R], id_: str) -> R | None:
        """The document, or None. Raises NewerVersion, StoreAway."""
        raw = await self._calls.read("get", "GET", keys.document(tenant, of.kind, id_))
        return None if raw is None else decode(of, raw)

    async def get_many(self, tenant: str, of: type[R], ids: Sequence[str]) -> list[R | None]:
        """Documents of one type in one round trip, in the order asked for."""
        if not ids:
            return []
        places = [keys.document(tenant, of.kind, id_) for id_ in ids]
        found = await self._calls.read("get_many", "MGET", *places)
        return [None if raw is None else decode(of, raw) for raw in found]

    async def get_all(self, tenant: str, of: type[R], ids: Sequence[str]) -> list[R]:
        """Like `get_many`; those that are gone are left out."""
        found = await self.get_many(tenant, of, ids)
        return [record for record in found if record is not None]

    async def get_beside(
        self, tenant: str, of: type[R], ids: Sequence[str], *, beside: tuple[type[B], str]
    ) -> tuple[list[R | None], B | None]:
        """Like `get_many`, and one document of another type in the same round trip."""
        other, id_ = beside
        places = [keys.document(tenant, of.kind, one) for one in ids]
        places.append(keys.document(tenant, other.kind, id_))
        *found, last = await self._calls.read("get_beside", "MGET", *places)
        return (
            [None if raw is None else decode(of, raw) for raw in found],
            None if last is None else decode(other, last),
        )

    async def get_together(
        self,
        tenant: str,
        one: tuple[type[R], str],
        other: tuple[type[B], str],
        *,
        blob: str,
        rank: tuple[str, str],
    ) -> tuple[R | None, B | None, bytes | None, float | None]:
        """Documents of two types, a blob, and where a member of a rank stands: at one moment for
        all but the last, and in one round trip."""
        places = [keys.document(tenant, of.kind, id_) for of, id_ in (one, other)]
        name, member = rank
        (first, second, body), score = await self._calls.read_all(
            "get_together",
            ("MGET", *places, keys.blob(tenant, blob)),
            ("ZSCORE", keys.rank(tenant, name), member),
        )
        return (
            None if first is None else decode(one[0], first),
            None if second is None else decode(other[0], second),
            body,
            None if score is None else float(score),
        )

    async def put(self, tenant: str, record: R) -> R:
        """Write over the revision that was read (0: there must be none); the record as stored.

        Raises Conflict, StoreFull, StoreAway.
        """
        await self._write(tenant, record, encode(record))
        return saved(record)

    async def drop(self, tenant: str, record: Record) -> None:
        """Delete the revision that was read. Raises Conflict, StoreAway."""
        await self._write(tenant, record, b"")

    async def _write(self, tenant: str, record: Record, body: bytes) -> None:
        if record.kept_for is not None:
            raise ValueError(f"{record.kind} expires: write it by a unit")
        place = keys.document(tenant, record.kind, record.id)
        words: list[Word] = [fresh_id(), record.rev, body]
        stale = await self._calls.call("document", [*keys.calls(tenant), place], words)
        if stale:
            raise Conflict(f"{record.kind} {record.id} was written by another")
