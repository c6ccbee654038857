"""Microsoft Graph joins the suite of calendars, and what only it does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typing_extensions import override

from infra.errors import NeedsReauth, Refused, TryLater, Unknown, Vanished
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.events import CalledOff, Event, Gone, Mark, Occurrence
from tests.conformance.calendar_faults import Suffers
from tests.conformance.calendar_stage import LINK, MEETING, SINCE, STARTS, Joined
from tests.conformance.calendars import Reads, Writes
from tests.conformance.graph import AtGraph, ahead, at_graph, nobody
from workers.ports import CursorExpired

DAILY = ["RRULE:FREQ=DAILY;COUNT=5"]


class TestGraph(Reads, Writes, Suffers):
    """Graph joins with the least scopes that the product asks for, and with bodies of HTML."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> AtGraph:
        return await at_graph(sandbox, wire)

    @override
    async def test_guests_are_neither_changed_nor_told(self, joined: Joined) -> None:
        """Graph has no switch for it: Exchange itself tells guests of another place, once."""
        event = await joined.add(location="zoom", attendees=[{"email": "bob@example.com"}])
        mails = await joined.mails()

        await joined.write(event)
        await joined.write(event)

        assert await joined.mails() == mails + 1

    @override
    async def test_a_channel_opens_and_closes_and_closes_again(self, joined: Joined) -> None:
        """A twin, which Graph refuses, is one of ours that we lost sight of: it makes room."""
        first = await joined.watch()

        second = await joined.watch()
        for _ in range(2):
            await joined.port.stop(joined.access, channel="chan-1", resource=second)

        assert first != second
        assert await joined.sandbox.graph.subscriptions() == []


class TestGraphInText(Writes):
    """The same with bodies of plain text."""

    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> AtGraph:
        joined = await at_graph(sandbox, wire)
        joined.body_type = "text"
        return joined

    test_guests_are_neither_changed_nor_told = None  # type: ignore[assignment]  # as above


@pytest.fixture
async def graph(sandbox: Sandbox, wire: Wire) -> AtGraph:
    return await at_graph(sandbox, wire)


async def test_whose_account_it_is_the_token_tells(graph: AtGraph) -> None:
    account = await graph.port.account(nobody(graph.access))

    assert (account.id, account.name) == (graph.mailbox, "Ada")


async def test_a_delta_shows_our_mark_though_it_tells_no_properties(graph: AtGraph) -> None:
    event = await graph.add(location="zoom")
    _, cursor = await graph.read()
    await graph.write(event)

    (change,), _ = await graph.read(cursor)

    assert isinstance(change, Event)
    assert change.mark == Mark(meeting=MEETING, join_url=LINK)
    assert change.location == "zoom"


async def test_what_only_moved_out_of_the_window_is_not_gone(graph: AtGraph) -> None:
    event = await graph.add(location="zoom")
    _, cursor = await graph.read()
    await graph.sandbox.graph.move_event(graph.mailbox, event, starts=ahead(900))

    (change,), _ = await graph.read(cursor)

    assert isinstance(change, Event)
    assert change.slot.starts_at == ahead(900)


async def test_exceptions_of_a_series_come_as_its_occurrences(graph: AtGraph) -> None:
    """T31"""
    series = await graph.add(recurrence=DAILY)
    _, cursor = await graph.read()
    second, third = ahead(1), ahead(2)
    await graph.sandbox.graph.cancel_event(graph.mailbox, f"{series}.{second:%Y%m%d}")
    await graph.sandbox.graph.move_event(
        graph.mailbox, f"{series}.{third:%Y%m%d}", starts=third + timedelta(hours=2)
    )

    changes, _ = await graph.read(cursor)

    later = third + timedelta(hours=2)
    assert [one for one in changes if isinstance(one, Occurrence)] == [
        Occurrence(
            event=series,
            original_start=third.isoformat(),
            what="moved",
            starts_at=later,
            ends_at=later + timedelta(hours=1),
        )
    ]
    assert [one for one in changes if isinstance(one, CalledOff)] == [
        CalledOff(event=series, original_starts=(second.isoformat(),))
    ]
    named = {one.id for one in changes if isinstance(one, Event)}
    assert named == {series}


async def test_occurrences_without_their_series_bring_it(graph: AtGraph) -> None:
    """T2"""
    await graph.sandbox.graph.settings(shows_masters=False)
    series = await graph.add(recurrence=DAILY, location="zoom")

    changes, cursor = await graph.read()
    await graph.sandbox.graph.move_event(
        graph.mailbox, f"{series}.{ahead(1):%Y%m%d}", starts=ahead(1) + timedelta(hours=2)
    )
    delta, _ = await graph.read(cursor)

    assert [one.id for one in changes if isinstance(one, Event)] == [series]
    assert [one.id for one in delta if isinstance(one, Event)] == [series]
    assert [one.what for one in delta if isinstance(one, Occurrence)] == ["moved"]


async def test_a_zone_of_windows_is_one_of_the_iana(graph: AtGraph) -> None:
    event = await graph.add(recurrence=["RRULE:FREQ=WEEKLY"], zone="Morocco Standard Time")

    assert (await graph.event(event)).slot.timezone == "Africa/Casablanca"


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "syncStateNotFound"), (400, "SyncStateInvalid"), (400, "resyncRequired"), (410, "Gone")],
)
async def test_every_reset_of_a_delta_starts_it_anew(
    graph: AtGraph, status: int, code: str
) -> None:
    _, cursor = await graph.read()
    await graph.sandbox.fault("graph.list", "before", status=status, reason=code)

    with pytest.raises(CursorExpired):
        await graph.read(cursor)


