"""Is a content believed only when it is surely Microsoft's, for us, and whole?"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.sandbox.client import Sandbox
from tests.workers.stage import Stage
from tests.workers.telling import Told, Watched, switched_on, watching
from workers.runtime import Runtime

NESTED = base64.urlsafe_b64encode(b"[" * 50_000).decode()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def runtime(runtime: Runtime, told: Told, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with switched_on(runtime, told, tmp_path) as telling:
        yield telling


@pytest.fixture
async def watched(stage: Stage, sandbox: Sandbox, told: Told) -> AsyncIterator[Watched]:
    async with watching(stage, sandbox, told) as watched:
        yield watched


@pytest.mark.parametrize(
    ("spoilt", "outcome"),
    [
        ("stranger", "strange_signer"),
        ("expired", "not_in_time"),
        ("audience", "other_audience"),
        ("issuer", "other_issuer"),
        ("publisher", "other_publisher"),
        ("certificate", "other_certificate"),
        ("key", "bad_key"),
        ("signature", "bad_signature"),
        ("data", "bad_signature"),
        ("json", "bad_data"),
    ],
)
async def test_what_is_not_believed_is_named_counted_and_no_more_than_a_hint(
    watched: Watched, spoilt: str, outcome: str
) -> None:
    before = await watched.readings()
    await watched.sandbox.graph.settings(spoilt=spoilt)

    await watched.sandbox.graph.notify(watched.mailbox)
    await watched.settles(outcome)

    await watched.is_read(since=before)
    assert watched.told.outcomes == {outcome: 1}


async def test_tokens_of_both_versions_are_believed(watched: Watched) -> None:
    identity = f"{watched.sandbox.url}/graph"
    await watched.sandbox.graph.settings(token_version=2, identity=identity)

    await watched.sandbox.graph.notify(watched.mailbox)
    await watched.settles("known")

    assert watched.told.outcomes == {"known": 1}


async def test_keys_are_asked_for_once_and_a_strange_one_does_not_ask_again_at_once(
    watched: Watched,
) -> None:
    await watched.sandbox.graph.notify(watched.mailbox)
    await watched.settles("known")
    await watched.sandbox.graph.rotate_keys()
    await watched.sandbox.graph.change_event(watched.mailbox, watched.event, subject="Another")

    await watched.settles("strange_key")

    assert await watched.sandbox.calls("graph.keys") == 1


async def test_while_the_keys_cannot_be_had_the_calendar_is_read(watched: Watched) -> None:
    before = await watched.readings()
    await watched.sandbox.fault("graph.keys", "before", status=503, times=9)

    await watched.sandbox.graph.notify(watched.mailbox)
    await watched.settles("keys_away")

    await watched.is_read(since=before)


@pytest.mark.parametrize(
    ("tokens", "outcome"),
    [
        ([], "no_token"),
        (["eyJ.a.b"], "odd_token"),
        ([f"{NESTED}.a.b"], "odd_token"),
        (["x"] * 17, "odd_token"),
    ],
)
async def test_a_token_that_is_none_proves_nothing(
    watched: Watched, tokens: list[str], outcome: str
) -> None:
    """Sealed as the door seals it, for such a message could be anybody's who knows our state."""
    encrypted = {"data": "", "dataKey": "", "dataSignature": "", "encryptionCertificateId": ""}
    row = {"tenantId": "t", "encryptedContent": encrypted}
    load = json.dumps({"value": [row], "validationTokens": tokens}).encode()

    await watched.hears(load)

    await watched.settles(outcome)


async def test_a_load_that_is_none_is_unreadable(watched: Watched) -> None:
    await watched.hears(b'{"value":7}')

    await watched.settles("unreadable")


async def test_a_token_for_another_organisation_than_the_links_is_not_believed(
    watched: Watched,
) -> None:
    stage, name = watched.stage, watched.calendar.connection
    connection = await stage.connection(name)
    of_another = {"directory": "00000000-6d4d-4958-8b9f-9d6445542f95"}
    await stage.keep(connection.model_copy(update=of_another))

    await watched.sandbox.graph.notify(watched.mailbox)

    await watched.settles("other_directory")
