"""What must every source of notifications do? A provider joins with one method that builds one."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping

from tests.receiver.door import Door, Pushed


class SourceConformance(ABC):
    """Inherit, and say what a valid notification of this provider looks like.

    Everything goes through the whole app into a real store.
    """

    provider: str
    proof: bytes
    """The header that holds the proof."""
    too_long: int
    """Bytes of a body that is larger than any notification."""

    @abstractmethod
    async def notification(self, door: Door, **how: str) -> Pushed:
        """A notification that has not been sent before, to an address that exists.

        `how` may say `secret` (sign with this one), `retired` (the address is out of use).
        """

    async def test_a_valid_notification_is_kept_before_it_is_answered(self, door: Door) -> None:
        pushed = await self.notification(door)

        answer = await door.push(pushed)

        assert (answer.status_code, answer.content) == (200, b"")
        assert await door.kept(pushed) == 1

    async def test_a_repetition_is_thanked_and_changes_nothing_for_the_reader(
        self, door: Door
    ) -> None:
        pushed = await self.notification(door)
        await door.push(pushed)

        answer = await door.push(pushed)

        assert answer.status_code == 200
        assert await door.items(pushed) <= 1

    async def test_many_at_once_are_each_answered_and_none_is_lost(self, door: Door) -> None:
        pushes = [await self.notification(door) for _ in range(100)]

        answers = await asyncio.gather(*map(door.push, pushes))

        assert {answer.status_code for answer in answers} == {200}
        assert [await door.kept(pushed) for pushed in pushes] == [1] * 100

    async def test_without_its_proof_it_is_nobody(self, door: Door) -> None:
        pushed = (await self.notification(door)).without(self.proof)

        assert await self._refused_like_an_unknown_address(door, pushed)

    async def test_with_a_bad_proof_it_is_nobody(self, door: Door) -> None:
        pushed = await self.notification(door)

        worse = [
            pushed.with_header(self.proof, value)
            for value in (b"", b"v0=", b"v0=" + b"0" * 64, b"\xff\xfe\xe9", b"x" * 8_000)
        ]

        assert [await self._refused_like_an_unknown_address(door, each) for each in worse] == (
            [True] * 5
        )

    async def test_at_another_address_its_proof_is_worth_nothing(self, door: Door) -> None:
        pushed, other = await self.notification(door), await self.notification(door)

        assert await self._refused_like_an_unknown_address(door, pushed.to(other.path))

    async def test_at_an_address_of_another_provider_it_is_nobody(self, door: Door) -> None:
        pushed = await self.notification(door)
        strange = "zoom" if self.provider == "google" else "google"

        path = pushed.path.replace(f"/{self.provider}/", f"/{strange}/")

        assert await self._refused_like_an_unknown_address(door, pushed.to(path))

    async def test_an_address_out_of_use_is_thanked_and_does_nothing(self, door: Door) -> None:
        """T13"""
        pushed = await self.notification(door, retired="yes")
        before = door.counted(self.provider, "retired")

        answer = await door.push(pushed)

        assert answer.status_code == 200
        assert await door.kept(pushed) == 0
        assert door.counted(self.provider, "retired") == before + 1

    async def test_a_body_larger_than_any_is_refused(self, door: Door) -> None:
        pushed = (await self.notification(door))._replace(body=b" " * self.too_long)

        answers = [await door.push(pushed), await door.push(pushed, in_chunks=True)]

        assert [answer.status_code for answer in answers] == [413, 413]
        assert {answer.headers["connection"] for answer in answers} == {"close"}  # the rest unread
        assert await door.kept(pushed) == 0

    async def test_an_encoded_body_is_refused(self, door: Door) -> None:
        pushed = (await self.notification(door)).with_header(b"content-encoding", b"gzip")

        answer = await door.push(pushed)

        assert answer.status_code == 415
        assert await door.kept(pushed) == 0

    async def test_while_the_store_is_nearly_full_it_is_asked_to_come_again(
        self, door: Door
    ) -> None:
        pushed = await self.notification(door)
        door.pressed = True

        answer = await door.push(pushed)

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert await door.kept(pushed) == 0

    async def test_once_there_is_room_again_the_next_try_is_kept(self, door: Door) -> None:
        pushed = await self.notification(door)
        door.pressed = True
        await door.push(pushed)
        door.pressed = False

        answer = await door.push(pushed)

        assert answer.status_code == 200
        assert await door.kept(pushed) == 1

    async def _refused_like_an_unknown_address(self, door: Door, pushed: Pushed) -> bool:
        unknown = pushed.to(f"/hooks/{self.provider}/{door.tenant}.{'n' * 32}")
        answer, expected = await door.push(pushed), await door.push(unknown)
        same = _visible(answer.headers) == _visible(expected.headers)
        return (
            answer.status_code == expected.status_code == 404
            and answer.content == expected.content
            and same
            and await door.kept(pushed) == 0
        )


def _visible(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date"}
