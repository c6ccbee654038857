"""How the join link goes into a text and comes out of it again."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workers.domain.joining import (
    BETWEEN,
    FIRST,
    LAST,
    foreign_link,
    has_foreign_link,
    stands,
    with_link,
    without_link,
)

URL = "https://us05web.zoom.us/j/86123456789?pwd=a&b=c.1"
PIECES = [
    FIRST,
    LAST,
    BETWEEN,
    "\n",
    "\r\n",
    "<br>",
    "<br />",
    "─",
    " ",
    "Room 5",
    URL[:9],
    "ü\x00",
]
texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


@given(texts, texts)
def test_writing_and_stripping_is_the_identity_for_any_text(
    location: str, description: str
) -> None:
    assume(without_link(location, description, URL) == (location, description))

    place, text = with_link(location, description, URL)

    assert without_link(place, text, URL) == (location, description)
    assert place.startswith(URL)
    assert stands(place, "", URL)
    assert stands("", text, URL)


@given(texts, texts)
def test_text_without_our_link_stays_as_it_is(location: str, description: str) -> None:
    assume(LAST not in description)

    assert without_link(location, description, URL) == (location, description)
    assert without_link(location, description, "") == (location, description)


def test_people_may_write_around_the_link() -> None:
    place, text = with_link("Room 5", "Agenda", URL)

    stripped = without_link(f"Floor 2, {place}", f"{text}\nBring a pen", URL)

    assert stripped == ("Floor 2, Room 5", "Agenda\nBring a pen")


def test_an_editor_that_makes_html_of_it_does_not_keep_the_block_in() -> None:
    html = f"Agenda<br><br>{FIRST}<br><a href='{URL}'>{URL}</a><br>{LAST}"

    assert without_link("", html, URL) == ("", "Agenda")


def test_each_block_comes_out_and_nothing_between_them() -> None:
    _, text = with_link("", "one", URL)
    _, twice = with_link("", f"{text} two", URL)

    assert without_link("", twice, URL) == ("", "one two")


def test_a_link_can_be_read_also_where_it_was_escaped() -> None:
    assert stands("", "see https://us05web.zoom.us/j/86123456789?pwd=a&amp;b=c.1", URL)
    assert not stands("Room 5", "Agenda", URL)
    assert not stands("", "", "")


@pytest.mark.parametrize(
    "text",
    [
        "https://zoom.us/j/123",
        "HTTPS://ACME.ZOOM.US/J/123",
        "join at https://meet.google.com/abc-defg-hij",
        "https://teams.microsoft.com/l/meetup-join/19%3a",
    ],
)
def test_a_link_of_some_service_is_foreign(text: str) -> None:
    assert has_foreign_link("", text)


def test_our_own_link_is_not_foreign_wherever_it_stands() -> None:
    escaped = URL.replace("&", "&amp;")

    assert has_foreign_link(URL)
    assert not has_foreign_link(f"Room 5, {URL}", f"<a>{escaped}</a>", ours=URL)
    assert has_foreign_link(URL, "https://zoom.us/j/1", ours=URL)
    assert not has_foreign_link("Room 5", "zoom")


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Room 5, https://meet.goto.com/123456789 please", "https://meet.goto.com/123456789"),
        ('<a href="https://zoom.us/j/1?a=b&amp;c=d">here</a>', "https://zoom.us/j/1?a=b&c=d"),
        ("https://example.org/agenda", ""),
        (URL, ""),
    ],
)
def test_the_join_link_of_others_is_found(text: str, link: str) -> None:
    assert foreign_link("", text, ours=URL) == link
