"""How does a test ask the desk, and have a person consent? Shared by its tests."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import SecretStr

from infra import tokens as oauth
from infra.lanes import Item, Lane, Post, Unit
from infra.sandbox.client import Sandbox
from schemas.connections import Client, LinkRequest
from schemas.desk import DeskAnswer, DeskAsk, DeskRequest, ExchangeCode, LinkGiven
from schemas.items import DeskAsked, write_load
from schemas.providers import PROVIDERS, Role
from schemas.seals import Sealed
from tests.workers.stage import APPLICATION, Stage, until
from workers.tokens import redirect_uri

VERIFIER = SecretStr("v" * 50)


async def ask(stage: Stage, wanted: DeskAsk, **facts: object) -> DeskAnswer:
    """Ask the desk and wait for the answer."""
    name = await put(stage, wanted, **facts)
    documents = stage.runtime.store.documents

    async def answered() -> DeskAnswer | None:
        return await documents.get(stage.tenant, DeskAnswer, name)

    async with stage.at_work("desk", "connection"):
        await until(answered)
    answer = await answered()
    assert answer is not None
    return answer


async def put(stage: Stage, wanted: DeskAsk, **facts: object) -> str:
    """Lay a request on the desk; returns its id."""
    name = stage.runtime.new_id("dr")
    request = DeskRequest.model_validate(
        {
            "id": name,
            "ask": wanted,
            "actor": APPLICATION,
            "reply_to": "web-1",
            "asked_at": stage.runtime.now(),
            **facts,
        }
    )
    post = Post(Lane(stage.tenant, "desk", name), Item(name, write_load(DeskAsked(request=name))))
    await stage.runtime.store.lanes.submit(stage.tenant, Unit(puts=[request], posts=[post]))
    return name


async def consented(
    stage: Stage, sandbox: Sandbox, client: Client, **facts: object
) -> ExchangeCode:
    """A person consents at the sandbox; what the link page then asks the desk."""
    runtime, name = stage.runtime, stage.runtime.new_id("lr")
    provider = PROVIDERS[client.provider].at(runtime.settings.provider_urls[client.provider])
    assert provider.oauth is not None
    lock = runtime.vault_lock
    verifier = Sealed.PKCE_VERIFIER.of(stage.tenant, name)
    (role,) = provider.roles
    link = LinkRequest.model_validate(
        {
            "id": name,
            "provider": client.provider,
            "role": role,
            "client": client.id,
            "return_url": "https://partner.example/back",
            "verifier_sealed": lock.seal(VERIFIER.get_secret_value().encode(), context=verifier),
            "expires_at": runtime.now() + timedelta(minutes=10),
            "actor": APPLICATION,
            **facts,
        }
    )
    await stage.keep(link)
    url = oauth.authorise_url(
        oauth.OAuth(provider.urls.authorize, provider.urls.token),
        client_id=client.client_id,
        redirect_uri=redirect_uri(runtime, client.provider),
        scopes=provider.oauth.scopes,
        state="s",
        verifier=VERIFIER,
    )
    async with httpx.AsyncClient(trust_env=False) as browser:
        back = (await browser.get(url)).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    context = Sealed.OAUTH_CODE.of(stage.tenant, name)
    return ExchangeCode(link_request=name, code_sealed=lock.seal(code.encode(), context=context))


async def given(stage: Stage, sandbox: Sandbox, client: Client, host: str) -> LinkGiven:
    """Tokens that a partner brings."""
    grant = await sandbox.zoom.sign_in(host, client=client.client_id)
    name, lock = stage.runtime.new_id("con"), stage.runtime.vault_lock
    return LinkGiven(
        connection=name,
        provider="zoom",
        role=Role.CONFERENCING,
        client=client.id,
        access_sealed=lock.seal(
            grant.access.encode(), context=Sealed.ACCESS_TOKEN.of(stage.tenant, name)
        ),
        refresh_sealed=lock.seal(
            grant.refresh.encode(), context=Sealed.REFRESH_TOKEN.of(stage.tenant, name)
        ),
    )
