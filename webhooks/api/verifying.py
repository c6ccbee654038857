"""How does a partner know that a callback is ours? The words, and the code that can be copied."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from infra import verifier
from webhooks.pages import prose

SOURCE: Final = "/docs/verifier.py"

SNIPPET: Final = """\
from datetime import UTC, datetime

from verifier import Unproven, verify


def hear(headers, raw_body, secrets, seen):
    try:
        verify(headers, raw_body, secrets, now=datetime.now(UTC))
    except Unproven as refused:
        return 400, refused.reason.name  # to your log, not to the sender
    if headers["webhook-id"] in seen:
        return 204, "REPEATED"  # heard before: say so again, do nothing
    seen.add(headers["webhook-id"])
    return 204, "HEARD"
"""

RULES: Final = """\
Any library of Standard Webhooks verifies v1. The module below does too, and v1a, and says why it
refuses: a missing header, a timestamp that is none, too old, too new, no usable secret, no
signature that matches.

Answer with a 2xx within the endpoint's timeout, and do your work afterwards. A redirect is a
failure. `Retry-After` is honoured up to twelve hours. 410, or the answer header
`webhook-delivery: disable`, ends the endpoint; `webhook-delivery: abort-message` gives that one
callback up.

The same `webhook-id` is the same callback. Callbacks about one subject come in order and are
numbered by `sequence`; what carries `tieline-redelivery: true` comes outside that order.

Public keys of v1a are at `/.well-known/jwks.json?tenant=…`, named by their RFC 7638 thumbprints.
Take keys from there or from the endpoint, never from a callback."""


def section() -> Iterator[str]:
    """The part of the page, as HTML."""
    yield '<h2 id="verifying">Verifying callbacks</h2>'
    yield from (f"<p>{prose(rule)}</p>" for rule in RULES.split("\n\n"))
    yield f'<pre id="verify">{escape(SNIPPET)}</pre>'
    yield f'<p>Save <a href="{SOURCE}">verifier.py</a> beside it: one file, for Python 3.11.</p>'


def routes() -> list[Route]:
    """The module itself, to be copied."""
    text = inspect.getsource(verifier)

    async def read(_: Request) -> Response:
        return PlainTextResponse(text)

    return [Route(SOURCE, read)]
