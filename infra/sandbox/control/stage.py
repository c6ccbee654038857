"""Steering what all providers share: time, faults, counters, notifications."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import timedelta
from typing import TYPE_CHECKING

from infra.sandbox.documents import Doc, number, text, whole
from infra.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class StageActions:
    """The group `stage`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stage = world.stage

    def reset(self, told: Doc) -> Doc:
        """Begin again; `seed`."""
        self._world.forget(whole(told, "seed", 1))
        return {}

    def clock(self, told: Doc) -> Doc:
        """Push time ahead by `seconds` (none: only read it)."""
        now = self._stage.clock.advance(timedelta(seconds=number(told, "seconds")))
        return {"now": now.isoformat()}

    def fault(self, told: Doc) -> Doc:
        """Put a fault rule in force; answers it with its id."""
        return self._stage.faults.add(told).shown()

    def faults(self, told: Doc) -> list[Doc]:
        """List the rules with how often each struck."""
        return [rule.shown() for rule in self._stage.faults.rules.values()]

    def lift(self, told: Doc) -> Doc:
        """Lift the rule `id`, or all."""
        if "id" in told:
            self._stage.faults.rules.pop(text(told, "id"), None)
        else:
            self._stage.faults.forget()
        return {}

    def calls(self, told: Doc) -> Doc:
        """Count calls per operation; with `subject`, those about one calendar, meeting or user."""
        if "subject" not in told:
            return dict(self._stage.calls.counts)
        subject = text(told, "subject")
        counts = self._stage.calls.by_subject
        return {name: n for (name, about), n in counts.items() if about == subject}

    def latest_calls(self, told: Doc) -> list[Doc]:
        """Show the latest requests with what they were answered."""
        return list(self._stage.calls.latest)[-whole(told, "limit", 200) :]

    def forget_calls(self, told: Doc) -> Doc:
        """Start counting anew."""
        self._stage.calls.forget()
        return {}

    def manners(self, told: Doc) -> Doc:
        """Set how notifications of `provider` travel: paused, drop, duplicate, late, reorder."""
        courier = self._stage.courier
        held = courier.manners_of(text(told, "provider"))
        set_fields(held, {key: value for key, value in told.items() if key != "provider"})
        if not held.paused:
            courier.resume(text(told, "provider"))
        return asdict(held)

    def notifications(self, told: Doc) -> Doc:
        """What became of notifications: counts per fate, and the latest tries."""
        journal = self._stage.courier.journal
        latest = list(journal.latest)[-whole(told, "limit", 200) :]
        return {"counts": dict(journal.counts), "latest": latest}

    async def settle(self, told: Doc) -> Doc:
        """Wait until no notification is under way, at most `seconds`."""
        return {"settled": await self._stage.courier.settled(number(told, "seconds", 10))}

    def send_again(self, told: Doc) -> Doc:
        """Send the latest notifications of `provider` once more, as they were."""
        count = whole(told, "count", 1)
        return {"sent": self._stage.courier.repeat(text(told, "provider"), count)}


def set_fields(held: DataclassInstance, told: Doc) -> None:
    """Set known fields of a dataclass to values of their own kind; ValueError for others."""
    known = {field.name for field in fields(held)}
    for key, value in told.items():
        if key not in known:
            raise ValueError(f"{key} is not a setting; known: {', '.join(sorted(known))}")
        setattr(held, key, _like(getattr(held, key), value, key))


def _like(old: object, value: object, key: str) -> object:
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(old) is not type(value):
        raise ValueError(f"{key}: {type(old).__name__} is wanted")
    return value
