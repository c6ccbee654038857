"""How our link stands in an event of Microsoft Graph, and comes out without damage."""

from __future__ import annotations

import pytest

from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.wire.graph import LINK as LINK_HELD
from schemas.wire.graph import MEETING as MEETING_HELD
from tests.conformance.calendar_stage import LINK, MEETING
from tests.conformance.graph import AtGraph, at_graph


@pytest.fixture
async def graph(sandbox: Sandbox, wire: Wire) -> AtGraph:
    return await at_graph(sandbox, wire)


async def body_of(graph: AtGraph, event: str) -> str:
    return (await graph.sandbox.graph.event(graph.mailbox, event)).content


async def test_a_page_of_html_comes_back_letter_by_letter(graph: AtGraph) -> None:
    page = '<html><head></head><body lang="de"><p>Agenda &amp; more</p><br><br></body>\r\n</html>'
    event = await graph.add(location="zoom", description=page)

    await graph.write(event)
    written = await body_of(graph, event)
    await graph.remove(event)

    assert written.endswith("</div></body>\r\n</html>")
    assert f'href="{LINK}"' in written.replace("&amp;", "&")
    assert await body_of(graph, event) == page


async def test_a_block_that_exchange_restyled_still_comes_out(graph: AtGraph) -> None:
    event = await graph.add(location="zoom", description="<p>Agenda</p>")
    await graph.write(event)
    restyled = (await body_of(graph, event)).replace("<div>", '<DIV style="margin:0">\r\n')
    restyled = restyled.replace("</div>", "\r\n</DIV>")
    body = {"contentType": "html", "content": restyled}
    await graph.sandbox.graph.change_event(graph.mailbox, event, body=body)

    await graph.remove(event)

    assert "<body><p>Agenda</p></body>" in await body_of(graph, event)


async def test_a_teams_event_keeps_its_meeting_and_counts_as_having_one(graph: AtGraph) -> None:
    """Its block stays where it was, for without it the event is none of Teams any more."""
    event = await graph.add(location="zoom", isOnlineMeeting=True)
    assert (await graph.event(event)).foreign_link

    await graph.write(event)
    await graph.remove(event)

    stored = await graph.sandbox.graph.event(graph.mailbox, event)
    assert stored.doc["isOnlineMeeting"] is True


async def test_a_rooms_place_keeps_what_else_it_says(graph: AtGraph) -> None:
    place = {"displayName": "zoom", "locationEmailAddress": "room@example.org", "uniqueId": "r1"}
    made = await graph.sandbox.graph.add_event(graph.mailbox, title="Interview", location=place)

    await graph.write(made.id)

    stored = await graph.sandbox.graph.event(graph.mailbox, made.id)
    location = stored.doc["location"]
    assert isinstance(location, dict)
    assert location == {**place, "displayName": f"{LINK} · zoom"}


async def test_the_mark_is_two_properties_that_are_emptied_with_the_link(graph: AtGraph) -> None:
    event = await graph.add(location="zoom")

    await graph.write(event)
    written = await graph.held(event)
    await graph.remove(event)

    assert written == {MEETING_HELD: MEETING, LINK_HELD: LINK}
    assert await graph.held(event) == {MEETING_HELD: "", LINK_HELD: ""}
