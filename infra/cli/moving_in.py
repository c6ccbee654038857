"""How does a tenant with an application get going, and how does a person say yes to a link?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import httpx

from infra.cli.api import Api

SCOPES: Final = ("meetings", "manage", "start", "tenant")


class NoConsent(Exception):
    """The way through a consent ended elsewhere; the message says where, or why, in words."""


async def open_tenant(operator: Api, tenant: str) -> str:
    """A tenant, an application, a key with every scope. Returns the key."""
    await operator.post("/v1/tenants", {"id": tenant, "name": tenant.title()})
    application = await operator.post(f"/v1/tenants/{tenant}/applications", {"name": "Recruiting"})
    path = f"/v1/tenants/{tenant}/applications/{application['id']}/keys"
    key = await operator.post(path, {"scopes": list(SCOPES)})
    return str(key["secret"])


async def consent(
    partner: Api,
    client: str,
    *,
    back: str,
    connection: str | None = None,
    more_scopes: Sequence[str] = (),
) -> str:
    """Ask for a link, or for `connection` again, and follow it as a browser does, to `back`.

    Returns the connection. Raises NoConsent.
    """
    wish: dict[str, Any] = {"client": client, "return_url": back, "connection": connection}
    if more_scopes:
        wish["more_scopes"] = list(more_scopes)
    link = await partner.post("/v1/connections/link", wish)
    url = httpx.URL(link["url"])
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as browser:
        while not str(url).startswith(back):
            answer = await browser.get(url)
            if not answer.has_redirect_location:
                raise NoConsent(f"no way on from {url.copy_with(query=None)}: {answer.status_code}")
            url = url.join(answer.headers["location"])
    if "connection" not in url.params:
        raise NoConsent(f"{url.params.get('error')}: {url.params.get('detail')}")
    return url.params["connection"]
