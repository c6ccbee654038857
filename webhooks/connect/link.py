"""How does a person link an account? From the partner's page to the provider's, and back.

The state that travels is the request's id and the SHA-256 of a cookie, so a redirect counts only in
the browser that began it (RFC 9700 §4.7). The code is sealed as it comes; a worker spends it, once.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import httpx
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.errors import Conflict, StoreAway, StoreFull
from infra.lanes import Unit
from infra.tokens import OAuth, authorise_url, new_verifier
from schemas.connections import Client, Connection, LinkRequest
from schemas.desk import DeskAnswer, DeskRequest, ExchangeCode
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS, Urls
from schemas.providers import OAuth as ProviderOAuth
from schemas.seals import Sealed
from webhooks.api.addresses import doors_of, redirect_url
from webhooks.api.auth import TENANT, digest
from webhooks.api.desk import Asking
from webhooks.api.front import Front
from webhooks.api.links import LINK_WITHIN
from webhooks.api.problems import Denied
from webhooks.pages import words

_TOKEN: Final = re.compile(rf"({TENANT})\.(lr_[a-z2-7]{{20}})\.([a-z2-7]{{52}})")
_STATE: Final = re.compile(rf"({TENANT})\.(lr_[a-z2-7]{{20}})\.([0-9a-f]{{64}})")
_CODE: Final = re.compile(r"[\x21-\x7e]{1,4000}")
_ERROR: Final = re.compile(r"[a-z_]{1,40}")
START_AGAIN: Final = "Go back to the application that sent you here, and start again."


@dataclass(frozen=True, slots=True)
class Found:
    """A link request, and whose it is."""

    tenant: str
    request: LinkRequest


@dataclass(frozen=True, slots=True)
class _Vendor:
    client_id: str
    urls: Urls
    oauth: ProviderOAuth


def routes(front: Front) -> list[Route]:
    """The pages of the link flow."""
    return [
        Route("/connect/callback/{provider}", partial(_finish, front), methods=["GET"]),
        Route("/connect/{token}", partial(_begin, front), methods=["GET"]),
    ]


async def _begin(front: Front, request: Request) -> Response:
    """Bind this browser and send it to the provider. Opened again, the last browser counts."""
    try:
        found = await _by_token(front, request.path_params["token"])
        return await _send_away(front, found)
    except _Page as page:
        return page.response
    except Conflict:
        return words("One moment", "The link was opened twice at once.", START_AGAIN, status=409)
    except (StoreAway, StoreFull):
        return _later()


async def _finish(front: Front, request: Request) -> Response:
    """Take what the provider sent the browser back with. Reloading waits for the same answer."""
    try:
        found = await _by_state(front, request)
        came = await _outcome(front, found, request.query_params)
    except _Page as page:
        return page.response
    except (StoreAway, StoreFull):
        return _later()
    if came is None:
        return words("One moment", "The account is being linked.", status=200, refresh_s=2)
    back = httpx.URL(found.request.return_url).copy_merge_params(came)
    response = RedirectResponse(str(back), 302, {"Cache-Control": "no-store"})
    response.delete_cookie(_cookie(front, found.request.id), secure=_secure(front), httponly=True)
    return response


class _Page(Exception):
    """There is nowhere to send the person back to: say it here."""

    def __init__(self, title: str, *sentences: str, status: int) -> None:
        super().__init__(title)
        self.response = words(title, *sentences, status=status)


async def _by_token(front: Front, token: str) -> Found:
    spelt = _TOKEN.fullmatch(token)
    found = spelt and await front.store.documents.get(spelt[1], LinkRequest, spelt[2])
    if not spelt or not found or not hmac.compare_digest(digest(spelt[3]), found.token_sha256):
        raise _Page("No such link", "This link is not known here.", START_AGAIN, status=404)
    if found.spent_at is not None or front.now() > found.expires_at:
        why = "used already" if found.spent_at else "made more than ten minutes ago"
        raise _Page("This link is over", f"It was {why}.", START_AGAIN, status=410)
    return Found(spelt[1], found)


async def _send_away(front: Front, found: Found) -> Response:
    request, tenant = found.request, found.tenant
    vendor = await _vendor(front, found)
    cookie, verifier = front.new_secret(), new_verifier()
    context = Sealed.PKCE_VERIFIER.of(tenant, request.id)
    sealed = front.vault.seal(verifier.get_secret_value().encode(), context=context)
    bound = {"browser_sha256": digest(cookie), "verifier_sealed": sealed}
    await front.store.lanes.submit(tenant, Unit(puts=[request.model_copy(update=bound)]))
    urls, oauth = vendor.urls, vendor.oauth
    away = authorise_url(
        OAuth(urls.authorize, urls.token, extra=oauth.authorize_extra),
        client_id=vendor.client_id,
        redirect_uri=redirect_url(front.settings.public_url, request.provider),
        scopes=(*oauth.asked, *await _more_scopes(front, found)),
        state=f"{tenant}.{request.id}.{digest(cookie)}",
        verifier=verifier,
    )
    response = RedirectResponse(away, 302, {"Cache-Control": "no-store"})
    _bind(front, response, request.id, cookie)
    return response


async def _vendor(front: Front, found: Found) -> _Vendor:
    """Where the person is asked for consent, and as whose app."""
    request = found.request
    client = await front.store.documents.get(found.tenant, Client, request.client)
    base_url = client.base_url if client else None
    provider = doors_of(PROVIDERS[request.provider], base_url, front.settings)
    if client is None or provider.oauth is None:
        raise _Page("This link is over", "Its client was removed.", START_AGAIN, status=410)
    return _Vendor(client.client_id, provider.urls, provider.oauth)


async def _more_scopes(front: Front, found: Found) -> tuple[str, ...]:
    """What is asked for beyond the least; a link that is renewed keeps what it was granted."""
    request, documents = found.request, front.store.documents
    known = PROVIDERS[request.provider].oauth
    wider = known.wider_scopes if known else ()
    before = await documents.get(found.tenant, Connection, request.connection or "-")
    had = before.scopes if before else ()
    return tuple(one for one in wider if one in request.more_scopes or one in had)


def _bind(front: Front, response: Response, link: str, cookie: str) -> None:
    response.set_cookie(
        _cookie(front, link),
        cookie,
        max_age=int(LINK_WITHIN.total_seconds()),
        secure=_secure(front),
        httponly=True,
        samesite="lax",  # the provider's redirect must bring it along
    )


async def _by_state(front: Front, request: Request) -> Found:
    stranger = _Page(
        "This page does not belong to a link of this browser",
        "The link was opened in another browser, opened again later, or is over.",
        START_AGAIN,
        status=400,
    )
    spelt = _STATE.fullmatch(request.query_params.get("state", ""))
    found = spelt and await front.store.documents.get(spelt[1], LinkRequest, spelt[2])
    if not spelt or not found or found.provider != request.path_params["provider"]:
        raise stranger
    cookie = digest(request.cookies.get(_cookie(front, found.id), ""))
    same = hmac.compare_digest(cookie, found.browser_sha256)
    if not same or not hmac.compare_digest(spelt[3], found.browser_sha256):
        raise stranger
    return Found(spelt[1], found)


async def _outcome(
    front: Front, found: Found, query: Mapping[str, str]
) -> Mapping[str, str] | None:
    """What the partner's page is told; None while a worker is at it."""
    if error := query.get("error"):
        return _refused(error)
    code = query.get("code", "")
    if not _CODE.fullmatch(code):
        return _told(ProblemType.LINK_REFUSED, "The provider sent no code. Start again.")
    try:
        answer = await _exchange(front, found, code)
    except Denied as denied:
        return _told(denied.kind, denied.detail)
    if answer is None:
        return None
    warned = {"warning": " ".join(answer.sentences)} if answer.sentences else {}
    return {"connection": answer.connection or "", **warned}


