"""By what do we know a conference of ours? A reference that can be derived again (ENGINE 25)."""

from __future__ import annotations

import base64
import hashlib
import hmac


def reference(key: bytes, meeting: str, generation: int) -> str:
    """The reference of a meeting's conference: lost with no record, forged by nobody without `key`.

    `meeting` is the meeting's id, which is derived from tenant and event identity. 26 characters of
    `a-z2-7` behind `tl-`.
    """
    digest = hmac.digest(key, f"{meeting}\x1f{generation}".encode(), hashlib.sha256)
    return "tl-" + base64.b32encode(digest[:16]).decode().rstrip("=").lower()
