"""What can a test do and see at GoTo?"""

from __future__ import annotations

from datetime import datetime

from infra.sandbox.documents import Doc, text, whole
from infra.sandbox.hands import Json, Provider, Side

EVERYTHING = "collab: identity:"


class GoToSide(Side):
    """GoTo: accounts, groups, people, meetings."""

    provider: Provider = "goto"
    everything = EVERYTHING

    async def add_account(self, **account: Json) -> str:
        """Make an account: `corporate`, `free`, `licences`; returns its key."""
        return text(await self._hands.doc("goto/add_account", **account), "key")

    async def add_group(self, account: str, name: str) -> str:
        """Make a group; returns its key."""
        return text(await self._hands.doc("goto/add_group", account=account, name=name), "key")

    async def add_organizer(self, email: str, **facts: Json) -> str:
        """Give somebody an account of GoTo, in `account` (else one of their own) and `group`, as
        `admin` or not; returns the organizer's key."""
        return text(await self._hands.doc("goto/add_organizer", email=email, **facts), "key")

    async def accept(self, email: str) -> str:
        """An invited person accepts and chooses a password; returns their key."""
        return text(await self._hands.doc("goto/accept", email=email), "key")

    async def suspend(self, key: str) -> None:
        """An administrator suspends somebody at GoTo."""
        await self._hands.do("goto/suspend", key=key)

    async def people(self) -> list[Doc]:
        """Return everybody."""
        return await self._hands.docs("goto/everybody")

    async def add_meeting(self, organizer: str, subject: str, **facts: Json) -> int:
        """An organizer makes a meeting at GoTo: `starts` and `ends` (ISO) or none; its number."""
        told = await self._hands.doc(
            "goto/add_meeting", organizer=organizer, subject=subject, **facts
        )
        return whole(told, "id")

    async def move_meeting(self, meeting: int, starts: datetime, ends: datetime) -> None:
        """The organizer moves a meeting at GoTo."""
        await self._hands.do(
            "goto/move_meeting", meeting=meeting, starts=starts.isoformat(), ends=ends.isoformat()
        )

    async def rename_meeting(self, meeting: int, subject: str) -> None:
        """The organizer gives a meeting another subject at GoTo."""
        await self._hands.do("goto/rename_meeting", meeting=meeting, subject=subject)

    async def delete_meeting(self, meeting: int) -> None:
        """The organizer deletes a meeting at GoTo."""
        await self._hands.do("goto/delete_meeting", meeting=meeting)

    async def meeting(self, meeting: int) -> Doc:
        """Return one meeting, deleted or not."""
        return await self._hands.doc("goto/meeting", meeting=meeting)

    async def meetings(self, organizer: str = "", *, deleted: bool = False) -> list[Doc]:
        """Return the meetings, of one organizer if named."""
        return await self._hands.docs("goto/meetings", organizer=organizer, deleted=deleted)

    async def start_meeting(self, meeting: int) -> None:
        """The host starts a meeting."""
        await self._hands.do("goto/start_meeting", meeting=meeting)

    async def join_meeting(self, meeting: int, name: str, *, email: str = "") -> None:
        """Somebody comes in."""
        await self._hands.do("goto/join_meeting", meeting=meeting, name=name, email=email)

    async def end_meeting(self, meeting: int) -> None:
        """The host ends a meeting."""
        await self._hands.do("goto/end_meeting", meeting=meeting)
