"""What does a notification of Google Calendar say? All of it stands in the headers.

https://developers.google.com/workspace/calendar/api/guides/push
"""

from __future__ import annotations

from typing import Final

CHANNEL: Final = b"x-goog-channel-id"
TOKEN: Final = b"x-goog-channel-token"
"""What we gave when we opened the channel: the only proof there is."""
RESOURCE: Final = b"x-goog-resource-id"
STATE: Final = b"x-goog-resource-state"
"""`sync` once after the channel was opened, then `exists` or `not_exists`. Drive's words (`add`,
`update`, `remove`, `trash`) never come from Calendar (T14)."""

OPENED: Final = b"sync"
