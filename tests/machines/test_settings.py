"""Are settings read from the environment alone, checked, and frozen?"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.errors import Refused
from infra.points import Fault
from infra.settings import SLOTS, Settings


def test_without_any_setting_the_embedded_store_and_no_private_key_are_used() -> None:
    settings = Settings.load()

    assert settings.valkey_url is None
    assert (settings.vault_private_key_file, settings.door_private_key_file) == (None, None)
    assert settings.deployment_key_file is None
    assert settings.allow_loopback_endpoints is False
    assert settings.slots == SLOTS


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIELINE_DATA_DIR", "/data")
    monkeypatch.setenv("TIELINE_SLOTS", '{"meeting": 5}')
    monkeypatch.setenv("TIELINE_KEEP_FEED", "P3D")
    monkeypatch.setenv("TIELINE_ALLOW_NETWORKS", '["10.0.0.0/8"]')
    monkeypatch.setenv("TIELINE_QUARANTINE_S", '{"zoom": 2}')
    monkeypatch.setenv("TIELINE_FAULTS", '[{"point":"zoom.create","when":"after","do":"kill"}]')

    settings = Settings.load()

    assert settings.vault_public_key_file == Path("/data/keys/vault.public")
    assert settings.slots == {**SLOTS, "meeting": 5}
    assert settings.keep_feed == timedelta(days=3)
    assert settings.allow_networks == (ip_network("10.0.0.0/8"),)
    assert settings.quarantine_s == {"zoom": 2}
    assert settings.faults == (Fault(point="zoom.create", when="after", do="kill"),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIELINE_SLOTS", '{"emails": 5}'),
        ("TIELINE_SLOTS", '{"meeting": 0}'),
        ("TIELINE_KEEP_FEED", "-1"),
        ("TIELINE_FREE_PLAN", "maybe"),
        ("TIELINE_FAULTS", '[{"point":"a","when":"during","do":"kill"}]'),
    ],
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(Refused, match=r"^TIELINE_[A-Z_.0-9]+: "):
        Settings.load()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Settings(), "data_dir", Path("elsewhere"))  # noqa: B010  mypy forbids the other way
