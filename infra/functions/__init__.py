"""How do our functions get into the store? One library, concatenated from the files beside this.

A library carries its number in its name, so that the last release's workers go on calling theirs
while today's are rolled out (ENGINE 15). What is loaded is compared before it is replaced: loading
resets what the server remembers of its workers' signs of life (ENGINE 12).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from redis.asyncio import Redis

LIBRARY: Final = "tieline_1"
# Shared words first; `lease` uses what `take` says of signs of life.
FILES: Final = (
    "lane",
    "post",
    "take",
    "open",
    "changes",
    "commit",
    "submit",
    "lease",
    "park",
    "gate",
    "turn",
    "document",
    "duty",
    "quota",
    "log",
)


@cache
def source() -> str:
    """The library's text."""
    head = f"#!lua name={LIBRARY}\nlocal LIBRARY = '{LIBRARY}_'\n"
    parts = [(files(__package__) / f"{name}.lua").read_text("utf-8") for name in FILES]
    return head + "\n".join(parts)


async def load(client: Redis) -> None:
    """Put the library into the store unless exactly this text is there."""
    known = await command(client, "FUNCTION LIST", "LIBRARYNAME", LIBRARY, "WITHCODE")
    if source().encode() not in _values(known):
        await command(client, "FUNCTION LOAD", "REPLACE", source())


async def command(client: Redis, *words: str | bytes | float) -> object:
    """One command, as typed; redis-py's own words for it are typed for both of its clients."""
    return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # untyped there


def _values(answer: object) -> list[object]:
    """Every value of the nested pairs that FUNCTION LIST answers."""
    if not isinstance(answer, list):
        return [answer]
    return [value for part in answer for value in _values(part)]
