"""What can a test do and see at Zoom?"""

from __future__ import annotations

from dataclasses import dataclass

from infra.sandbox.documents import Doc, text, whole
from infra.sandbox.hands import Json, Provider, Side

EVERYTHING = (
    "meeting:write:meeting meeting:update:meeting meeting:delete:meeting meeting:read:meeting "
    "meeting:read:list_meetings meeting:read:list_upcoming_meetings meeting:read:past_meeting "
    "meeting:read:list_past_participants meeting:read:invitation user:read:user user:read:zak"
)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting as Zoom stores it; `doc` is the whole of it."""

    doc: Doc

    @property
    def id(self) -> int:
        """Its number."""
        return whole(self.doc, "id")

    @property
    def topic(self) -> str:
        """Its topic."""
        return text(self.doc, "topic")

    @property
    def agenda(self) -> str:
        """Its whole agenda."""
        return text(self.doc, "agenda")

    @property
    def join_url(self) -> str:
        """Its join link with the passcode."""
        return text(self.doc, "join_url")

    @property
    def deleted(self) -> bool:
        """Whether it was deleted."""
        return bool(self.doc.get("deleted"))


class ZoomSide(Side):
    """Zoom: accounts, meetings, subscriptions."""

    provider: Provider = "zoom"
    everything = EVERYTHING

    async def add_account(
        self, email: str, *, plan: str = "pro", zone: str = "Europe/Berlin", account_id: str = ""
    ) -> str:
        """Give somebody an account (free, pro, business); returns the user's id."""
        told = await self._hands.doc(
            "zoom/add_account", email=email, plan=plan, zone=zone, account_id=account_id
        )
        return text(told, "id")

    async def accounts(self) -> list[Doc]:
        """Return the users: id, email, account_id, type, plan."""
        return await self._hands.docs("zoom/accounts")

    async def subscribe(
        self,
        url: str,
        secret: str,
        *,
        client: str = "",
        events: list[str] | None = None,
        validate: bool = True,
    ) -> str:
        """Subscribe an app; the url_validation handshake follows. Returns the subscription's id."""
        told = await self._hands.doc(
            "zoom/subscribe",
            url=url,
            secret=secret,
            client=client,
            events=events or [],
            validate=validate,
        )
        return text(told, "id")

    async def validate(self, subscription: str) -> None:
        """Send the handshake once more."""
        await self._hands.do("zoom/validate", subscription=subscription)

    async def subscriptions(self) -> list[Doc]:
        """Return the subscriptions: validated, failures, disabled."""
        return await self._hands.docs("zoom/subscriptions")

    async def add_meeting(self, host: str, **body: Json) -> Meeting:
        """A host makes a meeting at Zoom; fields as Zoom's."""
        return Meeting(await self._hands.doc("zoom/add_meeting", host=host, body=body))

    async def change_meeting(self, meeting: int, **body: Json) -> Meeting:
        """The host changes a meeting at Zoom."""
        return Meeting(await self._hands.doc("zoom/change_meeting", meeting=meeting, body=body))

    async def delete_meeting(self, meeting: int, *, occurrence: str = "") -> None:
        """The host deletes a meeting, or one occurrence, at Zoom."""
        await self._hands.do("zoom/delete_meeting", meeting=meeting, occurrence=occurrence)

    async def meeting(self, meeting: int) -> Meeting:
        """Return one meeting, deleted or not."""
        return Meeting(await self._hands.doc("zoom/meeting", meeting=meeting))

    async def meetings(self, host: str = "", *, deleted: bool = False) -> list[Meeting]:
        """Return the meetings, of one host if named."""
        told: dict[str, Json] = {"host": host} if host else {}
        docs = await self._hands.docs("zoom/meetings", deleted=deleted, **told)
        return [Meeting(doc) for doc in docs]

    async def start_meeting(self, meeting: int) -> str:
        """The host starts a meeting; returns the instance's uuid."""
        return text(await self._hands.doc("zoom/start_meeting", meeting=meeting), "uuid")

    async def end_meeting(self, meeting: int) -> None:
        """The host ends a meeting."""
        await self._hands.do("zoom/end_meeting", meeting=meeting)

    async def join_meeting(self, meeting: int, name: str, *, email: str = "") -> str:
        """Somebody comes in; returns the participant's user id."""
        told = await self._hands.doc("zoom/join_meeting", meeting=meeting, name=name, email=email)
        return text(told, "user_id")

    async def leave_meeting(self, meeting: int, user_id: str) -> None:
        """A participant leaves."""
        await self._hands.do("zoom/leave_meeting", meeting=meeting, user_id=user_id)

    async def uninstall(self, host: str, *, client: str = "") -> None:
        """A person removes the app: grants end, `app_deauthorized` goes out."""
        await self._hands.do("zoom/uninstall", host=host, client=client)

    async def use_writes(self, host: str, writes: int) -> int:
        """Count writes against a host's limit of today; returns how many are used."""
        told = await self._hands.doc("zoom/use_writes", host=host, writes=writes)
        return whole(told, "used")
