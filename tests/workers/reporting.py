"""How does a test let Zoom report something? Shared by the tests of connections."""

from __future__ import annotations

import orjson

from schemas.connections import Connection
from schemas.items import Report
from tests.workers.stage import NOON, Stage, until


def report(event: str, **payload: object) -> Report:
    body = orjson.dumps({"event": event, "payload": payload}).decode()
    return Report(provider="zoom", body=body, heard_at=NOON, trace="tr_1")


async def hear(stage: Stage, connection: Connection, *reports: Report) -> None:
    async with stage.at_work("connection"):
        for one in reports:
            await stage.post("connection", connection.id, one)
        await until(lambda: stage.idle("connection", connection.id))
