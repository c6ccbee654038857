"""Bytes that are written once and expire, such as a callback's body."""

from __future__ import annotations

from infra import keys
from infra.functions.calls import Calls
from infra.lanes.committing import milliseconds
from infra.lanes.words import Body


class Blobs:
    """Bodies by name; most are written by a commit (`Unit.bodies`)."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self, tenant: str, name: str) -> bytes | None:
        """The bytes, or None when they were never written or have expired."""
        found: bytes | None = await self._calls.read("blob.get", "GET", keys.blob(tenant, name))
        return found

    async def put(self, tenant: str, body: Body) -> None:
        """Write, unless it is written: the first one stands."""
        place, span = keys.blob(tenant, body.name), milliseconds(body.keep)
        await self._calls.read("blob.put", "SET", place, body.value, "PX", span, "NX")
