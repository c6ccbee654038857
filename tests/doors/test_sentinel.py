"""B-16: the same code runs where sentinels say which store is the primary, and follows them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra import valkey
from infra.cli.api import Problem
from infra.errors import Refused
from infra.settings import Settings
from tests.doors.elsewhere import Watched, watched
from tests.doors.house import up
from tests.doors.play import Play, playing, until

ROOM = "https://rooms.example/blue"
FAILOVERS = 20
LATE_S = 420  # what failed five times in a row waits for five minutes
AMID = 3  # meetings that are being made when the store is lost


async def accepted(play: Play, conferencing: object) -> bool:
    """Whether the API takes a meeting again: until then it says 503, and when to come back."""
    try:
        await play.ask("after", conferencing)
    except Problem as away:
        if away.status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return False
    return True


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Watched]:
    """A primary, its replica and a sentinel that watches them."""
    with watched(tmp_path) as stores:
        yield stores


async def test_b16_work_goes_on_with_the_store_that_the_sentinels_chose(
    tmp_path: Path, sandbox_url: str, stores: Watched
) -> None:
    with up(tmp_path / "var", sandbox_url, {"TIELINE_VALKEY_URL": stores.url}) as house:
        async with playing(house) as play:
            room = await play.api.post("/v1/connections", {"provider": "static", "room_url": ROOM})
            await play.ask("before", {"connection": room["id"]})
            await play.meeting("before", "provisioned")

            await asyncio.to_thread(stores.fail_over)

            await until(lambda: accepted(play, {"connection": room["id"]}))
            found = await play.meeting("after", "provisioned")

    assert found["join_url"] == ROOM


@pytest.mark.full
@pytest.mark.timeout(1800)
async def test_f11_twenty_failovers_make_no_second_conference(
    tmp_path: Path, sandbox_url: str, stores: Watched
) -> None:
    """The primary dies amid creates. What the other one had not heard of yet is asked for again, by
    the same id, as a partner does who finds it gone."""
    asked, forgotten = list[str](), 0
    with up(tmp_path / "var", sandbox_url, {"TIELINE_VALKEY_URL": stores.url}) as house:
        async with playing(house) as play:
            host, zoom = await play.zoom()
            for round_ in range(FAILOVERS):
                names = [f"meeting-{round_}-{number}" for number in range(AMID)]
                for name in names:
                    await play.ask(name, {"connection": zoom}, title=name)
                await asyncio.to_thread(stores.fail_over)
                await until(lambda: accepted(play, "none"))
                for name in names:
                    forgotten += await ask_again(play, name, zoom)
                asked += names
            for name in asked:
                await play.meeting(name, "provisioned", within=LATE_S)
            meetings = await play.sandbox.zoom.meetings(host)

    there = Counter(one.topic for one in meetings)
    print(
        f"\n[F11] {FAILOVERS} failovers amid {len(asked)} creates: {min(there.values())} to"
        f" {max(there.values())} conferences each, {forgotten} forgotten and asked for again"
    )
    assert there == Counter(asked)


async def ask_again(play: Play, name: str, zoom: str) -> bool:
    """Whether the meeting is gone: then it is asked for once more."""
    try:
        await play.api.get(f"/v1/meetings/{name}")
    except Problem as gone:
        if gone.status != HTTPStatus.NOT_FOUND:
            raise
        await play.ask(name, {"connection": zoom}, title=name)
        return True
    return False


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://one:26379,two:26379",
        "redis+sentinel:///main",
        "redis+sentinel://one:port/main",
        "redis+sentinel://:secret@one,,two/main",
    ],
)
def test_an_address_that_names_no_sentinels_is_refused_in_words(url: str) -> None:
    with pytest.raises(Refused, match="redis\\+sentinel://:password@host") as refused:
        valkey.pool(Settings(valkey_url=SecretStr(url)))

    assert "secret" not in str(refused.value)


def test_an_address_of_sentinels_may_hold_all_that_one_of_a_store_may() -> None:
    url = "rediss+sentinel://tieline:p%40ss@one,[::1]:7000/main/2"

    pool = valkey.pool(Settings(valkey_url=SecretStr(url)))

    kept = pool.connection_kwargs
    assert (kept["username"], kept["password"], kept["db"]) == ("tieline", "p@ss", 2)
    assert kept["ssl_check_hostname"] is True
    assert "SSL" in pool.connection_class.__name__
