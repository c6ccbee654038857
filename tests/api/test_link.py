"""The link flow: bound to a browser, good once, and every end of it said in words."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from infra.seal import KeyRing
from infra.settings import Settings
from infra.store import Store
from schemas.connections import LinkRequest
from schemas.desk import ExchangeCode
from schemas.providers import ZOOM
from schemas.seals import Sealed
from tests.api.stage import DeskWorker, client
from webhooks.app import open_app

BACK = "https://partner.example/linked?keep=1"


@pytest.fixture
async def link(partner: httpx.AsyncClient) -> dict[str, Any]:
    zoom = {"provider": "zoom", "client_id": "our-app", "secret": "canary"}
    made = (await partner.post("/v1/clients", json=zoom)).json()["id"]
    answer = await partner.post(
        "/v1/connections/link", json={"client": made, "return_url": BACK, "user": "user-7"}
    )
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def asked_of(answer: httpx.Response) -> dict[str, str]:
    """What a redirect says, one value a name."""
    assert answer.status_code == 302, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


async def come_back(
    browser: httpx.AsyncClient, begun: httpx.Response, **more: str
) -> httpx.Response:
    params = {"state": asked_of(begun)["state"], **more}
    return await browser.get("/connect/callback/zoom", params=params)


async def test_the_person_is_sent_to_the_provider_with_state_and_challenge(
    stranger: httpx.AsyncClient, link: dict[str, Any], store: Store, vault: KeyRing
) -> None:
    answer = await stranger.get(link["url"])

    asked = asked_of(answer)
    kept = await store.documents.get("acme", LinkRequest, link["id"])
    assert kept is not None
    verifier = vault.open(kept.verifier_sealed, context=Sealed.PKCE_VERIFIER.of("acme", kept.id))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=")
    assert answer.headers["location"].startswith("http://zoom.test/oauth/authorize?")
    assert asked["code_challenge"] == challenge.decode()
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://api.test/connect/callback/zoom"
    assert asked["scope"].split() == [*(ZOOM.oauth.scopes if ZOOM.oauth else ())]
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=lax" in answer.headers["set-cookie"].lower()


async def test_a_code_becomes_a_connection(
    stranger: httpx.AsyncClient, link: dict[str, Any], worker: DeskWorker, vault: KeyRing
) -> None:
    worker.reply = lambda *_: {"state": "done", "connection": "con_new"}
    begun = await stranger.get(link["url"])

    answer = await come_back(stranger, begun, code="canary-code")

    (asked,) = worker.asked
    assert isinstance(asked.ask, ExchangeCode)
    context = Sealed.OAUTH_CODE.of("acme", link["id"])
    assert vault.open(asked.ask.code_sealed, context=context) == b"canary-code"
    assert asked.actor.kind == "application"
    assert answer.headers["location"] == f"{BACK}&connection=con_new"


async def test_a_page_that_is_reloaded_asks_no_second_time(
    stranger: httpx.AsyncClient, link: dict[str, Any], worker: DeskWorker
) -> None:
    worker.reply = lambda *_: {"state": "done", "connection": "con_new"}
    begun = await stranger.get(link["url"])
    cookies = dict(stranger.cookies)

    await come_back(stranger, begun, code="one")
    stranger.cookies.update(cookies)
    again = await come_back(stranger, begun, code="two")

    assert asked_of(again)["connection"] == "con_new"
    assert len(worker.asked) == 1


async def test_another_browser_cannot_finish_what_this_one_began(
    app: Starlette, stranger: httpx.AsyncClient, link: dict[str, Any], worker: DeskWorker
) -> None:
    begun = await stranger.get(link["url"])

    async with client(app) as victim:
        answer = await come_back(victim, begun, code="of-the-attacker")

    assert answer.status_code == 400
    assert "another browser" in answer.text
    assert worker.asked == []


async def test_the_browser_that_opened_last_counts(
    app: Starlette, stranger: httpx.AsyncClient, link: dict[str, Any], worker: DeskWorker
) -> None:
    worker.reply = lambda *_: {"state": "done", "connection": "con_new"}
    async with client(app) as preview:  # such as a mail scanner that opens every link
        begun_there = await preview.get(link["url"])
        begun = await stranger.get(link["url"])

        there = await come_back(preview, begun_there, code="x")
        here = await come_back(stranger, begun, code="y")

    assert there.status_code == 400
    assert asked_of(here)["connection"] == "con_new"


async def test_a_person_who_declines_is_sent_back_with_the_reason(
    stranger: httpx.AsyncClient, link: dict[str, Any], worker: DeskWorker
) -> None:
    begun = await stranger.get(link["url"])

    answer = await come_back(stranger, begun, error="access_denied")

    assert asked_of(answer)["error"] == "link-refused"
    assert asked_of(answer)["detail"].startswith("Consent was not given")
    assert asked_of(answer)["keep"] == "1"
    assert worker.asked == []


async def test_a_refusal_brings_the_worker_s_sentence_back(
    stranger: httpx.AsyncClient, link: dict[str, Any], worker: DeskWorker
) -> None:
    words = "Zoom granted too little: meeting:delete:meeting is missing. Tick it and link again."
    worker.reply = lambda *_: {"state": "refused", "problem": "link-refused", "detail": words}
    begun = await stranger.get(link["url"])

    answer = await come_back(stranger, begun, code="code")

    assert asked_of(answer)["error"] == "link-refused"
    assert asked_of(answer)["detail"] == words


async def test_without_a_worker_the_person_is_sent_back_at_once(
    stranger: httpx.AsyncClient, link: dict[str, Any]
) -> None:
    begun = await stranger.get(link["url"])

    answer = await come_back(stranger, begun, code="code")

    assert asked_of(answer)["error"] == "unavailable"


async def test_a_strange_error_of_the_provider_is_not_repeated_to_the_partner(
    stranger: httpx.AsyncClient, link: dict[str, Any]
) -> None:
    begun = await stranger.get(link["url"])

    answer = await come_back(stranger, begun, error="<script>alert(1)</script>")

    assert "script" not in answer.headers["location"]


@pytest.mark.parametrize("change", ["token", "id", "tenant"])
async def test_a_link_that_nobody_made_leads_nowhere(
    stranger: httpx.AsyncClient, link: dict[str, Any], change: str
) -> None:
    tenant, id_, secret = link["url"].rpartition("/")[2].split(".")
    flipped = "b" if secret[0] == "a" else "a"
    wrong = {
        "token": f"{tenant}.{id_}.{flipped}{secret[1:]}",
        "id": f"{tenant}.{id_[:-1]}{'b' if id_[-1] == 'a' else 'a'}.{secret}",
        "tenant": f"umbrella.{id_}.{secret}",
    }[change]

    answer = await stranger.get(f"/connect/{wrong}")

    assert answer.status_code == 404
    assert "not known here" in answer.text
    assert "set-cookie" not in answer.headers


async def expire(store: Store, link: dict[str, Any], **change: datetime) -> None:
    kept = await store.documents.get("acme", LinkRequest, link["id"])
    assert kept is not None
    await store.documents.put("acme", kept.model_copy(update=change))


async def test_a_link_is_good_for_ten_minutes(
    stranger: httpx.AsyncClient, link: dict[str, Any], store: Store, worker: DeskWorker
) -> None:
    begun = await stranger.get(link["url"])
    kept = await store.documents.get("acme", LinkRequest, link["id"])
    assert kept is not None
    long_ago = kept.expires_at.replace(year=2020)
    await expire(store, link, expires_at=long_ago)

    opened = await stranger.get(link["url"])
    finished = await come_back(stranger, begun, code="code")

    assert opened.status_code == 410
    assert asked_of(finished)["error"] == "link-expired"
    assert worker.asked == []


async def test_a_link_is_good_once(
    stranger: httpx.AsyncClient, link: dict[str, Any], store: Store, worker: DeskWorker
) -> None:
    begun = await stranger.get(link["url"])
    kept = await store.documents.get("acme", LinkRequest, link["id"])
    assert kept is not None
    await expire(store, link, spent_at=kept.expires_at)

    opened = await stranger.get(link["url"])
    finished = await come_back(stranger, begun, code="code")

    assert opened.status_code == 410
    assert asked_of(finished)["error"] == "link-expired"
    assert worker.asked == []


async def test_a_redirect_of_another_provider_is_not_believed(
    stranger: httpx.AsyncClient, link: dict[str, Any], worker: DeskWorker
) -> None:
    state = asked_of(await stranger.get(link["url"]))["state"]

    answer = await stranger.get(
        "/connect/callback/google", params={"state": state, "code": "mixed-up"}
    )

    assert answer.status_code == 400
    assert worker.asked == []


async def test_over_https_the_cookie_is_the_host_s_own(
    settings: Settings, partner: httpx.AsyncClient, link: dict[str, Any]
) -> None:
    secure = settings.model_copy(update={"public_url": "https://api.test"})

    async with open_app(secure) as app, client(app) as browser:
        answer = await browser.get(urlsplit(link["url"]).path)

    assert answer.headers["set-cookie"].startswith("__Host-tieline-lr_")
    assert "; secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "return_url",
    ["http://partner.example/x", "javascript:alert(1)", "https://u:p@x.example/", "https://x/#f"],
)
async def test_people_are_sent_back_to_a_plain_https_page_only(
    partner: httpx.AsyncClient, return_url: str
) -> None:
    zoom = {"provider": "zoom", "client_id": "our-app", "secret": "canary"}
    made = (await partner.post("/v1/clients", json=zoom)).json()["id"]

    answer = await partner.post(
        "/v1/connections/link", json={"client": made, "return_url": return_url}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "return_url"
