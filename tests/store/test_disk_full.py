"""F10: a full disk takes nothing back, and once there is room all goes on without repair."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infra import embedded
from infra.errors import StoreAway
from infra.lanes import Item, Post
from infra.settings import Settings
from tests.store.claims import lane_of
from tests.store.test_kills import items, open_lanes

BODY = b"x" * 8192


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB, in memory; only root may mount one."""
    place = tmp_path / "var"
    place.mkdir()
    mounted = os.geteuid() == 0 and mount(place, "size=2m")
    if not mounted:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def mount(place: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def test_f10_a_full_disk_loses_nothing_and_needs_no_repair(small_disk: Path) -> None:
    home, kept = Settings(data_dir=small_disk), []
    server = embedded.start(small_disk)
    assert server is not None
    client, lanes = await open_lanes(home)
    with suppress(StoreAway):
        for number in range(1000):
            await lanes.post(Post(lane_of("acme"), Item(f"i{number}", BODY)))
            kept.append(f"i{number}")
    code = server.process.wait(20)
    mount(small_disk, "remount,size=64m")

    again = embedded.start(small_disk)
    assert again is not None
    after, more = await open_lanes(home)
    await more.post(Post(lane_of("acme"), Item("one more")))
    there = await items(after, "meeting:m")
    for opened, line in ((lanes, client), (more, after)):
        await opened.aclose()
        await line.aclose()
    again.end()

    lost = len({*kept, "one more"} - there.keys())
    print(f"\n[F10] {len(kept)} accepted until the disk was full, {lost} lost, server left: {code}")
    assert 0 < len(kept) < 1000
    assert code == 1  # it left rather than acknowledge what it could not write
    assert lost == 0
