"""What would be done, imagined to the end: the worker's own decisions, one after the other."""

from __future__ import annotations

from schemas.meetings import Meeting, Written
from schemas.policy import Wish
from tests.domain.samples import NOW, conference, copy, link, meeting, policy, slot
from workers.domain.rehearse import rehearse

HERE = Written(calendar="cal", event="ev", join_url="https://zoom.us/j/1")


def planned(of: Meeting, *links: object) -> list[str]:
    rules = policy(*links) if links else policy()  # type: ignore[arg-type]  # rows of Link
    return [command.do for command in rehearse(of, rules, b"key", NOW)]


def test_a_wanted_event_is_provisioned_and_written_into() -> None:
    assert planned(meeting(authoritative=copy())) == ["provision", "write"]


def test_after_a_new_epoch_it_would_be_looked_for_first() -> None:
    assert planned(meeting(), link(find_first=True)) == ["find", "provision"]


def test_what_is_there_already_needs_nothing() -> None:
    assert planned(meeting(conference=conference())) == []


def test_a_move_is_an_update_and_a_doubt_is_confirmed_first() -> None:
    moved = meeting(conference=conference(shown="another"), doubted=True)

    assert planned(moved) == ["confirm", "update"]


def test_nothing_wanted_is_taken_out_and_torn_down() -> None:
    over = meeting(wish=None, conference=conference(), written=(HERE,))

    assert planned(over) == ["remove", "tear_down"]


def test_another_connection_means_the_old_one_goes_and_a_new_one_comes() -> None:
    other = meeting(wish=Wish(slot=slot(), connection="con_jitsi"), conference=conference())

    assert planned(other) == ["tear_down", "provision"]


def test_a_link_that_is_down_ends_in_a_wait() -> None:
    assert planned(meeting(), link(usable=False, reason="unlinked")) == ["wait"]


def test_it_comes_to_an_end_whatever_is_decided() -> None:
    wanted = meeting(authoritative=copy())

    (only,) = rehearse(wanted, policy(), b"key", NOW, at_most=1)

    assert only.do == "provision"
