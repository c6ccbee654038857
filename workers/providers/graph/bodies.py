"""How do join details stand in an event's body, HTML or text, without damage to the rest? Pure."""

from __future__ import annotations

import html
import re
from typing import Final

from schemas.wire.graph import Body
from workers.domain.joining import FIRST, LAST, with_link, without_link

_DIV: Final = re.compile(
    rf"<div[^>]*>\s*{FIRST}(?:(?!{FIRST}).)*?{LAST}\s*</div>", re.DOTALL | re.IGNORECASE
)
"""Exchange may give our `div` a style, and wrap its lines anew."""
_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)


def with_block(body: Body, join_url: str) -> Body:
    """The body with our block, which it must be free of: at the end, inside the page. Nothing else
    is touched, for a Teams event without its own block is none any more."""
    if body.content_type != "html":
        return body.model_copy(update={"content": with_link("", body.content, join_url)[1]})
    shown = html.escape(join_url)
    block = f'<div>{FIRST}<br><a href="{shown}">{shown}</a><br>{LAST}</div>'
    ends = list(_END.finditer(body.content))
    at = ends[-1].start() if ends else len(body.content)
    content = body.content[:at] + block + body.content[at:]
    return body.model_copy(update={"content": content})


def without_block(body: Body) -> Body:
    """The body as the person wrote it."""
    content = _DIV.sub("", body.content) if body.content_type == "html" else body.content
    return body.model_copy(update={"content": without_link("", content, "")[1]})


def may_hold_block(body: Body | None) -> bool:
    """Whether our block, or a copy of it, stands in it."""
    return body is not None and FIRST in body.content
