"""How is a request written? Its head in one piece with its body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from infra.http.places import Place

_OURS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "accept-encoding", "connection"}
)
"""What is said anew, from place and body, whatever the caller says."""
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


def written(method: str, place: Place, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """The bytes of a request. Raises ValueError for a header that would be more than one."""
    given = [pair for pair in headers if pair[0].lower() not in _OURS]
    if all(name.lower() != "user-agent" for name, _ in given):
        given.append(("User-Agent", "Tieline"))
    lines = [f"{method} {place.target} HTTP/1.1", f"Host: {place.authority}"]
    lines += [f"{name}: {value}" for name, value in given]
    lines.append("Accept-Encoding: identity")
    if body or method in _WITH_BODY:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""])
    if not head.count("\r") == head.count("\n") == len(lines) + 1:
        raise ValueError("a header holds an end of line")
    return head.encode("latin-1") + body
