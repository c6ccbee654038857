"""F16: what do those take from the others who trickle, and those who send without end?"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from tests.crash.home import at_home

MIB = 1 << 20


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_f16_whoever_trickles_or_never_ends_is_sent_away_and_others_are_heard(
    tmp_path: Path,
) -> None:
    async with at_home(tmp_path) as home:
        port = str(httpx.URL(home.house.receiver).port)
        receiver = psutil.Process(home.house.processes.running["receiver"].pid)
        senders = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.slow_senders", port),
            stdout=asyncio.subprocess.PIPE,
        )
        before, honest, most = receiver.memory_info().rss, [], 0
        ended = asyncio.create_task(senders.communicate())
        while not ended.done():
            honest.append(await home.notify())
            most = max(most, receiver.memory_info().rss - before)
            await asyncio.sleep(0.05)
        said = orjson.loads((await ended)[0])

    took = sorted(seconds for _, seconds in honest)
    p99 = took[int(len(took) * 0.99)] * 1000
    print(
        f"\n[F16] lines borne for {said['borne_s']:.1f} s at most, {len(honest)} honest pushes"
        f" with p99 {p99:.0f} ms, {most / MIB:.0f} MiB more memory"
    )
    assert {status for status, _ in honest} == {200}
    assert said["answers"].keys() <= {"413", ""}
