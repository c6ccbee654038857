"""What is Zoom's state, and who may do what with it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from infra.sandbox.calls import Call
from infra.sandbox.oauth import Authority, Client, Grant
from infra.sandbox.stage import Stage
from infra.sandbox.zoom.errors import missing_scopes, no_meeting, refuse
from infra.sandbox.zoom.quota import Quota
from infra.sandbox.zoom.state import Meeting, Shelf, Subscription, User


@dataclass(slots=True)
class Settings:
    """What can be set about Zoom. `writes_a_day` per host; `qps` enforces the per-second limits."""

    writes_a_day: int = 100
    qps: bool = False
    join_host: str = "https://us05web.zoom.us"
    page_token_life_s: float = 900
    validation_every_s: float = 72 * 3_600
    webhook_timeout_s: float = 3.0
    daily_applies_to_delete: bool = False


def scopes(*names: str, classic: str) -> tuple[str, ...]:
    """Return the scopes any of which allows an operation: granular, classic, and :admin of each."""
    return tuple(each for name in (*names, classic) for each in (name, f"{name}:admin"))


class Zoom:
    """Zoom's users, meetings, apps and subscriptions."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.forget()

    def forget(self) -> None:
        """Begin again with nobody and one registered app."""
        self.settings = Settings()
        self.users: dict[str, User] = {}
        self.by_email: dict[str, str] = {}
        self.shelf = Shelf()
        self.subscriptions: dict[str, Subscription] = {}
        self.quota = Quota(self.stage.clock)
        self.authority = Authority(self.stage, "zoom", rotating=True)
        self.authority.clients["sandbox-zoom"] = Client("sandbox-zoom", "zoom-secret")

    def add_user(self, user: User) -> User:
        """Give somebody an account."""
        self.users[user.id] = user
        self.by_email[user.email] = user.id
        return user

    def who(self, hint: str) -> list[str]:
        """Return the users that a sign-in hint may mean."""
        if not hint:
            return list(self.users)
        found = self.by_email.get(hint, hint)
        return [found] if found in self.users else []

    def caller(self, call: Call, allowed: tuple[str, ...]) -> Grant:
        """Return the grant behind a call; refuses bad tokens and missing scopes."""
        grant = self.authority.bearer(call.bearer)
        if grant is None:
            raise refuse(401, 124, "Invalid access token.")
        if not grant.covers(allowed):
            raise missing_scopes(allowed)
        return grant

    def host(self, call: Call, allowed: tuple[str, ...]) -> User:
        """Return the user a path names; other than `me` needs a scope for the whole account."""
        grant = self.caller(call, allowed)
        me = self.users[grant.account]
        name = call.path.get("user", "me")
        if name == "me":
            return me
        admin = tuple(scope for scope in allowed if scope.endswith(":admin"))
        if not grant.covers(admin):
            raise missing_scopes(admin)
        found = self.users.get(self.by_email.get(name, name))
        if found is None or found.account_id != me.account_id:
            raise refuse(404, 1001, f"User does not exist: {name}.")
        return found

    def meeting(self, call: Call, allowed: tuple[str, ...]) -> Meeting:
        """Return the meeting a path names, if the caller may touch it."""
        grant = self.caller(call, allowed)
        name = call.path["meeting"]
        found = self.shelf.by_id.get(int(name)) if name.isdigit() else None
        me = self.users[grant.account]
        if found is None or found.deleted or found.account_id != me.account_id:
            raise no_meeting(name)
        is_admin = grant.covers(tuple(scope for scope in allowed if scope.endswith(":admin")))
        if found.host != me.id and not is_admin:
            raise refuse(400, 3003, "You are not the meeting host.")
        return found

    def stamp(self) -> str:
        """Return the present as Zoom writes it."""
        return written(self.stage.clock.now())


def written(at: datetime) -> str:
    """Write a moment as `yyyy-MM-ddTHH:mm:ssZ`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