async def test_a_link_to_elsewhere_is_not_followed(graph: AtGraph) -> None:
    elsewhere = {"value": [], "@odata.nextLink": "http://169.254.169.254/latest"}
    await graph.sandbox.fault("graph.list", "before", status=200, body=elsewhere)

    with pytest.raises(Unknown):
        await graph.read()
    with pytest.raises(CursorExpired):
        await graph.read("http://169.254.169.254/latest")


async def test_another_calendar_is_read_in_full_and_not_watched(graph: AtGraph) -> None:
    other = await graph.sandbox.graph.add_calendar(graph.mailbox, "Team")
    await graph.sandbox.graph.settings(page_cap=2)
    made = [
        await graph.sandbox.graph.add_event(
            graph.mailbox, title=f"{number}", starts=ahead(number), calendar=other
        )
        for number in range(5)
    ]
    seen: list[str] = []
    page: str | None = None
    while True:
        one = await graph.port.read_page(graph.access, other, cursor=None, page=page, since=SINCE)
        seen += [change.id for change in one.changes if isinstance(change, Event)]
        page = one.next_page
        if page is None:
            break

    assert one.cursor is None  # so that the next reading is full as well, and shows what is absent
    assert seen == [entry.id for entry in made]
    listed = await graph.port.list_calendars(graph.access)
    assert [row.provider_id for row in listed] == ["primary", other]
    with pytest.raises(Refused):
        await graph.port.watch(graph.access, other, channel="c", address="http://x/", token="t")
    assert await graph.sandbox.calls("graph.watch") == 0


async def test_an_events_id_counts_its_cases(graph: AtGraph) -> None:
    event = await graph.add()

    read = await graph.port.read_event(graph.access, graph.calendar, event.swapcase())

    assert read == Gone(event=event.swapcase())


async def test_a_mailbox_out_of_policy_is_not_permitted(graph: AtGraph) -> None:
    await graph.sandbox.graph.add_client("app", "graph-secret", account="example.org")
    reason = "ErrorAccessDenied"
    policy = "Access to OData is disabled: [RAOP] : Blocked by tenant configured policy."
    body = {"error": {"code": reason, "message": policy}}
    await graph.sandbox.fault("graph.list", "before", status=403, body=body)

    with pytest.raises(Refused) as raised:
        await graph.read()

    assert raised.value.reason.startswith("not permitted")
    assert await graph.sandbox.calls("graph.list") == 1


async def test_a_permission_that_is_missing_is_named(graph: AtGraph) -> None:
    event = await graph.add(location="zoom")
    await graph.lose_scopes()

    with pytest.raises(NeedsReauth) as raised:
        await graph.write(event)

    assert raised.value.missing == {"Calendars.ReadWrite"}


async def test_an_account_without_a_mailbox_says_so(graph: AtGraph) -> None:
    code = "MailboxNotEnabledForRESTAPI"
    await graph.sandbox.fault("graph.calendar", "before", status=404, reason=code)

    with pytest.raises(Refused) as raised:
        await graph.port.account(graph.access)

    assert "no mailbox" in raised.value.reason


async def test_a_wait_in_seconds_is_waited(graph: AtGraph) -> None:
    headers = {"Retry-After": "120"}
    await graph.sandbox.fault("graph.list", "before", status=429, headers=headers)

    with pytest.raises(TryLater) as raised:
        await graph.read()

    assert raised.value.after == timedelta(seconds=120)


async def test_a_bare_404_proves_nothing(graph: AtGraph) -> None:
    event = await graph.add()
    await graph.sandbox.fault("graph.get", "before", status=404, body="<html>Not here</html>")

    with pytest.raises(Unknown):
        await graph.event(event)


async def test_calendars_come_page_by_page(graph: AtGraph) -> None:
    await graph.sandbox.graph.settings(page_cap=1)
    await graph.sandbox.graph.add_calendar(graph.mailbox, "Team")

    listed = await graph.port.list_calendars(graph.access)

    assert [row.name for row in listed] == ["Calendar", "Team"]


async def test_a_cancelled_event_is_there_and_cancelled(graph: AtGraph) -> None:
    await graph.sandbox.graph.add_account("bob@example.org")
    guests = [{"emailAddress": {"address": "ada@example.org"}, "type": "required"}]
    made = await graph.sandbox.graph.add_event(
        "bob@example.org", title="Lunch", starts=STARTS, attendees=guests
    )
    (shown,), cursor = await graph.read()
    await graph.sandbox.graph.cancel_event("bob@example.org", made.id)

    (change,), _ = await graph.read(cursor)

    assert isinstance(shown, Event)
    assert isinstance(change, Event)
    assert (shown.organizer, shown.cancelled, change.cancelled) == (False, False, True)


async def test_a_series_that_vanished_meanwhile_is_gone(graph: AtGraph) -> None:
    series = await graph.add(recurrence=DAILY)
    await graph.sandbox.fault("graph.get", "before", status=404)

    changes, _ = await graph.read()

    assert changes == [Gone(event=series)]
    with pytest.raises(Vanished):
        await graph.write("A" * 30)
