"""What does a partner receive? One signed request: the callback in its format, with the headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx
import orjson
from pydantic import SecretStr

from infra.lanes import Item
from infra.signatures import sign
from schemas.endpoints import Endpoint, Health
from schemas.items import Announced
from schemas.seals import Sealed
from workers.domain.delivering import Plan
from workers.domain.formats import write_as
from workers.runtime import Runtime

BY_HAND: Final = ("again/", "test/")
"""How the subjects of lanes begin that the API posts to when somebody asks for one callback."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One callback on its way to one endpoint."""

    tenant: str
    subject: str
    endpoint: Endpoint
    health: Health | None
    item: Item
    said: Announced
    body: bytes
    number: int
    """Which attempt this is, from 1."""

    @property
    def in_order(self) -> bool:
        """Whether it lies in the lane of its subject; what was asked for by hand does not."""
        return not self.subject.startswith(BY_HAND)

    @property
    def plan(self) -> Plan:
        """How its failures are followed up."""
        return Plan(self.endpoint.schedule, self.endpoint.head_of_line)

    @property
    def deadline(self) -> timedelta:
        """For the whole attempt."""
        return timedelta(seconds=self.endpoint.timeout_s)


def signed(
    runtime: Runtime, delivery: Delivery, attempt: str, now: datetime
) -> tuple[dict[str, str], bytes]:
    """Headers and body. The id is the same in every attempt, the timestamp is the attempt's; no
    header that the endpoint brought stands in the place of one of ours."""
    endpoint = delivery.endpoint
    described, body = write_as(endpoint.format, delivery.body, delivery.tenant)
    name = f"{delivery.said.callback}_{endpoint.id}"
    ours = {
        **described,
        "user-agent": "Tieline (callbacks; https://www.standardwebhooks.com)",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign(name, body, at=now, secrets=_signing(runtime, delivery, now)),
        "tieline-attempt": attempt,
        **_circumstances(runtime, delivery),
    }
    theirs = _extra(runtime, delivery)
    kept = {k: v for k, v in theirs.items() if k.lower() not in ours}
    return {**kept, **ours}, body


def origin_of(runtime: Runtime) -> str:
    """Who calls, as the handshake of CloudEvents names it: a DNS name."""
    return httpx.URL(runtime.settings.public_url).host


def extra_headers(runtime: Runtime, tenant: str, endpoint: Endpoint) -> dict[str, str]:
    """The headers that the endpoint brought, opened."""
    if endpoint.headers_sealed is None:
        return {}
    context = Sealed.ENDPOINT_HEADERS.of(tenant, endpoint.id)
    headers: dict[str, str] = orjson.loads(
        runtime.vault.open_often(endpoint.headers_sealed, context=context)
    )
    return headers


def _extra(runtime: Runtime, delivery: Delivery) -> dict[str, str]:
    return extra_headers(runtime, delivery.tenant, delivery.endpoint)


def _circumstances(runtime: Runtime, delivery: Delivery) -> dict[str, str]:
    said: dict[str, str] = {}
    if delivery.said.again:
        said["tieline-redelivery"] = "true"
    if delivery.said.test:
        said["tieline-test"] = "true"
    if delivery.endpoint.challenge:
        said["webhook-request-origin"] = origin_of(runtime)
    return said


def _signing(runtime: Runtime, delivery: Delivery, now: datetime) -> list[SecretStr]:
    context = Sealed.ENDPOINT_SECRET.of(delivery.tenant, delivery.endpoint.id)
    return [
        SecretStr(runtime.vault.open_often(secret.sealed, context=context).decode())
        for secret in delivery.endpoint.secrets
        if secret.signs(now)
    ]
