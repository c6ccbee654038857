"""Who is right where a conference is not what it was made for? Pure.

The source of truth is: what differs from it is put back, whichever side somebody changed (B-12).
"""

from __future__ import annotations

from typing import Final

from schemas.commands import ConferenceMissing, Outcome, StillThere
from schemas.meetings import Conference, Meeting
from schemas.policy import Policy, Wish

CALLED_OFF: Final = "its conference, the source of truth, was deleted at the provider"


def led(meeting: Meeting, policy: Policy) -> Meeting:
    """The meeting with what its source of truth leaves of the wish. A conference that leads says
    title and times; while there is none yet, or it cannot lead, the wish stands as it is."""
    wish = meeting.wish
    link = policy.links.get(wish.connection) if wish else None
    if wish is not None and wish.truth and link is not None and not link.can_lead:
        wish = wish.model_copy(update={"truth": None})
    if wish is None or wish.truth is None:
        return meeting.model_copy(update={"wish": wish, "called_off": None})
    if meeting.called_off is not None:
        return meeting.model_copy(update={"wish": None, "because": CALLED_OFF})
    conference = meeting.conference
    if conference is None or conference.connection != wish.connection:
        return meeting
    return meeting.model_copy(update={"wish": _led_by(conference, wish)})


def looked_at(meeting: Meeting, found: Conference) -> Meeting:
    """The meeting after a look at its conference: one that leads takes the wish along, any other
    is kept with our slot, which it no longer shows."""
    wish, before = meeting.wish, meeting.conference
    if wish is not None and wish.truth:
        changed: dict[str, object] = {"conference": found, "wish": _led_by(found, wish)}
    elif before is not None and found.slot != before.slot:
        ours = {"slot": before.slot, "title": before.title, "shown": ""}
        changed = {"conference": found.model_copy(update=ours)}
    else:
        changed = {"conference": found}
    return meeting.model_copy(update=changed)


def difference(outcome: Outcome, before: Meeting, after: Meeting) -> str:
    """What a look at the provider has shown, and what follows from it; empty for nothing new."""
    old, new = before.conference, after.conference
    if isinstance(outcome, ConferenceMissing):
        return CALLED_OFF if after.called_off is not None else "it was deleted at the provider"
    if not isinstance(outcome, StillThere) or old is None or new is None:
        return ""
    if new.slot != old.slot:
        return "it was changed at the provider and is the source of truth: the other side follows"
    if old.shown and not new.shown:
        return f"it was changed at the provider and is put back: the {after.origin} is right"
    return ""


def _led_by(conference: Conference, wish: Wish) -> Wish:
    """Title and times of the conference. It cannot express a series: of one it leads the title, and
    what became a series or ceased to be one is as whoever made the meeting says."""
    wished, there = wish.slot, conference.slot
    if wished.is_series != there.is_series:
        return wish
    led: dict[str, object] = {"title": there.title}
    if not wished.is_series:
        led |= {"starts_at": there.starts_at, "ends_at": there.ends_at}
    return wish.model_copy(update={"slot": wished.model_copy(update=led)})
