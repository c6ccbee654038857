"""How does a page look that needs nothing from anywhere? Plain HTML, one style, no script."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{margin-top:3rem;border-bottom:1px solid #8886}
h3{margin-bottom:.2rem}h3 b{font-size:.8em;letter-spacing:.05em;margin-right:.5em}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{overflow:auto;padding:.8rem;border:1px solid #8886;border-radius:.3rem}
table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}
nav a{margin-right:1rem;white-space:nowrap;display:inline-block}
td:first-child{min-width:9rem}
"""

_CODE: Final = re.compile(r"`([^`]+)`")
_HASH: Final = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page(
    title: str, inner: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """A page around HTML that is escaped already; `title` is not."""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{inner}</html>"
    )
    return HTMLResponse(text, status, {**HEADERS, **(headers or {})})


def prose(text: str) -> str:
    """As HTML, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def words(title: str, *sentences: str, status: int, refresh_s: int | None = None) -> HTMLResponse:
    """A page of plain sentences; looks again after `refresh_s` seconds."""
    inner = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    headers = {"Refresh": str(refresh_s)} if refresh_s else {}
    return page(title, inner, status=status, headers=headers)
