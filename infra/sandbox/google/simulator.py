"""What is Google's state, and what happens at every write to it?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from infra.sandbox.calls import Call
from infra.sandbox.documents import Doc, section, text, whole
from infra.sandbox.google import push
from infra.sandbox.google.errors import refuse
from infra.sandbox.google.state import Account, Calendar, Channel, Event
from infra.sandbox.google.times import extent, normalised
from infra.sandbox.oauth import Authority, Client
from infra.sandbox.stage import Stage

_ROOT = "https://www.googleapis.com/auth/"
READ = tuple(
    _ROOT + name
    for name in (
        "calendar",
        "calendar.readonly",
        "calendar.events",
        "calendar.events.readonly",
        "calendar.events.owned",
    )
)
WRITE = tuple(_ROOT + name for name in ("calendar", "calendar.events", "calendar.events.owned"))
LIST = tuple(
    _ROOT + name
    for name in (
        "calendar",
        "calendar.readonly",
        "calendar.calendarlist",
        "calendar.calendarlist.readonly",
        "calendar.calendars",
        "calendar.calendars.readonly",
    )
)
_ID = re.compile(r"[a-v0-9]{5,1024}")


@dataclass(slots=True)
class Settings:
    """What can be set about Google. Spans are seconds; None means no limit."""

    channel_life_s: float = 7 * 86_400
    stopped_channels_linger: int = 0
    retry_unreachable: bool = False
    require_https: bool = False
    page_cap: int = 2_500
    sync_token_life_s: float = 28 * 86_400
    calls_per_minute: int = 0


class Google:
    """Google's accounts, calendars, events and channels."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.forget()

    def forget(self) -> None:
        """Begin again with nobody and one registered client."""
        self.settings = Settings()
        self.accounts: dict[str, Account] = {}
        self.calendars: dict[str, Calendar] = {}
        self.channels: dict[str, Channel] = {}
        self.mails: list[Doc] = []
        self.minute: tuple[int, int] = (0, 0)
        self._etag = 3_500_000_000_000_000
        self.authority = Authority(self.stage, "ya29.sandbox", rotating=False)
        self.authority.clients["sandbox-google"] = Client("sandbox-google", "google-secret")

    def add_account(self, account: Account) -> Calendar:
        """Open an account with its primary calendar."""
        self.accounts[account.email] = account
        return self.add_calendar(
            Calendar(account.email, account.name, account.zone, account.email, is_primary=True)
        )

    def add_calendar(self, calendar: Calendar) -> Calendar:
        """Open a calendar."""
        self.calendars[calendar.id] = calendar
        return calendar

    def who(self, hint: str) -> list[str]:
        """Return the accounts that a sign-in hint may mean."""
        return [hint] if hint in self.accounts else [] if hint else list(self.accounts)

    def caller(self, call: Call, scopes: tuple[str, ...]) -> str:
        """Return the account that calls; refuses bad tokens and missing scopes."""
        grant = self.authority.bearer(call.bearer)
        if grant is None:
            raise refuse(401, locationType="header", location="Authorization")
        if not grant.covers(scopes):
            raise refuse(403, "insufficientPermissions")
        self._within_quota()
        return grant.account

    def calendar(self, call: Call, scopes: tuple[str, ...], role: str = "") -> Calendar:
        """Return the calendar a call names, if the caller may see it in that role."""
        account = self.caller(call, scopes)
        name = call.path["calendar"]
        found = self.calendars.get(account if name == "primary" else name)
        held = found.role_of(account) if found else ""
        if found is None or not held:
            raise refuse(404)
        if role == "writer" and held not in ("owner", "writer"):
            raise refuse(403, message="You need to have writer access to this calendar.")
        return found

    def save(self, calendar: Calendar, doc: Doc, old: Event | None = None) -> Event:
        """Write an event: a new version, a new etag, the channels told."""
        now = self.stage.clock.now()
        self._etag += 2
        doc |= {
            "kind": "calendar#event",
            "etag": f'"{self._etag}"',
            "updated": stamp(now),
            "sequence": _sequence(doc, old),
        }
        event = Event(doc)
        if "start" in doc:
            event.begins, event.ends = extent(doc, calendar.zone)
            doc["start"] = normalised(doc, "start", calendar.zone)
            doc["end"] = normalised(doc, "end", calendar.zone)
        calendar.put(event)
        push.changed(self, calendar)
        return event

    def born(self, calendar: Calendar, body: Doc, creator: str) -> Doc:
        """Return a new event's document: what was sent plus what only Google sets."""
        name = text(body, "id") or self.stage.chance.word(26).lower().translate(_NOT_BASE32)
        if not _ID.fullmatch(name):
            raise refuse(400, "invalid", "Invalid resource id value.")
        owner = calendar.owner if calendar.is_primary else calendar.id
        given = {key: value for key, value in body.items() if key not in SERVER_OWNED}
        return {
            "status": "confirmed",
            "eventType": "default",
            "reminders": {"useDefault": True},
            **given,
            "id": name,
            "htmlLink": f"https://www.google.com/calendar/event?eid={quote(name)}",
            "created": stamp(self.stage.clock.now()),
            "creator": {"email": creator, **({"self": True} if creator == owner else {})},
            "organizer": {"email": owner, "self": True},
            "iCalUID": text(body, "iCalUID") or f"{name}@google.com",
        }

    def _within_quota(self) -> None:
        limit = self.settings.calls_per_minute
        if not limit:
            return
        minute = int(self.stage.clock.now().timestamp() // 60)
        used = self.minute[1] if self.minute[0] == minute else 0
        if used >= limit:
            raise refuse(403, "rateLimitExceeded")
        self.minute = (minute, used + 1)


SERVER_OWNED = frozenset(
    [
        "kind",
        "etag",
        "id",
        "created",
        "updated",
        "htmlLink",
        "creator",
        "organizer",
        "iCalUID",
        "sequence",
        "hangoutLink",
        "recurringEventId",
        "originalStartTime",
        "locked",
        "privateCopy",
    ]
)
_NOT_BASE32 = str.maketrans("wxyz", "0123")


def stamp(at: datetime) -> str:
    """Write a moment with milliseconds, as `created` and `updated` are."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _sequence(doc: Doc, old: Event | None) -> int:
    if old is None:
        return whole(doc, "sequence")
    before = whole(old.doc, "sequence")
    moved = any(
        old.doc.get(key) != doc.get(key) for key in ("start", "end", "recurrence", "status")
    )
    return before + 1 if moved else before


def is_organizer(calendar: Calendar, doc: Doc) -> bool:
    """Whether this calendar holds the organizer's copy of an event."""
    return text(section(doc, "organizer"), "email") in (calendar.owner, calendar.id, "")
