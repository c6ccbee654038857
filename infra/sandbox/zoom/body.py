"""What does Zoom make of the fields a client sends for a meeting?"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.sandbox.documents import Doc, section, text, whole
from infra.sandbox.zoom.errors import invalid
from infra.sandbox.zoom.simulator import written

WRITABLE = frozenset(
    [
        "topic",
        "type",
        "start_time",
        "duration",
        "timezone",
        "agenda",
        "password",
        "default_password",
        "schedule_for",
        "template_id",
        "pre_schedule",
        "tracking_fields",
        "recurrence",
        "settings",
    ]
)
_PASSWORD = re.compile(r"[a-zA-Z0-9@\-_*]{0,10}")
_LENGTHS = {"topic": 200, "agenda": 2_000}
_FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S")
_MOST = 60


def checked(sent: Doc) -> Doc:
    """Return the fields Zoom takes from a body; refuses those it validates."""
    for field, most in _LENGTHS.items():
        if len(text(sent, field)) > most:
            raise invalid(field, f"Size must be between 0 and {most}.")
    if "type" in sent and sent["type"] not in (1, 2, 3, 8, 10):
        raise invalid("type", "Invalid field.")
    if not _PASSWORD.fullmatch(text(sent, "password")):
        raise invalid(
            "password", "Password may only contain the following characters: [a-z A-Z 0-9 @ - _ *]."
        )
    if "timezone" in sent and _zone(text(sent, "timezone")) is None:
        raise invalid("timezone", "Invalid time zone.")
    kept = {key: value for key, value in sent.items() if key in WRITABLE}
    if "start_time" in kept:
        start = _start(text(sent, "start_time"), text(sent, "timezone"))
        kept.pop("start_time") if start is None else kept.update(start_time=start)
    return kept


def _start(value: str, zone: str) -> str | None:
    """Read a start as Zoom does: UTC with Z, else local time of `timezone`.

    An offset is read as if it were not there, other forms are ignored without a word
    (cal.diy#3238, n8n#29205).
    """
    offset = re.fullmatch(r"(.{19})[+-]\d{2}:?\d{2}", value)
    bare = offset[1] + "Z" if offset else value
    for form in _FORMS:
        try:
            moment = datetime.strptime(bare, form)  # noqa: DTZ007 - the zone is put on below
        except ValueError:
            continue
        local = UTC if form.endswith("Z") else _zone(zone) or UTC
        return written(moment.replace(tzinfo=local))
    return None


def occurrences(doc: Doc) -> list[Doc]:
    """Lay out a recurring meeting with fixed time (type 8) into its occurrences."""
    rule = section(doc, "recurrence")
    start = datetime.fromisoformat(text(doc, "start_time"))
    zone = _zone(text(doc, "timezone")) or ZoneInfo("UTC")
    local = start.astimezone(zone).replace(tzinfo=None)
    until = text(rule, "end_date_time")
    last = datetime.fromisoformat(until).astimezone(UTC) if until else None
    count = whole(rule, "end_times") or (_MOST if last else 1)
    found: list[Doc] = []
    for step in range(_MOST * 7):
        at = _step(local, rule, step)
        moment = at.replace(tzinfo=zone).astimezone(UTC) if at else None
        if len(found) >= min(count, _MOST) or (moment and last and moment > last):
            break
        if moment is not None:
            found.append(_occurrence(moment, doc))
    return found


def _step(local: datetime, rule: Doc, step: int) -> datetime | None:
    """Return the local start of the n-th candidate, or None when the rule leaves it out."""
    every = whole(rule, "repeat_interval", 1) or 1
    match whole(rule, "type"):
        case 1:
            return local + timedelta(days=step * every)
        case 2:
            days = {int(day) for day in text(rule, "weekly_days").split(",") if day.isdigit()}
            at = local + timedelta(days=step)
            week = (at.date() - local.date() + timedelta(days=(local.weekday() + 1) % 7)).days // 7
            wanted = at.isoweekday() % 7 + 1 in (days or {local.isoweekday() % 7 + 1})
            return at if wanted and week % every == 0 else None
        case _:
            month = local.month - 1 + step * every
            try:
                return local.replace(year=local.year + month // 12, month=month % 12 + 1)
            except ValueError:
                return None


def _occurrence(at: datetime, doc: Doc) -> Doc:
    return {
        "occurrence_id": str(int(at.timestamp() * 1000)),
        "start_time": written(at),
        "duration": whole(doc, "duration", 60),
        "status": "available",
    }


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
