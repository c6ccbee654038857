"""What came of a question to a provider, also when it takes longer than a call is kept waiting?"""

from __future__ import annotations

import asyncio

from infra.cli.api import Api, Json, Problem


async def settled(api: Api, told: Json) -> Json:
    """The answer, or the request that it became once that is done. Raises Problem."""
    if told.get("state") != "waiting":
        return told
    while told["state"] == "waiting":
        await asyncio.sleep(1)
        told = await api.get(f"/v1/requests/{told['id']}")
    if told["state"] != "done":
        raise Problem(0, told["problem"], told["detail"])
    return told


async def all_of(api: Api, told: Json, kind: str) -> Json:
    """A list, and what else is known of it, as an answer that comes at once has it."""
    found = (told := await settled(api, told)).get("found")
    return {**found, "items": found[kind]} if found else told


async def one_of(api: Api, told: Json, kind: str) -> Json:
    """One thing, as an answer that comes at once has it."""
    found = (told := await settled(api, told)).get("found")
    if not found:
        return told
    return found[kind][0] if isinstance(found[kind], list) else found[kind]
