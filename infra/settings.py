"""How is this installation set up? Read once from TIELINE_* and handed in; nobody else asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.errors import Refused
from infra.points import Fault

Port = Annotated[int, Field(ge=1, le=65535)]
Percent = Annotated[int, Field(ge=1, le=100)]
Seconds = Annotated[float, Field(gt=0)]
Span = Annotated[timedelta, Field(gt=timedelta(0))]

SLOTS: Mapping[str, int] = {
    "calendar": 50,
    "meeting": 100,
    "callback": 100,
    "connection": 20,
    "desk": 40,
    "house": 4,
}


class Settings(BaseSettings):
    """All settings; `TIELINE_` and the name in capitals, mappings and lists as JSON.

    Spans are seconds or ISO 8601 ("P7D"). A process that is given no private key file holds no
    private key: that is how the doors stay unable to read what they seal.
    """

    model_config = SettingsConfigDict(
        env_prefix="TIELINE_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    valkey_url: SecretStr | None = None
    """redis:// or rediss:// of a store that others run, or redis+sentinel:// of those that know
    where it is (infra/valkey.py); None is the embedded one."""
    data_dir: Path = Path("var")
    admin_key: SecretStr | None = None
    api_key: SecretStr | None = None
    """An application's key, for the command line; the processes do not look at it."""

    public_url: str = "http://127.0.0.1:8081"
    """Where browsers and partners reach the API and the pages."""
    receiver_url: str = "http://127.0.0.1:8080"
    """Where providers reach the receiver: what subscriptions are made with."""
    receiver_host: str = "127.0.0.1"
    receiver_port: Port = 8080
    api_host: str = "127.0.0.1"
    api_port: Port = 8081
    worker_host: str = "127.0.0.1"
    worker_port: Port = 8082
    """Health and figures of a worker."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-* are believed."""

    vault_public_key_file: Path = Field(
        default_factory=lambda known: known["data_dir"] / "keys" / "vault.public"
    )
    vault_private_key_file: Path | None = None
    door_public_key_file: Path = Field(
        default_factory=lambda known: known["data_dir"] / "keys" / "door.public"
    )
    door_private_key_file: Path | None = None
    deployment_key_file: Path | None = None
    """Key of the references that our conferences carry (ENGINE 25); workers only."""
    content_key_file: Path | None = None
    """Certificates, newest first, with their keys: Microsoft Graph then encrypts for them what a
    notification is about. None has it tell no content; workers only."""

    allow_loopback_endpoints: bool = False
    """Let partner endpoints be http:// on this machine (sandbox, tests); the guard stays on."""
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Internal networks where partner endpoints may live."""
    allow_ports: tuple[Port, ...] = ()
    """Ports beside 443 that partner endpoints may use."""

    rate_per_s: Annotated[int, Field(ge=0, le=100_000)] = 100
    """Requests that one API key may make, on average; 0 sets no limit."""
    rate_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    """Requests that it may make at once after a rest."""

    provider_deadline_s: Annotated[float, Field(gt=0, le=20)] = 20
    """Seconds that one call to a provider may take, its answer read; then its outcome is unknown.
    Shorter than a lease and its takeover (ENGINE 11)."""
    quarantine_s: dict[str, Seconds] = {}
    """Provider to seconds after which no old request can still commit there."""
    free_plan: Literal["refuse", "warn"] = "refuse"
    provider_urls: dict[str, str] = {}
    """Provider to base URL, for the sandbox."""

    slots: dict[str, Annotated[int, Field(ge=1)]] = dict(SLOTS)
    """Kind to lanes that one worker process works at once; kinds not named keep their default."""
    term_s: Seconds = 10
    memory_api_percent: Percent = 70
    memory_receiver_percent: Percent = 80
    disk_free_percent: Percent = 10

    disable_endpoints_after: Span = timedelta(days=5)
    """An endpoint to which nothing could be delivered for so long is disabled."""
    keep_feed: Span = timedelta(days=7)
    keep_attempts: Span = timedelta(days=7)
    keep_timelines: Span = timedelta(days=30)

    log_format: Literal["auto", "json", "pretty"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    faults: tuple[Fault, ...] = ()
    points_log: Path | None = None

    @field_validator("slots")
    @classmethod
    def _name_known_kinds(cls, slots: dict[str, int]) -> dict[str, int]:
        if strange := slots.keys() - SLOTS.keys():
            raise ValueError(f"no such kind: {', '.join(sorted(strange))}")
        return {**SLOTS, **slots}

    @classmethod
    def load(cls) -> Settings:
        """Read the environment, once, at the start of a process.

        Raises Refused, which names the settings that are wrong and does not print their values.
        """
        try:
            return cls()
        except ValidationError as error:
            raise Refused(_in_words(error)) from None


def _in_words(error: ValidationError) -> str:
    """What is wrong with each setting. Those that follow from another one are not to blame."""
    return "; ".join(
        f"TIELINE_{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
        if fault["type"] != "default_factory_not_called"
    )


def for_child(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that we start: our own, and what it is given beside it."""
    return {**os.environ, **given}
