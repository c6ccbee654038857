"""Do the addresses of a new subscription greet? Asked before it is made, while its caller waits.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.sandbox.courier import Parcel
from infra.sandbox.documents import Doc, text
from infra.sandbox.graph.errors import reply

if TYPE_CHECKING:
    from infra.sandbox.graph.simulator import Graph

_WORDS = "Validation: Testing client application reachability + for Request-Id: ü "
_FAILED = (
    "Subscription validation request failed. Response must exactly match validationToken query"
    " parameter."
)
_ADDRESSES = ("notificationUrl", "lifecycleNotificationUrl")


class Greeted:
    """`POST /subscriptions` behind the handshake with every address it names."""

    def __init__(self, graph: Graph, operation: ASGIApp) -> None:
        self._graph = graph
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = await _body(receive)
        wrong = await self._wrong(body) if self._graph.settings.handshake else ""
        if wrong:
            said = reply(400, "ValidationError", wrong)
            await send({"type": "http.response.start", "status": 400, "headers": said.headers})
            await send({"type": "http.response.body", "body": said.body})
            return

        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self._operation(scope, again, send)

    async def _wrong(self, body: bytes) -> str:
        """What is wrong with the addresses; empty when all of them greet."""
        try:
            doc: Doc = orjson.loads(body)
        except ValueError:
            return ""  # the operation refuses it in its own words
        for address in sorted({text(doc, name) for name in _ADDRESSES} - {""}):
            if wrong := await self._greet(address):
                return wrong
        return ""

    async def _greet(self, address: str) -> str:
        token = _WORDS + self._graph.new_guid()
        sep = "&" if "?" in address else "?"
        status, said = await self._graph.stage.courier.ask(
            Parcel(
                provider="graph",
                stream=f"graph:{address}",
                label="handshake",
                url=f"{address}{sep}validationToken={quote(token, safe='')}",
                body=b"",
                headers=_headers,
                again=_never,
            )
        )
        if status is None:
            return "Subscription validation request timed out."
        if status != HTTPStatus.OK or said.decode("utf-8", "replace") != token:
            return f"{_FAILED} Got {status}."
        return ""


def _headers(_: datetime) -> dict[str, str]:
    return {"Content-Type": "text/plain; charset=utf-8"}


def _never(_: int | None, __: int) -> timedelta | None:
    return None


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body
