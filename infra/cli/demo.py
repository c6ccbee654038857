"""The product's first impression: a story through the real path, on an empty machine."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from infra.cli.api import Api, Json, Problem
from infra.cli.moving_in import NoConsent, consent, open_tenant
from infra.cli.partner import Partner, listening
from infra.cli.processes import NotStarted
from infra.cli.rehearsal import Rehearsal, rehearsing

ADA: Final = "ada@example.org"
HEARD_WITHIN: Final = 60.0
LINES_SHOWN: Final = 30


class Untold(Exception):
    """The story broke off; the message says where, and what the processes said last."""


@dataclass(slots=True)
class Stage:
    """Everything that plays: the product's processes with the sandbox, and a partner."""

    console: Console
    house: Rehearsal
    partner: Partner
    began: float

    def tell(self, what: str, words: str) -> None:
        """One line of the story, with the seconds since it began."""
        passed = time.monotonic() - self.began
        self.console.print(f"[dim]{passed:6.1f} s[/]  [bold]{what:<11}[/]{words}", soft_wrap=True)

    async def heard(self, kind: str, *, after: int = 0) -> dict[str, Any]:
        """Wait for a callback of this type."""
        return await self.partner.waits_for(kind, after=after, seconds=HEARD_WITHIN)


async def tell_story(console: Console) -> None:
    """Start everything, play the story, leave nothing behind. Raises Untold."""
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tieline-demo-")))
        try:
            partner = await stack.enter_async_context(listening())
            house = await stack.enter_async_context(rehearsing(home))
            await _play(Stage(console, house, partner, began))
        except (TimeoutError, NoConsent, NotStarted, Problem) as error:
            log = home / "processes.log"
            last = log.read_text().splitlines()[-LINES_SHOWN:] if log.exists() else []
            words = f"The story broke off: {str(error) or 'no answer in time'}"
            raise Untold("\n".join((*last, words))) from error
    console.print("\nNothing is left behind. Next: [bold]make run[/], and README.md.")


async def _play(stage: Stage) -> None:
    stage.console.print("\n[bold]Tieline[/]: exactly one conference per calendar event\n")
    stage.tell("started", "store, receiver, API and worker; a sandbox plays Google and Zoom")
    operator = Api(stage.house.api, stage.house.admin_key)
    try:
        key = await open_tenant(operator, "acme")
    finally:
        await operator.aclose()
    partner = Api(stage.house.api, key)
    try:
        calendar = await _link(stage, partner)
        await _one_event(stage, partner, calendar)
        await _killed_in_mid_create(stage, partner, calendar)
    finally:
        await partner.aclose()


async def _link(stage: Stage, partner: Api) -> str:
    """Ada's Google calendar and Zoom account, by the vendors' own consent. Returns the calendar."""
    google, zoom = stage.house.sandbox.google, stage.house.sandbox.zoom
    calendar = await google.add_account(ADA)
    await zoom.add_account(ADA, plan="pro")
    secret = "zoom-webhook-secret"  # noqa: S105 - the sandbox's
    ours = {"provider": "google", "client_id": "sandbox-google", "secret": "google-secret"}
    at_google = await partner.post("/v1/clients", ours)
    ours = {"provider": "zoom", "client_id": "sandbox-zoom", "secret": "zoom-secret"}
    at_zoom = await partner.post("/v1/clients", {**ours, "webhook_secret": secret})
    await zoom.subscribe(at_zoom["notification_url"], secret)
    from_google = await consent(partner, at_google["id"], back=stage.partner.url)
    from_zoom = await consent(partner, at_zoom["id"], back=stage.partner.url)
    stage.tell("linked", "Ada's Google Calendar and Zoom account, by OAuth with PKCE")
    rules = [{"keyword": "zoom", "conferencing": from_zoom}]
    await partner.put("/v1/policy", {"rules": rules, "default": from_zoom})
    endpoint = {"url": stage.partner.url, "tenant_wide": True}
    stage.partner.secret = (await partner.post("/v1/endpoints", endpoint))["secret"]
    await partner.post("/v1/calendars", {"connection": from_google, "provider_id": calendar})
    async with asyncio.timeout(HEARD_WITHIN):
        while not await google.channels():  # noqa: ASYNC110 - the sandbox is polled
            await asyncio.sleep(0.05)
    stage.tell("watched", "her calendar, by push; the location “Zoom” asks for a conference")
    return calendar


