"""What is still missing? The next commands of a meeting, in order. Pure.

After everything is done the answer is empty; after a crash it is what is missing (DESIGN §6). Only
the first command is ever carried out before we ask again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.commands import (
    ChangeEvent,
    Command,
    ConfirmConference,
    FindConference,
    ProvisionConference,
    RemoveJoinDetails,
    TearDownConference,
    UpdateConference,
    Wait,
    WriteJoinDetails,
)
from schemas.meetings import (
    Conference,
    Intent,
    Meeting,
    Written,
    event_agrees,
    join_link,
    next_number,
)
from schemas.policy import Link, Policy, Wish, is_past

BEFORE_ANY_TRY = timedelta(days=1)
"""How far back a find looks when we know of no try of ours (a new epoch, ENGINE 29)."""


def decide(meeting: Meeting, policy: Policy, reference: str, now: datetime) -> list[Command]:
    """The commands that lead from what exists to what is wanted.

    `reference` is the one of the meeting's generation; it is derivable (ENGINE 25), so it is an
    argument rather than state.
    """
    if meeting.trouble is not None and meeting.trouble.parked:
        return []
    if meeting.trouble is not None and meeting.trouble.until and meeting.trouble.until > now:
        return [Wait(until=meeting.trouble.until, reason=meeting.trouble.reason)]
    if meeting.intent is not None and meeting.intent.sent:
        return [_resolve(meeting, meeting.intent, policy, now)]
    if meeting.wish is None:
        return _wind_down(meeting, policy, now)
    return _keep_up(meeting, meeting.wish, policy, reference=reference, now=now)


def _resolve(meeting: Meeting, intent: Intent, policy: Policy, now: datetime) -> Command:
    """A create may have been sent: wait until no old request can still commit, then look."""
    link = _link(intent.connection, policy)
    if isinstance(link, Wait):
        return link
    settled = intent.started_at + link.quarantine
    if now < settled:
        return Wait(until=settled, reason="a create may still be under way at the provider")
    return FindConference(
        connection=intent.connection,
        slot=intent.slot,
        reference=intent.reference,
        since=meeting.tries[0].started_at if meeting.tries else intent.started_at,
        event=_home(meeting, link),
    )


def _keep_up(
    meeting: Meeting, wish: Wish, policy: Policy, *, reference: str, now: datetime
) -> list[Command]:
    if is_past(wish.slot, now):
        return []
    conference = meeting.conference
    if conference is None:
        return [_begin(meeting, wish, policy, reference=reference, now=now)]
    if conference.connection != wish.connection:
        return [_tear_down(conference, policy)]
    return _keep_right(meeting, conference, wish, policy)


def _keep_right(
    meeting: Meeting, conference: Conference, wish: Wish, policy: Policy
) -> list[Command]:
    writes = [*_carry(meeting, wish), *_write(meeting)]
    if not meeting.doubted and conference.shown == wish.slot.fingerprint:
        return writes
    link = _link(conference.connection, policy)
    if isinstance(link, Wait):  # what is known can be written all the same
        return [*writes, link]
    if meeting.doubted:
        return [ConfirmConference(conference=conference)]
    return [UpdateConference(conference=conference, slot=wish.slot), *writes]


def _begin(
    meeting: Meeting, wish: Wish, policy: Policy, *, reference: str, now: datetime
) -> Command:
    link = _link(wish.connection, policy)
    if isinstance(link, Wait):
        return link
    begun = meeting.intent is not None and meeting.intent.connection == link.connection
    if link.find_first and not link.derived and not begun:
        return FindConference(
            connection=link.connection,
            slot=wish.slot,
            reference=reference,
            since=meeting.tries[0].started_at if meeting.tries else now - BEFORE_ANY_TRY,
            event=_home(meeting, link),
        )
    return ProvisionConference(
        connection=link.connection,
        slot=wish.slot,
        reference=reference,
        number=meeting.intent.number if meeting.intent else next_number(meeting),
        event=_home(meeting, link),
    )


def _home(meeting: Meeting, link: Link) -> str:
    """The event that the conference is to live in, if it lives in one."""
    copy = meeting.authoritative
    return copy.event.id if link.in_event and copy is not None else ""


def _wind_down(meeting: Meeting, policy: Policy, now: datetime) -> list[Command]:
    """No conference of ours is wanted. A partner's own link is shown in its place."""
    commands: list[Command] = (
        _write(meeting)
        if meeting.given_link is not None
        else [RemoveJoinDetails(target=entry) for entry in meeting.written]
    )
    if meeting.conference is None or is_past(meeting.conference.slot, now):
        return commands
    return [*commands, _tear_down(meeting.conference, policy)]


def _write(meeting: Meeting) -> list[Command]:
    """Bring the link into the authoritative copy, and out of any other."""
    link, copy = join_link(meeting), meeting.authoritative
    if link is None or copy is None:
        return []
    target = Written(calendar=copy.calendar, event=copy.event.id, join_url=link)
    here = (target.calendar, target.event)
    strays: list[Command] = [
        RemoveJoinDetails(target=entry)
        for entry in meeting.written
        if (entry.calendar, entry.event) != here
    ]
    stands = any(
        (entry.calendar, entry.event, entry.join_url) == (*here, link) for entry in meeting.written
    )
    return strays if stands else [WriteJoinDetails(target=target), *strays]


def _carry(meeting: Meeting, wish: Wish) -> list[Command]:
    """Bring the title and times of a conference that leads into the event."""
    copy = meeting.authoritative
    if copy is None or event_agrees(meeting):
        return []
    return [ChangeEvent(calendar=copy.calendar, event=copy.event.id, slot=wish.slot)]


def _tear_down(conference: Conference, policy: Policy) -> Command:
    link = _link(conference.connection, policy)
    return link if isinstance(link, Wait) else TearDownConference(conference=conference)


def _link(connection: str, policy: Policy) -> Link | Wait:
    """The link to work through, or the wait until somebody mends it."""
    link = policy.links.get(connection)
    if link is None:
        return Wait(until=None, reason=f"connection {connection} is not known")
    if not link.usable:
        return Wait(until=None, reason=link.reason or f"connection {connection} is not linked")
    return link