async def _exchange(front: Front, found: Found, code: str) -> DeskAnswer | None:
    """Ask a worker to spend the code. The desk request's id follows from the link's, so that a
    reloaded page, or a redirect that was replayed, asks for nothing a second time."""
    tenant, link = found.tenant, found.request
    id_ = f"dr_{link.id.removeprefix('lr_')}"
    asked = await front.store.documents.get(tenant, DeskRequest, id_)
    if asked is None and (link.spent_at is not None or front.now() > link.expires_at):
        raise Denied(ProblemType.LINK_EXPIRED, "The link was over before consent. Start again.")
    context = Sealed.OAUTH_CODE.of(tenant, link.id)
    ask = ExchangeCode(
        link_request=link.id, code_sealed=front.vault.seal(code.encode(), context=context)
    )
    heard = await front.desk.ask(Asking(tenant, link.actor, ask, id=id_))
    return heard.answer


def _refused(error: str) -> Mapping[str, str]:
    if error == "access_denied":
        return _told(ProblemType.LINK_REFUSED, "Consent was not given. Start again to give it.")
    known = error if _ERROR.fullmatch(error) else "an error without a name"
    return _told(
        ProblemType.LINK_REFUSED,
        f"The provider refused: {known}. Check the client's id, redirect address and scopes there.",
    )


def _told(kind: ProblemType, detail: str) -> Mapping[str, str]:
    return {"error": kind.value, "detail": detail}


def _later() -> Response:
    return words("One moment", "The store does not answer.", status=503, refresh_s=3)


def _secure(front: Front) -> bool:
    return front.settings.public_url.startswith("https://")


def _cookie(front: Front, link: str) -> str:
    """One cookie a link, so that two tabs do not disturb each other. `__Host-` needs https."""
    return f"{'__Host-' if _secure(front) else ''}tieline-{link}"
