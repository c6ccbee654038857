"""Which event does an id mean?"""

from __future__ import annotations

import re
from datetime import timedelta

from infra.sandbox.graph.errors import refuse
from infra.sandbox.graph.patterns import occurrences
from infra.sandbox.graph.state import Calendar, Event, Mailbox

_ID = re.compile(r"[A-Za-z0-9_=.-]{20,}")


def find(mailbox: Mailbox, name: str) -> tuple[Calendar, Event]:
    """Return an event, an exception, or an occurrence that only its series implies."""
    if not _ID.fullmatch(name):
        raise refuse(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    found = mailbox.find(name)
    if found is not None and not found[1].deleted:
        return found
    series = mailbox.find(name.partition(".")[0]) if found is None and "." in name else None
    if series is not None and not series[1].deleted and name not in series[1].called_off:
        calendar, master = series
        for one in occurrences(master, master.starts + timedelta(days=3_660)):
            if one.id == name:
                return calendar, one
    raise refuse(404)


def laid_out(calendar: Calendar, master: Event, upto: float) -> list[Event]:
    """Return the occurrences of a series, exceptions in their place, called-off ones left out."""
    changed = calendar.exceptions(master.id)
    far = master.starts + timedelta(days=3_660)
    rows = []
    for one in occurrences(master, far):
        if one.starts.timestamp() >= upto:
            break
        if one.id not in master.called_off:
            rows.append(changed.get(one.id, one))
    return rows
