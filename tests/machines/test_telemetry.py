"""Does a line tell what happened, and never a secret?"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, SecretStr

from infra import telemetry
from tests.logged import logged


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    with logged() as out:
        yield out


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_an_event_and_its_fields(out: io.StringIO) -> None:
    log = structlog.get_logger()

    with telemetry.trace("abc"):
        log.info("callback.attempted", endpoint="ep_1", status=503, again_in=timedelta(seconds=90))

    (line,) = lines(out)
    assert datetime.fromisoformat(line.pop("at")).tzinfo == UTC
    assert line == {
        "event": "callback.attempted",
        "level": "info",
        "process": "worker",
        "trace": "abc",
        "endpoint": "ep_1",
        "status": 503,
        "again_in": 90.0,
    }


def test_a_trace_ends_with_its_block_and_new_ones_differ(out: io.StringIO) -> None:
    with telemetry.trace() as one, telemetry.trace() as other:
        pass
    structlog.get_logger().info("house.swept")

    assert one != other
    assert "trace" not in lines(out)[0]


def test_what_is_below_the_level_is_not_written(out: io.StringIO) -> None:
    structlog.get_logger().debug("lane.claimed")

    assert lines(out) == []


class Meeting(BaseModel):
    title: str = "canary title"


CANARY = "canary0123456789"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("access_token", CANARY),
        ("client_secret", CANARY),
        ("password", CANARY),
        ("Authorization", CANARY),
        ("set_cookie", CANARY),
        ("api_key", CANARY),
        ("code", CANARY),
        ("passcode", 4711),
        ("title", CANARY),
        ("body", CANARY.encode()),
        ("join_url", f"https://zoom.example/j/1?pwd={CANARY}"),
        ("said", f"Authorization: Bearer {CANARY}"),
        ("said", f"basic {CANARY}"),
        ("said", f"https://zoom.example/j/{CANARY}"),
        ("said", f"https://zoom.example/j/1?pwd={CANARY}&x=1 and more"),
        ("said", f"redis://:{CANARY}@store.example:6379/0"),
        ("said", f"('https://a.example/{CANARY}')"),
        ("said", f"whsec_{CANARY}"),
        ("said", f"whsk_{CANARY}"),
        ("said", f"tl_{CANARY}"),
        ("said", f"eyJhbGciOi.{CANARY}.{CANARY}"),
        ("said", f'{{"access_token": "{CANARY}"}}'),
        ("said", f"grant_type=x&code={CANARY}&y=1"),
        ("said", f"refresh_token={CANARY}"),
        ("said", f"{CANARY}@example.com"),
        ("said", SecretStr(CANARY)),
        ("said", Meeting()),
        ("said", {"deep": [{"token": CANARY}]}),
        ("said", [f"Bearer {CANARY}"]),
        ("said", ValueError(f"token={CANARY}")),
        ("said", CANARY.encode()),
    ],
)
def test_a_secret_is_hidden_by_its_name_its_look_or_its_type(
    out: io.StringIO, name: str, value: object
) -> None:
    structlog.get_logger().info("connection.linked", connection="conn_1", **{name: value})

    (line,) = lines(out)
    assert line["connection"] == "conn_1"
    assert name in line
    assert "canary" not in out.getvalue()
    assert "4711" not in out.getvalue()


def test_ids_and_hosts_stay_readable(out: io.StringIO) -> None:
    structlog.get_logger().info(
        "call.failed",
        meeting="mtg_01J8ZQ3K5V",
        tenant="acme",
        said="POST zoom.example: Server disconnected, see https://zoom.example:443/docs",
        subject="endpoint/meeting",
        lanes=["meeting:1", "meeting:2"],
    )

    (line,) = lines(out)
    assert line["said"] == "POST zoom.example: Server disconnected, see https://zoom.example:443/…"
    assert (line["meeting"], line["tenant"]) == ("mtg_01J8ZQ3K5V", "acme")
    assert line["lanes"] == ["meeting:1", "meeting:2"]
    assert line["subject"] == "endpoint/meeting"


def fail(words: str) -> None:
    raise RuntimeError(words)


def test_a_traceback_is_kept_without_its_secrets(out: io.StringIO) -> None:
    try:
        fail(f"https://vendor.example/revoke?token={CANARY}")
    except RuntimeError:
        structlog.get_logger().exception("token.revoked")

    (line,) = lines(out)
    assert "RuntimeError: https://vendor.example/…" in line["exception"]
    assert CANARY not in out.getvalue()


def test_a_line_cannot_be_forged_by_a_newline(out: io.StringIO) -> None:
    structlog.get_logger().info("callback.attempted", said='x\n{"event":"forged"}')

    assert [line["event"] for line in lines(out)] == ["callback.attempted"]


def test_a_huge_field_is_cut(out: io.StringIO) -> None:
    structlog.get_logger().info("callback.attempted", said="x" * 1_000_000)

    assert len(out.getvalue()) < 2_000


def test_arq_does_not_write_the_arguments_of_its_jobs(out: io.StringIO) -> None:
    logging.getLogger("arq.worker").info("  0.01s → abc:read_calendars(%s)", CANARY)
    logging.getLogger("arq.worker").warning("job expired, token=%s", CANARY)

    (line,) = lines(out)
    assert (line["event"], line["logger"]) == ("job expired, token=[hidden]", "arq.worker")


def test_libraries_speak_only_to_warn(out: io.StringIO) -> None:
    logging.getLogger("some.library").info("chatter %s", CANARY)

    assert lines(out) == []


def test_a_terminal_gets_readable_lines_as_clean_as_the_others() -> None:
    with logged("pretty") as out:
        try:
            fail(f"Bearer {CANARY}")
        except RuntimeError:
            structlog.get_logger().exception("connection.linked", token=CANARY, connection="conn_1")

    assert "connection.linked" in out.getvalue()
    assert "RuntimeError: Bearer [hidden]" in out.getvalue()
    assert CANARY not in out.getvalue()


def test_figures_are_rendered_from_their_own_registry() -> None:
    registry = telemetry.new_registry("worker")
    Counter("tieline_items", "Items handled", ["kind"], registry=registry).labels("meeting").inc(3)

    body, kind = telemetry.render(registry)

    found = {
        sample.name: (sample.labels, sample.value)
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
    assert kind.startswith("text/plain")
    assert found["tieline_items_total"] == ({"kind": "meeting"}, 3.0)
    assert found["tieline_info"] == ({"process": "worker"}, 1.0)
    assert "process_resident_memory_bytes" in found
