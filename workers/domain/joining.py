"""How join details stand in an event's text, and how they come out again without a trace. Pure."""

from __future__ import annotations

import html
import re
from typing import Final

from schemas.providers import FOREIGN_LINKS

FIRST: Final = "──────── Join ────────"
LAST: Final = "──────── Tieline ────────"
BETWEEN: Final = " · "
_LINK: Final = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_BLOCK: Final = re.compile(rf"(?:\r?\n|<br\s*/?>){{0,2}}{FIRST}(?:(?!{FIRST}).)*?{LAST}", re.DOTALL)
"""The two line ends before it are ours too; a calendar's editor may have made HTML of them."""


def with_link(location: str, description: str, join_url: str) -> tuple[str, str]:
    """Location and description that carry the link; both must be free of an older link of ours."""
    place = f"{join_url}{BETWEEN}{location}" if location else join_url
    block = f"{FIRST}\n{join_url}\n{LAST}"
    return place, f"{description}\n\n{block}" if description else block


def without_link(location: str, description: str, join_url: str) -> tuple[str, str]:
    """Location and description as the person wrote them, also where they have since written around
    the link. Text without our link is unchanged."""
    place = location.replace(join_url + BETWEEN, "").replace(join_url, "") if join_url else location
    return place, _BLOCK.sub("", description)


def stands(location: str, description: str, join_url: str) -> bool:
    """Whether the link can be read there. Editors escape it when they make HTML of a text."""
    return any(form in text for text in (location, description) for form in _forms(join_url))


def has_foreign_link(*texts: str, ours: str = "") -> bool:
    """Whether a join link of some conferencing service, but not `ours`, stands in the texts."""
    for form in _forms(ours):
        texts = tuple(text.replace(form, "") for text in texts)
    return any(word in text.casefold() for text in texts for word in FOREIGN_LINKS)


def foreign_link(*texts: str, ours: str = "") -> str:
    """The first join link of some conferencing service in the texts that is not `ours`."""
    found = (match[0] for text in texts for match in _LINK.finditer(html.unescape(text)))
    for link in found:
        if link != ours and any(word in link.casefold() for word in FOREIGN_LINKS):
            return link
    return ""


def _forms(join_url: str) -> tuple[str, ...]:
    return (join_url, html.escape(join_url)) if join_url else ()
