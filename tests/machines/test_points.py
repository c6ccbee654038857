"""Does every point break once, at the right side, in the right way, and never in production?"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import points
from infra.errors import NotSent, Unknown
from infra.points import Fault, point


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    points.arm()


async def passes(name: str, done: list[str]) -> None:
    async with point(name):
        done.append(name)


async def test_an_unarmed_point_does_nothing() -> None:
    done: list[str] = []

    await passes("zoom.create", done)

    assert done == ["zoom.create"]


@pytest.mark.parametrize("do", ["cut", "timeout"])
@pytest.mark.parametrize(
    ("when", "error", "effects"), [("before", NotSent, []), ("after", Unknown, ["zoom.create"])]
)
async def test_a_fault_before_is_not_sent_and_a_fault_after_is_unknown(
    do: str, when: str, error: type[Exception], effects: list[str]
) -> None:
    points.arm(Fault.model_validate({"point": "zoom.create", "when": when, "do": do}))
    done: list[str] = []

    with pytest.raises(error, match=f"{do} {when} zoom.create"):
        await passes("zoom.create", done)

    assert done == effects


async def test_a_fault_strikes_only_the_nth_passage_of_its_point() -> None:
    points.arm(Fault(point="zoom.create", when="before", do="cut", nth=2))
    done: list[str] = []
    await passes("zoom.create", done)
    await passes("google.patch", done)

    with pytest.raises(NotSent):
        await passes("zoom.create", done)
    await passes("zoom.create", done)

    assert done == ["zoom.create", "google.patch", "zoom.create"]


async def test_faults_at_several_points_strike_each_at_its_own() -> None:
    points.arm(
        Fault(point="zoom.create", when="after", do="cut"),
        Fault(point="google.patch", when="before", do="cut"),
    )
    done: list[str] = []

    with pytest.raises(Unknown):
        await passes("zoom.create", done)
    with pytest.raises(NotSent):
        await passes("google.patch", done)

    assert done == ["zoom.create"]


async def test_a_fault_with_a_flag_file_strikes_once_among_all_processes(tmp_path: Path) -> None:
    (tmp_path / "struck").touch()
    points.arm(Fault(point="a", when="before", do="cut", flag_file=tmp_path / "struck"))
    done: list[str] = []

    await passes("a", done)

    assert done == ["a"]


async def test_a_failed_effect_keeps_its_own_error() -> None:
    points.arm(Fault(point="a", when="after", do="cut"))

    with pytest.raises(ValueError, match="its own"):
        async with point("a"):
            raise ValueError("its own")


async def test_a_cancelled_passage_is_a_cancelled_task() -> None:
    points.arm(Fault(point="a", when="after", do="cancel"))
    done: list[str] = []

    task = asyncio.create_task(passes("a", done))
    await asyncio.wait([task])

    assert task.cancelled()
    assert done == ["a"]


async def test_a_golden_run_writes_the_names_in_order(tmp_path: Path) -> None:
    points.arm(log=tmp_path / "points")
    done: list[str] = []

    await passes("a", done)
    await passes("b", done)

    assert (tmp_path / "points").read_text() == "a\nb\n"


@pytest.mark.parametrize(("when", "out"), [("before", b""), ("after", b"effect\n")])
def test_a_killed_process_dies_on_that_side_of_the_effect(when: str, out: bytes) -> None:
    program = (
        "import asyncio; from infra import points; from infra.settings import Settings\n"
        "points.arm(*Settings.load().faults)\n"
        "async def run():\n"
        "    async with points.point('a'): print('effect', flush=True)\n"
        "asyncio.run(run())"
    )
    fault = f'[{{"point":"a","when":"{when}","do":"kill"}}]'

    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"TIELINE_FAULTS": fault},
        capture_output=True,
        check=False,
    )

    assert (run.returncode, run.stdout) == (-signal.SIGKILL, out)
