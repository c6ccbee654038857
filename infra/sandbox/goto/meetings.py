"""How are meetings made, read, replaced, started and deleted?"""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, datetime

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, text, words
from infra.sandbox.goto.errors import invalid, refuse
from infra.sandbox.goto.simulator import GoTo, written
from infra.sandbox.goto.state import Meeting, Organizer, Session

REQUIRED = (
    "subject",
    "starttime",
    "endtime",
    "passwordrequired",
    "conferencecallinfo",
    "timezonekey",
    "meetingtype",
)
KINDS = ("immediate", "recurring", "scheduled")
SUBJECT_AT_MOST, CALL_INFO_AT_MOST = 100, 255
_KNOWN_CALLS = ("PSTN", "Free", "Hybrid", "Private", "VoIP")


def create(goto: GoTo, call: Call) -> Reply:
    """`POST /meetings`: always a new meeting, answered in an array of one."""
    me = goto.caller(call)
    meeting = made(goto, me, _checked(_body(call), me, goto))
    told: Doc = {
        "joinURL": join_url(goto, meeting),
        "meetingid": meeting.id,
        "maxParticipants": 26,
        "uniqueMeetingId": meeting.id,
        "conferenceCallInfo": dial_in(meeting),
    }
    return answer([told], 201)


def made(goto: GoTo, me: Organizer, checked: Meeting) -> Meeting:
    """Keep a new meeting under a number of nine digits."""
    number = int(goto.stage.chance.digits(9))
    while number in goto.meetings:
        number = int(goto.stage.chance.digits(9))
    checked.id, checked.organizer = number, me.key
    goto.meetings[number] = checked
    return checked


def get(goto: GoTo, call: Call) -> Reply:
    """`GET /meetings/{id}`: an array of one, without a join link."""
    meeting, odd = goto.meeting(call), goto.settings.as_seen
    told: Doc = {
        **_common(goto, meeting),
        "meetingId": meeting.id,
        "uniqueMeetingId": meeting.id,
        "meetingKey": meeting.id,
        "maxParticipants": 26,
        "duration": _minutes(meeting),
        "createTime": "",
    }
    if meeting.coorganizers:
        told["coorganizerKeys"] = [key if odd else int(key) for key in meeting.coorganizers]
    return answer([told])


def update(goto: GoTo, call: Call) -> Reply:
    """`PUT /meetings/{id}`: replaces the whole of it and answers nothing."""
    meeting = goto.meeting(call)
    fresh = _checked(_body(call), goto.people[meeting.organizer], goto)
    for name in ("subject", "kind", "starts", "ends", "password", "call_info", "coorganizers"):
        setattr(meeting, name, getattr(fresh, name))
    return Reply(204)


def delete(goto: GoTo, call: Call) -> Reply:
    """`DELETE /meetings/{id}`: 204; 409 while it is in session."""
    meeting = goto.meeting(call)
    if meeting.live is not None:
        raise refuse(409, "MeetingInSession", "The meeting is in session.")
    meeting.deleted = True
    return Reply(204)


def start(goto: GoTo, call: Call) -> Reply:
    """`GET /meetings/{id}/start`: an object, with a link that holds a one-time code."""
    meeting = goto.meeting(call)
    code = goto.stage.chance.word(60)
    url = f"{goto.settings.join_host}/{meeting.id}?authorizationCode={code}"
    return answer({"hostURL": url})


def begin(goto: GoTo, meeting: Meeting) -> Session:
    """The host starts a meeting."""
    session = Session(goto.stage.chance.digits(9), goto.stage.clock.now())
    meeting.sessions.append(session)
    return session


def listed(goto: GoTo, meeting: Meeting) -> Doc:
    """A row of upcoming meetings."""
    host = goto.people[meeting.organizer]
    told: Doc = {
        **_common(goto, meeting),
        "meetingId": str(meeting.id),
        "organizerKey": host.key,
        "accountKey": host.account,
        "firstName": host.first_name,
        "lastName": host.last_name,
        "email": host.email,
        "locale": "en_US",
    }
    if goto.settings.join_links_listed:
        told["joinURL"] = join_url(goto, meeting)
    return told


def join_url(goto: GoTo, meeting: Meeting) -> str:
    """The join link follows from the number."""
    return f"{goto.settings.join_host}/{meeting.id}"


def dial_in(meeting: Meeting) -> str:
    """What comes back is not the word that was sent, but numbers to dial; own text comes back."""
    if meeting.call_info not in _KNOWN_CALLS:
        return meeting.call_info
    digits = f"{meeting.id:09d}"
    code = f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    return f"US: +1 (224) 501-3412 Access Code: {code}"


def _common(goto: GoTo, meeting: Meeting) -> Doc:
    odd = goto.settings.as_seen
    password = meeting.password
    return {
        "subject": html.escape(meeting.subject, quote=False),
        "meetingType": meeting.kind,
        "startTime": written(meeting.starts, as_seen=odd),
        "endTime": written(meeting.ends, as_seen=odd),
        "passwordRequired": str(password).lower() if odd else password,
        "conferenceCallInfo": dial_in(meeting),
        "status": "ACTIVE" if meeting.live is not None else "INACTIVE",
    }


def _minutes(meeting: Meeting) -> int:
    if meeting.starts is None or meeting.ends is None:
        return 60
    return int((meeting.ends - meeting.starts).total_seconds() // 60)


def _checked(sent: Doc, me: Organizer, goto: GoTo) -> Meeting:
    """The meeting that a body asks for; every field must be there."""
    if missing := [name for name in REQUIRED if name not in sent]:
        raise invalid(f"Missing: {', '.join(missing)}.")
    if text(sent, "meetingtype") not in KINDS:
        raise invalid("meetingtype is one of immediate, recurring, scheduled.")
    subject = html.unescape(text(sent, "subject"))
    if not subject or len(subject) > SUBJECT_AT_MOST:
        raise invalid("subject has 1 to 100 characters.")
    if len(text(sent, "conferencecallinfo")) > CALL_INFO_AT_MOST:
        raise invalid("conferencecallinfo has 255 characters at most.")
    starts, ends = _moment(sent, "starttime"), _moment(sent, "endtime")
    if ends <= starts:
        raise invalid("endtime is not after starttime.")
    recurs = text(sent, "meetingtype") == "recurring"
    return Meeting(
        id=0,
        organizer=me.key,
        subject=subject,
        kind=text(sent, "meetingtype"),
        starts=None if recurs else starts,
        ends=None if recurs else ends,
        password=bool(sent["passwordrequired"]),
        call_info=text(sent, "conferencecallinfo"),
        coorganizers=_coorganizers(sent, me, goto),
    )


def _coorganizers(sent: Doc, me: Organizer, goto: GoTo) -> list[str]:
    """Co-organizers must be members of the account who have accepted their invitation."""
    keys = words(sent, "coorganizerKeys")
    for key in keys:
        found = goto.people.get(key)
        if found is None or found.account != me.account or not found.accepted:
            raise invalid(f"{key} is not an organizer of this account.")
    return keys


def _moment(sent: Doc, name: str) -> datetime:
    try:
        moment = datetime.strptime(text(sent, name), "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - below
    except ValueError as error:
        raise invalid(f"{name} must be like 2027-01-04T10:00:00Z.") from error
    return moment.replace(tzinfo=UTC)


def _body(call: Call) -> Doc:
    try:
        return call.json()
    except ValueError as error:
        raise invalid("The body is not a JSON object.") from error


Act = Callable[[GoTo, Call], Reply]
