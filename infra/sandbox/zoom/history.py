"""What was: instances of meetings, who took part, and the text of an invitation."""

from __future__ import annotations

from urllib.parse import unquote

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, rows, text, whole
from infra.sandbox.zoom.errors import no_meeting, refuse
from infra.sandbox.zoom.meetings import READ
from infra.sandbox.zoom.simulator import Zoom, scopes
from infra.sandbox.zoom.state import Meeting, User

PAST = scopes("meeting:read:past_meeting", classic="meeting:read")
INSTANCES = scopes(
    "meeting:read:list_past_instances", "meeting:read:past_meeting", classic="meeting:read"
)
PEOPLE = scopes("meeting:read:list_past_participants", classic="meeting:read")
REPORT = ("report:read:list_meeting_participants:admin", "report:read:admin")
INVITATION = (*scopes("meeting:read:invitation", classic="meeting:read"), *READ)
_BASIC = 1


def invitation(zoom: Zoom, call: Call) -> Reply:
    """`GET /meetings/{id}/invitation`: the text a host pastes into a mail."""
    meeting = zoom.meeting(call, INVITATION)
    host = zoom.users[meeting.host]
    told = (
        f"{host.first_name} is inviting you to a scheduled Zoom meeting.\r\n\r\n"
        f"Topic: {text(meeting.doc, 'topic')}\r\nTime: {text(meeting.doc, 'start_time')}\r\n\r\n"
        f"Join Zoom Meeting\r\n{text(meeting.doc, 'join_url')}\r\n\r\n"
        f"Meeting ID: {meeting.id}\r\nPasscode: {text(meeting.doc, 'password')}\r\n"
    )
    return answer({"invitation": told})


def past(zoom: Zoom, call: Call) -> Reply:
    """`GET /past_meetings/{id or uuid}`: the latest or the named instance that has ended."""
    meeting, instance = _ended(zoom, call, PAST)
    host = zoom.users[meeting.host]
    people = rows(instance, "participants")
    kept = ("id", "host_id", "topic", "type", "duration")
    told: Doc = {key: meeting.doc[key] for key in kept} | {
        "uuid": instance["uuid"],
        "user_name": host.first_name,
        "user_email": host.email,
        "start_time": instance["start_time"],
        "end_time": instance["end_time"],
        "participants_count": len(people),
        "total_minutes": 0,
    }
    return answer(told)


def instances(zoom: Zoom, call: Call) -> Reply:
    """`GET /past_meetings/{id}/instances`: all that have ended."""
    meeting, _ = _ended(zoom, call, INSTANCES)
    listed = [{key: one[key] for key in ("uuid", "start_time")} for one in meeting.instances]
    return answer({"meetings": listed})


def participants(zoom: Zoom, call: Call) -> Reply:
    """`GET /past_meetings/{id}/participants`: not on a free plan."""
    return _participants(zoom, call, PEOPLE)


def report(zoom: Zoom, call: Call) -> Reply:
    """`GET /report/meetings/{id}/participants`: the same for administrators."""
    return _participants(zoom, call, REPORT)


def _participants(zoom: Zoom, call: Call, allowed: tuple[str, ...]) -> Reply:
    meeting, instance = _ended(zoom, call, allowed)
    host: User = zoom.users[meeting.host]
    if host.type == _BASIC:
        raise refuse(400, 200, "Only available for Paid account.")
    size = min(whole({"n": call.query.get("page_size", "")}, "n", 30), 300)
    start = whole({"at": call.query.get("next_page_token", "")}, "at")
    people = rows(instance, "participants")
    more = start + size < len(people)
    return answer(
        {
            "page_size": size,
            "total_records": len(people),
            "next_page_token": str(start + size) if more else "",
            "participants": [_person(row, instance) for row in people[start : start + size]],
        }
    )


def _person(row: Doc, instance: Doc) -> Doc:
    return {
        "id": row["id"],
        "name": row["user_name"],
        "user_id": row["user_id"],
        "user_email": row["email"],
        "join_time": row["join_time"],
        "leave_time": row.get("leave_time", instance["end_time"]),
        "duration": 0,
        "status": "in_meeting",
        "failover": False,
    }


def _ended(zoom: Zoom, call: Call, allowed: tuple[str, ...]) -> tuple[Meeting, Doc]:
    """Return a meeting of the caller's account with its latest, or the named, ended instance."""
    grant = zoom.caller(call, allowed)
    name = unquote(call.path["meeting"])  # uuids with a slash come encoded twice
    is_number = name.isdigit()
    meeting = zoom.shelf.by_id.get(int(name)) if is_number else zoom.shelf.by_instance.get(name)
    if meeting is None or meeting.account_id != zoom.users[grant.account].account_id:
        raise no_meeting(name)
    for instance in reversed(meeting.instances):
        if is_number or instance["uuid"] == name:
            return meeting, instance
    raise no_meeting(name)
