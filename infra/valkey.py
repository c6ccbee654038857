"""Where is the store, and is it awake? `python -m infra.valkey` keeps the embedded one running."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import BusyLoadingError, RedisError, ResponseError
from redis.exceptions import ConnectionError as LineLost
from redis.exceptions import TimeoutError as LineSilent

from infra import embedded
from infra.errors import Refused, StoreAway
from infra.settings import Settings

ANSWER_WITHIN: Final = timedelta(seconds=2)
CONNECT_WITHIN: Final = timedelta(seconds=1)
SKEW_TO_WARN: Final = 2.0  # seconds, ENGINE 16
SKEW_TO_REFUSE: Final = 30.0
LEAST_DISK_PERCENT: Final = 10
SENTINEL_PORT: Final = 26379

# redis-py's ConnectionError is not Python's, and "loading my files" is one of its own.
AWAY: Final = (LineLost, LineSilent, BusyLoadingError, OSError)

FAILED: Final = (RedisError, OSError)
"""Whatever a client of the store may raise, arq's WatchError after a lost line included."""

log = structlog.get_logger("store")


def pool(
    settings: Settings, *, answer_within: timedelta = ANSWER_WITHIN, retries: int = 3
) -> ConnectionPool:
    """Connections to the store: short deadlines, and retries when a line is lost.

    A command may be sent twice: what it changes must be repeatable (ENGINE 8). A blocking read
    needs a pool of its own whose `answer_within` is longer than it blocks (ENGINE 17). arq, which
    dies with its connection, wants about 20 `retries` (waits of at most half a second each).
    """
    ways: dict[str, Any] = {
        "socket_timeout": answer_within.total_seconds(),
        "socket_connect_timeout": CONNECT_WITHIN.total_seconds(),
        "retry": Retry(ExponentialWithJitterBackoff(cap=0.5, base=0.05), retries),
        "retry_on_error": list(AWAY),
    }
    if settings.valkey_url is None:
        path = str(embedded.socket_of(settings.data_dir))
        return ConnectionPool(UnixDomainSocketConnection, path=path, **ways)
    url = settings.valkey_url.get_secret_value()
    if url.startswith("rediss"):
        ways["ssl_check_hostname"] = True  # redis-py leaves it off
    if url.partition("://")[0].endswith("+sentinel"):
        return _behind_sentinels(url, ways)
    return ConnectionPool.from_url(url, **ways)


def _behind_sentinels(url: str, ways: dict[str, Any]) -> ConnectionPool:
    """Connections to whatever store the sentinels call the primary now; each new one asks them.

    `redis+sentinel://:password@host:26379,host:26379/name/0`: user and password are the store's;
    sentinels are asked without any. Raises Refused when it names no sentinels or no name.
    """
    said = urlsplit(url)
    login, _, hosts = said.netloc.rpartition("@")
    user, _, password = login.partition(":")
    name, _, number = said.path.strip("/").partition("/")
    try:
        places = [urlsplit(f"//{host}") for host in hosts.split(",")]
        sentinels = [(place.hostname or "", place.port or SENTINEL_PORT) for place in places]
    except ValueError:
        sentinels = []
    if not (name and sentinels and all(host for host, _ in sentinels)):
        raise Refused(
            "TIELINE_VALKEY_URL names no sentinels, or not which store they watch. Write it as"
            " redis+sentinel://:password@host:26379,host:26379/name"
        )
    ways |= {
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "db": int(number) if number.isdecimal() else 0,
    }
    if said.scheme.startswith("rediss"):
        ways["ssl"] = True
    patience = {key: value for key, value in ways.items() if key.startswith("socket_")}
    watch = Sentinel(sentinels, sentinel_kwargs=patience)  # type: ignore[no-untyped-call]  # untyped there
    return SentinelConnectionPool(name, watch, **ways)  # type: ignore[no-untyped-call]  # untyped there


def connect(settings: Settings) -> Redis:
    """A client of the store, in bytes; `await client.aclose()` when done. See `pool`."""
    return Redis.from_pool(pool(settings))


