"""Playing Google's users: what people do in their calendars, and what Google shows of it."""

from __future__ import annotations

from dataclasses import asdict

from typing_extensions import override

from infra.sandbox.control.grants import GrantActions
from infra.sandbox.control.stage import set_fields
from infra.sandbox.documents import Doc, merged, rows, section, text, whole
from infra.sandbox.google import guests, push
from infra.sandbox.google.lookup import find, shown
from infra.sandbox.google.simulator import Google
from infra.sandbox.google.state import Account, Calendar
from infra.sandbox.google.writing import apply, cancel
from infra.sandbox.oauth import Authority

_ZONE = "Europe/Berlin"


class GoogleActions(GrantActions):
    """The group `google`."""

    def __init__(self, google: Google) -> None:
        self._google = google

    @property
    @override
    def _authority(self) -> Authority:
        return self._google.authority

    def settings(self, told: Doc) -> Doc:
        """Change settings; answers all of them."""
        set_fields(self._google.settings, told)
        return asdict(self._google.settings)

    def add_account(self, told: Doc) -> Doc:
        """Open an account: `email`, `name`, `zone`, `room`; the primary calendar has its id."""
        email = text(told, "email")
        zone, room = text(told, "zone", _ZONE), bool(told.get("room"))
        account = Account(email, text(told, "name", email), zone, room)
        return _facts(self._google.add_account(account))

    def add_calendar(self, told: Doc) -> Doc:
        """Open another calendar: `owner`, `summary`, `id`, `zone`, `roles` (email to role)."""
        word = self._google.stage.chance.word(24)
        name = text(told, "id") or f"c_{word}@group.calendar.google.com"
        zone, owner = text(told, "zone", _ZONE), text(told, "owner")
        self._google.add_calendar(Calendar(name, text(told, "summary", name), zone, owner))
        return self.share({"calendar": name, "roles": section(told, "roles")})

    def share(self, told: Doc) -> Doc:
        """Give others `roles` (email to owner, writer or reader) on `calendar`."""
        calendar = self._calendar(told)
        roles = section(told, "roles")
        calendar.roles |= {email: str(role) for email, role in roles.items()}
        return _facts(calendar)

    def remove_calendar(self, told: Doc) -> Doc:
        """Remove `calendar`; its channels hear `not_exists`."""
        calendar = self._google.calendars.pop(text(told, "calendar"))
        for channel in calendar.channels.values():
            push.tell(self._google, channel, "not_exists")
        return {}

    def expire_sync_tokens(self, told: Doc) -> Doc:
        """Every sync token of `calendar` is answered 410 from now on."""
        self._calendar(told).epoch += 1
        return {}

    def notify(self, told: Doc) -> Doc:
        """Send a message of `state` on all channels of `calendar`, `count` times."""
        channels = list(self._calendar(told).channels.values()) * whole(told, "count", 1)
        for channel in channels:
            push.tell(self._google, channel, text(told, "state", "exists"))
        return {"sent": len(channels)}

    def add_event(self, told: Doc) -> Doc:
        """Somebody makes an event in `calendar`; `body` as Google writes events."""
        calendar = self._calendar(told)
        doc = self._google.born(calendar, section(told, "body"), calendar.owner)
        event = self._google.save(calendar, doc)
        guests.invite(self._google, calendar, event, text(told, "send", "none"))
        return event.doc

    def add_events(self, told: Doc) -> Doc:
        """Make many events in `calendar` at once from `bodies`; answers their ids."""
        calendar = told["calendar"]
        made = [
            self.add_event({"calendar": calendar, "body": body}) for body in rows(told, "bodies")
        ]
        return {"ids": [text(doc, "id") for doc in made]}

    def change_event(self, told: Doc) -> Doc:
        """Somebody changes `event` of `calendar` by the merge patch `body`; instances too."""
        calendar = self._calendar(told)
        event = find(calendar, text(told, "event"))
        return apply(self._google, calendar, event, merged(event.doc, section(told, "body"))).doc

    def cancel_event(self, told: Doc) -> Doc:
        """Somebody deletes `event` of `calendar`; an instance's id cancels that instance."""
        calendar = self._calendar(told)
        event = find(calendar, text(told, "event"))
        cancel(self._google, calendar, event, text(told, "send", "none"))
        return {}

    def event(self, told: Doc) -> Doc:
        """Show one event as it is stored."""
        calendar = self._calendar(told)
        return shown(calendar, find(calendar, text(told, "event")))

    def events(self, told: Doc) -> list[Doc]:
        """Show the events of `calendar`, deleted ones with `deleted`."""
        calendar = self._calendar(told)
        every = [e for e in calendar.events.values() if told.get("deleted") or not e.cancelled]
        return [shown(calendar, event) for event in every]

    def calendars(self, told: Doc) -> list[Doc]:
        """Show the calendars."""
        return [_facts(calendar) for calendar in self._google.calendars.values()]

    def channels(self, told: Doc) -> list[Doc]:
        """Show the channels ever opened, whether stopped, and how many messages they sent."""
        return [asdict(channel) for channel in self._google.channels.values()]

    def mails(self, told: Doc) -> list[Doc]:
        """Show the mails that guests got."""
        return self._google.mails

    def _calendar(self, told: Doc) -> Calendar:
        return self._google.calendars[text(told, "calendar")]


def _facts(calendar: Calendar) -> Doc:
    return {
        "id": calendar.id,
        "summary": calendar.summary,
        "zone": calendar.zone,
        "owner": calendar.owner,
        "events": len(calendar.events),
    }
