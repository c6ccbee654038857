"""Who is a user at Zoom?"""

from __future__ import annotations

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.zoom.simulator import Zoom, scopes

USER = scopes("user:read:user", classic="user:read")
ZAK = scopes("user:read:zak", "user:read:token", classic="user:read")


def user(zoom: Zoom, call: Call) -> Reply:
    """`GET /users/{user}`; `type` 1 is a free plan."""
    found = zoom.host(call, USER)
    headers = zoom.quota.demand_call(
        found.account_id, found.plan, "Light", enforce=zoom.settings.qps
    )
    told: dict[str, object] = {
        "id": found.id,
        "first_name": found.first_name,
        "last_name": found.last_name,
        "display_name": f"{found.first_name} {found.last_name}".strip(),
        "email": found.email,
        "type": found.type,
        "role_name": "Owner",
        "pmi": found.pmi,
        "use_pmi": False,
        "timezone": found.zone,
        "verified": 1,
        "created_at": found.created_at,
        "language": "en-US",
        "status": "active",
        "account_id": found.account_id,
    }
    return answer(told, headers=headers)


def zak(zoom: Zoom, call: Call) -> Reply:
    """`GET /users/{user}/zak` and `/token`: what a host's start link carries."""
    zoom.host(call, ZAK)
    return answer({"token": f"zak.{zoom.stage.chance.word(40)}"})
