"""What is wrong with this installation? `tieline doctor` looks, and says what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Final, Literal

import httpx
import typer

from infra.cli.api import Api, Json, Problem
from infra.cli.terminal import REFUSED, ask, pages, session, show_all
from infra.settings import Settings

SKEW_WARNS: Final = timedelta(seconds=2)
SKEW_FAILS: Final = timedelta(seconds=30)
PATIENCE: Final = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warning", "wrong"]
    about: str
    words: str


def doctor(
    ctx: typer.Context,
    *,
    calendars: Annotated[
        bool, typer.Option(help="Compare with the providers, by your key.")
    ] = True,
) -> None:
    """Look at settings, store, workers, clocks and calendars. Exit code 1: something is wrong."""
    address = session(ctx).address or Settings.load().public_url
    found = [*_process(address)]
    if calendars:
        found += ask(ctx, _coverage)
        found += ask(ctx, _parked)
    show_all(
        ctx,
        [asdict(each) for each in found],
        {"": "level", "About": "about", "Finding": "words"},
    )
    if any(each.level == "wrong" for each in found):
        raise typer.Exit(REFUSED)


def _process(address: str) -> Iterator[Finding]:
    """What the API process says of itself, its store and the workers."""
    try:
        answer = httpx.get(f"{address}/readyz", timeout=PATIENCE, trust_env=False)
    except httpx.TransportError:
        words = f"The API does not answer at {address}. Is it up? Try: tieline up"
        yield Finding("wrong", "api", words)
        return
    told = answer.json()
    yield from (Finding("wrong", "store", words) for words in told["because"])
    yield from (Finding("warning", "store", words) for words in told.get("warnings", ()))
    if told["ready"] and not told.get("warnings"):
        yield Finding("ok", "store", "It answers, and keeps what it is given.")
    yield from _workers(told.get("kinds_without_worker", ()))
    yield _clock(answer.headers.get("date"))


def _workers(idle: list[str]) -> Iterator[Finding]:
    if not idle:
        yield Finding("ok", "workers", "Every kind of work is served.")
    for kind in idle:
        words = f"No live worker does the kind `{kind}`: what comes waits. Start python -m workers."
        yield Finding("wrong", "workers", words)


def _clock(date: str | None) -> Finding:
    if date is None:
        return Finding("warning", "clock", "The API does not say what time it has.")
    skew = abs(datetime.now(UTC) - parsedate_to_datetime(date)) - timedelta(seconds=1)
    if skew < SKEW_WARNS:
        return Finding("ok", "clock", "The API's clock and this one agree.")
    level: Literal["wrong", "warning"] = "wrong" if skew > SKEW_FAILS else "warning"
    return Finding(level, "clock", f"The API's clock is {skew.seconds} s off this one: set both.")


async def _parked(api: Api) -> list[Finding]:
    """Work that nothing but a person sets going again (L6)."""
    rows = await pages(api, "/v1/parked")
    words = "is parked: {}. When its cause is mended: tieline parked retry {}"
    return [
        Finding("wrong", row["lane"], words.format(row["reason"], row["lane"])) for row in rows
    ] or [Finding("ok", "parked", "No work is parked.")]


async def _coverage(api: Api) -> list[Finding]:
    """Calendars that could be watched beside those that are; each gap with its reason (T15)."""
    asked: dict[str, list[Json]] = defaultdict(list)
    for one in await pages(api, "/v1/calendars"):
        asked[one["connection"]].append(one)
    found: list[Finding] = []
    for connection in await pages(api, "/v1/connections"):
        if connection["role"] == "calendar":
            found += await _of_connection(api, connection, asked[connection["id"]])
    return found


async def _of_connection(api: Api, connection: Json, asked: list[Json]) -> list[Finding]:
    id_ = connection["id"]
    if connection["state"] not in {"linked", "degraded"}:
        words = f"None of its calendars is read: it is {connection['state']}. Link it again."
        return [Finding("wrong", id_, words)]
    try:
        told = await api.get(f"/v1/connections/{id_}/calendars")
    except Problem as problem:
        return [Finding("warning", id_, f"Its calendars could not be listed: {problem}")]
    eligible = told.get("items", ())
    known = {one["provider_id"] for one in asked}
    unasked = [one for one in eligible if one["provider_id"] not in known]
    troubled = [one for one in asked if one["state"] != "watched"]
    watched = len(asked) - len(troubled)
    many = len(known | {one["provider_id"] for one in eligible})
    return [
        Finding("ok", id_, f"{watched} of {many} calendars are watched."),
        *map(_trouble, troubled),
        *(_gap(id_, one) for one in unasked),
    ]


def _trouble(calendar: Json) -> Finding:
    """One that somebody asked to watch (T12: a source that fails in silence)."""
    words = f"Calendar {calendar['provider_id']} is {calendar['state']}: {calendar['reason']}."
    if calendar["state"] != "failing":
        return Finding("warning", calendar["id"], words)
    more = f" Since {calendar['failing_since']}; see: tieline timeline {calendar['id']}"
    return Finding("wrong", calendar["id"], words + more)


def _gap(connection: str, calendar: Json) -> Finding:
    why = (
        "nobody asked to watch it (POST /v1/calendars)"
        if calendar["writable"]
        else "it is read-only, so no join link could be written; nobody asked to watch it"
    )
    return Finding("warning", connection, f"Calendar {calendar['provider_id']}: {why}.")
