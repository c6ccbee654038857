"""Is there a page for people beside the one for developers, and does it say what is true today?"""

from __future__ import annotations

import re

import httpx

from schemas.providers import PROVIDERS


async def test_people_and_developers_find_their_page_and_each_others(
    stranger: httpx.AsyncClient,
) -> None:
    """S4-13."""
    people, developers = await stranger.get("/help"), await stranger.get("/docs")

    assert (people.status_code, developers.status_code) == (200, 200)
    assert '<a href="/docs">' in people.text
    assert '<a href="/help">' in developers.text
    assert "/v1/" not in people.text
    assert "/v1/" in developers.text


async def test_people_read_what_each_provider_is_asked_for(stranger: httpx.AsyncClient) -> None:
    page = (await stranger.get("/help")).text

    asked = {scope for row in PROVIDERS.values() if row.oauth for scope in row.oauth.scopes}
    named = {scope for row in PROVIDERS.values() if row.oauth for scope in row.oauth.wider_scopes}
    shown = set(re.findall(r"<code>([^<]+)</code>", page))
    assert asked | named <= shown
    assert [row.title for row in PROVIDERS.values() if f">{row.title}</h3>" not in page] == []


async def test_people_read_how_long_what_is_kept(stranger: httpx.AsyncClient) -> None:
    page = (await stranger.get("/help")).text

    assert "7 days" in page
    assert "30 days" in page


async def test_the_page_for_people_loads_nothing_from_anywhere(
    stranger: httpx.AsyncClient,
) -> None:
    page = await stranger.get("/help")

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<(script|img|link|iframe)|\bsrc=|url\(|@import", page.text)
    assert "`" not in page.text
