"""What do partners ask for, and how does it stand? Meetings by the partner's own ids."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from functools import partial
from typing import Any, Final

from infra.errors import Conflict
from infra.lanes import Item, Lane, Post, Unit
from schemas.desk import FetchHostLink
from schemas.grants import Allows
from schemas.items import Asked, write_load
from schemas.meetings import Ask, meeting_id
from schemas.people import Scope
from schemas.problems import ProblemType
from webhooks.api.meeting_bodies import OURS, MeetingAnswer, MeetingBody, NewMeeting, digest_of
from webhooks.api.meeting_views import Standing, find, show
from webhooks.api.operation import Answer, Call, Operation, Row, Shape, etag
from webhooks.api.problems import Denied, changed, not_found, wrong_field
from webhooks.api.requests import WAITING, still_waiting

TURNS: Final = 5
"""How often a write is tried again when somebody else wrote first."""
LONGEST_WAIT: Final = 10
LOOK_EVERY: Final = timedelta(milliseconds=50)
_WAIT: Final = re.compile(r"(?:^|[\s,;])wait=(\d{1,5})(?:$|[\s,;])")


class HostLink(Shape):
    """A fresh link for the host. It is as good as the host's password for this meeting."""

    url: str


async def put_meeting(call: Call[MeetingBody]) -> Answer:
    """The same body again writes nothing."""
    external_id = call.path["meeting"]
    if external_id.startswith(OURS):
        raise wrong_field("meeting", f"Ids that begin with {OURS} are ours; put it by your own id.")
    return await _write(call, external_id, call.body)


async def create_meeting(call: Call[NewMeeting]) -> Answer:
    """A known external id is the same meeting, if the body is the same."""
    body = MeetingBody.model_validate(call.body.model_dump(exclude={"external_id"}))
    return await _write(call, call.body.external_id, body, only_new=True)


async def read_meeting(call: Call[None]) -> Answer:
    """As it stands now."""
    return _answer(call, await find(call))


async def cancel_meeting(call: Call[None]) -> Answer:
    """Cancelled already is done."""
    for _ in range(TURNS):
        standing = await find(call, by=(), what="meeting of yours")
        ask = standing.ask
        if ask is None:  # a calendar's meeting is cancelled in the calendar
            raise not_found("meeting of yours")
        call.must_match(ask.rev, "meeting")
        if ask.cancelled:
            return _answer(call, standing)
        news = {"cancelled": True, "actor": call.actor, "asked_at": call.now}
        try:
            await _submit(call, ask.model_copy(update=news))
        except Conflict:
            continue
        return _answer(call, await find(call))
    raise changed("meeting")


async def start_meeting(call: Call[None]) -> Answer:
    """Fetched at the provider each time, sealed for this process, and stored nowhere in clear."""
    standing = await find(call, by={Allows.USE}, what="meeting that you may start")
    meeting = standing.meeting
    if meeting is None or meeting.conference is None:
        raise Denied(
            ProblemType.NOT_PROVISIONED,
            "This meeting has no conference of ours to start. Read the meeting: `status` and"
            " `reason` say where it stands.",
        )
    desk = call.front.desk
    ask = FetchHostLink(meeting=meeting.id, reply_key=str(desk.ring.newest))
    group = f"connection:{meeting.conference.connection}"
    heard = await call.ask(ask, group=group, reads_only=True)
    if heard.answer is None:
        return still_waiting(heard)
    return Answer(HostLink(url=desk.open(call.tenant, heard.answer)))


async def _write(
    call: Call[Any], external_id: str, body: MeetingBody, *, only_new: bool = False
) -> Answer:
    id_ = meeting_id(call.tenant, "application", f"{call.caller.application}/{external_id}")
    digest = digest_of(body)
    for _ in range(TURNS):
        stored = await call.front.store.documents.get(call.tenant, Ask, id_)
        call.must_match(stored.rev if stored else 0, "meeting")
        same = stored is not None and stored.body_sha256 == digest
        if stored is not None and only_new and not same:
            raise Denied(
                ProblemType.DIFFERENT_BODY,
                f"There is a meeting {external_id} with other facts. Change it with"
                f" PUT /v1/meetings/{external_id}, or choose another external_id.",
            )
        if stored is None or not (same and (only_new or not stored.cancelled)):
            ask = await ask_for(call, id_, external_id, body)
            try:
                await _submit(call, ask.model_copy(update={"rev": stored.rev if stored else 0}))
            except Conflict:
                continue
        return await _wait(call, id_, status=201 if stored is None else 200)
    raise changed("meeting")


