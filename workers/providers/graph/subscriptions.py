"""How does a mailbox's push channel come, live on and end?

https://learn.microsoft.com/graph/api/resources/subscription
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from infra.errors import Conflict, Refused, Vanished
from infra.http.wire import Wire
from schemas.wire.graph import SubscriptionRow, SubscriptionRows, instant
from workers.ports import Access, Channel
from workers.providers.graph.answers import read
from workers.providers.graph.calls import Asking, call, is_ours, part

LIFE: Final = timedelta(minutes=10_080) - timedelta(minutes=5)
"""As long as Graph allows, less what two clocks may differ."""
OLD_LIFE: Final = timedelta(minutes=4_230)
"""What it allowed before, and may in some cloud still."""


async def subscribe(
    wire: Wire, access: Access, *, address: str, secret: str, now: datetime
) -> Channel:
    """Subscribe to a mailbox's events. Graph greets the address before it answers. A twin of ours
    that we lost sight of is ended first. Raises Refused in words."""
    body: dict[str, Any] = {
        "changeType": "created,updated,deleted",
        "notificationUrl": address,
        "lifecycleNotificationUrl": address,
        "resource": f"users/{access.host}/events",
        "clientState": secret,
        "latestSupportedTlsVersion": "v1_2",
    }
    try:
        return await _created(wire, access, body, now)
    except Conflict:
        await _end_twins(wire, access, address)
    try:
        return await _created(wire, access, body, now)
    except Conflict as error:
        words = "another installation of this client watches the mailbox already"
        raise Refused(words) from error


async def renew(wire: Wire, access: Access, name: str, *, now: datetime) -> Channel | None:
    """Let a subscription live on; None when it is gone."""
    body = {"expirationDateTime": instant(now + LIFE)}
    try:
        answer = await call(
            wire, Asking("graph.renew", "PATCH", _at(access, name)), access, body=body
        )
    except Vanished:
        return None
    return _channel(read(SubscriptionRow, answer))


async def stop(wire: Wire, access: Access, name: str) -> None:
    """End a subscription; one that is gone has ended."""
    with suppress(Vanished):  # what we wanted
        await call(wire, Asking("graph.stop", "DELETE", _at(access, name)), access)


async def _created(wire: Wire, access: Access, body: dict[str, Any], now: datetime) -> Channel:
    url = f"{access.api}/subscriptions"
    for life in (LIFE, OLD_LIFE):
        asked = {**body, "expirationDateTime": instant(now + life)}
        try:
            answer = await call(wire, Asking("graph.watch", "POST", url), access, body=asked)
            return _channel(read(SubscriptionRow, answer))
        except Refused as refused:
            if life is OLD_LIFE or "expiration" not in refused.reason.casefold():
                raise
    raise AssertionError("the last life is either answered or refused")


async def _end_twins(wire: Wire, access: Access, address: str) -> None:
    """End what our own tenant's addresses are subscribed with: another tenant's is not ours."""
    tenant = address.rpartition(".")[0] + "."
    wanted = f"users/{access.host}/events".casefold()
    async for one in _listed(wire, access):
        same = one.resource.casefold().strip("/") in (wanted, "me/events")
        if same and one.address.startswith(tenant):
            await stop(wire, access, one.id)


async def _listed(wire: Wire, access: Access) -> AsyncIterator[SubscriptionRow]:
    url: str | None = f"{access.api}/subscriptions"
    while url is not None and is_ours(access, url):
        answer = await call(wire, Asking("graph.subscriptions", "GET", url), access)
        said = read(SubscriptionRows, answer)
        for row in said.value:
            yield row
        url = said.next_link


def _at(access: Access, name: str) -> str:
    return f"{access.api}/subscriptions/{part(name)}"


def _channel(said: SubscriptionRow) -> Channel:
    """Graph chooses the id itself: what Google calls the resource."""
    return Channel(resource=said.id, expires_at=said.expires_at)
