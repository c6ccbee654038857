"""Does /docs read well in a browser? Every operation, code as code, links that lead somewhere."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from infra.store import Store
from tests.api.serving import served
from webhooks.api.table import ROWS

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="there is no browser here (Debian: chromium)")
async def test_a_browser_shows_every_operation_below_its_heading(home: Path, store: Store) -> None:
    async with served(home) as (_, address):
        process = await asyncio.create_subprocess_exec(
            str(BROWSER),
            *("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"{address}/docs"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _err = await asyncio.wait_for(process.communicate(), 90)
    shown = out.decode()

    headings = set(re.findall(r'<h3 id="(\w+)">', shown))
    links = set(re.findall(r'<a href="#([^"]+)">', shown))
    places = set(re.findall(r'<h2 id="([^"]+)">', shown))
    assert headings == {row.name for row in ROWS}
    assert links == places
    assert all(" " not in place for place in places)
    assert "`" not in re.sub(r"<pre>.*?</pre>", "", shown, flags=re.DOTALL)
