"""What do the small records of the language promise?"""

from __future__ import annotations

from schemas.desk import DeskAnswer
from schemas.seals import Sealed
from schemas.timeline import TimelineEntry
from tests.domain.samples import NOW


def test_a_sealed_secret_is_bound_to_its_tenant_its_subject_and_its_field() -> None:
    contexts = {
        kind.of(tenant, subject)
        for kind in Sealed
        for tenant in ("acme", "globex")
        for subject in ("con_1", "con_2")
    }

    assert len(contexts) == 4 * len(Sealed)
    assert Sealed.ACCESS_TOKEN.of("acme", "con_1") == "acme|con_1|access_token"


def test_an_answer_and_an_entry_need_say_no_more_than_they_know() -> None:
    assert DeskAnswer(id="dr_1", state="done").sentences == ()
    assert TimelineEntry(at=NOW, what="event.seen").fields == {}
