"""What is one request at the desk? What was asked, what its commit will hold, how it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from infra.lanes import Claimed, Unit
from schemas.desk import DeskAnswer, DeskRequest
from schemas.problems import ProblemType
from workers.runtime import Runtime


class Declined(Exception):
    """Refused in words for a person; `problem` is what the API answers with."""

    def __init__(self, problem: ProblemType, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail


@dataclass(slots=True)
class Desk:
    """One request that is being answered."""

    claimed: Claimed
    runtime: Runtime
    request: DeskRequest
    unit: Unit = field(default_factory=Unit)
    """What the answer's commit holds beside the answer, and that no other lane writes."""
    fill: Callable[[Unit], Awaitable[None]] | None = None
    """Adds what another lane may write meanwhile; called anew when it did."""

    @property
    def tenant(self) -> str:
        """Whose request it is."""
        return self.claimed.lane.tenant

    def done(self, **facts: object) -> DeskAnswer:
        """The answer when it went well."""
        return DeskAnswer.model_validate({"id": self.request.id, "state": "done", **facts})

    def refused(
        self, problem: ProblemType, detail: str, *, state: Literal["refused", "failed"] = "refused"
    ) -> DeskAnswer:
        """The answer when it did not; `failed` may go better another time."""
        return DeskAnswer(id=self.request.id, state=state, problem=problem.value, detail=detail)
