"""What is there, in the model of `tests/crash/model.py`: rules, bounds, and one state of it all."""

from __future__ import annotations

from typing import Literal, NamedTuple

At = Literal["idle", "runs", "sends", "waits", "tells"]
"""Where a worker stands: in no run; about to decide; about to send a create that is stored; waiting
for its answer; about to store what was made."""


class Rules(NamedTuple):
    """What stands against a second conference; False takes a rule away."""

    quarantine: bool = True
    """A create of unknown outcome is waited out before anybody looks for it."""
    intent: bool = True
    """A create is stored before it is sent."""
    claim: bool = True
    """A commit is refused when its claim is gone, or another wrote since (ENGINE 7, 9)."""
    prompt: bool = True
    """Nothing is sent long after its intent was stored (ENGINE 26)."""
    tells: bool = True
    """Who lost the claim deletes nothing, and tells the lane what it made (ENGINE 27)."""


class Bounds(NamedTuple):
    """How much may happen; what would go on beyond is not judged."""

    posts: int = 4
    crashes: int = 2
    pauses: int = 2
    """Claims that end under a living worker."""


class Worker(NamedTuple):
    """What one worker knows, and where it stands in its run."""

    at: At = "idle"
    holds: bool = False
    meeting: int = 0
    post: int = 0
    heard: frozenset[int] = frozenset()
    doubts: bool = False
    """Its next commit asks for a sweep."""


class Create(NamedTuple):
    """A create on its way, or the conference that it made."""

    post: int
    late: bool = False
    """Sent so long after its intent that no try of ours explains it."""
    age: int = 0


class State(NamedTuple):
    """Everything there is."""

    stored: int
    workers: tuple[Worker, ...] = (Worker(), Worker())
    ghost: bool = False
    """A killed worker still holds the lane."""
    told: frozenset[int] = frozenset()
    """What workers made that lost their claim: items of the lane."""
    doubted: bool = False
    """A sweep is asked for. It looks when nothing is on its way, which it waits for in life."""
    victims: frozenset[int] = frozenset()
    flying: tuple[Create, ...] = ()
    live: tuple[Create, ...] = ()
    posts: int = 0
    crashes: int = 0
    pauses: int = 0

    @property
    def free(self) -> bool:
        """Whether nobody holds the lane."""
        return not self.ghost and not any(one.holds for one in self.workers)

    def with_worker(self, place: int, worker: Worker) -> State:
        """The state after a step of one worker."""
        workers = [*self.workers]
        workers[place] = worker
        return self._replace(workers=tuple(workers))

    def tidy(self) -> State:
        """The same state, whichever of the two workers is called the first."""
        return self._replace(
            workers=tuple(sorted(self.workers, key=_place)), live=tuple(sorted(self.live))
        )


def _place(worker: Worker) -> tuple[object, ...]:
    return (*worker[:4], sorted(worker.heard), worker.doubts)
