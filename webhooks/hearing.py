"""What does a notification come to? It is believed, then kept, and only then is it answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson

from infra.errors import StoreAway, StoreFull
from infra.lanes import Item, Lane, Lanes, Post, Posted, TooMuch
from infra.seal import PublicKey
from schemas.seals import Sealed
from webhooks.addresses import Address, Directory
from webhooks.bodies import TOO_LARGE
from webhooks.patience import Patience
from webhooks.sources import UNPROVEN, AccountReport, Heard, Notification, Source

KEPT_WITHIN: Final = timedelta(seconds=1)
"""Then the provider hears 503 and sends it again (ENGINE 21)."""
RENEW: Final = "renew"
"""The timer of a calendar's lane at which its channel is renewed."""


class Expected(NamedTuple):
    """What a notification comes to once its post is kept, or at once if it has none."""

    heard: Heard
    kept: asyncio.Future[Posted] | None

    def outcome(self) -> Heard:
        """What it came to. Raises what keeping it raised; StoreAway when patience ended."""
        if self.kept is None:
            return self.heard
        if self.kept.cancelled():
            raise _too_long()
        return _concluded(self.heard, [self.kept.result()])


class Hearing:
    """Between the source, which is pure, and the store, which gathers the posts of a turn."""

    def __init__(
        self,
        directory: Directory,
        lanes: Lanes,
        *,
        pressed: Callable[[], bool],
        now: Callable[[], datetime],
        new_id: Callable[[str], str],
        vault: PublicKey | None = None,
    ) -> None:
        self._directory = directory
        self._lanes = lanes
        self._pressed = pressed
        self._now = now
        self._new_id = new_id
        self._vault = vault
        self._patience = Patience(KEPT_WITHIN, _too_long)

    async def hear(
        self, provider: str, address: str, source: Source, notification: Notification
    ) -> Heard:
        """Everything but HTTP; what it returns is durable.

        Raises StoreAway (it may be kept all the same) or StoreFull: hearing the same notification
        once more does no harm.
        """
        found = await self._directory.find(provider, address)
        now = self._now()
        heard = _judge(found, source, notification, now)
        if heard.calendar is not None:
            kept = await self._keep([self._look_again(found.tenant, heard.calendar, heard)])
            return _concluded(heard, kept)
        if heard.report is not None:
            hearers = await self._believers(found, source, notification, heard.report)
            body = _report(provider, notification.body, now, self._new_id("tr"))
            return await self._hand_on(heard, heard.report, hearers, body)
        return heard

    def hear_at_once(
        self, provider: str, address: str, source: Source, notification: Notification
    ) -> Expected | None:
        """The same without a task, for what goes to one lane and asks nothing of the store before.

        None is all else; `hear` answers it. Only who holds a proof can tell by the time it takes.
        """
        found = self._directory.known(provider, address)
        if found is None:
            return None
        now = self._now()
        heard = _judge(found, source, notification, now)
        if heard.calendar is not None:
            post = self._look_again(found.tenant, heard.calendar, heard)
        elif heard.report is None:
            return Expected(heard, None)
        elif (hearer := self._only_hearer(found, heard.report)) is not None:
            body = _report(provider, notification.body, now, self._new_id("tr"))
            post = _post(hearer, heard.report, body)
        else:
            return None
        if self._pressed():
            return None
        try:
            kept = self._lanes.post_soon(post)
        except TooMuch:
            return None
        self._patience.watch(kept)
        return Expected(heard, kept)

    def _only_hearer(self, found: Address, report: AccountReport) -> Lane | None:
        """The one connection that a report is for, if it is of the address's own tenant."""
        hearers = self._directory.known_hearers(found.route.provider, report.account)
        if hearers is None or len(hearers) != 1 or hearers[0].tenant != found.tenant:
            return None
        return hearers[0]

    def _look_again(self, tenant: str, calendar: str, heard: Heard) -> Post:
        """A hint; with it goes what only a worker can read, if it can be sealed for one."""
        lane, content = Lane(tenant, "calendar", calendar), heard.content
        if content is None or self._vault is None:
            timers = {RENEW: timedelta(0)} if heard.ailing else {}
            return Post(lane, mark=True, timers=timers)
        sealed = self._vault.seal(content.body, context=Sealed.CONTENT.of(tenant, calendar))
        body = orjson.dumps({"is": "content", "sealed": sealed})
        return Post(lane, Item(self._new_id("it"), body), once=f"{calendar}:{content.once}")

    async def _hand_on(
        self, heard: Heard, report: AccountReport, hearers: Sequence[Lane], body: bytes
    ) -> Heard:
        if not hearers:
            return heard._replace(outcome="unknown_account")
        try:
            kept = await self._keep([_post(hearer, report, body) for hearer in hearers])
        except TooMuch:  # quotes and backslashes are doubled in an item
            return heard._replace(outcome="too_large", answer=TOO_LARGE)
        return _concluded(heard, kept)

    async def _keep(self, posts: Sequence[Post]) -> list[Posted]:
        if self._pressed():
            raise StoreFull("the store is above the receiver's memory guard")
        with self._patience:
            if len(posts) == 1:
                return [await self._lanes.post(posts[0])]
            return await asyncio.gather(*(self._lanes.post(post) for post in posts))

    async def _believers(
        self, found: Address, source: Source, notification: Notification, report: AccountReport
    ) -> list[Lane]:
        """The connections that a report is for: those of the address's own tenant, and those of
        others whose own client signs with the same secret. Otherwise a tenant could, with the
        secret of its own app, sign reports about everybody else's accounts."""
        now = self._now()
        return [
            hearer
            for hearer in await self._directory.hearers(found.route.provider, report.account)
            if hearer.tenant == found.tenant
            or source.proven(notification, found.route, await self._directory.secrets(hearer), now)
        ]


def _too_long() -> StoreAway:
    return StoreAway("the store takes too long")


def _judge(found: Address, source: Source, notification: Notification, now: datetime) -> Heard:
    # A stranger's proof is checked like anybody's: the time it takes shall tell nothing.
    heard = source.read(notification, found.route, found.secrets, now)
    return heard if found.known else UNPROVEN._replace(outcome="unknown_address")


def _concluded(heard: Heard, kept: Sequence[Posted]) -> Heard:
    return heard if Posted.NEW in kept else heard._replace(outcome="duplicate")


def _post(hearer: Lane, report: AccountReport, body: bytes) -> Post:
    once = f"{hearer.subject}:{report.once}"
    return Post(hearer, Item(f"rp_{report.once[:32]}", body), once=once)


def _report(provider: str, body: bytes, heard_at: datetime, trace: str) -> bytes:
    """A `schemas.items.Report`, written without its model: this runs once per notification."""
    return orjson.dumps(
        {
            "is": "report",
            "provider": provider,
            "body": body.decode(),
            "heard_at": heard_at,
            "trace": trace,
        }
    )
