"""What does a person see and do at a provider's consent page?"""

from __future__ import annotations

import html
from collections.abc import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from infra.sandbox.oauth import Authority
from infra.sandbox.stage import Stage

_PAGE = """<!doctype html><meta charset="utf-8"><title>{provider} (sandbox)</title>
<body style="font:16px system-ui;max-width:32rem;margin:4rem auto">
<h1>{provider}: choose an account</h1><p>{client} asks for: {scopes}</p><ul>{choices}</ul>"""


class Consenting:
    """The authorize page: sends the browser straight back, or asks a person who signs in.

    Who signs in is the query's `login_hint`, else what the control API set, else the first
    account. A page is shown when the control API asked for one and no account is chosen yet.
    """

    def __init__(
        self,
        stage: Stage,
        provider: str,
        who: Callable[[str], list[str]],
        authority: Callable[[], Authority],
    ) -> None:
        self._stage = stage
        self._provider = provider
        self._who = who
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page."""
        self._stage.calls.counts[f"{self._provider}.authorize"] += 1
        request = Request(scope, receive)
        await self._respond(dict(request.query_params))(scope, receive, send)

    def _respond(self, query: dict[str, str]) -> Response:
        authority = self._authority()
        client = authority.clients.get(query.get("client_id", ""))
        back = query.get("redirect_uri", "")
        if client is None or query.get("response_type") != "code" or not back:
            return HTMLResponse("Error 400: invalid_request", status_code=400)
        if client.redirect_uris and back not in client.redirect_uris:
            return HTMLResponse("Error 400: redirect_uri_mismatch", status_code=400)
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            return HTMLResponse("Error 400: only S256 is accepted", status_code=400)
        chosen = self._who(query.get("login_hint") or authority.consent.account)
        if not chosen:
            return HTMLResponse("Error 400: nobody has an account here", status_code=400)
        if authority.consent.page and "login_hint" not in query:
            return HTMLResponse(self._page(query, self._who("")))
        return RedirectResponse(authority.approve(query, chosen[0]), status_code=302)

    def _page(self, query: dict[str, str], accounts: list[str]) -> str:
        links = [
            f'<li><a href="?{html.escape(urlencode(query | {"login_hint": name}))}">'
            f"{html.escape(name)}</a></li>"
            for name in accounts
        ]
        return _PAGE.format(
            provider=self._provider.title(),
            client=html.escape(query["client_id"]),
            scopes=html.escape(query.get("scope", "")),
            choices="".join(links),
        )
