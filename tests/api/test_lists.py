"""Lists page by page: each thing once, by a cursor that only its list understands."""

from __future__ import annotations

import httpx
import pytest

from tests.api.stage import MEETING, kind_of
from webhooks.api import cursors

ENDPOINT = {"url": "https://partner.example/hook"}


async def test_every_endpoint_is_seen_once_however_the_pages_are_cut(
    partner: httpx.AsyncClient,
) -> None:
    made = [(await partner.post("/v1/endpoints", json=ENDPOINT)).json()["id"] for _ in range(7)]

    seen, after = [], ""
    while after is not None:
        page = (await partner.get("/v1/endpoints", params={"limit": 3, "after": after})).json()
        seen += [each["id"] for each in page["items"]]
        after = page["next"]

    assert seen == sorted(made)


async def test_a_cursor_says_nothing_to_its_holder(partner: httpx.AsyncClient) -> None:
    made = [(await partner.post("/v1/endpoints", json=ENDPOINT)).json()["id"] for _ in range(2)]

    cursor = (await partner.get("/v1/endpoints", params={"limit": 1})).json()["next"]

    assert cursor not in made


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "end_aaaaaaaaaaaaaaaaaaaa",
        "!",
        "ÿ",
        "A" * 500,
        cursors.write("listClients", "cli_aaaaaaaaaaaaaaaaaaaa"),
    ],
)
async def test_a_cursor_of_no_page_or_of_another_list_is_refused(
    partner: httpx.AsyncClient, cursor: str
) -> None:
    answer = await partner.get("/v1/endpoints", params={"after": cursor})

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")
    assert answer.json()["errors"][0]["field"] == "after"


async def test_a_forged_place_in_a_timeline_is_refused_too(partner: httpx.AsyncClient) -> None:
    await partner.put("/v1/meetings/one", json=MEETING)
    forged = cursors.write("readTimeline", "not a number")

    answer = await partner.get("/v1/meetings/one/timeline", params={"after": forged})

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1"])
async def test_a_page_has_1_to_200(partner: httpx.AsyncClient, limit: str) -> None:
    answer = await partner.get("/v1/endpoints", params={"limit": limit})

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-request")