async def ready(client: Redis, *, within: timedelta) -> None:
    """Wait until the store has loaded its files and answers. Raises StoreAway after `within`."""
    until = time.monotonic() + within.total_seconds()
    while True:
        try:
            await client.ping()
        except AWAY as error:
            if time.monotonic() > until:
                raise StoreAway(f"the store does not answer: {error}") from error
            await asyncio.sleep(0.05)
        else:
            return


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the store that an operator should know: `refuse` to start, or `warn`."""

    level: Literal["refuse", "warn"]
    sentence: str


async def inspect(client: Redis, *, clock: Callable[[], float] = time.time) -> list[Finding]:
    """Say what is unsafe about this store, worst first; nothing to say is an empty list.

    What a hosted store does not let us read is a warning, not a refusal. Raises StoreAway.
    """
    try:
        about = await client.info("server")
        config = await _config(client)
        before = clock()
        seconds, micros = await client.time()
        ahead = seconds + micros / 1e6 - (before + clock()) / 2
    except AWAY as error:
        raise StoreAway(f"the store does not answer: {error}") from error
    findings = [
        *_of_version(about),
        *_of_durability(config),
        *_of_memory(config),
        *_of_clock(ahead),
    ]
    if client.connection_pool.connection_class is UnixDomainSocketConnection:
        findings += _of_machine(config)
    return sorted(findings, key=lambda finding: finding.level)


async def insist(client: Redis) -> None:
    """Log what an operator should know of this store; one that is unsafe is not worked with.

    Raises Refused with all that is wrong, and StoreAway.
    """
    findings = await inspect(client)
    for finding in findings:
        if finding.level == "warn":
            log.warning("store.unsafe", words=finding.sentence)
    if wrong := [finding.sentence for finding in findings if finding.level == "refuse"]:
        raise Refused(" ".join(wrong))


async def _config(client: Redis) -> dict[str, str]:
    try:
        answer: dict[str, str] = await client.config_get()
    except ResponseError:  # hosted stores hide CONFIG
        return {}
    return answer


def _of_version(about: Mapping[str, object]) -> Iterator[Finding]:
    version = str(about.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) < (7, 0):
        yield Finding(
            "refuse", f"The store speaks Redis {version}. Upgrade it to 7.0 or newer, or to Valkey."
        )


def _of_durability(config: Mapping[str, str]) -> Iterator[Finding]:
    if not config:
        yield Finding(
            "warn",
            "The store hides its settings. Make sure yourself that it has appendonly yes,"
            " appendfsync always and maxmemory-policy noeviction.",
        )
        return
    if config.get("appendonly") != "yes":
        yield Finding(
            "refuse",
            "The store keeps nothing when it restarts. Set appendonly yes.",
        )
    elif config.get("appendfsync") != "always":
        yield Finding(
            "warn",
            "The store may lose the last second of what it acknowledged when power fails."
            " Set appendfsync always; lost changes come back with the next full read.",
        )


def _of_memory(config: Mapping[str, str]) -> Iterator[Finding]:
    if config and config.get("maxmemory-policy") != "noeviction":
        yield Finding(
            "refuse",
            f"The store throws away data when it is full ({config.get('maxmemory-policy')})."
            " Set maxmemory-policy noeviction.",
        )
    if config.get("maxmemory") == "0":
        yield Finding(
            "warn",
            "The store has no memory limit, so the system may kill it instead of it saying no."
            " Set maxmemory to at most 45 % of the machine's memory.",
        )


def _of_clock(ahead: float) -> Iterator[Finding]:
    if abs(ahead) <= SKEW_TO_WARN:
        return
    way = "ahead of" if ahead > 0 else "behind"
    yield Finding(
        "refuse" if abs(ahead) > SKEW_TO_REFUSE else "warn",
        f"The store's clock is {abs(ahead):.0f} s {way} ours. Run time synchronisation on both.",
    )


def _of_machine(config: Mapping[str, str]) -> Iterator[Finding]:
    directory = Path(config.get("dir", "."))
    disk = shutil.disk_usage(directory)
    free = 100 * disk.free // disk.total
    if free < LEAST_DISK_PERCENT:
        yield Finding(
            "warn",
            f"Only {free} % of the disk under {directory} is free; a full disk stops the store."
            " Make room.",
        )
    if int(config.get("maxmemory", 0)) > embedded.memory_of_machine() // 2:
        yield Finding(
            "warn",
            "The store may take more than half of this machine's memory, and rewriting the"
            " append-only file may need the same again. Set maxmemory to at most 45 % of it.",
        )
    # Under 0, the default, a fork of less than half the memory is granted; 2 counts every page.
    overcommit = Path("/proc/sys/vm/overcommit_memory")
    if overcommit.exists() and overcommit.read_text().strip() == "2":
        yield Finding(
            "warn",
            "This machine never lends memory (vm.overcommit_memory is 2), so rewriting the"
            " append-only file may fail. Run: sysctl vm.overcommit_memory=1",
        )


if __name__ == "__main__":
    from infra import keeper

    try:
        asyncio.run(keeper.main())
    except Refused as refusal:
        sys.exit(f"valkey: {refusal}")