async def ask_for(call: Call[Any], id_: str, external_id: str, body: MeetingBody) -> Ask:
    """What is asked for, once it is checked. Raises Denied."""
    await body.check(call)
    return Ask(
        id=id_,
        application=call.caller.application,
        external_id=external_id,
        slot=body.slot,
        conferencing=body.conferencing,
        host=body.host,
        source_of_truth=body.source_of_truth,
        actor=call.actor,
        asked_at=call.now,
        body_sha256=digest_of(body),
    )


async def _submit(call: Call[Any], ask: Ask) -> None:
    """The wish and the item that tells of it appear together, or not at all."""
    item = Item(call.trace, write_load(Asked(actor=call.actor, trace=call.trace)))
    lane = Lane(call.tenant, "meeting", ask.id)
    await call.front.store.lanes.submit(
        call.tenant, Unit(puts=[ask], posts=[Post(lane=lane, item=item)])
    )


async def _wait(call: Call[Any], id_: str, *, status: int) -> Answer:
    """Answer at once, or as `Prefer: wait` asks: when it has come to rest (RFC 7240)."""
    asked = _WAIT.search(call.headers.get("prefer", ""))
    seconds = min(int(asked[1]), LONGEST_WAIT) if asked else 0
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    standing = await find(call, id_)
    while loop.time() < until and not standing.rests(call.front.now()):
        await asyncio.sleep(LOOK_EVERY.total_seconds())
        standing = await find(call, id_)
    applied = {"Preference-Applied": f"wait={seconds}"} if asked else {}
    return _answer(call, standing, status=status, headers=applied)


def _answer(
    call: Call[Any],
    standing: Standing,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Answer:
    version = {"ETag": etag(standing.ask.rev)} if standing.ask else {}
    view = show(standing, call.front.now())
    return Answer(view, status=status, headers={**version, **(headers or {})})


_row = partial(Operation[Any], room="Meetings", needs=Scope.MEETINGS)

ROWS: tuple[Row, ...] = (
    _row(
        name="createMeeting",
        method="POST",
        path="/v1/meetings",
        says="Ask for a meeting. A known `external_id` with the same body is the same meeting;"
        " with another body it is refused.",
        handle=create_meeting,
        takes=NewMeeting,
        gives=MeetingAnswer,
        status=201,
        harmless=True,
        also={200: "It exists already."},
        problems=(ProblemType.DIFFERENT_BODY,),
        headers=("Prefer",),
    ),
    _row(
        name="putMeeting",
        method="PUT",
        path="/v1/meetings/{meeting}",
        says="Make the meeting, or change it to this. Repeating the call is harmless.",
        handle=put_meeting,
        takes=MeetingBody,
        gives=MeetingAnswer,
        also={201: "It is new."},
        problems=(ProblemType.CHANGED,),
        headers=("If-Match", "Prefer"),
    ),
    _row(
        name="readMeeting",
        method="GET",
        path="/v1/meetings/{meeting}",
        says="How a meeting stands, with its join link once there is one.",
        handle=read_meeting,
        gives=MeetingAnswer,
        versioned=True,
    ),
    _row(
        name="cancelMeeting",
        method="DELETE",
        path="/v1/meetings/{meeting}",
        says="Cancel the meeting; its conference is torn down. Repeating the call is harmless.",
        handle=cancel_meeting,
        gives=MeetingAnswer,
        problems=(ProblemType.CHANGED,),
        headers=("If-Match",),
    ),
    Operation(
        name="startMeeting",
        method="GET",
        path="/v1/meetings/{meeting}/start",
        room="Meetings",
        needs=Scope.START,
        says="A fresh link for the host, fetched now. Hand it to nobody else.",
        handle=start_meeting,
        gives=HostLink,
        also=WAITING,
        problems=(
            ProblemType.NOT_PROVISIONED,
            ProblemType.NOT_LINKED,
            ProblemType.PROVIDER_REFUSED,
        ),
    ),
)
