"""What is published stays kept: callback types and operations may grow, and never shrink."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from webhooks.api.contracts import PUBLISHED, breaks, publish, shapes
from webhooks.api.openapi import document
from webhooks.api.table import ROWS

Json = dict[str, Any]
NOW: Json = document(ROWS, "")


def test_nothing_that_is_published_is_broken() -> None:
    """If this is red: keep what was promised, beside the new, or it is another operation or type.
    What only grew is published by `python -m webhooks.api.contracts`."""
    published = json.loads(PUBLISHED.read_text("utf-8"))

    assert breaks(published, shapes(NOW)) == []
    assert len(published["callbacks"]) >= 14


def gone(now: Json) -> None:
    del now["webhooks"]["meeting.provisioned"]


def lost_field(now: Json) -> None:
    del now["components"]["schemas"]["MeetingView"]["properties"]["title"]


def sometimes(now: Json) -> None:
    now["components"]["schemas"]["MeetingView"]["required"].remove("title")


def retyped(now: Json) -> None:
    now["components"]["schemas"]["MeetingView"]["properties"]["title"] = {"type": "integer"}


def no_operation(now: Json) -> None:
    del now["paths"]["/v1/feed"]


def no_answer(now: Json) -> None:
    del now["paths"]["/v1/meetings"]["post"]["responses"]["201"]


def demanded(now: Json) -> None:
    now["components"]["schemas"]["NewMeeting"]["required"].append("host")


def new_and_demanded(now: Json) -> None:
    body = now["components"]["schemas"]["NewMeeting"]
    body["properties"]["colour"] = {"type": "string"}
    body["required"].append("colour")


def not_taken(now: Json) -> None:
    del now["components"]["schemas"]["NewMeeting"]["properties"]["host"]


def narrowed(now: Json) -> None:
    now["components"]["schemas"]["NewMeeting"]["properties"]["host"] = {"type": "string"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (gone, "callback meeting.provisioned is gone"),
        (lost_field, "data.meeting.title is gone"),
        (sometimes, "data.meeting.title is not always there"),
        (retyped, "data.meeting.title was string!, is integer"),
        (no_operation, "GET /v1/feed is gone"),
        (no_answer, "POST /v1/meetings 201 is gone"),
        (demanded, "host is demanded now"),
        (new_and_demanded, "colour is demanded now"),
        (not_taken, "host is not taken any more"),
        (narrowed, "host took null|string, takes string"),
    ],
)
def test_a_change_that_breaks_a_partner_is_named(
    change: Callable[[Json], None], words: str
) -> None:
    changed = copy.deepcopy(NOW)
    change(changed)

    found = breaks(shapes(NOW), shapes(changed))

    assert any(words in each for each in found), found


def test_growing_breaks_nothing() -> None:
    grown = copy.deepcopy(NOW)
    schemas = grown["components"]["schemas"]
    schemas["MeetingView"]["properties"]["colour"] = {"type": "string"}
    schemas["NewMeeting"]["properties"]["colour"] = {"type": "string"}
    grown["webhooks"]["meeting.new"] = grown["webhooks"]["meeting.updated"]

    assert breaks(shapes(NOW), shapes(grown)) == []


def test_publishing_writes_what_grew_and_refuses_what_broke(tmp_path: Path) -> None:
    at = tmp_path / "published.json"
    first, again = publish(at), publish(at)
    promised = json.loads(at.read_text("utf-8"))
    promised["operations"]["GET /v1/never"] = {"takes": {}, "gives": {}}
    at.write_text(json.dumps(promised), "utf-8")

    broken = publish(at)

    assert first == again == []
    assert broken == ["GET /v1/never is gone"]
    assert "GET /v1/never" in at.read_text("utf-8"), "nothing was written over it"
