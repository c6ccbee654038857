"""Does the demo tell its story to the end, leave nothing behind, and say where it broke off?"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.house import TIELINE, outer_environment

STORY = (
    "linked", "watched", "event", "conference", "callback", "moved", "callback", "cancelled",
    "callback", "event", "killed", "waiting", "adopted", "cancelled", "heard",
)  # fmt: skip


def demo(home: Path, **settings: str) -> tuple[int, str]:
    """Play it with its files below `home`; the exit status and what a person reads."""
    environment = {**outer_environment(), "TMPDIR": str(home), "COLUMNS": "300", **settings}
    ended = subprocess.run(
        [str(TIELINE), "demo"], env=environment, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout


@pytest.fixture
def home() -> Iterator[Path]:
    """As short as on a machine of its own: a store with a long path has its socket elsewhere."""
    with tempfile.TemporaryDirectory() as home:
        yield Path(home)


@pytest.mark.timeout(300)
def test_the_demo_plays_from_a_link_to_a_killed_worker_and_leaves_nothing(home: Path) -> None:
    status, told = demo(home)

    told_of = [words[2] for line in told.splitlines() if (words := line.split())[1:2] == ["s"]]
    assert status == 0, told
    assert told_of == ["started", *STORY]
    assert "Conferences at Zoom: 1\n" in told
    assert told.count("conferences left at Zoom: 0") == 2
    assert "5 callbacks, each signed, each verified, none lost" in told
    assert [*home.iterdir()] == []


def test_a_demo_that_cannot_be_told_says_which_process_ended_and_what_it_said(home: Path) -> None:
    status, told = demo(home, TIELINE_FREE_PLAN="perhaps")

    assert status == 1
    assert "TIELINE_FREE_PLAN" in told
    assert "The story broke off: " in told.splitlines()[-1]
    assert [*home.iterdir()] == []
