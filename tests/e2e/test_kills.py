"""A worker killed, an error and a time-out at the create: one conference, one link, no orphan."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import pytest_asyncio

from infra.cli.rehearsal import Rehearsal
from infra.sandbox.documents import section, text
from tests.e2e.household import Household
from tests.e2e.office import Office, opened
from tests.e2e.tenancy import until

CREATES = ("zoom.create", "goto.create", "graph.create", "graph.patch")
"""The calls that make a conference; Teams in the event with the first patch of it."""
WORDS = {"zoom": "zoom", "goto": "goto", "teams": "teams", "online": "teams-event"}


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def _who_worked_so_far_leaves_in_peace(house: Rehearsal) -> None:
    """A killed process takes along what coverage knew of it: of all tests before these."""
    worker = house.processes.running["worker"]
    worker.send_signal(signal.SIGTERM)
    await worker.wait()
    await house.processes.start("worker")
    await house.ready()


async def restart_worker(home: Household) -> None:
    """A new worker takes the place of the one that was killed."""
    processes = home.house.processes
    worker = processes.running["worker"]
    await worker.wait()
    await processes.start("worker")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_killed_at_the_create_leaves_one_conference(
    home: Household, when: str
) -> None:
    worker = home.house.processes.running["worker"]
    await home.sandbox.fault("zoom.create", when, kill_pid=worker.pid)  # type: ignore[arg-type]
    event = await home.event()
    await restart_worker(home)
    await home.hears("meeting.provisioned")
    await home.rests()

    assert len(await home.conferences()) == 1
    assert await home.join_link_resolves(event)
    assert home.heard() == ["meeting.provisioned"]


async def test_a_worker_killed_at_the_write_back_leaves_one_conference(home: Household) -> None:
    worker = home.house.processes.running["worker"]
    await home.sandbox.fault("google.patch", "after", kill_pid=worker.pid)
    event = await home.event()
    await restart_worker(home)
    await home.hears("meeting.provisioned")
    await home.rests()

    assert len(await home.conferences()) == 1
    assert await home.join_link_resolves(event)
    assert home.heard() == ["meeting.provisioned"]


async def test_a_worker_killed_while_every_provider_owes_its_answer_leaves_one_conference_each(
    house: Rehearsal,
) -> None:
    """All have made what they were asked for, and none has said so yet."""
    async with opened(house, WORDS) as office:
        for create in CREATES:
            await office.sandbox.fault(create, "hang_after")
        events = {word: await office.event(word, word) for word in WORDS}

        async def all_made() -> bool:
            return all(len(links) == 1 for links in (await made(office)).values())

        await until(all_made, "a conference at each provider")
        await house.processes.kill("worker")
        await house.processes.start("worker")

        async def all_told() -> bool:
            return len(office.heard()) >= len(WORDS)

        await until(all_told, "the callbacks")
        await office.rests()
        links = await made(office)
        shown = {word: (await office.shown(event)).location for word, event in events.items()}

        assert office.heard() == ["meeting.provisioned"] * len(WORDS)
        assert {word: len(found) for word, found in links.items()} == dict.fromkeys(WORDS, 1)
        assert [word for word, (link,) in links.items() if link not in shown[word]] == []


async def made(office: Office) -> dict[str, list[str]]:
    """The links of the conferences that exist for Ada, by who made them."""
    sandbox = office.sandbox
    people = await sandbox.goto.people()
    ada = next(str(one["key"]) for one in people if one["email"] == office.ada)
    entries = await sandbox.graph.events(office.mailbox)
    online = [text(section(one.doc, "onlineMeeting"), "joinUrl") for one in entries]
    return {
        "zoom": [one.join_url for one in await office.at_zoom()],
        "goto": [f"https://meet.goto.com/{one['id']}" for one in await sandbox.goto.meetings(ada)],
        "teams": [text(one, "joinWebUrl") for one in await office.at_teams()],
        "online": [link for link in online if link],
    }


@pytest.mark.parametrize(
    ("when", "more"),
    [
        ("after", {"status": 500}),
        ("before", {"status": 500}),
        ("reset_after", {}),
        ("reset_before", {}),
        ("late", {"status": 504, "delay_s": 1.0}),
        pytest.param("hang_after", {}, marks=pytest.mark.full),  # it is made; we wait our 20 s
    ],
)
async def test_an_unknown_outcome_is_looked_up_before_anything_is_made_again(
    home: Household, when: str, more: dict[str, Any]
) -> None:
    await home.sandbox.fault("zoom.create", when, **more)  # type: ignore[arg-type]
    event = await home.event()
    data = await home.hears("meeting.provisioned")
    await home.rests()

    did = [one["what"] for one in await home.timeline(data["meeting"]["id"])]
    assert len(await home.conferences()) == 1
    assert await home.join_link_resolves(event)
    assert any(what.startswith("find.") for what in did)
