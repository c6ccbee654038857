"""What must every client of a calendar provider do? A provider joins by one method, `join`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from infra.errors import Conflict, Refused, Unknown, Vanished
from schemas.events import Event, Gone, Mark
from schemas.meetings import Written
from tests.conformance.calendar_stage import LINK, MEETING, OTHER, SINCE, STARTS, Book, Joined
from workers.ports import CursorExpired


class Reads(Book):
    """What is read of a calendar, and how it is watched."""

    async def test_an_account_has_an_id_and_a_name(self, joined: Joined) -> None:
        account = await joined.port.account(joined.access)

        assert account.id
        assert account.name

    async def test_the_accounts_calendars_are_listed(self, joined: Joined) -> None:
        (one,) = await joined.port.list_calendars(joined.access)

        assert one.provider_id == joined.calendar
        assert one.name
        assert one.timezone
        assert one.writable

    async def test_a_first_reading_shows_what_is_there_and_a_second_nothing(
        self, joined: Joined
    ) -> None:
        event = await joined.add(location="zoom")

        changes, cursor = await joined.read()
        later, _ = await joined.read(cursor)

        (shown,) = changes
        assert isinstance(shown, Event)
        assert (shown.id, shown.slot.title, shown.slot.starts_at) == (event, "Interview", STARTS)
        assert (shown.location, shown.organizer) == ("zoom", True)
        assert shown.ical_uid
        assert shown.etag
        assert later == []

    async def test_changes_come_page_by_page_and_none_is_lost(self, joined: Joined) -> None:
        await joined.small_pages()
        events = {await joined.add(f"Event {number}") for number in range(5)}

        changes, cursor = await joined.read()
        for event in events:
            await joined.rename(event, "Renamed")
        delta, _ = await joined.read(cursor)

        assert {one.id for one in changes if isinstance(one, Event)} == events
        assert {one.id for one in delta if isinstance(one, Event)} == events
        assert {one.slot.title for one in delta if isinstance(one, Event)} == {"Renamed"}

    async def test_what_was_deleted_is_gone(self, joined: Joined) -> None:
        event = await joined.add()
        _, cursor = await joined.read()
        await joined.cancel(event)

        changes, _ = await joined.read(cursor)

        assert changes == [Gone(event=event)]
        assert await joined.port.read_event(joined.access, joined.calendar, event) == Gone(
            event=event
        )

    async def test_what_never_was_is_gone(self, joined: Joined) -> None:
        assert await joined.port.read_event(joined.access, joined.calendar, "nosuch") == Gone(
            event="nosuch"
        )

    async def test_what_ended_before_the_window_is_not_read(self, joined: Joined) -> None:
        await joined.add(starts=SINCE - timedelta(days=9))

        changes, _ = await joined.read()

        assert changes == []

    async def test_a_series_is_one_event_with_its_rules(self, joined: Joined) -> None:
        event = await joined.add(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"], zone="Europe/Madrid")

        changes, _ = await joined.read()

        (shown,) = (one for one in changes if isinstance(one, Event))
        assert (shown.id, shown.slot.recurrence) == (event, ("RRULE:FREQ=WEEKLY;COUNT=4",))
        assert shown.slot.timezone == "Europe/Madrid"

    async def test_a_cursor_that_is_forgotten_says_so(self, joined: Joined) -> None:
        _, cursor = await joined.read()
        await joined.forget_cursors()

        with pytest.raises(CursorExpired):
            await joined.read(cursor)
        with pytest.raises(CursorExpired):
            await joined.read("no cursor at all")

    async def test_a_channel_opens_and_closes_and_closes_again(self, joined: Joined) -> None:
        resource = await joined.watch()

        for _ in range(2):
            await joined.port.stop(joined.access, channel="chan-1", resource=resource)
        with pytest.raises(Refused):
            await joined.watch()  # a channel's id is used once


class Writes(Book):
    """How a join link stands in an event, and comes out again."""

    async def test_a_link_stands_in_the_event_and_its_echo_reads_as_before(
        self, joined: Joined
    ) -> None:
        event = await joined.add(location="Room 5, zoom", description="Agenda")
        before = await joined.event(event)

        written = await joined.write(event)

        location, description = await joined.texts(event)
        echo = await joined.event(event)
        assert location.startswith(LINK)
        assert LINK in description
        assert description.startswith("Agenda")
        assert written.etags == (before.etag, echo.etag)
        assert echo.mark == Mark(meeting=MEETING, join_url=LINK)
        assert echo.model_copy(update={"mark": None, "etag": before.etag}) == before

    async def test_writing_twice_writes_once(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        first = await joined.write(event)

        again = await joined.write(event)

        assert again.etags == first.etags[1:]
        assert await joined.sandbox.calls(f"{joined.name}.patch") == 1

    async def test_a_write_behind_a_lost_answer_is_found_standing(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        await joined.sandbox.fault(f"{joined.name}.patch", "reset_after")
        with pytest.raises(Unknown):
            await joined.write(event)

        await joined.write(event)

        assert await joined.sandbox.calls(f"{joined.name}.patch") == 1
        assert (await joined.texts(event))[0].count(LINK) == 1

    async def test_a_new_link_takes_the_old_ones_place(self, joined: Joined) -> None:
        event = await joined.add(location="zoom", description="Agenda")
        await joined.write(event)

        await joined.write(event, OTHER)

        location, description = await joined.texts(event)
        assert LINK not in location + description
        assert (await joined.event(event)).mark == Mark(meeting=MEETING, join_url=OTHER)
        assert (await joined.event(event)).location == "zoom"

    async def test_removing_leaves_what_people_wrote(self, joined: Joined) -> None:
        event = await joined.add(location="Room 5, zoom", description="Agenda")
        await joined.write(event)

        await joined.remove(event)
        await joined.remove(event)

        assert await joined.texts(event) == ("Room 5, zoom", "Agenda")
        assert (await joined.event(event)).mark is None
        assert await joined.sandbox.calls(f"{joined.name}.patch") == 2

    async def test_people_may_write_around_our_link(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        await joined.write(event)
        await joined.write_around(event)

        read = await joined.event(event)
        await joined.remove(event)

        assert (read.location, read.foreign_link) == ("Floor 2, zoom", False)
        assert read.mark is not None
        assert (await joined.texts(event))[0] == "Floor 2, zoom"

    async def test_a_link_that_somebody_took_out_is_written_again(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        await joined.write(event)
        await joined.wipe(event)

        assert (await joined.event(event)).mark is None
        await joined.write(event)
        assert (await joined.texts(event))[0] == LINK

    async def test_a_copied_event_is_an_event_of_its_own(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        await joined.write(event)

        twin = await joined.duplicate(event)

        read = await joined.event(twin)
        original = await joined.event(event)
        assert read.ical_uid != original.ical_uid
        assert (read.location, read.foreign_link) == ("zoom", False)
        target = Written(calendar="cal_1", event=twin, join_url=OTHER)
        await joined.port.write_link(joined.access, joined.calendar, target, meeting="mtg_2")
        assert LINK not in "".join(await joined.texts(twin))
        assert (await joined.event(event)).mark == Mark(meeting=MEETING, join_url=LINK)

    async def test_another_link_than_ours_is_not_removed(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        await joined.write(event, OTHER)

        await joined.remove(event, LINK)

        assert (await joined.event(event)).mark == Mark(meeting=MEETING, join_url=OTHER)

    async def test_guests_are_neither_changed_nor_told(self, joined: Joined) -> None:
        event = await joined.add(location="zoom", attendees=[{"email": "bob@example.com"}])
        mails = await joined.mails()

        await joined.write(event)
        await joined.remove(event)

        assert await joined.mails() == mails

    async def test_an_event_that_is_gone_cannot_be_written_and_needs_no_removal(
        self, joined: Joined
    ) -> None:
        event = await joined.add(location="zoom")
        await joined.cancel(event)

        with pytest.raises(Vanished):
            await joined.write(event)
        await joined.remove(event)

    async def test_an_event_shows_another_title_and_other_times(self, joined: Joined) -> None:
        event = await joined.add(location="zoom", description="Agenda")
        before = await joined.event(event)
        moved = {"starts_at": STARTS + timedelta(hours=3), "ends_at": STARTS + timedelta(hours=5)}
        slot = before.slot.model_copy(update={"title": "Renamed", **moved})

        etags = await joined.show_slot(event, slot)
        again = await joined.show_slot(event, slot)

        after = await joined.event(event)
        assert after.slot == slot
        assert (etags, again) == ((before.etag, after.etag), (after.etag,))
        assert await joined.texts(event) == ("zoom", "Agenda")

    async def test_another_title_leaves_the_times_of_a_series_alone(self, joined: Joined) -> None:
        event = await joined.add(recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
        before = (await joined.event(event)).slot
        elsewhen = before.starts_at + timedelta(hours=3)

        renamed = before.model_copy(update={"title": "Renamed", "starts_at": elsewhen})
        await joined.show_slot(event, renamed)

        assert (await joined.event(event)).slot == before.model_copy(update={"title": "Renamed"})

    async def test_whoever_writes_first_wins(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        # So late that the other surely is first: with 0.3 s a busy machine let it be the second.
        await joined.sandbox.fault(f"{joined.name}.patch", "late", delay_s=2)
        writing = asyncio.create_task(joined.write(event))
        while not await joined.sandbox.calls(f"{joined.name}.patch"):  # noqa: ASYNC110 - elsewhere
            await asyncio.sleep(0.01)
        await joined.rename(event, "Renamed")

        with pytest.raises(Conflict):
            await writing

        assert (await joined.texts(event))[0] == "zoom"
