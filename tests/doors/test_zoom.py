"""A partner asks for Zoom conferences; whoever owns the account stays in charge of it."""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.cli.api import Problem
from infra.settings import Settings
from infra.store import open_store
from schemas.connections import Tokens
from schemas.providers import ZOOM
from tests.doors.play import Play, secret_of, until, webhook_secret_of
from tests.doors.test_vault import WORKER, credentials, opened, rings

ALL_SCOPES = " ".join(ZOOM.oauth.scopes if ZOOM.oauth else ())
READ_BY_PARTNERS = (
    "/v1/clients",
    "/v1/connections",
    "/v1/endpoints",
    "/v1/calendars",
    "/v1/policy",
    "/v1/meetings/one",
    "/v1/meetings/one/timeline",
    "/v1/meetings/one/explain",
)


async def topics(play: Play, who: str) -> list[str]:
    """What the host has at Zoom."""
    return [one.topic for one in await play.sandbox.zoom.meetings(who)]


async def test_s4_1_and_s4_8_each_meeting_that_asks_has_a_zoom_conference_of_its_own(
    play: Play,
) -> None:
    await play.hear()
    who, zoom = await play.zoom()

    for name in ("one", "two"):
        await play.ask(name, {"connection": zoom}, title=name)
    made = [await play.meeting(name, "provisioned") for name in ("one", "two")]

    told = await play.heard("meeting.provisioned", 2)
    at_zoom = {one.join_url for one in await play.sandbox.zoom.meetings(who)}
    assert len(at_zoom) == 2
    assert {one["join_url"] for one in made} == at_zoom
    assert {one["data"]["meeting"]["join_url"] for one in told} == at_zoom


async def test_s4_12_a_meeting_that_does_not_ask_gets_no_conference(play: Play) -> None:
    who, zoom = await play.zoom()
    await play.api.put("/v1/policy", {"rules": [], "default": zoom})

    silent = await play.ask("silent", "none")
    await play.ask("asking", {"connection": "default"}, title="asking")
    await play.meeting("asking", "provisioned")

    assert (silent["join_url"], silent["provider"]) == (None, None)
    stands = await play.api.get("/v1/meetings/silent")
    assert (stands["join_url"], stands["provider"]) == (None, None)
    assert await topics(play, who) == ["asking"]


async def test_s4_2_no_answer_and_no_callback_holds_a_credential(play: Play) -> None:
    await play.hear()
    client, who = await play.client(), await play.account()
    zoom = (await play.link(client, who))["connection"]
    await play.ask("one", {"connection": zoom})
    await play.meeting("one", "provisioned")
    await play.heard("meeting.provisioned")
    (vault,) = rings(play.house.process(WORKER))
    secret = [one.decode() for one in opened(vault, await credentials(play, client["id"], zoom))]
    secret += [webhook_secret_of(client["client_id"])]

    answers = [await play.api.get(path) for path in READ_BY_PARTNERS]
    answers += [await play.api.post(f"/v1/connections/{zoom}/test")]
    everything = json.dumps([answers, play.partner.heard])

    assert secret_of(client["client_id"]) in secret
    assert len(secret) == 4
    assert who in everything  # what may be shown is
    assert [one for one in secret if one in everything] == []
    assert [one for one in secret if one in play.house.said()] == []


async def test_s4_9_and_s4_10_unlinked_nothing_more_is_created_and_nothing_is_deleted(
    play: Play,
) -> None:
    await play.hear()
    who, zoom = await play.zoom()
    await play.ask("before", {"connection": zoom}, title="before")
    await play.meeting("before", "provisioned")

    await play.api.delete(f"/v1/connections/{zoom}")
    gone = await play.connection(zoom, "unlinked")
    await play.ask("after", {"connection": zoom}, title="after")
    after = await play.meeting("after", "failing")

    assert after["join_url"] is None
    assert "unlinked" in after["reason"]
    assert await topics(play, who) == ["before"]
    assert (await play.meeting("before", "provisioned"))["join_url"]
    assert gone["account"]["name"] == ""
    [told] = await play.heard("connection.unlinked")
    assert told["data"]["subject"] == zoom
    assert not await alive(play, who)


async def test_s4_11_uninstalled_at_zoom_tokens_and_name_are_deleted_and_no_conference_is(
    play: Play,
) -> None:
    await play.hear()
    who, zoom = await play.zoom()
    await play.ask("one", {"connection": zoom}, title="one")
    await play.meeting("one", "provisioned")

    await play.sandbox.zoom.uninstall(who)
    gone = await play.connection(zoom, "revoked")

    async with open_store(Settings(data_dir=play.house.data_dir)) as store:
        assert await store.documents.get(play.tenant, Tokens, zoom) is None
    assert (gone["account"]["name"], gone["account"]["plan"]) == ("", "")
    assert "Zoom" in gone["reason"]
    [told] = await play.heard("connection.revoked")
    assert told["data"]["subject"] == zoom
    assert await topics(play, who) == ["one"]


