"""Microsoft's own client library, pointed at the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.day_of_week import DayOfWeek
from msgraph.generated.models.event import Event
from msgraph.generated.models.patterned_recurrence import PatternedRecurrence
from msgraph.generated.models.recurrence_pattern import RecurrencePattern
from msgraph.generated.models.recurrence_pattern_type import RecurrencePatternType
from msgraph.generated.models.recurrence_range import RecurrenceRange
from msgraph.generated.models.recurrence_range_type import RecurrenceRangeType
from msgraph.generated.models.subscription import Subscription
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory
from typing_extensions import override

from infra.sandbox.client import Tokens


class Bearer(AuthenticationProvider):
    """Signs every request with one token."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    async def authenticate_request(
        self,
        request: RequestInformation,
        additional_authentication_context: dict[str, Any] | None = None,
    ) -> None:
        request.headers.add("Authorization", f"Bearer {self._token}")


@asynccontextmanager
async def graph_at(sandbox: str, tokens: Tokens) -> AsyncIterator[GraphServiceClient]:
    """The client that the vendor's docs show, with its base URL at the sandbox."""
    async with (
        httpx.AsyncHTTPTransport() as line,  # Microsoft's middleware does not close what it wraps
        httpx.AsyncClient(transport=line, timeout=60) as http,
    ):
        client = GraphClientFactory.create_with_default_middleware(options=options, client=http)
        adapter = GraphRequestAdapter(Bearer(tokens.access), client=client)
        adapter.base_url = f"{sandbox}/graph/v1.0"
        yield GraphServiceClient(request_adapter=adapter)


def event(subject: str = "Standup", **more: Any) -> Event:  # noqa: ANN401 - the vendor's fields
    """An event of an hour in Madrid."""
    return Event(
        subject=subject,
        start=DateTimeTimeZone(date_time="2027-01-04T10:00:00", time_zone="Romance Standard Time"),
        end=DateTimeTimeZone(date_time="2027-01-04T11:00:00", time_zone="Romance Standard Time"),
        **more,
    )


def subscription(address: str, **more: Any) -> Subscription:  # noqa: ANN401 - likewise
    """A subscription to the signed-in person's events."""
    given: dict[str, Any] = {
        "change_type": "created,updated,deleted",
        "notification_url": address,
        "lifecycle_notification_url": address,
        "resource": "me/events",
        "client_state": "secret",
        **more,
    }
    return Subscription(**given)


def weekly(count: int) -> PatternedRecurrence:
    """So many Mondays."""
    return PatternedRecurrence(
        pattern=RecurrencePattern(
            type=RecurrencePatternType.Weekly, interval=1, days_of_week=[DayOfWeek.Monday]
        ),
        range=RecurrenceRange(type=RecurrenceRangeType.Numbered, number_of_occurrences=count),
    )
