"""Subscriptions through Microsoft's own client: the handshake, what is pushed, and their fate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.subscription import Subscription
from msgraph.graph_service_client import GraphServiceClient

from infra.sandbox.client import Sandbox
from tests.sandbox.graph import event, graph_at, subscription
from tests.sandbox.inbox import Inbox, Post


def greeting(post: Post) -> web.Response:
    """Greet, and thank for everything else."""
    token = post.query.get("validationToken")
    return web.Response(status=202) if token is None else web.Response(text=token)


def changes(inbox: Inbox) -> list[Post]:
    return [post for post in inbox.posts if "validationToken" not in post.query]


async def watched(graph: GraphServiceClient, inbox: Inbox, **more: object) -> Subscription:
    inbox.answer = greeting
    until = datetime.now(UTC) + timedelta(days=6)
    made = await graph.subscriptions.post(
        subscription(inbox.url, expiration_date_time=until, **more)
    )
    assert made is not None
    return made


async def test_both_addresses_greet_before_a_subscription_is_made(
    graph: GraphServiceClient, inbox: Inbox
) -> None:
    made = await watched(graph, inbox, lifecycle_notification_url=f"{inbox.url}/life")

    tokens = [post.query["validationToken"] for post in inbox.posts]
    assert len(set(tokens)) == 2
    assert all(" + " in token for token in tokens)  # a plus must come back as a plus
    assert inbox.posts[0].headers["Content-Type"].startswith("text/plain")
    assert inbox.posts[0].body == b""
    assert made.client_state is None  # it is not told again


async def test_an_address_that_does_not_greet_gets_no_subscription(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox
) -> None:
    inbox.answer = lambda post: web.Response(status=202)
    until = datetime.now(UTC) + timedelta(days=1)

    with pytest.raises(ODataError) as refused:
        await graph.subscriptions.post(subscription(inbox.url, expiration_date_time=until))

    assert refused.value.error is not None
    assert refused.value.error.code == "ValidationError"
    assert await sandbox.graph.subscriptions() == []


async def test_every_change_is_pushed_with_our_state(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox
) -> None:
    made = await watched(graph, inbox)
    entry = await graph.me.events.post(event())
    assert entry is not None
    await sandbox.graph.cancel_event("ada@example.org", str(entry.id))
    await sandbox.settled()

    created, deleted = (post.json["value"][0] for post in changes(inbox))

    assert (created["changeType"], deleted["changeType"]) == ("created", "deleted")
    assert created["subscriptionId"] == made.id
    assert created["clientState"] == "secret"
    assert created["resourceData"]["id"] == entry.id
    assert "Events" in created["resource"]


async def test_a_twin_is_refused_and_found_by_listing(
    graph: GraphServiceClient, inbox: Inbox
) -> None:
    made = await watched(graph, inbox)

    with pytest.raises(ODataError) as refused:
        await watched(graph, inbox)
    listed = await graph.subscriptions.get()

    assert refused.value.response_status_code == 409
    assert listed is not None
    assert [one.id for one in listed.value or []] == [made.id]
    await graph.subscriptions.by_subscription_id(str(made.id)).delete()
    assert await watched(graph, inbox)


async def test_a_subscription_lives_a_week_at_most_and_is_renewed(
    graph: GraphServiceClient, inbox: Inbox
) -> None:
    made = await watched(graph, inbox)
    later = datetime.now(UTC) + timedelta(days=6, hours=20)
    by_id = graph.subscriptions.by_subscription_id(str(made.id))

    renewed = await by_id.patch(Subscription(expiration_date_time=later))
    with pytest.raises(ODataError) as refused:
        await by_id.patch(Subscription(expiration_date_time=later + timedelta(days=2)))

    assert renewed is not None
    assert renewed.expiration_date_time is not None
    assert abs(renewed.expiration_date_time - later) < timedelta(seconds=1)
    assert refused.value.response_status_code == 400


async def test_one_that_ran_out_is_gone(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox, mailbox: str
) -> None:
    made = await watched(graph, inbox)
    await sandbox.advance(timedelta(days=7))
    tokens = await sandbox.graph.sign_in(mailbox)

    async with graph_at(sandbox.url, tokens) as afterwards:
        with pytest.raises(ODataError) as gone:
            await afterwards.subscriptions.by_subscription_id(str(made.id)).get()

    assert gone.value.response_status_code == 404


@pytest.mark.parametrize("what", ["reauthorizationRequired", "missed", "subscriptionRemoved"])
async def test_a_subscription_is_told_its_own_fate(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox, what: str
) -> None:
    made = await watched(graph, inbox)

    await sandbox.graph.lifecycle(str(made.id), what)
    await sandbox.settled()

    (post,) = changes(inbox)
    (element,) = post.json["value"]
    assert element["lifecycleEvent"] == what
    assert element["clientState"] == "secret"
    assert "changeType" not in element
    assert "resource" not in element
    lives = [one["id"] for one in await sandbox.graph.subscriptions()]
    assert lives == ([] if what == "subscriptionRemoved" else [made.id])


async def test_what_is_not_answered_comes_again_for_four_hours(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox, mailbox: str
) -> None:
    await watched(graph, inbox)
    inbox.answer = lambda post: web.Response(status=503)
    await sandbox.graph.add_event(mailbox, title="Unheard")
    for _ in range(8):
        await sandbox.settled()
        await sandbox.advance(timedelta(minutes=10))
    again = len(changes(inbox))

    await sandbox.advance(timedelta(hours=4))
    await sandbox.settled()
    before = len(changes(inbox))
    await sandbox.advance(timedelta(hours=12))
    await sandbox.settled()

    assert again > 2
    assert len(changes(inbox)) <= before + 1


async def test_a_person_watches_nobody_elses_mailbox(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox
) -> None:
    bob = await sandbox.graph.add_account("bob@example.org")

    with pytest.raises(ODataError) as refused:
        await watched(graph, inbox, resource=f"users/{bob}/events")

    assert refused.value.response_status_code == 403
