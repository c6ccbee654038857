"""Where do providers push to? `POST /hooks/<provider>/<tenant>.<route>`, and nothing else of ours.

A 2xx means that the notification is durable, or known to need nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

import uvloop
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from infra import points, telemetry
from infra.condition import watch_store
from infra.errors import NewerVersion, Refused, StoreAway, StoreFull
from infra.health import health_routes
from infra.seal import KeyRing, PublicKey
from infra.settings import Settings
from infra.store import open_store
from webhooks.addresses import Directory
from webhooks.bodies import TurnedAway, WentAway, plain, take_body
from webhooks.hearing import Hearing
from webhooks.prompt import CLOSE, Headers, Promise, PromptProtocol, Reply, Turnstile, Whole
from webhooks.server import configure, serve
from webhooks.sources import NO_PROOF, Answer, Heard, Notification, Source
from webhooks.sources.google import Google
from webhooks.sources.goto import GoTo
from webhooks.sources.graph import Graph
from webhooks.sources.zoom import Zoom
from webhooks.tally import UNKNOWN_PROVIDER, Tally

SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {source.provider: source for source in (Google(), Graph(), Zoom(), GoTo())}
)

HOOKS: Final = "/hooks/"
ENCODED: Final = frozenset("?%#")
"""What makes more of a target than a path."""
NOT_POSTED: Final = Answer(405, b"Notifications are posted.\n", headers=((b"allow", b"POST"),))
BUSY: Final = Answer(
    503, b"We cannot keep it now. Please send it again.\n", headers=((b"retry-after", b"5"),)
)
TROUBLES: Final[Mapping[type[Exception], str]] = MappingProxyType(
    {StoreAway: "away", StoreFull: "full", NewerVersion: "newer"}
)


class _Called(NamedTuple):
    provider: str
    address: str
    source: Source


class Receiver:
    """The ASGI app. What is not below /hooks goes to `rest`.

    It routes by hand: a framework's way from scope to response costs as much as all the rest here.
    """

    def __init__(self, hearing: Hearing, *, tally: Tally, rest: ASGIApp) -> None:
        self._hearing = hearing
        self._tally = tally
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(HOOKS):
            await self._rest(scope, receive, send)
            return
        provider, _, address = scope["path"][len(HOOKS) :].partition("/")
        source = SOURCES.get(provider)
        if source is None:
            self._tally.count(UNKNOWN_PROVIDER, "unknown_address")
            await _answer(send, NO_PROOF, hang_up=True)
        elif (greeting := source.greet(scope["method"], scope["query_string"])) is not None:
            self._tally.count(provider, "greeted")
            await _answer(send, greeting, hang_up=True)
        elif scope["method"] != "POST":
            self._tally.count(provider, "not_posted")
            await _answer(send, NOT_POSTED, hang_up=True)
        else:
            called = _Called(provider, address, source)
            await self._take(called, dict(scope["headers"]), receive, send)

    def at_once(self, request: Whole) -> Promise | None:
        """Answer a notification that came whole, if all that it takes is at hand."""
        target = request.target.decode("latin-1")
        if request.method != b"POST" or not target.startswith(HOOKS):
            return None
        if not ENCODED.isdisjoint(target):
            return None
        provider, _, address = target[len(HOOKS) :].partition("/")
        source = SOURCES.get(provider)
        if source is None or not plain(request.headers, request.body, source.body_limit):
            return None
        notification = Notification(request.headers, request.body)
        expected = self._hearing.hear_at_once(provider, address, source, notification)
        if expected is None:
            return None
        kept = expected.kept or _now()
        return Promise(kept, lambda: _reply(self._tell(provider, expected.outcome)))

    def _tell(self, provider: str, outcome: Callable[[], Heard]) -> Answer:
        """Count what a notification came to, and say it."""
        try:
            heard = outcome()
        except (StoreAway, StoreFull, NewerVersion) as trouble:
            self._tally.count(provider, TROUBLES[type(trouble)])
            return BUSY
        self._tally.count(provider, heard.outcome, stale=heard.stale)
        return heard.answer

    async def _take(
        self, called: _Called, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        provider, address, source = called
        try:
            body = await take_body(headers, receive, at_most=source.body_limit)
            heard = await self._hearing.hear(provider, address, source, Notification(headers, body))
        except TurnedAway as away:
            self._tally.count(provider, away.outcome)
            await _answer(send, away.answer, hang_up=True)
        except WentAway:
            self._tally.count(provider, "went_away")
        except (StoreAway, StoreFull, NewerVersion) as trouble:
            self._tally.count(provider, TROUBLES[type(trouble)])
            await _answer(send, BUSY)
        else:
            self._tally.count(provider, heard.outcome, stale=heard.stale)
            await _answer(send, heard.answer)


async def _answer(send: Send, answer: Answer, *, hang_up: bool = False) -> None:
    status, headers, body = _reply(answer, hang_up=hang_up)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _reply(answer: Answer, *, hang_up: bool = False) -> Reply:
    headers: Headers = ((b"content-length", b"%d" % len(answer.body)),)
    if answer.body:
        headers += ((b"content-type", answer.content_type), (b"x-content-type-options", b"nosniff"))
    if hang_up:
        headers += CLOSE  # the rest of the body is not read
    return Reply(answer.status, headers + answer.headers, answer.body)


def _now() -> asyncio.Future[None]:
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def new_id(prefix: str) -> str:
    """A random id: `<prefix>_` and 80 bits."""
    return f"{prefix}_{secrets.token_hex(10)}"


@contextlib.asynccontextmanager
async def open_receiver(settings: Settings) -> AsyncIterator[Receiver]:
    """Wire the app. Raises Refused in words when the key of the door is missing or open to others,
    and StoreAway when there is no store within 30 s."""
    if settings.door_private_key_file is None:
        raise Refused(
            "The receiver needs TIELINE_DOOR_PRIVATE_KEY_FILE to open the secrets that providers"
            " sign with. `tieline up` makes the file below its data directory."
        )
    door = KeyRing.load(settings.door_private_key_file)
    registry = telemetry.new_registry("receiver")
    guard = settings.memory_receiver_percent
    async with open_store(settings) as store, watch_store(settings) as condition:
        hearing = Hearing(
            Directory(store, door),
            store.lanes,
            pressed=lambda: condition.pressed(guard),
            now=lambda: datetime.now(UTC),
            new_id=new_id,
            vault=_vault(settings),
        )
        health = health_routes(
            condition, registry, guard_percent=guard, unserved=store.lanes.unserved
        )
        yield Receiver(hearing, tally=Tally(registry), rest=Starlette(routes=health))


def _vault(settings: Settings) -> PublicKey | None:
    """What contents of notifications are sealed with; without it they are hints alone."""
    path = settings.vault_public_key_file
    return PublicKey.load(path) if path.exists() else None


async def main() -> None:
    """Serve until told to stop."""
    settings = Settings.load()
    telemetry.configure(settings, "receiver")
    points.arm(*settings.faults, log=settings.points_log)
    async with open_receiver(settings) as app:
        host, port = settings.receiver_host, settings.receiver_port
        protocol = functools.partial(PromptProtocol, Turnstile())
        await serve(configure(app, host=host, port=port, protocol=protocol))


if __name__ == "__main__":
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    except (Refused, StoreAway) as refusal:
        sys.exit(f"receiver: {refusal}")
