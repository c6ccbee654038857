"""Which arq workers exist, and how is a process of them put together, kept alive and stopped?

`python -m workers` runs every kind in one process; `arq workers.main.Callbacks` and its sisters run
one. arq is the runner: the record of what is to be done lies in lanes (DESIGN §5).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
import signal
import sys
from base64 import b32encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any, Final, TypeVar

import orjson
import structlog
import uvloop
from arq import Worker, func
from arq.connections import ArqRedis

from infra import points, telemetry, valkey
from infra.certificates import Certificates
from infra.condition import watch_store
from infra.ending import end
from infra.errors import Refused, StoreAway
from infra.garbage import seldom_look_for_garbage
from infra.health import health_routes, telling
from infra.http.wire import Wire
from infra.lanes import Kind
from infra.seal import KeyRing, PublicKey, read_secret
from infra.settings import Settings
from infra.store import open_store
from workers.crew import STOP_WITHIN, Crew
from workers.figures import Figures
from workers.jobs.answer_desk import answer_desk
from workers.jobs.fire_callbacks import fire_callback
from workers.jobs.keep_house import keep_house
from workers.jobs.provision_meetings import provision_meeting
from workers.jobs.read_calendars import read_calendar
from workers.jobs.tend_connections import tend_connection
from workers.providers import calendars, conferences, contents
from workers.runtime import Handler, Runtime

T = TypeVar("T")

log = structlog.get_logger("workers")

LONGEST_CALL: Final = timedelta(seconds=20)
POLL: Final = timedelta(milliseconds=250)
"""arq only looks for the next term; lanes do not wait for it."""
TERMS_AT_ONCE: Final = 5
"""One claims, one stands by, the rest finish their last calls."""
REBUILD_AFTER: Final = timedelta(seconds=1)
STORE_RETRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of lane: the arq function that works it, and what is done with a claimed lane."""

    function: str
    kind: Kind
    handler: Handler

    @property
    def queue(self) -> str:
        """The arq queue of the kind."""
        return f"arq:{self.function}"


WORK: Final[Mapping[str, Work]] = {
    "Calendars": Work("read_calendars", "calendar", read_calendar),
    "Meetings": Work("provision_meetings", "meeting", provision_meeting),
    "Callbacks": Work("fire_callbacks", "callback", fire_callback),
    "Connections": Work("tend_connections", "connection", tend_connection),
    "Desk": Work("answer_desk", "desk", answer_desk),
    "House": Work("keep_house", "house", keep_house),
}
"""By the name of its arq settings: `arq workers.main.Callbacks`."""


def new_id(prefix: str) -> str:
    """A random id: `<prefix>_` and 20 characters of 5 bits each."""
    return f"{prefix}_{b32encode(secrets.token_bytes(15))[:20].decode().lower()}"


def present() -> datetime:
    """The one clock of a worker; below it, time is an argument."""
    return datetime.now(UTC)


class BrokenDown(Exception):
    """A part of the process ended; start the process again."""


@contextlib.asynccontextmanager
async def open_runtime(
    settings: Settings, figures: Figures | None = None
) -> AsyncIterator[Runtime]:
    """Wire the machines and the vendors together, once a process.

    Raises Refused in words when a key file is missing or open to others.
    """
    if settings.vault_private_key_file is None or settings.deployment_key_file is None:
        raise Refused(
            "A worker needs TIELINE_VAULT_PRIVATE_KEY_FILE and TIELINE_DEPLOYMENT_KEY_FILE."
            " `tieline up` makes both files below its data directory."
        )
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        figures = figures or Figures()
        providers_wire = Wire.to_providers(settings, figures.provider_called)
        partners_wire = Wire.to_partners(settings, figures.partner_called)
        stack.push_async_callback(providers_wire.aclose)
        stack.push_async_callback(partners_wire.aclose)
        certified = _key(Certificates.load, file) if (file := settings.content_key_file) else None
        yield Runtime(
            store=store,
            settings=settings,
            vault=_key(KeyRing.load, settings.vault_private_key_file),
            vault_lock=_key(PublicKey.load, settings.vault_public_key_file),
            reference_key=_key(read_secret, settings.deployment_key_file),
            providers_wire=providers_wire,
            partners_wire=partners_wire,
            calendars=calendars(providers_wire, present, certified),
            contents=contents(providers_wire, present, certified),
            content_told=figures.content_told,
            conferences=conferences(providers_wire, present),
            now=present,
            dice=SystemRandom().random,
            new_id=new_id,
        )


def _key(read: Callable[[Path], T], path: Path) -> T:
    try:
        return read(path)
    except OSError as error:
        raise Refused(
            f"There is no key at {path} ({error.strerror}). Put back the file that was there: what"
            " was sealed to another key cannot be read."
        ) from error


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Runtime]:
    """The runtime, with its health and figures told beside the work. Raises Refused in words."""
    figures = Figures()
    async with open_runtime(settings, figures) as runtime, watch_store(settings) as condition:
        routes = health_routes(
            condition,
            figures.registry,
            unserved=runtime.store.lanes.unserved,
            count=functools.partial(figures.count, runtime.store),
        )
        async with telling(routes, host=settings.worker_host, port=settings.worker_port):
            yield runtime


