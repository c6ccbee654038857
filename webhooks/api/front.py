"""What is every handler of the API handed? One bundle, wired once in webhooks/app.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from infra.http.guard import Guard
from infra.seal import PublicKey
from infra.settings import Settings
from infra.store import Store
from webhooks.api.desk import Desk
from webhooks.api.uses import Uses


@dataclass(frozen=True, slots=True)
class Front:
    """The store, the locks that secrets are closed with (never a key that opens them), the desk."""

    store: Store
    settings: Settings
    vault: PublicKey
    door: PublicKey
    desk: Desk
    guard: Guard
    uses: Uses
    now: Callable[[], datetime]
    new_id: Callable[[str], str]
    new_secret: Callable[[], str]
    """256 random bits in letters `a-z2-7`."""
