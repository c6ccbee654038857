"""Playing the people of Microsoft 365: what they do in their calendars, and what Graph shows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from typing_extensions import override

from infra.sandbox.calls import Call
from infra.sandbox.control.grants import GrantActions
from infra.sandbox.control.stage import set_fields
from infra.sandbox.documents import Doc, section, text, whole
from infra.sandbox.graph import push
from infra.sandbox.graph.lookup import find
from infra.sandbox.graph.shown import shown
from infra.sandbox.graph.simulator import Graph
from infra.sandbox.graph.state import Event, Mailbox
from infra.sandbox.graph.writing import born, change, remove
from infra.sandbox.oauth import Authority

_NOBODY = Call("graph", "", "GET", "", {}, {}, "", b"")


class GraphActions(GrantActions):
    """The group `graph`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @property
    @override
    def _authority(self) -> Authority:
        return self._graph.authority

    def settings(self, told: Doc) -> Doc:
        """Change settings; answers all of them."""
        set_fields(self._graph.settings, told)
        return asdict(self._graph.settings)

    def add_account(self, told: Doc) -> Doc:
        """Open a mailbox: `email`, `name`, `zone` (Windows' name), `room`; answers its `id`."""
        email, name = text(told, "email"), self._graph.new_guid()
        mailbox = Mailbox(name, email, text(told, "name", email), text(told, "zone", "UTC"))
        mailbox.is_room = bool(told.get("room"))
        self._graph.add_mailbox(mailbox)
        return {"id": name, "email": email}

    def add_calendar(self, told: Doc) -> Doc:
        """Open another calendar of `mailbox` by `name`."""
        calendar = self._graph.add_calendar(self._mailbox(told), text(told, "name"))
        return {"id": calendar.id, "name": calendar.name}

    def permit(self, told: Doc) -> Doc:
        """Put `mailbox` into the applications' access policy (`permitted`), or out of it."""
        self._mailbox(told).permitted = bool(told.get("permitted"))
        return {}

    def add_event(self, told: Doc) -> Doc:
        """Somebody makes an event in `mailbox` (`calendar` if not the default one) from `body`."""
        mailbox = self._mailbox(told)
        calendar = mailbox.calendars.get(text(told, "calendar")) or mailbox.default
        event = born(self._graph, mailbox, calendar, section(told, "body"))
        return _told(mailbox, event)

    def change_event(self, told: Doc) -> Doc:
        """Somebody changes `event` of `mailbox` by `body`; occurrences too."""
        mailbox = self._mailbox(told)
        place = find(mailbox, text(told, "event"))
        return _told(mailbox, change(self._graph, mailbox, place, section(told, "body")))

    def cancel_event(self, told: Doc) -> Doc:
        """Somebody deletes `event` of `mailbox`; occurrences too."""
        mailbox = self._mailbox(told)
        calendar, event = find(mailbox, text(told, "event"))
        remove(self._graph, mailbox, calendar, event)
        return {}

    def event(self, told: Doc) -> Doc:
        """Show one event, with its extended properties."""
        mailbox = self._mailbox(told)
        return _told(mailbox, find(mailbox, text(told, "event"))[1])

    def events(self, told: Doc) -> list[Doc]:
        """Show the events of `mailbox`, exceptions of series too."""
        mailbox = self._mailbox(told)
        return [_told(mailbox, e) for c in mailbox.calendars.values() for e in c.alive()]

    def meetings(self, told: Doc) -> list[Doc]:
        """Show the online meetings of `mailbox`."""
        return list(self._mailbox(told).meetings.values())

    def delete_meeting(self, told: Doc) -> Doc:
        """Somebody deletes online `meeting` of `mailbox`."""
        del self._mailbox(told).meetings[text(told, "meeting")]
        return {}

    def move_meeting(self, told: Doc) -> Doc:
        """Somebody moves online `meeting` of `mailbox` to `starts`, for an hour."""
        doc = self._mailbox(told).meetings[text(told, "meeting")]
        starts = datetime.fromisoformat(text(told, "starts"))
        doc |= {"startDateTime": starts.isoformat()}
        doc |= {"endDateTime": (starts + timedelta(hours=1)).isoformat()}
        return doc

    def subscriptions(self, told: Doc) -> list[Doc]:
        """Show the subscriptions."""
        return [
            {**push.shown(one), "mailbox": one.mailbox, "sent": one.sent}
            for one in self._graph.subscriptions.values()
        ]

    def drop_subscription(self, told: Doc) -> Doc:
        """Lose `subscription` without telling anybody."""
        del self._graph.subscriptions[text(told, "subscription")]
        return {}

    def lifecycle(self, told: Doc) -> Doc:
        """Tell `subscription` that `what` befell it."""
        one = self._graph.subscriptions[text(told, "subscription")]
        push.lifecycle(self._graph, one, text(told, "what"))
        return {}

    def notify(self, told: Doc) -> Doc:
        """Tell those who watch `mailbox` of a change of some event, `count` times."""
        mailbox = self._mailbox(told)
        event = next(mailbox.default.alive())
        for _ in range(whole(told, "count", 1)):
            push.changed(self._graph, mailbox, event, "updated")
        return {}

    def rotate_keys(self, told: Doc) -> Doc:
        """Sign tokens with a new key, and publish only that one."""
        del told
        self._graph.signing.rotate()
        return {}

    def expire_deltas(self, told: Doc) -> Doc:
        """Every token of `mailbox` is answered 410 from now on."""
        self._mailbox(told).default.epoch += 1
        return {}

    def mails(self, told: Doc) -> list[Doc]:
        """Show the mails that guests got."""
        return self._graph.mails

    def quota(self, told: Doc) -> Doc:
        """Show the most calls of a mailbox at once, and those `used` of `mailbox` in its window."""
        quota = self._graph.quota
        return {"most_at_once": quota.most_at_once, "used": quota.used(text(told, "mailbox"))}

    def _mailbox(self, told: Doc) -> Mailbox:
        name = text(told, "mailbox")
        return self._graph.mailboxes[self._graph.by_address.get(name.lower(), name)]


def _told(mailbox: Mailbox, event: Event) -> Doc:
    return {**shown(mailbox, event, _NOBODY), "properties": event.properties}
