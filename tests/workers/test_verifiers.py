"""Every library that a partner may verify with accepts what comes, and nothing that was bent."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks

from infra import verifier
from tests.machines.peer import peer
from tests.workers.hearing import OK, headers
from tests.workers.partner import Partner

NPM = Path(__file__).parents[1] / "npm"
NODE = shutil.which("node")
needs_npm = pytest.mark.skipif(
    NODE is None or not (NPM / "node_modules").is_dir(), reason="`make npm` has nothing to ask here"
)


class Heard:
    """One callback as it arrived."""

    def __init__(self, secret: str, said: dict[str, str], body: bytes) -> None:
        self.secret = secret
        self.headers = said
        self.body = body
        self.bent = body.replace(b"Interview", b"interview")


@pytest.fixture
async def heard(partner: Partner) -> Heard:
    """A callback signed by two secrets, the newer of which is shown."""
    async with peer(OK) as theirs, partner.stage.at_work("callback"):
        made = await partner.endpoint(theirs.url)
        rotated = await partner.ask(f"/v1/endpoints/{made['id']}/secret", overlap_s=3600)
        await partner.told()
        await partner.nothing_waits(made["id"])
    one = Heard(rotated["secret"], headers(theirs, 0), theirs.bodies[0])
    assert one.bent != one.body
    return one


@pytest.mark.parametrize("library", [standardwebhooks, svix.webhooks])
async def test_the_python_libraries_accept_it(heard: Heard, library: ModuleType) -> None:
    webhook = library.Webhook(heard.secret)

    webhook.verify(heard.body, heard.headers)
    with pytest.raises(library.WebhookVerificationError):
        webhook.verify(heard.bent, heard.headers)


@needs_npm
@pytest.mark.parametrize("library", ["standardwebhooks", "svix"])
async def test_the_javascript_libraries_accept_it(heard: Heard, library: str) -> None:
    def verified(body: bytes) -> subprocess.CompletedProcess[bytes]:
        asked = {
            "library": library,
            "secret": heard.secret,
            "headers": heard.headers,
            "body": base64.b64encode(body).decode(),
        }
        return subprocess.run(
            [str(NODE), str(NPM / "verify.mjs")],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )

    accepted, refused = verified(heard.body), verified(heard.bent)

    assert accepted.returncode == 0, accepted.stderr
    assert (refused.returncode, b"matching signature" in refused.stderr) == (1, True)


async def test_the_documented_code_works_as_it_is_shown(heard: Heard, partner: Partner) -> None:
    page = (await partner.client.get("/docs")).text
    source = (await partner.client.get("/docs/verifier.py")).text
    [shown] = re.findall(r'<pre id="verify">(.*?)</pre>', page, re.DOTALL)
    hear = run_with(source, html.unescape(shown))["hear"]
    seen: set[str] = set()

    answers = [
        hear(heard.headers, body, [heard.secret], seen)
        for body in (heard.bent, heard.body, heard.body)
    ]

    assert answers == [(400, "NO_MATCH"), (204, "HEARD"), (204, "REPEATED")]


def run_with(source: str, shown: str) -> dict[str, Any]:
    """What the shown code defines, with the copied module beside it."""
    copied = ModuleType("verifier")
    exec(source, copied.__dict__)  # noqa: S102  as a partner runs it
    names: dict[str, Any] = {}
    import_line = "from verifier import Unproven, verify\n"
    assert import_line in shown
    names |= {"Unproven": copied.__dict__["Unproven"], "verify": copied.__dict__["verify"]}
    exec(shown.replace(import_line, ""), names)  # noqa: S102  likewise
    return names


async def test_both_secrets_prove_it_during_a_rotation(heard: Heard) -> None:
    entries = heard.headers["webhook-signature"].split(" ")
    now = datetime.now(UTC)

    assert [entry.split(",")[0] for entry in entries] == ["v1", "v1"]
    assert verifier.verify(heard.headers, heard.body, [heard.secret], now=now) == heard.secret
