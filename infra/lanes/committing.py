"""How does a unit become one function call? As functions/commit.lua reads it: keys and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, assert_never

from infra import keys
from infra.functions.calls import Word
from infra.lanes.words import (
    Claimed,
    IndexDrop,
    IndexSet,
    Lane,
    Post,
    RankDrop,
    RankSet,
    Unit,
)
from infra.records import encode

MOST_POSTS: Final = 64
MOST_BYTES: Final = 256 * 1024
DAY: Final = timedelta(days=1)
A_MILLISECOND: Final = timedelta(milliseconds=1)


class TooMuch(ValueError):
    """More than one function call may carry: make it a cursor job of its own (ENGINE 10)."""


@dataclass(slots=True)
class Words:
    """A function call under way."""

    keys: list[str] = field(default_factory=list)
    args: list[Word] = field(default_factory=list)

    def say(self, *words: Word) -> None:
        """Add arguments."""
        self.args.extend(words)

    def measure(self) -> int:
        """Bytes of the arguments, near enough."""
        return sum([8 if isinstance(word, int) else len(word) for word in self.args])


def milliseconds(span: timedelta) -> int:
    """A span as functions take it; part of a millisecond counts as a whole one."""
    return -(-span // A_MILLISECOND) if span else 0


def lane_keys(lane: Lane) -> list[str]:
    """The five keys that a post needs."""
    tenant, kind, name = lane.tenant, lane.kind, lane.name
    return [
        keys.lane(tenant, name),
        keys.items(tenant, name),
        keys.waiting(tenant, kind),
        keys.held(tenant, kind),
        keys.shut(tenant, kind),
    ]


def say_post(words: Words, post: Post) -> None:
    """Add a post, as `read_post` of functions/lane.lua reads it."""
    item = post.item
    words.keys += lane_keys(post.lane)
    words.say(
        post.lane.name,
        item.id.encode() + b"\n" + item.body if item else b"",
        "1" if post.mark else "",
        post.group or "",
        post.once or "",
        len(post.timers),
    )
    for name, delay in post.timers.items():
        words.say(name, milliseconds(delay))


def say_changes(claimed: Claimed, unit: Unit, words: Words, keep_feed: timedelta) -> None:
    """Add what becomes of the lane, and the changes in the order in which they are written."""
    if unit.hold:
        words.say("hold")
    if unit.failed:
        words.say("failed")
    if unit.mark:
        words.say("hints", unit.mark)
    if unit.not_before is not None:
        words.say("wait", milliseconds(unit.not_before))
    if unit.parked:
        words.say("park", unit.parked)
    for id_ in unit.handled:
        words.say("done", id_)
    _say_timers(claimed, unit, words)
    say_written(claimed.lane.tenant, unit, words, keep_feed)


def say_written(tenant: str, unit: Unit, words: Words, keep_feed: timedelta) -> None:
    """Add what is written outside the lane itself."""
    _say_documents(tenant, unit, words)
    _say_records(tenant, unit, words, keep_feed)
    for change in (*unit.index, *unit.rank):
        _say_listing(tenant, change, words)
    for post in unit.posts:
        words.say("post")
        say_post(words, post)


def _say_documents(tenant: str, unit: Unit, words: Words) -> None:
    for record in unit.puts:
        words.keys.append(keys.document(tenant, record.kind, record.id))
        if record.kept_for is None:
            words.say("put", record.rev, encode(record))
        else:
            words.say("lend", record.rev, encode(record), milliseconds(record.kept_for))
    for record in unit.drops:
        words.keys.append(keys.document(tenant, record.kind, record.id))
        words.say("drop", record.rev)


def _say_records(tenant: str, unit: Unit, words: Words, keep_feed: timedelta) -> None:
    for entry in unit.logs:
        words.keys.append(keys.log(tenant, entry.name, datetime.now(UTC).date()))
        words.say("log", milliseconds(entry.keep + DAY), entry.body)
    for fields in unit.feed:
        words.keys.append(keys.feed(tenant))
        words.say("feed", milliseconds(keep_feed), len(fields), *_flat(fields))
    for body in unit.bodies:
        words.keys.append(keys.blob(tenant, body.name))
        words.say("body", milliseconds(body.keep), body.value)


def _flat(fields: Mapping[str, str | bytes]) -> Iterator[Word]:
    for name, value in fields.items():
        yield name
        yield value


def _say_timers(claimed: Claimed, unit: Unit, words: Words) -> None:
    if not unit.hold:
        for name, at in claimed.fired.items():
            if name not in unit.timers:
                words.say("fired", name, at)
    for name, delay in unit.timers.items():
        words.say("timer", name, "" if delay is None else milliseconds(delay))


def _say_listing(
    tenant: str, listing: IndexSet | IndexDrop | RankSet | RankDrop, words: Words
) -> None:
    match listing:
        case IndexSet(name, field_, value):
            words.keys.append(keys.index(tenant, name))
            words.say("index", field_, value)
        case IndexDrop(name, field_):
            words.keys.append(keys.index(tenant, name))
            words.say("unindex", field_)
        case RankSet(name, member, score):
            words.keys.append(keys.rank(tenant, name))
            words.say("rank", member, repr(score))
        case RankDrop(name, member):
            words.keys.append(keys.rank(tenant, name))
            words.say("unrank", member)
        case _:
            assert_never(listing)


def check(unit: Unit, words: Words, tenant: str) -> int:
    """How many bytes it is. Refuse what one call may not carry: raises TooMuch, or ValueError for a
    unit that lies."""
    size = words.measure()
    if len(unit.posts) > MOST_POSTS or size > MOST_BYTES:
        raise TooMuch(
            f"a commit of {len(unit.posts)} posts and {size} bytes; at most {MOST_POSTS}"
            f" and {MOST_BYTES}"
        )
    if any(post.lane.tenant != tenant for post in unit.posts):
        raise ValueError("a commit posts within its tenant only")
    if unit.hold and (unit.not_before is not None or unit.parked or unit.failed):
        raise ValueError("a lane that is held on cannot wait, fail or be parked at the same time")
    return size
