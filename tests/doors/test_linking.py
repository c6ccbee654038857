"""People link their accounts in a browser, and are refused in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.cli.api import Problem
from schemas.providers import PROVIDERS
from tests.doors.house import House, up
from tests.doors.play import Play, playing

BOTH = pytest.mark.parametrize("provider", ["google", "zoom"])


def scopes_of(provider: str) -> tuple[str, ...]:
    oauth = PROVIDERS[provider].oauth
    assert oauth is not None
    return oauth.scopes


@BOTH
async def test_s1_10_the_redirect_url_that_is_shown_is_the_one_the_vendor_must_know(
    play: Play, provider: str
) -> None:
    client = await play.client(provider)
    who = await play.account(provider)
    wrong = ["http://somewhere.example/else"]
    shown = client["redirect_url"]

    assert shown == f"{play.house.api}/connect/callback/{provider}"
    assert "connection" in await play.link(client, who)
    name = client["client_id"]
    await play.side(provider).add_client(name, f"secret-of-{name}", redirect_uris=wrong)
    with pytest.raises(AssertionError, match="redirect"):
        await play.link(client, who)


@BOTH
async def test_s1_16_and_s4_14_a_link_is_told_when_it_works_and_listed_with_its_account(
    play: Play, provider: str
) -> None:
    who = await play.account(provider)

    linked = await play.link(await play.client(provider), who)

    [shown] = (await play.api.get("/v1/connections"))["items"]
    assert shown["id"] == linked["connection"]
    assert (shown["state"], shown["provider"]) == ("linked", provider)
    assert shown["account"]["id"] == who
    assert shown["account"]["name"].startswith("ada-")
    tested = await play.api.post(f"/v1/connections/{shown['id']}/test")
    assert tested["works"]


@BOTH
async def test_t26_a_box_of_the_consent_page_left_empty_refuses_the_link_and_is_named(
    play: Play, provider: str
) -> None:
    *ticked, left_out = scopes_of(provider)
    client, who = await play.client(provider), await play.account(provider)

    refused = await play.link(client, who, scopes=" ".join(ticked))

    assert refused["error"] == "link-refused"
    assert left_out in refused["detail"]
    assert (await play.api.get("/v1/connections"))["items"] == []
    assert "connection" in await play.link(client, who)


async def test_s4_6_a_free_zoom_account_is_refused_with_the_reason(play: Play) -> None:
    client, who = await play.client(), await play.account(plan="free")

    refused = await play.link(client, who)

    assert refused["error"] == "link-refused"
    assert "free" in refused["detail"]
    assert "paid plan" in refused["detail"]
    assert (await play.api.get("/v1/connections"))["items"] == []


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Iterator[House]:
    """An installation that warns of free accounts only."""
    home: Path = tmp_path_factory.mktemp("lenient") / "var"
    with up(home, sandbox_url, {"TIELINE_FREE_PLAN": "warn"}) as house:
        yield house


async def test_s4_6_the_setting_turns_the_refusal_into_a_warning(lenient: House) -> None:
    async with playing(lenient) as play:
        linked = await play.link(await play.client(), await play.account(plan="free"))
        tested = await play.api.post(f"/v1/connections/{linked['connection']}/test")
        await play.ask("one", {"connection": linked["connection"]})
        made = await play.meeting("one", "provisioned")

    assert "paid plan" in linked["warning"]
    assert linked["warning"] in tested["sentences"]
    assert made["join_url"]


@BOTH
async def test_s1_15_cancelled_consent_leaves_the_connection_as_it_was_and_says_why(
    play: Play, provider: str
) -> None:
    client, who = await play.client(provider), await play.account(provider)
    linked = await play.link(client, who)

    cancelled = await play.link(client, who, approve=False, connection=linked["connection"])

    assert cancelled["error"] == "link-refused"
    assert "Consent was not given" in cancelled["detail"]
    assert (await play.connection(linked["connection"], "linked"))["reason"] == ""


@BOTH
async def test_s1_14_authorising_again_keeps_the_connections_id(play: Play, provider: str) -> None:
    client, who = await play.client(provider), await play.account(provider)
    first = await play.link(client, who)

    again = await play.link(client, who, connection=first["connection"])

    assert again["connection"] == first["connection"]
    assert len((await play.api.get("/v1/connections"))["items"]) == 1


async def test_s1_13_a_clients_secret_is_replaced_and_the_vendor_gets_the_new_one(
    play: Play,
) -> None:
    client, who = await play.client(), await play.account()
    name, redirect = client["client_id"], [client["redirect_url"]]
    await play.sandbox.zoom.add_client(name, "a-newer-secret", redirect_uris=redirect)

    refused = await play.link(client, who)
    await play.api.put(f"/v1/clients/{client['id']}/secret", {"secret": "a-newer-secret"})
    linked = await play.link(client, who)

    assert "client" in refused["detail"]
    assert "connection" in linked
    assert "secret" not in (await play.api.get(f"/v1/clients/{client['id']}"))


async def test_another_account_than_the_one_expected_is_refused(play: Play) -> None:
    client, who = await play.client(), await play.account()

    refused = await play.link(client, who, expected_account="somebody else")

    assert "not somebody else" in refused["detail"]
    assert (await play.api.get("/v1/connections"))["items"] == []


async def test_t29_zooms_validation_of_the_url_is_answered_at_any_time_and_after_a_new_secret(
    play: Play,
) -> None:
    client = await play.client()
    zoom = play.sandbox.zoom
    (ours,) = [
        one for one in await zoom.subscriptions() if one["url"] == client["notification_url"]
    ]
    answered = [await _validated(play, str(ours["id"])) for _ in range(2)]

    secret = {"secret": "webhooks-anew"}
    await play.api.put(f"/v1/clients/{client['id']}/webhook-secret", secret)
    app = client["client_id"]
    renewed = await zoom.subscribe(client["notification_url"], "webhooks-anew", client=app)

    assert answered == [True, True]
    assert await _validated(play, renewed)
    assert await _validated(play, str(ours["id"]))  # the secret before the last one still proves


async def _validated(play: Play, subscription: str) -> bool:
    """Whether Zoom takes our answer to its challenge; what a door knows may be two seconds old."""
    zoom = play.sandbox.zoom
    for _ in range(5):
        await zoom.validate(subscription)
        await play.sandbox.settled()
        shown = {str(one["id"]): one for one in await zoom.subscriptions()}
        if shown[subscription]["validated"]:
            return True
        await asyncio.sleep(1)
    return False


async def test_a_link_page_is_over_after_it_was_used(play: Play) -> None:
    client, who = await play.client(), await play.account()
    await play.sandbox.zoom.consent(account=who, approve=True, scopes=None)
    body = {"client": client["id"], "return_url": play.partner.url}
    link = await play.api.post("/v1/connections/link", body)
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as browser:
        url = httpx.URL(link["url"])
        while not str(url).startswith(play.partner.url):
            url = url.join((await browser.get(url)).headers["location"])
        again = await browser.get(link["url"])

    assert again.status_code == 410
    assert "used already" in again.text


async def test_an_unknown_client_is_refused_in_words(play: Play) -> None:
    with pytest.raises(Problem) as refused:
        await play.link({"id": "cli_none", "provider": "zoom"}, "nobody")

    assert "client" in str(refused.value)
