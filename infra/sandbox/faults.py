"""Which request goes wrong, at which moment, and how?"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from infra.sandbox.calls import Call
from infra.sandbox.documents import Doc, number, section, text, whole

When = Literal[
    "before", "after", "hang_before", "hang_after", "late", "reset_before", "reset_after"
]


@dataclass(slots=True)
class Rule:
    """One fault: the requests it meets and what it does to them.

    `when` says what becomes of the effect: `before` refuses without it, `after` refuses in spite
    of it, `hang_*` never answers, `late` lets the effect happen `delay_s` later (a `status` is
    answered at once, else the true answer when it is done), `reset_*` drops the connection.
    """

    id: str
    provider: str
    operation: str
    when: When
    status: int
    reason: str
    body: object
    headers: dict[str, str]
    times: int | None
    rate: float
    seed: int
    skip: int
    delay_s: float
    match: Doc
    kill_pid: int | None
    hits: int = 0
    met: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    def meets(self, call: Call) -> bool:
        """Whether this rule strikes this request; counts what it met and hit."""
        if self.times is not None and self.hits >= self.times:
            return False
        if not self._is_about(call):
            return False
        self.met += 1
        if self.met <= self.skip or self.dice.random() >= self.rate:
            return False
        self.hits += 1
        return True

    def _is_about(self, call: Call) -> bool:
        if self.provider not in ("*", call.provider) or self.operation not in ("*", call.operation):
            return False
        return all(_agrees(call, key, str(wanted)) for key, wanted in self.match.items())

    def shown(self) -> Doc:
        """The rule as the control API tells it."""
        told: Doc = {key: value for key, value in asdict(self).items() if key != "dice"}
        return told


def _agrees(call: Call, key: str, wanted: str) -> bool:
    match key:
        case "subject":
            return call.subject == wanted
        case "body":
            return wanted.encode() in call.body
        case "path":
            return wanted in call.address
        case "query":
            return wanted in call.raw_query
        case _:
            return call.query.get(key) == wanted


def rule_from(doc: Doc, name: str) -> Rule:
    """Read a rule as it was sent; ValueError says what is wrong with it."""
    when = text(doc, "when", "before")
    kill = doc.get("kill_pid")
    if kill is not None and (not isinstance(kill, int) or kill <= 1):
        raise ValueError("kill_pid is the id of one process")
    rule = Rule(
        id=name,
        provider=text(doc, "provider", "*"),
        operation=text(doc, "operation", "*"),
        when=_moment(when),
        status=whole(doc, "status"),
        reason=text(doc, "reason"),
        body=doc.get("body"),
        headers={key: str(value) for key, value in section(doc, "headers").items()},
        times=_times(doc),
        rate=number(doc, "rate", 1.0),
        seed=whole(doc, "seed"),
        skip=whole(doc, "skip"),
        delay_s=number(doc, "delay_s"),
        match=section(doc, "match"),
        kill_pid=kill,
    )
    rule.dice.seed(rule.seed)
    return rule


def _moment(when: str) -> When:
    for known in get_args(When):
        if when == known:
            moment: When = known
            return moment
    raise ValueError(f"when is one of {', '.join(get_args(When))}")


def _times(doc: Doc) -> int | None:
    """How often it strikes: as said; for ever when a rate is given; else once."""
    if doc.get("times") is not None:
        return whole(doc, "times")
    return None if "rate" in doc else 1


class Faults:
    """The rules in force, oldest first; the first that meets a request strikes."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self._made = 0

    def add(self, doc: Doc) -> Rule:
        """Put a rule in force."""
        self._made += 1
        rule = rule_from(doc, f"fault-{self._made}")
        self.rules[rule.id] = rule
        return rule

    def pick(self, call: Call) -> Rule | None:
        """Return the rule that strikes this request, if any."""
        for rule in self.rules.values():
            if rule.meets(call):
                return rule
        return None

    def forget(self) -> None:
        """Lift every rule."""
        self.rules.clear()
