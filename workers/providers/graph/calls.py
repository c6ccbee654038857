"""How does a call to Microsoft Graph go out? Immutable ids, times in UTC, and a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import httpx

from infra.http.wire import Wire
from workers.ports import Access
from workers.providers.graph.answers import remedy

PAGE: Final = 50
"""Events a page: each that carries our link is read once more, within one call's patience."""
PREFER: Final = f'IdType="ImmutableId", outlook.timezone="UTC", odata.maxpagesize={PAGE}'
"""Without immutable ids, an event that is moved to another calendar becomes another event."""


def mailbox(access: Access) -> str:
    """Where a mailbox is: its own person's as well as one that an application may open."""
    return f"{access.api}/users/{part(access.host)}" if access.host else f"{access.api}/me"


def part(name: str) -> str:
    """A name as part of a path. Ids are case-sensitive and may hold `=`."""
    return quote(name, safe="=")


def is_ours(access: Access, link: str) -> bool:
    """Whether a link that we were given leads to where we call, and nowhere else."""
    return link.startswith(f"{access.api}/")


class Asking(NamedTuple):
    """One call: its point, where it goes, and the permission that it needs."""

    name: str
    method: str
    url: str
    needs: str = "Calendars.ReadWrite"


async def call(
    wire: Wire,
    asking: Asking,
    access: Access,
    *,
    body: Mapping[str, Any] | None = None,
    etag: str = "",
    send_by: float | None = None,
) -> httpx.Response:
    """Ask, once. Raises what the answer is."""
    headers = {"Authorization": f"Bearer {access.token}", "Prefer": PREFER}
    if etag:
        headers["If-Match"] = etag
    request = httpx.Request(asking.method, asking.url, headers=headers, json=body)
    async with access.turn():
        answer = await wire.send(request, name=asking.name, send_by=send_by)
    if error := remedy(answer, access.host or access.connection, asking.needs):
        raise error
    return answer
