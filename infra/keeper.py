"""Who keeps the embedded store running, and who may still need it when we are told to stop?"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from datetime import timedelta
from typing import Final

from infra import embedded
from infra.errors import StoreAway
from infra.settings import Settings
from infra.valkey import AWAY, connect, ready

CLIENTS_LEAVE_WITHIN: Final = timedelta(seconds=30)
LONGEST_REST: Final = 5.0  # seconds between two starts of a server that keeps falling


async def keep(settings: Settings, stop: asyncio.Event) -> None:
    """Keep the embedded store running until `stop`, then let its clients leave before it ends.

    A server that falls is started again; one of this directory that someone else keeps is adopted,
    that is left alone, and replaced when it has gone. Raises Refused where neither is possible.
    """
    rest = 0.1
    while not stop.is_set():
        server = embedded.start(settings.data_dir)
        _say("store started" if server else "store adopted: another process keeps it")
        began = time.monotonic()
        if server is None:
            await _while_it_answers(settings, stop)
            continue
        try:
            while server.alive and not stop.is_set():
                await _pause(stop, 0.1)
            if server.alive:
                await _clients_gone(settings)
        finally:
            code = server.end()
        _say(f"store ended, code {code}: {server.last_words()}")
        rest = 0.1 if time.monotonic() - began > LONGEST_REST else min(rest * 2, LONGEST_REST)
        await _pause(stop, rest)


async def _while_it_answers(settings: Settings, stop: asyncio.Event) -> None:
    client = connect(settings)
    try:
        while not stop.is_set():
            await ready(client, within=timedelta(seconds=1))
            await _pause(stop, 0.5)
    except StoreAway:
        _say("the adopted store has gone")
    finally:
        await client.aclose()


async def _clients_gone(settings: Settings) -> None:
    """Runners signal all processes at once: the store outlives its clients (ENGINE 18)."""
    until = time.monotonic() + CLIENTS_LEAVE_WITHIN.total_seconds()
    client = connect(settings)
    try:
        while time.monotonic() < until:
            if (await client.info("clients"))["connected_clients"] <= 1:  # the one is us
                return
            await asyncio.sleep(0.1)
    except AWAY as error:
        _say(f"could not count the clients that are still there: {error}")
    finally:
        await client.aclose()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _say(sentence: str) -> None:
    sys.stderr.write(f"valkey: {sentence}\n")


async def main() -> None:
    """Run in the foreground until SIGTERM or SIGINT. Raises Refused."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    settings = Settings.load()
    if settings.valkey_url is not None:
        _say("TIELINE_VALKEY_URL names an external store: there is none to run here")
        await stop.wait()
        return
    await keep(settings, stop)
