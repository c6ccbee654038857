"""Was this POST made before? Under an Idempotency-Key it is done once, and answered alike.

The record of the call is fenced: what a call writes together with its answer demands the revision
that the call holds. One whose process died can thus be begun again without harm, unless the row
acts in another way; then its outcome is unknown, and that is what its caller is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from infra.errors import Conflict, StoreAway, StoreFull
from infra.lanes import Unit
from infra.records import saved
from infra.store import Store
from schemas.keyed import KeyedCall, Said
from schemas.problems import ProblemType
from webhooks.api.auth import Caller
from webhooks.api.problems import Denied, wrong_field

log = structlog.get_logger("webhooks.api")

HEADER: Final = "Idempotency-Key"
REPLAYED: Final[Mapping[str, str]] = {"Idempotency-Replayed": "true"}
INSTALLATION: Final = "@installation"
"""The slot of what operators ask for without naming a tenant; no tenant is called so."""
AT_WORK_FOR: Final = timedelta(seconds=30)
"""Longer than any POST is at work: then its process is gone."""
PATIENCE: Final = timedelta(seconds=10)
"""How long the second of two is kept waiting for the answer of the first."""
LOOK_EVERY: Final = timedelta(milliseconds=50)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A POST as its key binds it: who asks for what, and with which body."""

    caller: Caller
    operation: str
    path: str
    body: bytes
    key: str

    @property
    def id(self) -> str:
        """The name of its record: the same key of another caller or operation is another."""
        who = self.caller.application or self.caller.actor.kind
        return hashlib.sha256("\x1f".join([who, self.operation, self.key]).encode()).hexdigest()

    @property
    def digest(self) -> str:
        """Equal for requests that mean the same."""
        meant = json.dumps(json.loads(self.body), sort_keys=True) if self.body else ""
        said = "\x1f".join([self.path, self.caller.actor.on_behalf_of or "", meant])
        return hmac.new(self.key.encode(), said.encode(), hashlib.sha256).hexdigest()


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key that the caller chose, if any. Raises Denied."""
    key = headers.get(HEADER.lower())
    if key is not None and not _KEY.fullmatch(key):
        raise wrong_field(HEADER, "Send 1 to 255 visible ASCII characters, such as a UUID.")
    return key


@dataclass(slots=True)
class Hold:
    """A call's hold on its key: nobody else does the same meanwhile."""

    store: Store
    slot: str
    call: KeyedCall
    status: int
    """The row's own, for answers that name none."""

    async def submit(self, tenant: str, unit: Unit, said: Said) -> None:
        """Write the effect and what is said of it, or nothing. Raises as `lanes.submit` does."""
        if tenant != self.slot:
            raise ValueError("an effect and its answer lie in one slot (ENGINE 1)")
        ended = self.call.model_copy(update={"said": said})
        await self.store.lanes.submit(tenant, replace(unit, puts=[*unit.puts, ended]))
        self.call = saved(ended)

    async def close(self, said: Said) -> None:
        """Keep the answer, unless it was written with its effect."""
        if self.call.said is not None:
            return
        try:
            await self.submit(self.slot, Unit(), said)
        except (Conflict, StoreAway, StoreFull) as error:
            # It is done, and its caller is told; only a repeat will have to find out by itself.
            log.warning("answer.not_kept", error=type(error).__name__)

    async def let_go(self) -> None:
        """Nothing was done: the key is free again."""
        if self.call.said is not None:
            return
        try:
            await self.store.lanes.submit(self.slot, Unit(drops=[self.call]))
        except (Conflict, StoreAway, StoreFull) as error:
            log.warning("key.not_freed", error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Start:
    """What beginning needs beside the request: where it is kept, and the time."""

    store: Store
    slot: str
    now: datetime
    desk: str
    """The id that a request to the desk will have."""


async def begin(at: Start, asked: Asked, *, status: int, harmless: bool) -> Hold | Said:
    """Take hold of the key, or get what was answered before. Raises Denied.

    `harmless`: the row may be done again when the process that began it is gone.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE.total_seconds()
    while True:
        stored = await at.store.documents.get(at.slot, KeyedCall, asked.id)
        ours = _ours(at, asked, stored, harmless=harmless)
        match ours:
            case Said():
                return ours
            case KeyedCall():
                with contextlib.suppress(Conflict):  # another was faster: look what it does
                    await at.store.lanes.submit(at.slot, Unit(puts=[ours]))
                    return Hold(at.store, at.slot, saved(ours), status)
            case None if loop.time() >= until:
                raise _under_way()
        await asyncio.sleep(LOOK_EVERY.total_seconds())


def _ours(
    at: Start, asked: Asked, stored: KeyedCall | None, *, harmless: bool
) -> KeyedCall | Said | None:
    """The record to take hold with, the answer there is, or None while another is at work."""
    if stored is None:
        return KeyedCall(id=asked.id, request=asked.digest, desk=at.desk, begun_at=at.now)
    if not hmac.compare_digest(stored.request, asked.digest):
        raise Denied(
            ProblemType.DIFFERENT_BODY,
            f"This {HEADER} was used for another request. Send what was sent with it first, or"
            " choose a new key.",
        )
    if stored.said is not None:
        return stored.said
    if at.now - stored.begun_at < AT_WORK_FOR:
        return None
    if not harmless:
        raise _unknown(stored)
    return stored.model_copy(update={"begun_at": at.now})


def _under_way() -> Denied:
    return Denied(
        ProblemType.UNDER_WAY,
        f"The first request with this {HEADER} is still at work. Repeat in a moment to get its"
        " answer.",
        headers={"Retry-After": "2"},
    )


def _unknown(stored: KeyedCall) -> Denied:
    return Denied(
        ProblemType.OUTCOME_UNKNOWN,
        f"The request with this {HEADER} was begun at {stored.begun_at:%Y-%m-%d %H:%M:%S} UTC and"
        " cut off: it may have been done or not. Read what it was to make or change, and repeat"
        " under a new key only if it is not there.",
    )
