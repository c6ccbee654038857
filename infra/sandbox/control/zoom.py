"""Playing Zoom's users: what hosts and guests do, and what Zoom shows of it."""

from __future__ import annotations

from dataclasses import asdict

from typing_extensions import override

from infra.sandbox.control.grants import GrantActions
from infra.sandbox.control.stage import set_fields
from infra.sandbox.documents import Doc, section, text, whole, words
from infra.sandbox.oauth import Authority
from infra.sandbox.zoom import meetings as acts
from infra.sandbox.zoom import webhooks
from infra.sandbox.zoom.body import checked
from infra.sandbox.zoom.oauth import uninstall as uninstalled
from infra.sandbox.zoom.simulator import Zoom
from infra.sandbox.zoom.state import Meeting, Subscription, User


class ZoomActions(GrantActions):
    """The group `zoom`."""

    def __init__(self, zoom: Zoom) -> None:
        self._zoom = zoom

    @property
    @override
    def _authority(self) -> Authority:
        return self._zoom.authority

    def settings(self, told: Doc) -> Doc:
        """Change settings; answers all of them."""
        set_fields(self._zoom.settings, told)
        return asdict(self._zoom.settings)

    def add_account(self, told: Doc) -> Doc:
        """Give `email` an account: `plan` free, pro or business; `account_id` joins an account."""
        chance, email = self._zoom.stage.chance, text(told, "email")
        plan = text(told, "plan", "pro")
        user = User(
            id=text(told, "id") or chance.word(22),
            email=email,
            first_name=text(told, "name", email.partition("@")[0]),
            last_name="",
            account_id=text(told, "account_id") or chance.word(22),
            type=whole(told, "type", 1 if plan == "free" else 2),
            plan=plan,
            zone=text(told, "zone", "Europe/Berlin"),
            pmi=int(chance.digits(10)),
            created_at=self._zoom.stamp(),
        )
        return asdict(self._zoom.add_user(user))

    def accounts(self, told: Doc) -> list[Doc]:
        """Show the users."""
        return [asdict(user) for user in self._zoom.users.values()]

    def use_writes(self, told: Doc) -> Doc:
        """Count `writes` of `host` against today's limit; answers how many are used."""
        host = self._host(told).id
        self._zoom.quota.use(host, whole(told, "writes"))
        return {"used": self._zoom.quota.writes(host)}

    def uninstall(self, told: Doc) -> Doc:
        """`host` removes the app: grants end, `app_deauthorized` goes out."""
        uninstalled(self._zoom, self._host(told).id, text(told, "client"))
        return {}

    def subscribe(self, told: Doc) -> Doc:
        """Subscribe an app: `client`, `url`, `secret`, `events` (none: all); handshake follows."""
        name = text(told, "id") or self._zoom.stage.chance.word(12)
        client = text(told, "client") or next(iter(self._zoom.authority.clients))
        url, secret = text(told, "url"), text(told, "secret")
        subscription = Subscription(name, client, url, secret, words(told, "events"))
        self._zoom.subscriptions[name] = subscription
        if told.get("validate", True):
            webhooks.validate(self._zoom, subscription)
            webhooks.validate_regularly(self._zoom, subscription)
        return asdict(subscription)

    def unsubscribe(self, told: Doc) -> Doc:
        """End `subscription`."""
        del self._zoom.subscriptions[text(told, "subscription")]
        return {}

    def validate(self, told: Doc) -> Doc:
        """Send the handshake of `subscription` once more."""
        webhooks.validate(self._zoom, self._zoom.subscriptions[text(told, "subscription")])
        return {}

    def subscriptions(self, told: Doc) -> list[Doc]:
        """Show the subscriptions with how their handshakes went."""
        return [asdict(subscription) for subscription in self._zoom.subscriptions.values()]

    def add_meeting(self, told: Doc) -> Doc:
        """`host` makes a meeting at Zoom; `body` as the API takes it."""
        return acts.made(self._zoom, self._host(told), checked(section(told, "body"))).doc

    def change_meeting(self, told: Doc) -> Doc:
        """The host changes `meeting` (or one `occurrence`) at Zoom by `body`."""
        meeting = self._meeting(told)
        acts.changed(self._zoom, meeting, checked(section(told, "body")), text(told, "occurrence"))
        return meeting.doc

    def delete_meeting(self, told: Doc) -> Doc:
        """The host deletes `meeting` (or one `occurrence`) at Zoom."""
        acts.removed(self._zoom, self._meeting(told), text(told, "occurrence"))
        return {}

    def meeting(self, told: Doc) -> Doc:
        """Show one meeting with what is going on in it, deleted or not."""
        return _seen(self._meeting(told))

    def meetings(self, told: Doc) -> list[Doc]:
        """Show the meetings, of `host` only if named, deleted ones with `deleted`."""
        host = self._host(told).id if "host" in told else ""
        every = [each for each in self._zoom.shelf.by_id.values() if host in ("", each.host)]
        return [_seen(each) for each in every if told.get("deleted") or not each.deleted]

    def start_meeting(self, told: Doc) -> Doc:
        """The host starts `meeting`."""
        webhooks.started(self._zoom, self._meeting(told))
        return {"uuid": self._meeting(told).instance}

    def end_meeting(self, told: Doc) -> Doc:
        """The host ends `meeting`."""
        webhooks.ended(self._zoom, self._meeting(told))
        return {}

    def join_meeting(self, told: Doc) -> Doc:
        """`name` (with `email` if signed in) comes into `meeting`; answers the participant."""
        return webhooks.joined(self._zoom, self._meeting(told), told)

    def leave_meeting(self, told: Doc) -> Doc:
        """The participant `user_id` leaves `meeting`."""
        webhooks.left(self._zoom, self._meeting(told), text(told, "user_id"))
        return {}

    def _host(self, told: Doc) -> User:
        found = self._zoom.who(text(told, "host"))
        if not found:
            raise KeyError("no such host")
        return self._zoom.users[found[0]]

    def _meeting(self, told: Doc) -> Meeting:
        return self._zoom.shelf.by_id[whole(told, "meeting")]


def _seen(meeting: Meeting) -> Doc:
    return {
        **meeting.doc,
        "deleted": meeting.deleted,
        "live": meeting.live,
        "participants": meeting.participants,
    }
