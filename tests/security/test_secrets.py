"""Does any way of printing what we hold show a secret?"""

from __future__ import annotations

import traceback

import httpx
import pytest
import structlog
from pydantic import SecretStr

from infra.errors import Refused, TryLater
from infra.http.wire import Wire
from infra.seal import KeyRing, PublicKey
from infra.settings import Settings
from tests.logged import logged
from tests.machines.peer import Play, peer, resets, says

CANARY = "canary0123456789"


def test_settings_do_not_print_their_secrets() -> None:
    settings = Settings(
        valkey_url=SecretStr(f"redis://:{CANARY}@store.example"), admin_key=SecretStr(CANARY)
    )

    assert (
        CANARY
        not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    )


def test_a_wrong_setting_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIELINE_API_PORT", CANARY)

    with pytest.raises(Refused, match="TIELINE_API_PORT") as caught:
        Settings.load()

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_door_holds_nothing_that_opens() -> None:
    vault = KeyRing.fresh()
    door = PublicKey.parse(str(vault.newest))
    sealed = door.seal(CANARY.encode(), context="acme|conn_1|token")

    assert CANARY not in sealed
    assert not hasattr(door, "open")
    assert vault.open(sealed, context="acme|conn_1|token") == CANARY.encode()


@pytest.mark.parametrize("play", [resets, says("garbage")], ids=["reset", "garbage"])
async def test_a_failed_call_tells_no_path_no_query_and_no_header(play: Play) -> None:
    wire = Wire()
    async with peer(play) as other:
        request = httpx.Request(
            "POST",
            f"http://127.0.0.1:{other.port}/{CANARY}?token={CANARY}",
            headers={"Authorization": f"Bearer {CANARY}"},
            content=CANARY.encode(),
        )
        with pytest.raises(TryLater) as caught:
            await wire.send(request)
    await wire.aclose()
    with logged() as out:
        structlog.get_logger().warning("call.failed", said=caught.value, exc_info=caught.value)

    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert "call.failed" in out.getvalue()
    assert CANARY not in out.getvalue()
