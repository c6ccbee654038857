"""Did the owner of an endpoint agree to be called, and how often? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SUCCESS: Final = 2
ANYBODY: Final = "*"
A_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Agreed:
    """We may call, at most so often; None is as often as we like."""

    rate_per_s: float | None


@dataclass(frozen=True, slots=True)
class Declined:
    """We may not, or do not know yet."""

    reason: str


def read_proof(status: int, headers: Mapping[str, str], origin: str) -> Agreed | Declined:
    """What an answer to the OPTIONS request of `origin` says. Header names are of any case, as the
    mapping decides."""
    if status // 100 != SUCCESS:
        return Declined(f"the endpoint answered the handshake with {status}")
    allowed = headers.get("webhook-allowed-origin", "").strip()
    if allowed != ANYBODY and allowed.lower() != origin.lower():
        return Declined(f"the endpoint did not name {origin} in WebHook-Allowed-Origin")
    rate = headers.get("webhook-allowed-rate", ANYBODY).strip()
    if rate.isascii() and rate.isdigit() and int(rate[:9]) > 0:
        return Agreed(int(rate[:9]) / A_MINUTE)
    return Agreed(None)
