"""What can go wrong, named by what we do about it.

TryLater        the same call may succeed later; nothing about it is known to be wrong
├─ NotSent      surely never reached the other side (connect, DNS, pool, too late): retry at once
├─ Unknown      maybe done (read timeout, reset, cut after the write, 5xx): find before doing again
├─ RateLimited  a quota or a 429 said when to come back, and for whom
├─ StoreAway    the store does not answer: keep nothing in mind, answer 503
└─ StoreFull    the store is above its memory guard: let work drain, answer 503
TokenExpired    the access token was not taken (401): have it refreshed, then call once more
NeedsReauth     a person must link the account again
Refused         permanent, with words for a person; repeating it cannot help
└─ NotPermitted an administrator of the account keeps us out: not even looked at again by itself
Vanished        confirmed gone at the provider (404, 410): what we wanted, or a positive proof
InSession       the conference is running: leave it alone until it has ended
Conflict        someone else wrote first: read again and decide again
ClaimLost       the lane is no longer ours: stop, delete nothing, report what was made
NewerVersion    written by a newer release: leave it untouched for a newer process
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from schemas.problems import ProblemType


class TryLater(Exception):
    """The same call may succeed later; `after` is the least wait the other side asked for."""

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class NotSent(TryLater):
    """The request surely never reached the other side: retry at once, renewing the intent."""


class Unknown(TryLater):
    """The other side may have acted: wait out the quarantine, then find and adopt."""


class RateLimited(TryLater):
    """A limit is used up: park until `until` (aware), every call that shares `scope`."""

    def __init__(self, message: str, *, until: datetime, scope: str) -> None:
        super().__init__(message)
        self.until = until
        self.scope = scope


class StoreAway(TryLater):
    """The store did not answer; repeating the same call id tells whether it had written."""


class StoreFull(TryLater):
    """The store refuses new work above its memory guard, while commits may still drain it."""


class TokenExpired(Exception):
    """The provider did not take the access token; whether the link is dead only a refresh tells."""


class NeedsReauth(Exception):
    """A person must link the account again; `missing` names the scopes that were not granted."""

    def __init__(self, reason: str, *, missing: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = frozenset(missing)


class Refused(Exception):
    """Permanent: `reason` is a sentence that a person can act on; `problem` is what it is called
    where the API passes it on."""

    def __init__(self, reason: str, *, problem: ProblemType = ProblemType.PROVIDER_REFUSED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.problem = problem


class NotPermitted(Refused):
    """Permanent until an administrator of the account says otherwise: nothing is tried again."""


class Vanished(Exception):
    """The provider confirmed (404, 410) that the thing is gone."""


class InSession(Exception):
    """The conference is running and may not be changed or deleted until it has ended."""


class Conflict(Exception):
    """A revision, etag or changeKey moved on: read again and decide again."""


class ClaimLost(Exception):
    """Our claim on the lane no longer counts: nothing of this commit was written."""


class NewerVersion(Exception):
    """Stored by a newer release: release it untouched and count no attempt."""
