"""What somebody changed at GoTo, as our client reads it: another title, other times."""

from __future__ import annotations

import pytest

from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from tests.conformance.conferences import MOVED, REFERENCE, SERIES, SLOT
from tests.conformance.test_goto import AtGoTo, at_goto


@pytest.fixture
async def goto(sandbox: Sandbox, wire: Wire) -> AtGoTo:
    return await at_goto(sandbox, wire)


@pytest.mark.parametrize("subject", ["A < B {mark}", "A < B"], ids=["marked", "bare"])
async def test_a_subject_that_somebody_gave_it_is_another_title(goto: AtGoTo, subject: str) -> None:
    made = await goto.create()
    there = subject.format(mark=f"[{REFERENCE[:15]}]")
    await goto.sandbox.goto.rename_meeting(int(made.id), there)

    read = await goto.port.read(goto.access, made)

    renamed = SLOT.model_copy(update={"title": "A < B"})
    assert read is not None
    assert (read.slot, read.shown) == (renamed, renamed.fingerprint)


async def test_a_title_that_goto_cuts_or_escapes_is_not_another_one(goto: AtGoTo) -> None:
    long = SLOT.model_copy(update={"title": "so <long> " * 20})
    made = await goto.create(slot=long)

    assert await goto.port.read(goto.access, made) == made


async def test_a_series_that_was_given_a_time_shows_no_slot(goto: AtGoTo) -> None:
    made = await goto.create(slot=SERIES)
    await goto.sandbox.goto.move_meeting(int(made.id), MOVED.starts_at, MOVED.ends_at)

    read = await goto.port.read(goto.access, made)

    assert read is not None
    assert (read.slot, read.shown) == (SERIES, "")


async def test_the_organizers_meetings_are_listed_with_the_references_they_carry(
    goto: AtGoTo,
) -> None:
    made = await goto.create()
    number = await goto.sandbox.goto.add_meeting(goto.user, "Theirs [x]")

    listed = {one.id: one for one in await goto.port.listed(goto.access) or []}

    ours, foreign = listed[made.id], listed[str(number)]
    assert REFERENCE.startswith(ours.reference)
    assert made.is_titled(ours.title)
    assert (ours.starts_at, ours.ends_at) == (SLOT.starts_at, SLOT.ends_at)
    assert (foreign.title, foreign.reference) == ("Theirs [x]", "")
