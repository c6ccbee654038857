"""Do answers and messages fit Microsoft's own types? The schemas lie beside the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator

from infra.sandbox.client import Sandbox
from tests.sandbox.inbox import Inbox
from tests.sandbox.test_graph_contents import KEY, certificate
from tests.sandbox.test_graph_push import changes, greeting

SPECS = Path(__file__).parents[2] / ".." / "shared" / "specs" / "graph"
pytestmark = pytest.mark.skipif(not SPECS.exists(), reason="the vendor's schemas are not here")

SERIES = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
    "range": {"type": "numbered", "numberOfOccurrences": 3, "startDate": "2027-01-04"},
}


def schema(name: str) -> dict[str, Any]:
    return json.loads((SPECS / f"{name}.schema.json").read_text(encoding="utf-8"))


def known(doc: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    """What the core type names: an event has more, and annotations beside."""
    return {key: value for key, value in doc.items() if key in definition["properties"]}


async def test_events_fit_their_type(sandbox: Sandbox, mailbox: str) -> None:
    told = schema("GraphEventCore")
    page = {"contentType": "html", "content": "x"}
    await sandbox.graph.add_event(mailbox, title="One", body=page)
    series = await sandbox.graph.add_event(mailbox, title="Many", recurrence=SERIES)
    await sandbox.graph.add_event(mailbox, title="Online", isOnlineMeeting=True)
    tokens = await sandbox.graph.sign_in(mailbox)
    window = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2028-01-01T00:00:00Z"
    async with httpx.AsyncClient(
        base_url=f"{sandbox.url}/graph/v1.0/me",
        headers={"Authorization": f"Bearer {tokens.access}"},
        trust_env=False,
    ) as http:
        delta = (await http.get(f"/calendarView/delta?{window}")).json()["value"]
        view = (await http.get(f"/calendarView?{window}&$top=50")).json()["value"]
        master = (await http.get(f"/events/{series.id}")).json()

    validator = Draft7Validator(told)
    shown = [known(doc, told["definitions"]["GraphEventCore"]) for doc in [*delta, *view, master]]
    assert len(shown) > 6
    assert [error.message for doc in shown for error in validator.iter_errors(doc)] == []


@pytest.mark.parametrize("content", [False, True])
async def test_subscriptions_and_their_messages_fit_their_types(
    sandbox: Sandbox, mailbox: str, inbox: Inbox, *, content: bool
) -> None:
    inbox.answer = greeting
    tokens = await sandbox.graph.sign_in(mailbox)
    asked: dict[str, Any] = {
        "changeType": "created,updated,deleted",
        "notificationUrl": inbox.url,
        "lifecycleNotificationUrl": inbox.url,
        "resource": f"users/{mailbox}/events",
        "expirationDateTime": (await sandbox.now()).isoformat(),
        "clientState": "secret",
    }
    if content:
        asked["resource"] += "?$select=subject"
        asked |= {"includeResourceData": True, "encryptionCertificateId": "first"}
        asked |= {"encryptionCertificate": certificate(KEY)}
    async with httpx.AsyncClient(
        base_url=f"{sandbox.url}/graph/v1.0",
        headers={"Authorization": f"Bearer {tokens.access}"},
        trust_env=False,
    ) as http:
        made = (await http.post("/subscriptions", json=asked)).json()
    await sandbox.graph.add_event(mailbox, title="One")
    await sandbox.graph.lifecycle(made["id"], "missed")
    await sandbox.settled()

    assert list(Draft7Validator(schema("GraphSubscription")).iter_errors(made)) == []
    messages = Draft7Validator(schema("ChangeNotificationCollection"))
    assert len(changes(inbox)) == 2
    for post in changes(inbox):
        assert [error.message for error in messages.iter_errors(post.json)] == []
    assert ("encryptedContent" in changes(inbox)[0].json["value"][0]) is content
