"""A recovery takes what fits its filter, tells how far it is, and stops where it is cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.deliveries import Undelivered, Why
from tests.workers.partner import Partner
from tests.workers.stage import Stage, until
from tests.workers.test_recovery import ended, keep, list_many, walked_once


@pytest.mark.parametrize(
    ("wanted", "recovered"),
    [
        ({"since": 2}, ["cb_2", "cb_3", "cb_4"]),
        ({"until": 2}, ["cb_0", "cb_1"]),
        ({"since": 1, "until": 3}, ["cb_1", "cb_2"]),
        ({"type": "meeting.failed"}, ["cb_0", "cb_2", "cb_4"]),
        ({"reason": "refused"}, ["cb_1", "cb_4"]),
        ({"since": 1, "type": "meeting.failed", "reason": "refused"}, ["cb_4"]),
    ],
)
async def test_a_recovery_takes_what_fits_every_filter_and_leaves_the_rest(
    partner: Partner, stage: Stage, wanted: dict[str, int | str], recovered: list[str]
) -> None:
    """`since` and `until` are seconds after the first row."""
    made = await partner.endpoint("http://127.0.0.1:9/")
    await partner.ask(f"/v1/endpoints/{made['id']}/pause")
    first = stage.runtime.now() - timedelta(minutes=1)
    rows = [
        Undelivered(
            callback=f"cb_{n}",
            endpoint=made["id"],
            subject=f"mtg_{n}",
            type="meeting.updated" if n % 2 else "meeting.failed",
            why=Why.REFUSED if n in (1, 4) else Why.EXHAUSTED,
            reason="no",
            announced_at=first,
            at=first + timedelta(seconds=n),
        )
        for n in range(5)
    ]
    await keep(stage, rows)
    body = {
        name: (first + timedelta(seconds=value)).isoformat() if isinstance(value, int) else value
        for name, value in wanted.items()
    }

    counted = await partner.ask("/v1/recover", dry_run=True, **body)
    started = await partner.ask("/v1/recover", **body)
    async with stage.at_work("house"):
        over = await ended(partner, started["id"])
    left = (await partner.read("/v1/undelivered"))["items"]
    waiting = (await partner.read(f"/v1/endpoints/{made['id']}"))["waiting"]

    every = {row.callback for row in rows}
    assert {row["callback"] for row in left} == every - {*recovered}
    assert waiting == counted["expected"] == over["recovered"] == len(recovered)


async def test_a_recovery_tells_how_far_it_is_and_is_cancelled_in_the_middle(
    partner: Partner, stage: Stage
) -> None:
    """What is on its way again stays so, the rest stays undelivered."""
    made = await partner.endpoint("http://127.0.0.1:9/")
    await partner.ask(f"/v1/endpoints/{made['id']}/pause")
    await list_many(stage, made["id"], 160)
    started = await partner.ask("/v1/recover")

    async with stage.at_work("house"):
        await until(lambda: walked_once(stage, started["id"]))
        halfway = await partner.read(f"/v1/recoveries/{started['id']}")
        await partner.ask(f"/v1/recoveries/{started['id']}/cancel")
        over = await ended(partner, started["id"])
    left = (await partner.read("/v1/undelivered", limit=200))["items"]
    waiting = (await partner.read(f"/v1/endpoints/{made['id']}"))["waiting"]

    assert (halfway["state"], halfway["expected"], halfway["recovered"]) == ("running", 160, 100)
    assert (over["state"], over["recovered"]) == ("cancelled", 100)
    assert (waiting, len(left)) == (100, 60)
