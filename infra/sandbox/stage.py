"""What do all simulators share: time, chance, faults, counters and the sender of notifications?"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field

from infra.sandbox.calls import Calls
from infra.sandbox.clock import Clock
from infra.sandbox.courier import Courier
from infra.sandbox.faults import Faults

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Chance:
    """Ids and dice from one seed, so that a run can be repeated."""

    def __init__(self, seed: int = 1) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - repeatable on purpose; guards nothing real

    def word(self, length: int = 22) -> str:
        """Return a random word of letters and digits."""
        return "".join(self.dice.choices(_LETTERS, k=length))

    def digits(self, length: int) -> str:
        """Return a random number of so many digits that does not begin with zero."""
        return str(self.dice.randrange(10 ** (length - 1), 10**length))

    def key(self, size: int = 16) -> str:
        """Return random bytes in base64, as Zoom writes uuids."""
        return base64.b64encode(self.dice.randbytes(size)).decode()


@dataclass(slots=True)
class Stage:
    """One sandbox's shared machinery."""

    clock: Clock = field(default_factory=Clock)
    chance: Chance = field(default_factory=Chance)
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=Calls)
    courier: Courier = field(init=False)

    def __post_init__(self) -> None:
        self.courier = Courier(self.clock, self.chance.dice)

    def forget(self, seed: int) -> None:
        """Begin again from a seed."""
        self.clock.forget()
        self.chance.dice.seed(seed)
        self.faults.forget()
        self.calls.forget()
        self.courier.forget()