async def _one_event(stage: Stage, partner: Api, calendar: str) -> None:
    """Made, rescheduled, cancelled."""
    google, zoom = stage.house.sandbox.google, stage.house.sandbox.zoom
    starts = (datetime.now(UTC) + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    event = await google.add_event(calendar, title="Standup", location="Zoom", starts=starts)
    stage.tell("event", "Ada writes “Standup” into her calendar, location “Zoom”")
    told = await stage.heard("meeting.provisioned")
    meeting = told["data"]["meeting"]["id"]
    seen = await google.event(calendar, event.id)
    stage.tell("conference", f"at Zoom; the event now says {seen.location}")
    stage.tell("callback", "meeting.provisioned, verified by the reference library")
    await google.move_event(calendar, event.id, starts=starts + timedelta(hours=2))
    stage.tell("moved", "Ada moves it by two hours")
    await stage.heard("meeting.rescheduled")
    (conference,) = await zoom.meetings(ADA)
    stage.tell("callback", f"meeting.rescheduled; Zoom shows {conference.doc['start_time']}")
    await google.cancel_event(calendar, event.id)
    stage.tell("cancelled", "Ada deletes it")
    await stage.heard("meeting.torn_down")
    left = len(await zoom.meetings(ADA))
    stage.tell("callback", f"meeting.torn_down; conferences left at Zoom: {left}")
    await _show_timeline(stage, await partner.get(f"/v1/meetings/{meeting}/timeline"))


async def _show_timeline(stage: Stage, timeline: Json) -> None:
    stage.console.print("\n          [dim]what the timeline of the meeting says of it:[/]")
    for entry in timeline["items"]:
        at = datetime.fromisoformat(entry["at"])
        words = entry.get("words", "")
        line = f"          [dim]{at:%H:%M:%S.%f}  {entry['what']:<23} {words}[/]"
        stage.console.print(line, soft_wrap=True)
    stage.console.print()


async def _killed_in_mid_create(stage: Stage, partner: Api, calendar: str) -> None:
    """SIGKILL the worker when Zoom has made the conference and not yet said so."""
    processes, sandbox = stage.house.processes, stage.house.sandbox
    worker = processes.running["worker"]
    await sandbox.fault("zoom.create", "after", kill_pid=worker.pid)
    before = len(stage.partner.heard)
    starts = datetime.now(UTC) + timedelta(days=2)
    event = await sandbox.google.add_event(calendar, title="Review", location="Zoom", starts=starts)
    stage.tell("event", "Ada writes “Review”")
    await worker.wait()
    stage.tell("killed", "the worker, by SIGKILL, while Zoom had made its conference, not said so")
    await processes.start("worker")
    stage.tell("waiting", "a new worker may not create before no old request can take effect")
    told = await stage.heard("meeting.provisioned", after=before)
    conferences = await sandbox.zoom.meetings(ADA)
    stage.tell("adopted", f"it looked and found it. Conferences at Zoom: {len(conferences)}")
    explained = await partner.get(f"/v1/meetings/{told['data']['meeting']['id']}/explain")
    for sentence in explained["sentences"]:
        stage.console.print(f"          [dim]{sentence}[/]", soft_wrap=True)
    await sandbox.google.cancel_event(calendar, event.id)
    await stage.heard("meeting.torn_down", after=before)
    left = len(await sandbox.zoom.meetings(ADA))
    stage.tell("cancelled", f"Ada deletes it; conferences left at Zoom: {left}")
    heard = len(stage.partner.heard)
    stage.tell("heard", f"{heard} callbacks, each signed, each verified, none lost")