async def test_t1_a_cancelled_meeting_loses_its_conference(play: Play) -> None:
    await play.hear()
    who, zoom = await play.zoom()
    await play.ask("one", {"connection": zoom})
    await play.meeting("one", "provisioned")

    await play.api.delete("/v1/meetings/one")
    await play.meeting("one", "cancelled")

    assert await topics(play, who) == []
    [told] = await play.heard("meeting.torn_down")
    assert told["data"]["meeting"]["external_id"] == "one"


async def test_t1_and_t27_without_the_scope_to_delete_the_link_says_so_and_tear_down_waits(
    play: Play,
) -> None:
    await play.hear()
    client, who = await play.client(), await play.account()
    zoom = (await play.link(client, who))["connection"]
    await play.ask("one", {"connection": zoom})
    await play.meeting("one", "provisioned")
    lesser = ALL_SCOPES.replace("meeting:delete:meeting", "").split()
    await play.sandbox.zoom.set_scopes(who, " ".join(lesser))
    await until(lambda: links_age_enough(play, zoom))

    await play.api.delete("/v1/meetings/one")
    broken = await play.connection(zoom, "needs_reauth")
    waiting = await play.api.get("/v1/meetings/one")

    assert broken["missing_scopes"] == ["meeting:delete:meeting"]
    assert len(await topics(play, who)) == 1
    assert waiting["status"] != "cancelled"
    assert len(await play.heard("connection.needs_reauth")) == 1
    tries = await play.sandbox.calls("zoom.delete", who)
    assert (await play.link(client, who, connection=zoom))["connection"] == zoom
    await play.meeting("one", "cancelled")
    assert await topics(play, who) == []
    assert tries <= 1


async def test_t7_fifty_meetings_at_once_with_a_token_that_ran_out_cause_one_refresh(
    play: Play,
) -> None:
    who, zoom = await play.zoom()
    await play.sandbox.zoom.expire_access(who)
    names = [f"m{number}" for number in range(50)]
    refreshed = await play.sandbox.calls("zoom.refresh")

    await asyncio.gather(*(play.ask(name, {"connection": zoom}) for name in names))
    await asyncio.gather(*(play.meeting(name, "provisioned") for name in names))

    assert await play.sandbox.calls("zoom.refresh") - refreshed == 1
    assert len(await topics(play, who)) == 50


async def test_t9_a_grant_that_died_needs_a_person_and_what_waited_runs_after_the_re_link(
    play: Play,
) -> None:
    await play.hear()
    client, who = await play.client(), await play.account()
    zoom = (await play.link(client, who))["connection"]
    await play.sandbox.zoom.revoke_grants(who)
    refreshed = await play.sandbox.calls("zoom.refresh")

    await play.ask("one", {"connection": zoom})
    broken = await play.connection(zoom, "needs_reauth")
    [told] = await play.heard("connection.needs_reauth")
    refreshes = await play.sandbox.calls("zoom.refresh") - refreshed
    again = await play.link(client, who, connection=zoom)
    made = await play.meeting("one", "provisioned")

    assert refreshes == 1
    assert "link the account again" in broken["reason"]
    assert told["data"]["subject"] == zoom
    assert again["connection"] == zoom
    assert made["join_url"] == (await play.sandbox.zoom.meetings(who))[0].join_url


async def test_t23_a_meeting_that_zoom_asks_to_wait_is_not_tried_before(play: Play) -> None:
    _, zoom = await play.zoom()
    began = await play.sandbox.now()
    wait = {"retry-after": "3"}
    await play.sandbox.fault("zoom.create", status=429, headers=wait, times=1)

    await play.ask("one", {"connection": zoom})
    limited = await play.meeting("one", "failing")
    await play.meeting("one", "provisioned")

    calls = await play.sandbox.latest_calls()
    creates = [one["at"] for one in calls if one["operation"] == "zoom.create"]
    moments = [datetime.fromisoformat(str(at)) for at in creates]
    first, second = [at for at in moments if at >= began]
    assert second - first >= timedelta(seconds=3)
    assert datetime.fromisoformat(limited["again_at"]) > datetime.now(UTC) - timedelta(minutes=1)


async def alive(play: Play, who: str) -> list[Any]:
    """The grants of somebody that still live."""
    grants = await play.sandbox.zoom.grants()
    return [one for one in grants if one["alive"] and one["account"] == who]


async def links_age_enough(play: Play, zoom: str) -> bool:
    """Whether the link is older than what its lane takes for an echo of the old one."""
    linked = (await play.api.get(f"/v1/connections/{zoom}"))["linked_at"]
    return datetime.now(UTC) - datetime.fromisoformat(linked) > timedelta(seconds=31)


async def test_a_connection_of_another_tenant_cannot_be_asked_for(play: Play) -> None:
    with pytest.raises(Problem) as refused:
        await play.ask("one", {"connection": f"con_{secrets.token_hex(10)}"})

    assert "conferencing.connection" in str(refused.value)
