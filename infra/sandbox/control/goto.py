"""Playing GoTo's people: what administrators, organizers and guests do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from typing_extensions import override

from infra.sandbox.control.grants import GrantActions
from infra.sandbox.control.stage import set_fields
from infra.sandbox.documents import Doc, text, whole, words
from infra.sandbox.goto.meetings import begin, made
from infra.sandbox.goto.simulator import GoTo
from infra.sandbox.goto.state import Account, Attendee, Group, Meeting, Organizer, Session, seen
from infra.sandbox.oauth import Authority


class GoToActions(GrantActions):
    """The group `goto`."""

    def __init__(self, goto: GoTo) -> None:
        self._goto = goto

    @property
    @override
    def _authority(self) -> Authority:
        return self._goto.authority

    def settings(self, told: Doc) -> Doc:
        """Change settings; answers all of them."""
        set_fields(self._goto.settings, told)
        return asdict(self._goto.settings)

    def add_account(self, told: Doc) -> Doc:
        """Make an account: `corporate`, `free`, `licences`."""
        account = Account(
            key=text(told, "key") or self._goto.key(),
            corporate=bool(told.get("corporate", True)),
            free=bool(told.get("free", False)),
            licences=whole(told, "licences", 10),
        )
        self._goto.accounts[account.key] = account
        return asdict(account)

    def change_account(self, told: Doc) -> Doc:
        """Change what is said of the account `key`."""
        account = self._goto.accounts[text(told, "key")]
        set_fields(account, {key: value for key, value in told.items() if key != "key"})
        return asdict(account)

    def add_group(self, told: Doc) -> Doc:
        """Make a group `name` in `account`."""
        group = Group(self._goto.key(), text(told, "name"), text(told, "account"))
        self._goto.groups[group.key] = group
        return asdict(group)

    def add_organizer(self, told: Doc) -> Doc:
        """Make a person: `email`, `account`, `group`, `admin`, `accepted`, `products`."""
        email = text(told, "email")
        account = text(told, "account") or text(self.add_account({}), "key")
        person = Organizer(
            key=self._goto.key(),
            email=email,
            first_name=text(told, "name", email.partition("@")[0].title()),
            last_name=text(told, "last_name", "Raju"),
            account=account,
            group=text(told, "group"),
            admin=bool(told.get("admin", False)),
            accepted=bool(told.get("accepted", True)),
            products=words(told, "products") or ["G2M"],
        )
        self._goto.people[person.key] = person
        return asdict(person)

    def accept(self, told: Doc) -> Doc:
        """The person with this `email` who was invited last accepts."""
        people = reversed(self._goto.people.values())
        person = next(one for one in people if one.email == text(told, "email"))
        person.accepted = True
        return asdict(person)

    def move_organizer(self, told: Doc) -> Doc:
        """Let the organizer `key` belong to `account`; the key stays."""
        person = self._goto.people[text(told, "key")]
        person.account, person.group = text(told, "account"), ""
        return asdict(person)

    def suspend(self, told: Doc) -> Doc:
        """Suspend the organizer `key`."""
        self._goto.people[text(told, "key")].suspended = True
        return {}

    def everybody(self, told: Doc) -> list[Doc]:
        """Show the people."""
        return [asdict(one) for one in self._goto.people.values()]

    def add_meeting(self, told: Doc) -> Doc:
        """`organizer` makes a meeting: `subject`, `starts` and `ends`, or neither."""
        timed = bool(text(told, "starts"))
        meeting = Meeting(
            id=0,
            organizer="",
            subject=text(told, "subject"),
            kind=text(told, "kind", "scheduled" if timed else "recurring"),
            starts=_moment(told, "starts"),
            ends=_moment(told, "ends"),
            password=bool(told.get("password", False)),
            call_info=text(told, "call_info", "Hybrid"),
            coorganizers=words(told, "coorganizers"),
        )
        return seen(made(self._goto, self._goto.people[text(told, "organizer")], meeting))

    def move_meeting(self, told: Doc) -> Doc:
        """Move `meeting` to `starts` and `ends`."""
        meeting = self._meeting(told)
        meeting.starts, meeting.ends = _moment(told, "starts"), _moment(told, "ends")
        return seen(meeting)

    def rename_meeting(self, told: Doc) -> Doc:
        """Give `meeting` the `subject`."""
        meeting = self._meeting(told)
        meeting.subject = text(told, "subject")
        return seen(meeting)

    def delete_meeting(self, told: Doc) -> Doc:
        """Delete `meeting`."""
        self._meeting(told).deleted = True
        return {}

    def meeting(self, told: Doc) -> Doc:
        """Show `meeting`."""
        return seen(self._meeting(told))

    def meetings(self, told: Doc) -> list[Doc]:
        """Show the meetings, of `organizer` only if named; `deleted` ones too."""
        wanted = text(told, "organizer")
        every = [one for one in self._goto.meetings.values() if wanted in ("", one.organizer)]
        return [seen(one) for one in every if told.get("deleted") or not one.deleted]

    def start_meeting(self, told: Doc) -> Doc:
        """The host starts `meeting`."""
        return {"session": begin(self._goto, self._meeting(told)).id}

    def join_meeting(self, told: Doc) -> Doc:
        """`name` with `email` comes into `meeting`."""
        who = Attendee(text(told, "name"), text(told, "email"), self._goto.stage.clock.now())
        self._live(told).attendees.append(who)
        return {}

    def end_meeting(self, told: Doc) -> Doc:
        """The host ends `meeting`."""
        self._live(told).ended = self._goto.stage.clock.now()
        return {}

    def _live(self, told: Doc) -> Session:
        session = self._meeting(told).live
        if session is None:
            raise ValueError("nobody has started it")
        return session

    def _meeting(self, told: Doc) -> Meeting:
        return self._goto.meetings[whole(told, "meeting")]


def _moment(told: Doc, key: str) -> datetime | None:
    said = text(told, key)
    return datetime.fromisoformat(said) if said else None
