"""The door as a process: it starts from the environment alone, serves, and leaves when told to."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from infra.store import Store
from tests.api.serving import served
from tests.api.stage import ADMIN, MEETING


async def test_a_partner_is_served_over_the_wire_and_the_process_leaves_in_peace(
    home: Path, store: Store
) -> None:
    async with (
        served(home) as (process, address),
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        client.headers["authorization"] = f"Bearer {ADMIN}"
        await client.post("/v1/tenants", json={"id": "acme", "name": "Acme"})
        app = (await client.post("/v1/tenants/acme/applications", json={"name": "app"})).json()
        path = f"/v1/tenants/acme/applications/{app['id']}/keys"
        key = (await client.post(path, json={"scopes": ["meetings"]})).json()
        client.headers["authorization"] = f"Bearer {key['secret']}"
        put = await client.put("/v1/meetings/interview-1", json=MEETING)
        too_large = await client.put(
            "/v1/meetings/interview-1",
            content=b" " * 300_000,
            headers={"content-type": "application/json"},
        )

        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 30)

    assert put.status_code == 201
    assert too_large.status_code == 413
    assert code == 0


def test_without_keys_the_process_says_what_is_missing(tmp_path: Path, home: Path) -> None:
    environment = {
        **os.environ,
        "TIELINE_DATA_DIR": str(home),
        "TIELINE_VAULT_PUBLIC_KEY_FILE": str(tmp_path / "nowhere"),
    }

    ended = subprocess.run(
        [sys.executable, "-m", "webhooks.app"],
        env=environment,
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 1
    assert b"no public key of the vault" in ended.stderr
    assert b"Traceback" not in ended.stderr
