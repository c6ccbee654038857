"""Who trickles, and who sends without end? `python -m tests.crash.slow_senders PORT`, a process of
its own, so that it takes no time from those who measure. Prints what came of it as JSON."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from typing import Final

TRICKLERS: Final = 500
BODIES: Final = 100
CHUNK: Final = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
CHUNKS: Final = 800  # 50 MB
LASTS_S: Final = 30.0
HEAD: Final = b"POST /hooks/zoom/a.b HTTP/1.1\r\nhost: x\r\n"


async def trickle(port: int, until: float) -> float:
    """Send a header a second, on one line after the other; how long the longest was borne."""
    longest = 0.0
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD)
            hung_up = asyncio.create_task(reader.read())
            while not hung_up.done():
                writer.write(b"x: y\r\n")
                await asyncio.wait([hung_up], timeout=1)
            writer.close()
            await hung_up
        except ConnectionError:
            pass
        longest = max(longest, time.monotonic() - began)
    return longest


async def pour(port: int) -> bytes:
    """Send 50 MB in chunks; what was answered before the line was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    try:
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in itertools.repeat(None, CHUNKS):
            if answer.done():
                break
            writer.write(CHUNK)
            await writer.drain()
        return await answer
    except ConnectionError:
        return b""  # whoever goes on sending after the answer may lose it to a reset
    finally:
        answer.cancel()
        writer.close()


async def main(port: int) -> None:
    """All of them for half a minute."""
    until = time.monotonic() + LASTS_S
    slow = [asyncio.create_task(trickle(port, until)) for _ in range(TRICKLERS)]
    answers = await asyncio.gather(*(pour(port) for _ in range(BODIES)))
    borne = await asyncio.gather(*slow)
    told = Counter(answer[9:12].decode() for answer in answers)
    print(json.dumps({"borne_s": max(borne), "answers": told}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
