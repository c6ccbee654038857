"""Conferences of an account: what is refused before any worker is asked."""

from __future__ import annotations

import httpx

from schemas.providers import Role
from tests.api.stage import DeskWorker, LinkUp

ELEVEN, TEN = "2027-01-05T11:00:00Z", "2027-01-05T10:00:00Z"


async def test_a_conference_that_ends_before_it_begins_is_asked_of_nobody(
    partner: httpx.AsyncClient, worker: DeskWorker, link_up: LinkUp
) -> None:
    goto = await link_up(Role.CONFERENCING, "goto")
    draft = {"title": "Interview", "starts_at": ELEVEN, "ends_at": TEN}

    answer = await partner.post(f"/v1/connections/{goto}/conferences", json=draft)

    assert answer.status_code == 422
    assert "ends_at must be after starts_at" in answer.text
    assert worker.asked == []
