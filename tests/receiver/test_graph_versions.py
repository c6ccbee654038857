"""Which version is a change of Microsoft 365 about? Unsaid or garbled, it is a plain hint."""

from __future__ import annotations

import pytest

from schemas.wire.graph_notifications import Element

EVENT = {"id": "e1", "@odata.etag": 'W/"7"'}


def version(resource: object, change: object = "updated") -> tuple[str, ...]:
    told = {"subscriptionId": "s1", "changeType": change, "resourceData": resource}
    return Element.model_validate(told).version


def test_a_change_is_told_from_every_other() -> None:
    assert version(EVENT) == ("s1", "e1", "updated", 'W/"7"')


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        (None, "updated"),
        ("e1", "updated"),
        ({"id": ["e1"], "@odata.etag": 7}, "updated"),
        ({"id": "e1"}, "updated"),
        ({"@odata.etag": 'W/"7"'}, "updated"),
        (EVENT, None),
    ],
)
def test_a_change_that_does_not_say_its_version_has_none(resource: object, change: object) -> None:
    assert version(resource, change) == ()
