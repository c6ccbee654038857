"""A client that asks in its own name asks at the organisation's door, in each of the clouds."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from infra.tokens import ClientKey
from schemas.providers import PROVIDERS
from workers.tokens import Registration, in_its_own_name


@pytest.mark.parametrize(
    ("cloud", "login"),
    [
        (None, "login.microsoftonline.com"),
        ("https://graph.microsoft.us", "login.microsoftonline.us"),
        ("https://microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"),
    ],
)
@pytest.mark.parametrize("provider", ["graph", "teams", "teams-event"])
def test_the_organisations_own_door_is_asked_for_all_that_was_allowed(
    provider: str, cloud: str | None, login: str
) -> None:
    row = PROVIDERS[provider].at(cloud)
    assert row.oauth is not None
    ours = Registration(row, row.oauth, ClientKey("app", SecretStr("secret")), cloud)

    request = in_its_own_name(ours, "contoso.example")

    form = dict(pair.split("=") for pair in request.content.decode().split("&"))
    scope = f"{cloud or 'https://graph.microsoft.com'}/.default"
    assert str(request.url) == f"https://{login}/contoso.example/oauth2/v2.0/token"
    assert form["grant_type"] == "client_credentials"
    assert form["scope"].replace("%3A", ":").replace("%2F", "/") == scope
    assert form["client_id"] == "app"
