"""How are meetings made, read, changed, ended and deleted?"""

from __future__ import annotations

from collections.abc import Callable

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, merged, rows, section, text, whole
from infra.sandbox.zoom import webhooks
from infra.sandbox.zoom.body import checked, occurrences
from infra.sandbox.zoom.errors import invalid, no_meeting, refuse
from infra.sandbox.zoom.quota import Weight
from infra.sandbox.zoom.simulator import Zoom, scopes
from infra.sandbox.zoom.state import Meeting, User

CREATE = scopes("meeting:write:meeting", classic="meeting:write")
UPDATE = scopes("meeting:update:meeting", classic="meeting:write")
DELETE = scopes("meeting:delete:meeting", classic="meeting:write")
READ = scopes("meeting:read:meeting", classic="meeting:read")
STATUS = scopes("meeting:update:status", "meeting:update:meeting", classic="meeting:write")
NO_FIXED_TIME, FIXED_SERIES = 3, 8
_SETTINGS: Doc = {
    "host_video": False,
    "participant_video": False,
    "join_before_host": False,
    "jbh_time": 0,
    "mute_upon_entry": False,
    "watermark": False,
    "use_pmi": False,
    "approval_type": 2,
    "audio": "both",
    "auto_recording": "none",
    "waiting_room": True,
    "alternative_hosts": "",
    "meeting_authentication": False,
    "email_notification": True,
    "encryption_type": "enhanced_encryption",
}


def create(zoom: Zoom, call: Call) -> Reply:
    """`POST /users/{user}/meetings`: always a new meeting, never the one made before."""
    host = zoom.host(call, CREATE)
    headers = _paced(zoom, host, "Medium")
    sent = checked(_body(call))
    zoom.quota.demand_write(host.id, zoom.settings.writes_a_day)
    meeting = made(zoom, host, sent)
    return answer(shown(zoom, meeting), 201, headers)


def made(zoom: Zoom, host: User, sent: Doc) -> Meeting:
    """Make a meeting of a host from checked fields, and tell its apps."""
    doc: Doc = {
        "topic": "Zoom Meeting",
        "type": 2,
        "duration": 60,
        "timezone": host.zone,
        "agenda": "",
        **sent,
        "uuid": zoom.stage.chance.key(),
        "id": int("8" + zoom.stage.chance.digits(10)),
        "host_id": host.id,
        "host_email": host.email,
        "created_at": zoom.stamp(),
        "status": "waiting",
        "settings": _SETTINGS | section(sent, "settings"),
    }
    if doc["type"] in (1, 2) and "start_time" not in doc:
        doc["start_time"] = zoom.stamp()
    if doc["type"] == NO_FIXED_TIME:
        doc.pop("start_time", None)
    doc["password"] = text(doc, "password") or zoom.stage.chance.digits(6)
    if doc["type"] == FIXED_SERIES:
        doc["occurrences"] = _laid_out(doc)
    meeting = Meeting(_linked(zoom, doc), host.id, host.account_id)
    zoom.shelf.put(meeting)
    webhooks.created(zoom, meeting)
    return meeting


def get(zoom: Zoom, call: Call) -> Reply:
    """`GET /meetings/{id}`: the whole meeting, with a fresh start link."""
    meeting = zoom.meeting(call, READ)
    headers = _paced(zoom, zoom.users[meeting.host], "Light")
    wanted = call.query.get("occurrence_id")
    doc = shown(zoom, meeting)
    if wanted:
        one = _occurrence(meeting, wanted)
        doc |= {"start_time": one["start_time"], "duration": one["duration"]}
    return answer(doc, headers=headers)


def update(zoom: Zoom, call: Call) -> Reply:
    """`PATCH /meetings/{id}`: 204 and empty; a new passcode makes a new join link."""
    meeting = zoom.meeting(call, UPDATE)
    headers = _paced(zoom, zoom.users[meeting.host], "Light")
    sent = checked(_body(call))
    zoom.quota.demand_write(meeting.host, zoom.settings.writes_a_day)
    changed(zoom, meeting, sent, call.query.get("occurrence_id", ""))
    return Reply(204, b"", headers)


def changed(zoom: Zoom, meeting: Meeting, sent: Doc, occurrence: str = "") -> None:
    """Change a meeting, or one of its occurrences, and tell its apps what was and what is."""
    before = meeting.doc
    if occurrence:
        one = _occurrence(meeting, occurrence)
        kept = {key: sent[key] for key in ("start_time", "duration") if key in sent}
        lines = [row | kept if row is one else row for row in rows(before, "occurrences")]
        after = before | {"occurrences": lines}
    else:
        after = merged(before, sent)
        if after["type"] == FIXED_SERIES and {
            "recurrence",
            "start_time",
            "duration",
            "timezone",
        } & set(sent):
            after["occurrences"] = _laid_out(after)
    zoom.shelf.take(meeting)
    meeting.doc = _linked(zoom, after)
    zoom.shelf.put(meeting)
    webhooks.updated(zoom, meeting, before, sent)


