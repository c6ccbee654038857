"""What becomes of conference data that a client sends?"""

from __future__ import annotations

from collections.abc import Mapping

from infra.sandbox.documents import Doc, section, text
from infra.sandbox.google.errors import refuse
from infra.sandbox.google.state import Calendar, Event


def with_conference(
    calendar: Calendar, doc: Doc, old: Event | None, query: Mapping[str, str]
) -> Doc:
    """Return the event with its conference: kept, made, or (version 0) what was sent ignored."""
    kept = old.doc.get("conferenceData") if old else None
    link = old.doc.get("hangoutLink") if old else None
    if query.get("conferenceDataVersion", "0") != "1":
        doc.pop("conferenceData", None)
        extra = {"conferenceData": kept, "hangoutLink": link}
        return doc | {key: value for key, value in extra.items() if value is not None}
    request = section(section(doc, "conferenceData"), "createRequest")
    if not section(doc, "conferenceData"):
        doc.pop("hangoutLink", None)
        return doc
    if not request:
        return doc | ({"hangoutLink": link} if link is not None else {})
    kind = text(section(request, "conferenceSolutionKey"), "type", "hangoutsMeet")
    if kind not in calendar.conference_types:
        raise refuse(400, "invalid", "Invalid conference type value.")
    return doc | _meet(request, kind, old)


def _meet(request: Doc, kind: str, old: Event | None) -> Doc:
    """Make a Meet conference; the request id of the one there is makes no second one."""
    before = section(old.doc, "conferenceData") if old else {}
    asked = text(request, "requestId")
    if before and text(section(before, "createRequest"), "requestId") == asked:
        return {"conferenceData": before, "hangoutLink": old.doc["hangoutLink"] if old else ""}
    letters = (
        asked.encode().hex().translate(str.maketrans("0123456789", "ghijklmnop")).ljust(10, "x")
    )
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:10]}"
    link = f"https://meet.google.com/{code}"
    made: Doc = {
        "createRequest": {**request, "status": {"statusCode": "success"}},
        "entryPoints": [{"entryPointType": "video", "uri": link, "label": link[8:]}],
        "conferenceSolution": {"key": {"type": kind}, "name": "Google Meet"},
        "conferenceId": code,
    }
    return {"conferenceData": made, "hangoutLink": link}
