"""What does a provider say right now? Reads at the desk; none of them changes anything there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from infra.errors import NeedsReauth
from infra.lanes import Item, Lane, Post
from infra.seal import PublicKey
from schemas.connections import Account, Calendar, Connection
from schemas.desk import (
    CalendarListed,
    DeskAnswer,
    ExplainEvent,
    FetchHostLink,
    ListCalendars,
    TestConnection,
)
from schemas.events import Event, Gone, Sighting
from schemas.items import LinkBroken, write_load
from schemas.meetings import Meeting
from schemas.policy import Policy, PolicyRules, Verdict
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS, Role
from schemas.seals import Sealed
from workers.access import with_access
from workers.jobs.desk import Declined, Desk
from workers.jobs.linking import free_plan
from workers.ports import Access

T = TypeVar("T")


async def list_calendars(desk: Desk, ask: ListCalendars) -> DeskAnswer:
    """Which calendars the account can see."""

    async def call(provider: str, access: Access) -> list[CalendarListed]:
        return await desk.runtime.calendars[provider].list_calendars(access)

    found = await through(desk, ask.connection, call)
    return desk.done(connection=ask.connection, calendars=tuple(found))


async def fetch_host_link(desk: Desk, ask: FetchHostLink) -> DeskAnswer:
    """A fresh host link, sealed to the process that asked; it is nowhere in clear (DESIGN §7)."""
    meeting = await desk.runtime.store.documents.get(desk.tenant, Meeting, ask.meeting)
    if meeting is None:
        raise Declined(ProblemType.NOT_FOUND, f"There is no meeting {ask.meeting}.")
    conference = meeting.conference
    if conference is None:
        words = "The meeting has no conference yet, so there is nothing to start. Ask again later."
        raise Declined(ProblemType.NOT_PROVISIONED, words)

    async def call(provider: str, access: Access) -> str:
        return await desk.runtime.conferences[provider].host_link(access, conference)

    link = await through(desk, conference.connection, call)
    context = Sealed.HOST_LINK.of(desk.tenant, desk.request.id)
    sealed = PublicKey.parse(ask.reply_key).seal(link.encode(), context=context)
    return desk.done(connection=conference.connection, sealed=sealed)


async def try_connection(desk: Desk, ask: TestConnection) -> DeskAnswer:
    """Whether the connection works, and as whom."""
    connection = await connection_of(desk, ask.connection)
    provider = PROVIDERS[connection.provider]
    if provider.oauth is None:
        words = f"{provider.title} needs no account: conferences follow from the meeting alone."
        return desk.done(connection=connection.id, sentences=(words,))

    async def call(provider: str, access: Access) -> Account:
        if connection.role is Role.CALENDAR:
            return await desk.runtime.calendars[provider].account(access)
        return await desk.runtime.conferences[provider].account(access)

    account = await through(desk, connection.id, call)
    if account.id != connection.account.id:
        words = f"{provider.title} answers as another account ({account.id}). Link it again."
        raise Declined(ProblemType.NOT_LINKED, words)
    named = f"{account.name} ({account.id})" if account.name else account.id
    scopes = f"It was granted {len(connection.scopes)} scopes, all that are needed."
    said = (f"{provider.title} answers as {named}.", scopes, free_plan(account, provider.title))
    return desk.done(connection=connection.id, sentences=tuple(filter(None, said)))


async def explain_event(desk: Desk, ask: ExplainEvent) -> DeskAnswer:
    """What the rules would do with an event, read afresh (B-2)."""
    found = await read_event(desk, ask.calendar, ask.event)
    sentences = ["The calendar has no such event (any more): there is nothing to provision."]
    if isinstance(found, Event):
        sentences = await _explained(desk, found)
    key = Sighting.key(ask.calendar, ask.event)
    sighting = await desk.runtime.store.documents.get(desk.tenant, Sighting, key)
    seen = (
        f"It was last seen as meeting {sighting.meeting}."
        if sighting
        else "No meeting was made of it so far."
    )
    return desk.done(sentences=(*sentences, seen))


async def read_event(desk: Desk, calendar_id: str, event: str) -> Event | Gone:
    """The event as its calendar has it now. Raises Declined and what reading raises."""
    calendar = await desk.runtime.store.documents.get(desk.tenant, Calendar, calendar_id)
    if calendar is None:
        raise Declined(ProblemType.NOT_FOUND, f"Calendar {calendar_id} is not watched.")

    async def call(provider: str, access: Access) -> Event | Gone:
        port = desk.runtime.calendars[provider]
        return await port.read_event(access, calendar.provider_id, event)

    return await through(desk, calendar.connection, call)


async def _explained(desk: Desk, event: Event) -> list[str]:
    documents = desk.runtime.store.documents
    rules = await documents.get(desk.tenant, PolicyRules, "policy") or PolicyRules(id="policy")
    policy = Policy(rules=rules.rules, default=rules.default)
    verdict = policy.verdict(event, desk.runtime.now())
    if verdict.wish is None:
        return [f"It gets no conference: {verdict.because}."]
    return await _wished(desk, verdict, verdict.wish.connection)


async def _wished(desk: Desk, verdict: Verdict, connection_id: str) -> list[str]:
    said = [f"It gets a conference from connection {connection_id}: {verdict.because}."]
    documents = desk.runtime.store.documents
    connection = await documents.get(desk.tenant, Connection, connection_id)
    if connection is None:
        said.append("That connection does not exist, so it waits.")
    elif connection.role is not Role.CONFERENCING:
        said.append("That connection makes no conferences, so it waits.")
    elif not connection.usable:
        said.append(f"That connection is {connection.state.value}, so it waits for the re-link.")
    return said


async def connection_of(desk: Desk, name: str) -> Connection:
    """The connection of this id. Raises Declined."""
    found = await desk.runtime.store.documents.get(desk.tenant, Connection, name)
    if found is None:
        raise Declined(ProblemType.NOT_FOUND, f"There is no connection {name}.")
    return found


async def through(desk: Desk, connection: str, call: Callable[[str, Access], Awaitable[T]]) -> T:
    """The call's answer; a broken link is told to the connection's lane, which decides (T27)."""
    try:
        return await with_access(desk.runtime, desk.tenant, connection, call)
    except NeedsReauth as error:
        broken = LinkBroken(reason=error.reason, missing_scopes=tuple(sorted(error.missing)))
        lane = Lane(desk.tenant, "connection", connection)
        item = Item(desk.runtime.new_id("it"), write_load(broken))
        desk.unit.posts.append(Post(lane, item))
        raise
