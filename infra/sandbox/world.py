"""What is one sandbox made of, and how does it begin again?"""

from __future__ import annotations

from infra.sandbox.google.simulator import Google
from infra.sandbox.goto.simulator import GoTo
from infra.sandbox.graph.simulator import Graph
from infra.sandbox.stage import Stage
from infra.sandbox.zoom.simulator import Zoom


class World:
    """The providers of one sandbox on one stage."""

    def __init__(self, seed: int = 1) -> None:
        self.stage = Stage()
        self.stage.chance.dice.seed(seed)
        self.google = Google(self.stage)
        self.graph = Graph(self.stage)
        self.zoom = Zoom(self.stage)
        self.goto = GoTo(self.stage)

    def forget(self, seed: int) -> None:
        """Begin again: nobody, nothing, no faults, the machine's time."""
        self.stage.forget(seed)
        self.google.forget()
        self.graph.forget()
        self.zoom.forget()
        self.goto.forget()
