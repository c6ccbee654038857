"""Google's own client library, pointed at the sandbox and driven from a thread."""

from __future__ import annotations

import asyncio
from typing import Any

from google.api_core.client_options import ClientOptions
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import HttpRequest

from infra.sandbox.client import Tokens


class Google:
    """`service` is what the vendor's `build` returns; `do` executes one of its requests."""

    def __init__(self, sandbox: str, tokens: Tokens) -> None:
        credentials = Credentials(
            tokens.access,
            refresh_token=tokens.refresh,
            token_uri=f"{sandbox}/google/oauth/token",
            client_id="sandbox-google",
            client_secret="google-secret",
        )
        options = ClientOptions(api_endpoint=f"{sandbox}/google/calendar/v3/")
        self.service = build(
            "calendar",
            "v3",
            credentials=credentials,
            client_options=options,
            static_discovery=True,
        )
        self.events = self.service.events()

    async def do(self, request: HttpRequest) -> dict[str, Any]:
        return await asyncio.to_thread(request.execute)

    async def refused(self, request: HttpRequest) -> tuple[int, str]:
        """Execute a request that is refused; returns its status and Google's reason."""
        try:
            await self.do(request)
        except HttpError as error:
            return error.status_code, error.error_details[0]["reason"]
        raise AssertionError("it was not refused")

    def close(self) -> None:
        self.service.close()


def event(**body: object) -> dict[str, Any]:
    """An event body of an hour."""
    return {
        "summary": "Standup",
        "start": {"dateTime": "2027-01-04T10:00:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2027-01-04T11:00:00+01:00", "timeZone": "Europe/Berlin"},
        **body,
    }
