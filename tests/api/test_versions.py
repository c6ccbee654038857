"""Changes over what was read: an ETag that is not current any more is refused in words."""

from __future__ import annotations

import httpx
import pytest

from schemas.providers import Role
from tests.api.stage import LinkUp, kind_of
from webhooks.api.table import ROWS

ZOOM = {"provider": "zoom", "client_id": "x", "secret": "one"}
OLD = {"If-Match": '"7"'}


@pytest.fixture
async def things(partner: httpx.AsyncClient, link_up: LinkUp) -> dict[str, str]:
    google = await link_up(Role.CALENDAR, "google")
    body = {"connection": google, "provider_id": "primary"}
    client = (await partner.post("/v1/clients", json=ZOOM)).json()["id"]
    calendar = (await partner.post("/v1/calendars", json=body)).json()["id"]
    return {"client": client, "calendar": calendar, "connection": google}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/clients/{client}/secret", {"secret": "two"}),
        ("PUT", "/v1/clients/{client}/webhook-secret", {"secret": "two"}),
        ("DELETE", "/v1/calendars/{calendar}", None),
        ("DELETE", "/v1/connections/{connection}", None),
    ],
)
async def test_only_the_version_that_was_read_is_changed(
    partner: httpx.AsyncClient,
    things: dict[str, str],
    method: str,
    path: str,
    body: dict[str, str] | None,
) -> None:
    whole = "/".join(path.format_map(things).split("/")[:4])
    etag = (await partner.get(whole)).headers["etag"]

    refused = await partner.request(method, path.format_map(things), json=body, headers=OLD)
    same = (await partner.get(whole)).headers["etag"]
    done = await partner.request(
        method, path.format_map(things), json=body, headers={"If-Match": etag}
    )

    assert (refused.status_code, kind_of(refused)) == (412, "changed-meanwhile")
    assert "Read it again" in refused.json()["detail"]
    assert same == etag
    assert done.status_code in {202, 204}


def test_what_can_be_changed_with_an_etag_can_be_read_with_one() -> None:
    changed = {row.path for row in ROWS if "If-Match" in row.headers}
    read = {row.path for row in ROWS if row.versioned}

    def is_read(path: str) -> bool:
        """It, what it is a part of, or what is made by it (a grant that is given again)."""
        return any(path.startswith(whole) or whole.startswith(f"{path}/{{") for whole in read)

    assert len(changed) >= 5
    assert {path for path in changed if not is_read(path)} == set()
