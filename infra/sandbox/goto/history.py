"""Which meetings are to come, which were held, and who was in them?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc
from infra.sandbox.goto.errors import invalid, not_found, refuse
from infra.sandbox.goto.meetings import dial_in, listed
from infra.sandbox.goto.simulator import IDENTITY, GoTo, written
from infra.sandbox.goto.state import Attendee, Meeting, Organizer, Session

Held = tuple[Meeting, Session]


def upcoming(goto: GoTo, call: Call) -> Reply:
    """`GET /upcomingMeetings`: all of the caller's that are to come or running; no paging."""
    return answer(_upcoming(goto, [goto.caller(call)]))


def upcoming_of_organizer(goto: GoTo, call: Call) -> Reply:
    """`GET /organizers/{key}/upcomingMeetings`."""
    return answer(_upcoming(goto, [goto.organizer(call)]))


def upcoming_of_group(goto: GoTo, call: Call) -> Reply:
    """`GET /groups/{key}/upcomingMeetings`: with the group's name, without call info and status."""
    group = goto.group(call)
    kept = [
        {key: value for key, value in row.items() if key not in ("conferenceCallInfo", "status")}
        | {"groupName": group.name}
        for row in _upcoming(goto, goto.members(group))
    ]
    return answer(kept)


def held(goto: GoTo, call: Call) -> Reply:
    """`GET /historicalMeetings`: what the caller started in the span and has ended."""
    return answer([_past(goto, *one) for one in _held(goto, call, [goto.caller(call)])])


def held_by_organizer(goto: GoTo, call: Call) -> Reply:
    """`GET /organizers/{key}/historicalMeetings`."""
    return answer([_past(goto, *one) for one in _held(goto, call, [goto.organizer(call)])])


def held_by_group(goto: GoTo, call: Call) -> Reply:
    """`GET /groups/{key}/historicalMeetings`: no session id, no call info."""
    group = goto.group(call)
    rows = [_past(goto, *one) for one in _held(goto, call, goto.members(group))]
    cut = ("conferenceCallInfo", "sessionId")
    kept = [{key: value for key, value in row.items() if key not in cut} for row in rows]
    return answer([row | {"groupName": group.name} for row in kept])


def attendees(goto: GoTo, call: Call) -> Reply:
    """`GET /meetings/{id}/attendees`: an administrator sees any, others their own; 404 for one that
    was never started."""
    me = goto.caller(call, IDENTITY)
    name = call.path["meeting"]
    meeting = goto.meetings.get(int(name)) if name.isdigit() else None
    if meeting is None or goto.people[meeting.organizer].account != me.account:
        raise not_found("Meeting")
    if meeting.organizer != me.key and not me.admin:
        raise refuse(403, "AccessDenied", "You are not an organizer of this meeting.")
    oldest = _oldest(goto)
    over = [one for one in meeting.sessions if one.ended is not None and one.started >= oldest]
    if not over:
        raise not_found("Meeting")
    return answer(
        [
            _attendee(goto, (meeting, one), who, by="meeting")
            for one in over
            for who in one.attendees
        ]
    )


def attendees_of_organizer(goto: GoTo, call: Call) -> Reply:
    """`GET /organizers/{key}/attendees`."""
    return _attendees(goto, call, [goto.organizer(call, IDENTITY)], by="organizer")


def attendees_of_group(goto: GoTo, call: Call) -> Reply:
    """`GET /groups/{key}/attendees`."""
    return _attendees(goto, call, goto.members(goto.group(call, IDENTITY)), by="group")


def _attendees(goto: GoTo, call: Call, of: list[Organizer], *, by: str) -> Reply:
    found = [
        _attendee(goto, one, who, by=by)
        for one in _held(goto, call, of)
        for who in one[1].attendees
    ]
    return answer(found)


def _upcoming(goto: GoTo, of: list[Organizer]) -> list[Doc]:
    now = goto.stage.clock.now()
    return [
        listed(goto, one)
        for one in goto.of(of)
        if not one.deleted and (one.live or one.ends is None or one.ends > now)
    ]


def _held(goto: GoTo, call: Call, of: list[Organizer]) -> Iterator[Held]:
    """What began in the span and is over, not longer ago than GoTo keeps it."""
    begins, ends = _moment(call, "startDate"), _moment(call, "endDate")
    oldest = _oldest(goto)
    for meeting in goto.of(of):
        for session in meeting.sessions:
            begun = max(begins, oldest) <= session.started <= ends
            if begun and session.ended is not None:
                yield meeting, session


def _oldest(goto: GoTo) -> datetime:
    """What began before is forgotten."""
    return goto.stage.clock.now() - timedelta(days=goto.settings.history_days)


def _past(goto: GoTo, meeting: Meeting, session: Session) -> Doc:
    host, odd = goto.people[meeting.organizer], goto.settings.as_seen
    return {
        "subject": meeting.subject,
        "meetingId": str(meeting.id),
        "meetingType": meeting.kind,
        "sessionId": session.id,
        "startTime": written(session.started, as_seen=odd),
        "endTime": written(session.ended, as_seen=odd),
        "duration": str(_minutes(session.started, session.ended)),
        "numAttendees": str(len(session.attendees)),
        "organizerKey": host.key,
        "accountKey": host.account,
        "firstName": host.first_name,
        "lastName": host.last_name,
        "email": host.email,
        "locale": "en_US",
        "conferenceCallInfo": dial_in(meeting),
    }


def _attendee(goto: GoTo, held: Held, who: Attendee, *, by: str) -> Doc:
    (meeting, session), odd = held, goto.settings.as_seen
    host = goto.people[meeting.organizer]
    left = who.left or session.ended
    told: Doc = {
        "attendeeName": who.name,
        "attendeeEmail": who.email,
        "joinTime": written(who.joined, as_seen=odd, zone=False),
        "leaveTime": written(left, as_seen=odd, zone=False),
        "duration": _minutes(who.joined, left),
        "subject": meeting.subject,
        "meetingId": str(meeting.id) if by == "group" else meeting.id,
        "meetingInstanceKey": meeting.id,
        "meetingType": meeting.kind,
        "numAttendees": len(session.attendees),
        "organizerkey": float(host.key) if odd else int(host.key),
        "firstName": host.first_name,
        "lastName": host.last_name,
        "email": host.email,
        "groupName": goto.groups[host.group].name if host.group else "NA",
        "conferenceCallInfo": meeting.call_info.upper(),
        "startTime": written(session.started, as_seen=odd, zone=False),
        "endTime": written(session.ended, as_seen=odd, zone=False),
    }
    if by == "group":
        return told | {"organizerKey": host.key}
    named = told | {"name": who.name}
    return named if by == "meeting" else named | {"newMeetingId": str(meeting.id)}


def _minutes(begun: datetime, ended: datetime | None) -> int:
    return int(((ended or begun) - begun).total_seconds() // 60)


def _moment(call: Call, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(call.query.get(name, ""))
    except ValueError as error:
        raise invalid(f"{name} is required, like 2027-01-04T10:00:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
