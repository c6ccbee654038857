"""How is each key spelled? Here and nowhere else.

Everything of a tenant carries its hash tag, so that one function call stays within one slot
(ENGINE 1). What lies outside is an index that can be lost (turn, ring), a lease (duty, bell) or
belongs to the whole installation; those of one kind share a slot too.
"""

from __future__ import annotations

from datetime import date
from typing import Final

CALLS: Final = 3  # hashes of answered calls, taking turns; functions/lane.lua knows for how long
SEEN: Final = 12  # 10-minute buckets of dedupe keys, taking turns

TENANTS: Final = "tenants"
EPOCH: Final = "epoch"
LOOK: Final = "look"


class InvalidName(ValueError):
    """A tenant, subject or group that cannot be part of a key."""


def plain(name: str) -> str:
    """The name, if it can be part of a key: not empty, no braces, no control characters."""
    if not name or not name.isprintable() or "{" in name or "}" in name:
        raise InvalidName(f"not usable in a key: {name!r}")
    return name


def waiting(tenant: str, kind: str) -> str:
    """zset lane -> when it may next be touched, ms; "@<group>" -> when its gate looks."""
    return f"{{{tenant}}}:wait:{kind}"


def held(tenant: str, kind: str) -> str:
    """zset lane -> end of its holder's lease, ms."""
    return f"{{{tenant}}}:held:{kind}"


def apart(tenant: str, kind: str) -> str:
    """zset lane that is to be claimed apart -> how many holders it has lost (ENGINE 13)."""
    return f"{{{tenant}}}:apart:{kind}"


def shut(tenant: str, kind: str) -> str:
    """zset "<group>\\n<microseconds>\\n<lane>" -> 0: lanes that met a closed gate, in order."""
    return f"{{{tenant}}}:shut:{kind}"


def parked(tenant: str) -> str:
    """zset lane -> since when it needs a person."""
    return f"{{{tenant}}}:parked"


def gates(tenant: str) -> str:
    """hash group -> "<closed until>\\n<how many may be held>\\n<reason>"."""
    return f"{{{tenant}}}:gates"


def busy(tenant: str) -> str:
    """zset "<group>\\n<lane>" -> 0: held lanes of groups with a limit."""
    return f"{{{tenant}}}:busy"


def lane(tenant: str, name: str) -> str:
    """hash, the lane's record; its fields stand in functions/lane.lua."""
    return f"{{{tenant}}}:lane:{name}"


def items(tenant: str, name: str) -> str:
    """list of "<item id>\\n<body>", oldest first."""
    return f"{{{tenant}}}:items:{name}"


def calls(tenant: str) -> list[str]:
    """hashes call id -> answer."""
    return [f"{{{tenant}}}:calls:{n}" for n in range(CALLS)]


def seen(tenant: str) -> list[str]:
    """sets of dedupe keys."""
    return [f"{{{tenant}}}:seen:{n}" for n in range(SEEN)]


def document(tenant: str, kind: str, id_: str) -> str:
    """string "<rev>\\n<json>"."""
    return f"{{{tenant}}}:doc:{kind}:{id_}"


def index(tenant: str, name: str) -> str:
    """hash field -> value."""
    return f"{{{tenant}}}:index:{name}"


def rank(tenant: str, name: str) -> str:
    """zset member -> score."""
    return f"{{{tenant}}}:rank:{name}"


def log(tenant: str, name: str, day: date) -> str:
    """list of entries, oldest first; expires whole."""
    return f"{{{tenant}}}:log:{name}:{day:%Y%m%d}"


def feed(tenant: str) -> str:
    """stream of callbacks."""
    return f"{{{tenant}}}:feed"


def blob(tenant: str, name: str) -> str:
    """string, written once, expires."""
    return f"{{{tenant}}}:blob:{name}"


def book(tenant: str, name: str) -> str:
    """string, a quota book's count in its window; expires with it."""
    return f"{{{tenant}}}:book:{name}"


def pace(tenant: str, name: str) -> str:
    """string, the moment from which a paced sequence is free, ms."""
    return f"{{{tenant}}}:pace:{name}"


def places(tenant: str, name: str) -> str:
    """zset holder -> when its place among the calls under way is free at the latest, ms."""
    return f"{{{tenant}}}:places:{name}"


def bucket(tenant: str, name: str) -> str:
    """string, the moment when a bucket will be full again, ms; gone once it is."""
    return f"{{{tenant}}}:bucket:{name}"


def turn(kind: str) -> str:
    """zset tenant -> when it is due, microseconds."""
    return f"turn:{{{kind}}}"


def ring(kind: str) -> str:
    """list that waiting workers read."""
    return f"ring:{{{kind}}}"


def duty(kind: str) -> str:
    """zset process -> end of its duty, ms."""
    return f"duty:{{{kind}}}"


def bell(kind: str) -> str:
    """string, there while the doorbell of a kind may not ring again."""
    return f"bell:{{{kind}}}"


def accounts(provider: str, account: str) -> str:
    """set of "<tenant>/<connection>" linked to a vendor's account."""
    return f"accounts:{provider}:{account}"


def answers(process: str) -> str:
    """stream of what a web process waits for."""
    return f"answers:{process}"