def delete(zoom: Zoom, call: Call) -> Reply:
    """`DELETE /meetings/{id}`: 204; 400/3002 while it is in progress."""
    meeting = zoom.meeting(call, DELETE)
    headers = _paced(zoom, zoom.users[meeting.host], "Light")
    if zoom.settings.daily_applies_to_delete:
        zoom.quota.demand_write(meeting.host, zoom.settings.writes_a_day)
    if meeting.live:
        raise refuse(400, 3002, "Sorry, you cannot delete this meeting since it is in progress.")
    removed(zoom, meeting, call.query.get("occurrence_id", ""))
    return Reply(204, b"", headers)


def removed(zoom: Zoom, meeting: Meeting, occurrence: str = "") -> None:
    """Delete a meeting, or one of its occurrences, and tell its apps."""
    if occurrence:
        one = _occurrence(meeting, occurrence)
        lines = rows(meeting.doc, "occurrences")
        gone = [row | {"status": "deleted"} if row is one else row for row in lines]
        zoom.shelf.take(meeting)
        meeting.doc = meeting.doc | {"occurrences": gone}
        zoom.shelf.put(meeting)
        webhooks.deleted(zoom, meeting, [one])
        return
    zoom.shelf.take(meeting)
    meeting.deleted = True
    webhooks.deleted(zoom, meeting, [])


def status(zoom: Zoom, call: Call) -> Reply:
    """`PUT /meetings/{id}/status`: end a meeting that is in progress, or recover a deleted one."""
    action = text(_body(call), "action")
    if action == "recover":
        return _recover(zoom, call)
    meeting = zoom.meeting(call, STATUS)
    if action != "end":
        raise invalid("action", "Invalid field.")
    if not meeting.live:
        raise refuse(400, 3000, "Cannot access meeting information.")
    webhooks.ended(zoom, meeting)
    return Reply(204)


def _recover(zoom: Zoom, call: Call) -> Reply:
    grant = zoom.caller(call, STATUS)
    name = call.path["meeting"]
    meeting = zoom.shelf.by_id.get(int(name)) if name.isdigit() else None
    if meeting is None or not meeting.deleted or meeting.host != grant.account:
        raise no_meeting(name)
    meeting.deleted = False
    zoom.shelf.put(meeting)
    webhooks.recovered(zoom, meeting)
    return Reply(204)


def shown(zoom: Zoom, meeting: Meeting) -> Doc:
    """Write a meeting as its host gets it: with a start link of its own each time."""
    join = text(meeting.doc, "join_url").replace("/j/", "/s/").partition("?")[0]
    start = f"{join}?zak=zak.{zoom.stage.chance.word(24)}"
    password = text(meeting.doc, "password")
    return {
        **meeting.doc,
        "status": "started" if meeting.live else "waiting",
        "start_url": start,
        "h323_password": password,
        "encrypted_password": text(meeting.doc, "join_url").partition("pwd=")[2],
        "pre_schedule": False,
    }


def _linked(zoom: Zoom, doc: Doc) -> Doc:
    """Put the join link on; its pwd depends on the passcode."""
    secret = text(doc, "password").encode().hex()
    pwd = f"{secret}{whole(doc, 'id') % 9_999_991:x}.1"
    return doc | {"join_url": f"{zoom.settings.join_host}/j/{whole(doc, 'id')}?pwd={pwd}"}


def _laid_out(doc: Doc) -> list[Doc]:
    if not section(doc, "recurrence"):
        raise invalid("recurrence", "Invalid field.")
    return occurrences(doc)


def _occurrence(meeting: Meeting, name: str) -> Doc:
    for row in rows(meeting.doc, "occurrences"):
        if row.get("occurrence_id") == name and row.get("status") != "deleted":
            return row
    raise refuse(400, 3000, "Invalid occurrence_id.")


def _paced(zoom: Zoom, host: User, weight: Weight) -> list[tuple[bytes, bytes]]:
    return zoom.quota.demand_call(host.account_id, host.plan, weight, enforce=zoom.settings.qps)


def _body(call: Call) -> Doc:
    try:
        return call.json()
    except ValueError as error:
        raise refuse(400, 300, "Request Body should be a valid JSON object.") from error


Act = Callable[[Zoom, Call], Reply]
