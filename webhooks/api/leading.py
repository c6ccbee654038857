"""Who is right about one meeting of a calendar? Chosen for it alone, whatever its rule says."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from infra.errors import Conflict
from infra.lanes import Item, Lane, Post, Unit
from schemas.items import Asked, write_load
from schemas.people import Scope
from schemas.policy import Leading
from schemas.problems import ProblemType
from webhooks.api.meeting_bodies import MeetingAnswer, must_lead
from webhooks.api.meeting_views import find, show
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import changed, wrong_field

TURNS = 5
"""How often a choice is written again when somebody else chose first."""


class Choice(Shape):
    """Who is right about title, times and cancelling of a calendar's meeting."""

    source_of_truth: Literal["calendar", "conference"]


async def choose_truth(call: Call[Choice]) -> Answer:
    """The same choice again has the meeting looked at again, and changes nothing."""
    standing = await find(call, by=())
    meeting, truth = standing.meeting, call.body.source_of_truth
    if meeting is None or meeting.origin != "calendar":
        words = "An application made this meeting: put it with its own `source_of_truth`."
        raise wrong_field("source_of_truth", words)
    through = meeting.conference or meeting.wish
    if truth == "conference" and through is not None:
        await must_lead(call, "source_of_truth", through.connection)
    for _ in range(TURNS):
        stored = await call.front.store.documents.get(call.tenant, Leading, standing.id)
        choice = Leading(
            id=standing.id,
            rev=stored.rev if stored else 0,
            truth=truth,
            actor=call.actor,
            chosen_at=call.now,
        )
        item = Item(call.trace, write_load(Asked(actor=call.actor, trace=call.trace)))
        post = Post(lane=Lane(call.tenant, "meeting", standing.id), item=item)
        try:
            await call.front.store.lanes.submit(call.tenant, Unit(puts=[choice], posts=[post]))
        except Conflict:
            continue
        view = show(standing, call.front.now())
        return Answer(view.model_copy(update={"source_of_truth": truth}))
    raise changed("meeting")


_row = partial(Operation[Any], room="Meetings", needs=Scope.MANAGE)

ROWS: tuple[Row, ...] = (
    _row(
        name="chooseTruth",
        method="PATCH",
        path="/v1/meetings/{meeting}",
        says="Choose who is right about one meeting of a calendar, whatever the rule says that"
        " gave it its conference. Repeating the call is harmless.",
        handle=choose_truth,
        takes=Choice,
        gives=MeetingAnswer,
        problems=(ProblemType.CHANGED,),
    ),
)
