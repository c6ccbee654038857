"""How does a mailbox's push channel come, live on and end?

https://learn.microsoft.com/graph/api/resources/subscription
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from infra.certificates import Certificate
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
CONTENT_LIFE: Final = timedelta(minutes=1_440) - timedelta(minutes=5)
"""Of one whose notifications carry content."""
SELECTED: Final = "id,changeKey"
"""The version is all that we want to be told: the event itself is read."""


class Asked(NamedTuple):
    """When it is asked for, and for which certificate content is to be encrypted; none for none."""

    now: datetime
    certificate: Certificate | None = None

    @property
    def lives(self) -> tuple[timedelta, ...]:
        """How long it may live: what is asked for first, and then."""
        return (CONTENT_LIFE,) if self.certificate else (LIFE, OLD_LIFE, CONTENT_LIFE)

    @property
    def encryption(self) -> dict[str, str]:
        """The certificate, in Graph's words."""
        if self.certificate is None:
            return {}
        return {
            "encryptionCertificate": self.certificate.base64,
            "encryptionCertificateId": self.certificate.id,
        }


async def subscribe(
    wire: Wire, access: Access, asked: Asked, *, address: str, secret: str
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
    if asked.certificate is not None:
        resource = f"{body['resource']}?$select={SELECTED}"
        body |= {"resource": resource, "includeResourceData": True, **asked.encryption}
    try:
        return await _created(wire, access, body, asked)
    except Conflict:
        await _end_twins(wire, access, address)
    try:
        return await _created(wire, access, body, asked)
    except Conflict as error:
        words = "another installation of this client watches the mailbox already"
        raise Refused(words) from error


async def renew(wire: Wire, access: Access, name: str, asked: Asked) -> Channel | None:
    """Let a subscription live on; None when it is gone, or tells content and must not, or the other
    way round: that is changed only by another one. It learns of a new certificate by the way."""
    asking = Asking("graph.renew", "PATCH", _at(access, name))
    try:
        found = await _living(wire, access, asking, asked, body={})
        if bool(found.tells_content) is not (asked.certificate is not None):
            return None
        if asked.certificate is not None and found.certificate != asked.certificate.id:
            found = await _living(wire, access, asking, asked, body=asked.encryption)
    except Vanished:
        return None
    return _channel(found)


async def stop(wire: Wire, access: Access, name: str) -> None:
    """End a subscription; one that is gone has ended."""
    with suppress(Vanished):  # what we wanted
        await call(wire, Asking("graph.stop", "DELETE", _at(access, name)), access)


async def _created(wire: Wire, access: Access, body: dict[str, Any], asked: Asked) -> Channel:
    asking = Asking("graph.watch", "POST", f"{access.api}/subscriptions")
    return _channel(await _living(wire, access, asking, asked, body=body))


async def _living(
    wire: Wire, access: Access, asking: Asking, asked: Asked, *, body: Mapping[str, Any]
) -> SubscriptionRow:
    """Ask for the longest life that Graph grants."""
    *others, shortest = asked.lives
    for life in others:
        try:
            return await _granted(wire, access, asking, body=body, until=asked.now + life)
        except Refused as refused:
            if "expiration" not in refused.reason.casefold():
                raise
    return await _granted(wire, access, asking, body=body, until=asked.now + shortest)


async def _granted(
    wire: Wire, access: Access, asking: Asking, *, body: Mapping[str, Any], until: datetime
) -> SubscriptionRow:
    whole = {**body, "expirationDateTime": instant(until)}
    return read(SubscriptionRow, await call(wire, asking, access, body=whole))


async def _end_twins(wire: Wire, access: Access, address: str) -> None:
    """End what our own tenant's addresses are subscribed with: another tenant's is not ours."""
    tenant = address.rpartition(".")[0] + "."
    wanted = f"users/{access.host}/events".casefold()
    async for one in _listed(wire, access):
        resource = one.resource.partition("?")[0]
        same = resource.casefold().strip("/") in (wanted, "me/events")
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
