"""What is GoTo's state, and who may do what with it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.sandbox.calls import Call
from infra.sandbox.goto.errors import (
    free_account,
    invalid_token,
    missing_scope,
    not_admin,
    not_found,
    refuse,
)
from infra.sandbox.goto.state import Account, Group, Meeting, Organizer
from infra.sandbox.oauth import Authority, Client, Grant
from infra.sandbox.stage import Stage

COLLAB, IDENTITY = "collab:", "identity:"


@dataclass(slots=True)
class Settings:
    """What can be set about GoTo. `as_seen` answers with the oddities that real answers had and the
    vendor's document has not; `qps` enforces ten calls a second."""

    as_seen: bool = False
    qps: bool = False
    calls_a_second: int = 10
    join_host: str = "https://meet.goto.com"
    join_links_listed: bool = True
    history_days: float = 60.0
    rotates: bool = False


class GoTo:
    """GoTo's accounts, their people and their meetings."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.forget()

    def forget(self) -> None:
        """Begin again with nobody and one registered client."""
        self.settings = Settings()
        self.accounts: dict[str, Account] = {}
        self.groups: dict[str, Group] = {}
        self.people: dict[str, Organizer] = {}
        self.meetings: dict[int, Meeting] = {}
        self._second = 0
        self._calls: Counter[str] = Counter()
        self.authority = Authority(self.stage, "goto", rotating=False)
        self.authority.clients["sandbox-goto"] = Client("sandbox-goto", "goto-secret")

    def key(self) -> str:
        """A key of 19 digits, beyond what a float holds."""
        return f"8{self.stage.chance.digits(18)}"

    def who(self, hint: str) -> list[str]:
        """Return the people that a sign-in hint, a key or an e-mail address, may mean."""
        return [
            one.key
            for one in self.people.values()
            if one.accepted and hint in {"", one.key, one.email}
        ]

    def by_email(self, email: str, account: str) -> Organizer | None:
        """Return the person of an account with this address."""
        wanted = email.casefold()
        everybody = self.people.values()
        return next(
            (one for one in everybody if (one.email.casefold(), one.account) == (wanted, account)),
            None,
        )

    def caller(self, call: Call, scope: str = COLLAB) -> Organizer:
        """Return the organizer behind a call; refuses bad tokens, missing scopes, free accounts
        and those who are suspended."""
        me = self.signed_in(call, scope)
        if self.accounts[me.account].free:
            raise free_account()
        if me.suspended:
            raise refuse(403, "OrganizerSuspended", "The organizer is suspended.")
        return me

    def signed_in(self, call: Call, scope: str = "") -> Organizer:
        """Return the person behind a call, whatever the plan is."""
        grant: Grant | None = self.authority.bearer(call.bearer)
        if grant is None:
            raise invalid_token()
        if scope and scope not in grant.scopes:
            raise missing_scope(scope)
        self._pace(grant.client)
        return self.people[grant.account]

    def admin(self, call: Call, scope: str = COLLAB) -> Organizer:
        """Return the caller, if an administrator of a corporate account."""
        me = self.caller(call, scope)
        if not me.admin or not self.accounts[me.account].corporate:
            raise not_admin()
        return me

    def organizer(self, call: Call, scope: str = COLLAB) -> Organizer:
        """Return the organizer a path names; other than oneself needs an administrator."""
        me = self.caller(call, scope)
        if call.path["user"] != me.key:
            self.admin(call, scope)
        found = self.people.get(call.path["user"])
        if found is None or found.account != me.account or not found.accepted:
            raise not_found("Organizer")
        return found

    def group(self, call: Call, scope: str = COLLAB) -> Group:
        """Return the group a path names."""
        me = self.admin(call, scope)
        found = self.groups.get(call.path["group"])
        if found is None or found.account != me.account:
            raise not_found("Group")
        return found

    def members(self, group: Group) -> list[Organizer]:
        """Return who is in a group."""
        return [one for one in self.people.values() if one.group == group.key]

    def meeting(self, call: Call, scope: str = COLLAB) -> Meeting:
        """Return the meeting a path names, if it is the caller's or of the caller's account."""
        me = self.caller(call, scope)
        name = call.path["meeting"]
        found = self.meetings.get(int(name)) if name.isdigit() else None
        if found is None or found.deleted:
            raise not_found("Meeting")
        host = self.people[found.organizer]
        mine = me.key in (found.organizer, *found.coorganizers)
        if not mine and (not me.admin or host.account != me.account):
            raise not_found("Meeting")
        return found

    def of(self, organizers: list[Organizer]) -> Iterator[Meeting]:
        """Yield the meetings of some organizers, in order of their ids."""
        keys = {one.key for one in organizers}
        for meeting in sorted(self.meetings.values(), key=lambda one: one.id):
            if meeting.organizer in keys:
                yield meeting

    def _pace(self, client: str) -> None:
        second = int(self.stage.clock.now().timestamp())
        if second != self._second:
            self._second = second
            self._calls.clear()
        self._calls[client] += 1
        if self.settings.qps and self._calls[client] > self.settings.calls_a_second:
            raise refuse(429, "TooManyRequests", "Rate limit exceeded.")


def written(at: datetime | None, *, as_seen: bool, zone: bool = True) -> str:
    """Write a moment; real answers have `+0000` or, for attendees, no zone at all."""
    if at is None:
        return ""
    tail = "Z" if not as_seen else ("+0000" if zone else "")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + tail
