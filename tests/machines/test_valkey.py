"""Does the program say what is unsafe about a store, and reach it in every allowed way?"""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection

from infra import embedded, valkey
from infra.settings import Settings


async def sentences(store: Redis) -> list[tuple[str, str]]:
    return [(finding.level, finding.sentence) for finding in await valkey.inspect(store)]


async def test_the_embedded_store_is_safe(store: Redis) -> None:
    found = [level for level, sentence in await sentences(store) if "of the disk" not in sentence]

    assert found == []


@pytest.mark.parametrize(
    ("name", "value", "level", "words"),
    [
        ("appendonly", "no", "refuse", "keeps nothing when it restarts"),
        ("appendfsync", "everysec", "warn", "lose the last second"),
        ("maxmemory-policy", "allkeys-lru", "refuse", "throws away data"),
        ("maxmemory", "0", "warn", "no memory limit"),
        ("maxmemory", "1000000000000000", "warn", "more than half of this machine's memory"),
    ],
)
async def test_an_unsafe_store_is_named_in_words(
    store: Redis, name: str, value: str, level: str, words: str
) -> None:
    await store.config_set(name, value)

    found = await sentences(store)

    assert [told for told, sentence in found if words in sentence] == [level]


@pytest.mark.parametrize(
    ("shift", "level", "words"),
    [(-5, "warn", "5 s ahead of ours"), (5, "warn", "5 s behind ours"), (-40, "refuse", "40 s")],
)
async def test_clocks_that_disagree_are_told(
    store: Redis, shift: int, level: str, words: str
) -> None:
    found = await valkey.inspect(store, clock=lambda: time.time() + shift)

    assert [told.level for told in found if words in told.sentence] == [level]


async def test_an_old_store_is_refused_in_words() -> None:
    found = list(valkey._of_version({"redis_version": "6.2.14"}))  # noqa: SLF001  none is at hand

    assert [finding.level for finding in found] == ["refuse"]
    assert "Upgrade it to 7.0" in found[0].sentence


async def test_a_store_that_hides_its_settings_is_warned_about(store: Redis) -> None:
    await store.execute_command("ACL SETUSER guest on nopass ~* +@all -config")
    await store.execute_command("AUTH guest guest")

    found = await sentences(store)

    assert [level for level, sentence in found if "hides its settings" in sentence] == ["warn"]


async def test_a_frozen_store_is_told_within_the_deadline(
    settings: Settings, server: embedded.Server
) -> None:
    pool = valkey.pool(settings, answer_within=timedelta(seconds=0.2), retries=1)
    client = Redis.from_pool(pool)
    await client.ping()
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(valkey.AWAY):
            await client.ping()
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
        await client.aclose()


def test_an_encrypted_line_checks_the_name_of_the_store() -> None:
    settings = Settings(valkey_url=SecretStr("rediss://:secret@store.example:6380/2"))

    pool = valkey.pool(settings)

    assert pool.connection_class is SSLConnection
    assert pool.connection_kwargs["ssl_check_hostname"] is True
    assert (pool.connection_kwargs["host"], pool.connection_kwargs["db"]) == ("store.example", 2)
    assert "secret" not in repr(settings)
