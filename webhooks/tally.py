"""How many notifications came, and what became of them? Counted for the figures at /metrics."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter

UNKNOWN_PROVIDER: Final = "unknown"


class Tally:
    """Counters of the receiver. Every label is a word of ours, so nobody can make more of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes = Counter(
            "tieline_notifications",
            "Notifications by what became of them.",
            ("provider", "outcome"),
            registry=registry,
        )
        self._stale = Counter(
            "tieline_notifications_stale",
            "Believed notifications that were signed more than five minutes before they came.",
            ("provider",),
            registry=registry,
        )
        self._known: dict[tuple[str, str], Counter] = {}

    def count(self, provider: str, outcome: str, *, stale: bool = False) -> None:
        """Count one notification."""
        counter = self._known.get((provider, outcome))
        if counter is None:
            counter = self._known[provider, outcome] = self._outcomes.labels(provider, outcome)
        counter.inc()
        if stale:
            self._stale.labels(provider).inc()
