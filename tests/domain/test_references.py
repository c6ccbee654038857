"""The reference of a conference can be derived again, and only by us."""

from __future__ import annotations

import re

from workers.domain.references import reference


def test_the_same_meeting_and_generation_have_the_same_reference() -> None:
    assert reference(b"key", "mtg_1", 1) == reference(b"key", "mtg_1", 1)


def test_another_meeting_generation_or_deployment_has_another() -> None:
    all_of_them = {
        reference(key, meeting, generation)
        for key in (b"key", b"other")
        for meeting in ("mtg_1", "mtg_11")
        for generation in (1, 11)
    }

    assert len(all_of_them) == 8


def test_it_is_short_and_plain_enough_for_any_field() -> None:
    assert re.fullmatch(r"tl-[a-z2-7]{26}", reference(b"key", "mtg_1", 1))
