"""Who hears by a grant: every kind of place, what it allows, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from schemas.callbacks import CallbackType
from schemas.endpoints import About, Endpoint
from schemas.grants import Allows, Grant, Place, PlaceKind, grant_id, permitted
from schemas.people import Actor

NOW = datetime(2027, 1, 5, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KINDS: tuple[PlaceKind, ...] = ("connection", "calendar", "user")
ALLOWED = [(Allows.HEAR,), (Allows.USE,), (Allows.HEAR, Allows.USE)]
ENDS = [None, NOW - SECOND, NOW, NOW + SECOND]


def grant(application: str = "app_1", **facts: object) -> Grant:
    place = Place(kind="calendar", id="cal_1")
    given = {
        "id": grant_id(application, place),
        "application": application,
        "place": place,
        "allows": (Allows.HEAR,),
        "given_by": Actor(kind="operator"),
        "given_at": NOW - SECOND,
    }
    return Grant.model_validate({**given, **facts})


@pytest.mark.parametrize(("allows", "until", "what"), [*product(ALLOWED, ENDS, Allows)])
def test_a_grant_permits_what_it_allows_until_its_end(
    allows: tuple[Allows, ...], until: datetime | None, what: Allows
) -> None:
    one = grant(allows=allows, until=until)

    in_force = until in {None, NOW + SECOND}  # at its end it is over
    assert one.permits(what, NOW) is (what in allows and in_force)
    assert permitted([one], what, NOW) == ({"app_1"} if what in allows and in_force else set())


def test_of_several_grants_one_that_permits_is_enough() -> None:
    ended = grant(until=NOW)

    assert permitted([ended, grant(), grant("app_2")], Allows.HEAR, NOW) == {"app_1", "app_2"}
    assert permitted([ended], Allows.HEAR, NOW) == frozenset()
    assert permitted([], Allows.HEAR, NOW) == frozenset()


@pytest.mark.parametrize(("wide", "own", "granted", "fits"), [*product([False, True], repeat=4)])
def test_an_endpoint_hears_what_is_its_own_or_granted_if_its_filters_fit(
    wide: bool, own: bool, granted: bool, fits: bool
) -> None:
    endpoint = Endpoint.model_validate(
        {
            "id": "end_1",
            "application": "app_1",
            "url": "https://p.example",
            "secrets": [],
            "created_at": NOW,
            "tenant_wide": wide,
            "filters": {"calendars": ["cal_1" if fits else "cal_9"]},
        }
    )
    known = About(
        application="app_1" if own else "app_2",
        calendars=frozenset({"cal_1"}),
        granted=frozenset({"app_1", "app_3"} if granted else {"app_3"}),
    )

    hears = endpoint.hears(CallbackType.MEETING_UPDATED, known)

    assert hears is ((wide or own or granted) and fits)


def test_each_application_has_one_grant_for_each_place() -> None:
    names = [(one, kind, id_) for one in ("app_1", "app_2") for kind in KINDS for id_ in "ab"]

    ids = [grant_id(one, Place(kind=kind, id=id_)) for one, kind, id_ in names]

    assert len(set(ids)) == len(names)
    assert ids == [grant_id(one, Place(kind=kind, id=id_)) for one, kind, id_ in names]
    assert all(len(one) == len("grt_") + 20 for one in ids)
