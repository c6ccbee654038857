"""How a callback is written, and what the owner of an endpoint says to being called."""

from __future__ import annotations

import orjson
import pytest

from schemas.callbacks import CallbackType
from schemas.endpoints import Format
from webhooks.api.examples import example
from workers.domain.formats import write_as
from workers.domain.proofs import Agreed, Declined, read_proof

ENVELOPE = example(CallbackType.MEETING_RESCHEDULED).model_dump_json().encode()


def test_the_standard_format_is_the_envelope_to_the_byte() -> None:
    headers, body = write_as(Format.STANDARD, ENVELOPE, "acme")

    assert body is ENVELOPE
    assert headers == {"content-type": "application/json"}


@pytest.mark.parametrize("format_", Format)
def test_the_same_envelope_gives_the_same_bytes(format_: Format) -> None:
    assert write_as(format_, ENVELOPE, "acme") == write_as(format_, ENVELOPE, "acme")


def test_both_modes_of_a_cloud_event_say_the_same() -> None:
    headers, data = write_as(Format.CLOUDEVENTS_BINARY, ENVELOPE, "acme")
    _, structured = write_as(Format.CLOUDEVENTS_STRUCTURED, ENVELOPE, "acme")

    said = orjson.loads(structured)
    attributes = {
        name.removeprefix("ce-"): value for name, value in headers.items() if name.startswith("ce-")
    }
    assert {name: said[name] for name in attributes} == attributes
    assert said["data"] == orjson.loads(data)
    assert attributes.keys() >= {"id", "source", "specversion", "type", "subject", "time"}
    assert all(value.isascii() for value in attributes.values())


@pytest.mark.parametrize(
    ("status", "headers", "rate"),
    [
        (200, {"webhook-allowed-origin": "api.example"}, None),
        (204, {"webhook-allowed-origin": "*"}, None),
        (200, {"webhook-allowed-origin": "API.example ", "webhook-allowed-rate": "120"}, 2.0),
        (200, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "*"}, None),
        (200, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "0"}, None),
        (200, {"webhook-allowed-origin": "*", "webhook-allowed-rate": "٣"}, None),
    ],
)
def test_an_owner_agrees(status: int, headers: dict[str, str], rate: float | None) -> None:
    assert read_proof(status, headers, "api.example") == Agreed(rate)


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (403, {"webhook-allowed-origin": "*"}, "403"),
        (301, {"webhook-allowed-origin": "*"}, "301"),
        (200, {}, "did not name api.example"),
        (200, {"webhook-allowed-origin": "evil.example"}, "did not name api.example"),
    ],
)
def test_an_owner_does_not_agree(status: int, headers: dict[str, str], words: str) -> None:
    answer = read_proof(status, headers, "api.example")

    assert isinstance(answer, Declined)
    assert words in answer.reason
