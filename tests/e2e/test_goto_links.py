"""How a GoTo account is linked, tried and linked again: what an administrator meets, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from infra.cli.api import Problem
from infra.cli.moving_in import NoConsent, consent
from infra.cli.rehearsal import Rehearsal
from tests.e2e.corporation import Corporation, incorporated


@pytest_asyncio.fixture(loop_scope="session")
async def corp(house: Rehearsal) -> AsyncIterator[Corporation]:
    async with incorporated(house) as corp:
        yield corp


async def test_a_client_shows_what_to_register_and_never_its_secret(corp: Corporation) -> None:
    ours = {
        "provider": "goto",
        "client_id": "abc",
        "secret": "gotos-one-time-secret",
        "name": "gotomeetingCS",
        "description": "For the interviews",
    }

    client = await corp.api.post("/v1/clients", ours)
    await corp.api.put(f"/v1/clients/{client['id']}/secret", {"secret": "another-secret"})
    read = await corp.api.get(f"/v1/clients/{client['id']}")

    assert client["redirect_url"] == f"{corp.house.api}/connect/callback/goto"
    assert (read["name"], read["description"]) == ("gotomeetingCS", "For the interviews")
    assert "secret" not in str(client | read).replace("webhook_secrets", "")
    assert "one-time" not in corp.house.log.read_text()


async def test_the_least_is_asked_for_and_what_was_granted_is_recorded(corp: Corporation) -> None:
    admin = await corp.api.get(f"/v1/connections/{corp.admin}")
    member = await corp.api.get(f"/v1/connections/{corp.member}")

    assert admin["scopes"] == ["collab:", "identity:"]
    assert member["scopes"] == ["collab:"]
    assert (member["account"]["id"], member["account"]["account_id"]) == (corp.bob, corp.account)
    assert member["exactly_one"] is True


async def test_a_scope_that_goto_does_not_have_is_not_asked_for(corp: Corporation) -> None:
    with pytest.raises(Problem, match="more_scopes"):
        await consent(corp.api, corp.client, back=corp.partner.url, more_scopes=["everything:"])


async def test_direct_login_is_refused_with_the_explanation(corp: Corporation) -> None:
    """S2-27: GoTo has switched it off."""
    login = {"username": corp.ada_at, "password": "the password of Ada"}

    body = {"provider": "goto", "client": corp.client, **login}
    status, kind, words = await corp.refused("POST", "/v1/connections", body=body)

    assert (status, kind) == (422, "invalid-request")
    assert "Direct Login" in words
    assert "/v1/connections/link" in words
    assert "the password of Ada" not in words + corp.house.log.read_text()


async def test_consent_that_is_cancelled_changes_nothing(corp: Corporation) -> None:
    await corp.goto.consent(account=corp.ada_at, approve=False)

    with pytest.raises(NoConsent, match="Consent was not given"):
        await consent(corp.api, corp.client, back=corp.partner.url, connection=corp.admin)

    await corp.goto.consent(approve=True)
    state = await corp.api.get(f"/v1/connections/{corp.admin}")
    assert state["state"] == "linked"
    assert (await corp.api.get(corp.of("conferences")))["items"] == []


async def test_linking_again_keeps_the_connection_and_what_it_was_granted(
    corp: Corporation,
) -> None:
    await corp.looks_again()

    admin = await corp.api.get(f"/v1/connections/{corp.admin}")
    assert admin["scopes"] == ["collab:", "identity:"]


async def test_success_is_said_only_when_the_token_was_tried(corp: Corporation) -> None:
    await corp.house.sandbox.fault("goto.user", status=500)
    await corp.goto.consent(account=corp.bob_at)

    with pytest.raises(NoConsent, match="did not say whose account"):
        await consent(corp.api, corp.client, back=corp.partner.url)


async def test_a_free_account_is_refused_at_the_link(corp: Corporation) -> None:
    await corp.house.sandbox.do("goto/change_account", key=corp.account, free=True)
    await corp.goto.consent(account=corp.bob_at)

    with pytest.raises(NoConsent, match="free"):
        await consent(corp.api, corp.client, back=corp.partner.url)


async def test_named_links_stand_side_by_side_and_a_request_chooses(corp: Corporation) -> None:
    listed = (await corp.api.get("/v1/connections"))["items"]
    await corp.goto.add_meeting(corp.bob, "Bob's")

    mine = await corp.api.get(corp.of("conferences"))
    his = await corp.api.get(corp.of("conferences", corp.member))

    assert {one["id"] for one in listed} == {corp.admin, corp.member}
    assert (mine["items"], [row["title"] for row in his["items"]]) == ([], ["Bob's"])


async def test_a_link_may_have_a_name_and_go_without_a_visible_reference(
    corp: Corporation,
) -> None:
    wish = {
        "client": corp.client,
        "return_url": corp.partner.url,
        "name": "Sales",
        "visible_reference": False,
    }
    key = await corp.goto.add_organizer("fay@example.org", account=corp.account)
    await corp.goto.consent(account=key)
    url = httpx.URL((await corp.api.post("/v1/connections/link", wish))["url"])
    async with httpx.AsyncClient(trust_env=False, timeout=30) as browser:
        while not str(url).startswith(corp.partner.url):
            url = url.join((await browser.get(url)).headers["location"])

    linked = await corp.api.get(f"/v1/connections/{url.params['connection']}")

    assert (linked["name"], linked["exactly_one"]) == ("Sales", False)


@pytest.mark.parametrize("operation", ["account", "upcoming", "history", "organizers", "groups"])
async def test_one_operation_is_tried_with_diagnostics(corp: Corporation, operation: str) -> None:
    path = f"/v1/connections/{corp.admin}/test"

    told = await corp.api.post(path, {"operation": operation})

    said = told["diagnosis"]
    assert (told["works"], said["success"], said["operation"]) == (True, True, operation)
    assert said["result"]
    assert (said["error"], said["problem"]) == ("", "")
    assert set(said["spans"]) == {"prepare", "execute", "transform"}
    assert said["spans"]["execute"] > 0
    assert said["auth"] == "OAuth 2.0 authorization code"
    assert said["connection"] == corp.admin


async def test_what_fails_is_diagnosed_and_not_refused(corp: Corporation) -> None:
    member = f"/v1/connections/{corp.member}/test"

    told = await corp.api.post(member, {"operation": "groups"})
    await corp.house.sandbox.fault("goto.list", status=500)
    broken = await corp.api.post(member, {"operation": "upcoming"})

    assert (told["works"], told["diagnosis"]["problem"]) == (False, "admin-only")
    assert "administrator" in told["diagnosis"]["error"]
    assert broken["diagnosis"]["problem"] == "unavailable"


async def test_who_moved_to_another_account_keeps_the_connection(corp: Corporation) -> None:
    """Accepting an invitation may move a person, with all they have, to another account."""
    other = await corp.goto.add_account()
    await corp.house.sandbox.do("goto/move_organizer", key=corp.bob, account=other)
    await corp.goto.consent(account=corp.bob_at)

    again = await consent(corp.api, corp.client, back=corp.partner.url, connection=corp.member)

    link = await corp.api.get(f"/v1/connections/{again}")
    assert (again, link["account"]["id"]) == (corp.member, corp.bob)
    assert link["account"]["account_id"] == other
    assert (await corp.api.get(corp.of("conferences", corp.member)))["items"] == []