def arq_pool(settings: Settings) -> ArqRedis:
    """arq's own connections: patient, because arq dies with a lost one (RELIABILITY §1.2)."""
    return ArqRedis(
        connection_pool=valkey.pool(settings, retries=STORE_RETRIES),
        job_serializer=functools.partial(orjson.dumps, default=repr),
        job_deserializer=orjson.loads,
    )


def arq_settings(work: Work, settings: Settings, pool: ArqRedis) -> dict[str, Any]:
    """What arq is told of a kind: nothing kept, nothing pickled, nothing retried by arq itself."""
    # It stands by for a term, serves one, and finishes its calls.
    term = 2 * settings.term_s + LONGEST_CALL.total_seconds() + 5

    async def serve(ctx: dict[str, Any]) -> None:
        """One term."""
        await ctx["crew"].serve(work.function, pool)

    return {
        "functions": [func(serve, name=work.function, timeout=term, keep_result=0, max_tries=1000)],
        "queue_name": work.queue,
        "redis_pool": pool,
        "poll_delay": POLL.total_seconds(),
        "max_jobs": TERMS_AT_ONCE,
        "job_serializer": functools.partial(orjson.dumps, default=repr),
        "job_deserializer": orjson.loads,
        "health_check_interval": 60,
        "job_completion_wait": int(STOP_WITHIN.total_seconds()),
        "log_results": False,
    }


async def run(settings: Settings, works: Sequence[Work]) -> None:
    """Work these kinds until SIGTERM or SIGINT, then finish what is under way and leave.

    Raises BrokenDown, after finishing likewise, when one of the tasks has ended by which a worker
    claims, renews its leases and is relieved: a process without it would hold work and do none.
    """
    async with opened(settings) as runtime:
        hands = {work.function: (work.kind, work.handler) for work in works}
        crew = Crew(runtime, hands)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, crew.stop)
        pool = arq_pool(settings)
        tasks = [asyncio.create_task(_supervise(work, settings, crew)) for work in works]
        tasks.append(asyncio.create_task(crew.tend(pool)))
        seldom_look_for_garbage()
        log.info("worker.started", kinds=[work.kind for work in works])
        told = asyncio.create_task(crew.stopping.wait())
        await asyncio.wait({told, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        broken = [repr(task) for task in tasks if task.done() and not crew.stopping.is_set()]
        crew.stop()
        await crew.finish()
        await asyncio.gather(*(end(task) for task in tasks), return_exceptions=True)
        told.cancel()
        await pool.aclose(close_connection_pool=True)
        log.info("worker.stopped", broken=broken)
    if broken:
        raise BrokenDown(f"a task ended that never should: {broken[0]}")


async def _supervise(work: Work, settings: Settings, crew: Crew) -> None:
    """Keep an arq worker alive: it ends with the connection it is on, so it is built anew."""
    while not crew.stopping.is_set():
        pool = arq_pool(settings)
        worker = Worker(
            **arq_settings(work, settings, pool), ctx={"crew": crew}, handle_signals=False
        )
        try:
            await worker.async_run()
        except valkey.FAILED as error:
            log.warning("arq.rebuilt", function=work.function, error=repr(error))
            await asyncio.sleep(REBUILD_AFTER.total_seconds())
        finally:
            with contextlib.suppress(*valkey.FAILED):  # its last word is to a store that is away
                await worker.close()
            await pool.aclose(close_connection_pool=True)


def _settings_class(name: str) -> type:
    """The settings class that `arq workers.main.<name>` asks for, made when it is asked for."""
    settings = _load()
    work = WORK[name]
    stack = contextlib.AsyncExitStack()

    async def start(ctx: dict[str, Any]) -> None:
        runtime = await stack.enter_async_context(opened(settings))
        crew = ctx["crew"] = Crew(runtime, {work.function: (work.kind, work.handler)})
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, crew.stop)
        seldom_look_for_garbage()
        ctx["tending"] = loop.create_task(crew.tend(ctx["redis"]))
        ctx["leaving"] = loop.create_task(_leave_when_done(crew))

    async def stop(ctx: dict[str, Any]) -> None:
        for task in (ctx["tending"], ctx["leaving"]):
            task.cancel()
        await asyncio.gather(ctx["tending"], ctx["leaving"], return_exceptions=True)
        await stack.aclose()

    attributes = arq_settings(work, settings, arq_pool(settings))
    hooks = {"on_startup": staticmethod(start), "on_shutdown": staticmethod(stop)}
    return type(name, (), {**attributes, **hooks})


async def _leave_when_done(crew: Crew) -> None:
    """After SIGTERM: finish, then end arq by the signal it knows."""
    await crew.stopping.wait()
    await crew.finish()
    signal.raise_signal(signal.SIGINT)


def __getattr__(name: str) -> type:
    """`arq workers.main.Callbacks` and its sisters: nothing is read or made at import."""
    if name in WORK:
        return _settings_class(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load() -> Settings:
    settings = Settings.load()
    telemetry.configure(settings, "worker")
    points.arm(*settings.faults, log=settings.points_log)
    return settings


def main() -> None:
    """`python -m workers`: every kind in one process."""
    try:
        uvloop.run(run(_load(), list(WORK.values())))
    except (Refused, StoreAway) as refusal:
        sys.exit(f"worker: {refusal}")
