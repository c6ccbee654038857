"""Planted secrets of endpoints: in no log line, no answer, no list, and not in the store."""

from __future__ import annotations

import io
from pathlib import Path

from infra import valkey
from infra.settings import Settings
from tests.machines.peer import peer, says
from tests.workers.hearing import OK, headers
from tests.workers.partner import Partner
from tests.workers.stage import Stage, until

CANARY = "canary7h3s3cr3t"


async def everything_stored(settings: Settings, data_dir: Path) -> bytes:
    """The append-only files hold every write there ever was."""
    store = valkey.connect(settings)
    await store.execute_command("WAITAOF", 1, 0, 1000)
    await store.aclose()
    files = (data_dir / "valkey").rglob("*")
    return b"".join(path.read_bytes() for path in files if path.is_file())


async def test_what_signs_and_what_opens_a_partners_door_is_seen_by_the_partner_alone(
    partner: Partner,
    stage: Stage,
    settings: Settings,
    data_dir: Path,
    logs: io.StringIO,
) -> None:
    extra = {"Authorization": f"Bearer {CANARY}"}
    async with (
        peer(says("500 No"), OK) as theirs,
        stage.at_work("callback", "house"),
    ):
        made = await partner.endpoint(theirs.url, headers=extra, retry_s=[1])
        rotated = await partner.ask(f"/v1/endpoints/{made['id']}/secret")
        pair = await partner.ask(f"/v1/endpoints/{made['id']}/secret", signature="v1a")
        [[callback]] = await partner.told()
        await partner.nothing_waits(made["id"])
        shown = [
            await partner.read(path)
            for path in (
                "/v1/endpoints",
                f"/v1/callbacks/{callback}",
                f"/v1/callbacks/{callback}/attempts",
                "/v1/undelivered",
            )
        ]
    signatures = headers(theirs, 1)["webhook-signature"].split(" ")
    stored = await everything_stored(settings, data_dir)
    printed = logs.getvalue()

    assert headers(theirs, 1)["authorization"] == f"Bearer {CANARY}"
    assert len(signatures) == 3
    for secret in (CANARY, made["secret"], rotated["secret"], *signatures):
        assert secret not in printed
        assert secret not in str(shown)
        assert secret.encode() not in stored
    assert "callback.attempted" in printed
    assert pair["secret"].startswith("whpk_")
    assert "whsk_" not in printed + str(shown)
    assert b"whsk_" not in stored


async def test_an_address_that_holds_a_token_is_not_logged(
    partner: Partner, stage: Stage, logs: io.StringIO
) -> None:
    url = f"https://127.0.0.1:9/{CANARY}?token={CANARY}"
    async with stage.at_work("callback", "house"):
        made = await partner.endpoint(url, challenge=True)

        async def refused() -> bool:
            return bool((await partner.read(f"/v1/endpoints/{made['id']}"))["reason"])

        await until(refused)
        await partner.client.patch(f"/v1/endpoints/{made['id']}", json={"challenge": False})
        await partner.ask(f"/v1/endpoints/{made['id']}/enable")
        [[callback]] = await partner.told()
        await until(lambda: stage.attempts(callback))
        [attempt] = await stage.attempts(callback)
    printed = logs.getvalue()

    assert callback in printed
    assert CANARY not in printed
    assert CANARY not in attempt.model_dump_json()
