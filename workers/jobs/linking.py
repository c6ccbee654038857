"""May this account be linked? Exchanges, compares, refuses in words; creates or renews the link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from pydantic import SecretStr

from infra.errors import NeedsReauth, NotPermitted, NotSent, Refused, TokenExpired, TryLater
from infra.lanes import Unit
from infra.records import saved
from infra.seal import Unsealable
from infra.tokens import Dead, Granted
from schemas.connections import Account, Connection, LinkRequest
from schemas.desk import DeskAnswer, ExchangeCode, LinkGiven
from schemas.problems import ProblemType
from schemas.providers import PROVIDERS, Role
from schemas.seals import Sealed
from workers.jobs.desk import Declined, Desk
from workers.jobs.link_records import Proposal, keep_link, linked_before
from workers.ports import Access
from workers.tokens import (
    Registration,
    exchange,
    lacking,
    on_its_own,
    opened,
    refresh,
    registration,
)
from workers.turns import turn_of

GIVEN_LIFE: Final = timedelta(hours=1)
"""How long an access token without a refresh token is believed to last, when nobody said."""
FREE_PLANS: Final = frozenset({"free", "basic"})
SURELY_UNSENT_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Bring:
    """Tokens that were given or exchanged, with the client they belong to."""

    ours: Registration
    granted: Granted


async def exchange_code(desk: Desk, ask: ExchangeCode) -> DeskAnswer:
    """Turn an OAuth code into a connection, or renew the one that the link request names.

    The request is marked as spent before the code is sent, so that no second run sends it again
    (ENGINE 31). Raises Declined.
    """
    link = await _unspent(desk, ask)
    renewed = await _to_renew(desk, link)
    spent = link.model_copy(update={"spent_at": desk.runtime.now()})
    desk.claimed = await desk.runtime.save(desk.claimed, Unit(puts=[spent]))
    spent = saved(spent)
    expected = link.expected_account or (renewed.account.id if renewed else None)
    try:
        brought = await _exchanged(desk, ask, link)
        proposal = await _checked(desk, _proposed(desk, link), brought, expected=expected)
    except Declined as declined:
        desk.unit.puts.append(spent.model_copy(update={"outcome": declined.detail}))
        raise
    if before := await linked_before(desk, proposal):
        proposal = replace(proposal, id=before.id)
    linked = spent.model_copy(update={"outcome": f"linked {proposal.id}"})
    return await keep_link(desk, proposal, linked)


async def link_given(desk: Desk, ask: LinkGiven) -> DeskAnswer:
    """Link with tokens that the caller brought, or a built-in provider that needs none.

    Tokens that can be renewed are, at once: that proves them and tells their scopes. Raises
    Declined.
    """
    provider = PROVIDERS[ask.provider]
    if ask.role not in provider.roles:
        words = f"{provider.title} has no role `{ask.role}`."
        raise Declined(ProblemType.LINK_REFUSED, words)
    proposal = Proposal(
        id=ask.connection,
        provider=ask.provider,
        role=ask.role,
        client=ask.client,
        user=ask.user,
        actor=desk.request.actor,
        base_url=ask.base_url,
        room_url=ask.room_url,
        directory=ask.directory,
        account=Account(id=ask.mailbox),
    )
    if provider.oauth is None:
        account = await _built_in(desk, ask)
        return await keep_link(desk, replace(proposal, account=account), None)
    brought = await _given(desk, ask)
    proposal = await _checked(desk, proposal, brought, expected=ask.expected_account)
    return await keep_link(desk, proposal, None)


async def _unspent(desk: Desk, ask: ExchangeCode) -> LinkRequest:
    link = await desk.runtime.store.documents.get(desk.tenant, LinkRequest, ask.link_request)
    if link is None or desk.runtime.now() > link.expires_at:
        words = "The link has expired. Ask for a new one."
        raise Declined(ProblemType.LINK_EXPIRED, words)
    if link.spent_at is not None:
        words = "The link was used before, and works once. Start it again."
        raise Declined(ProblemType.LINK_EXPIRED, words)
    return link


async def _to_renew(desk: Desk, link: LinkRequest) -> Connection | None:
    if link.connection is None:
        return None
    found = await desk.runtime.store.documents.get(desk.tenant, Connection, link.connection)
    if found is None:
        words = f"Connection {link.connection} does not exist. Link without naming it."
        raise Declined(ProblemType.NOT_FOUND, words)
    return found


def _proposed(desk: Desk, link: LinkRequest) -> Proposal:
    return Proposal(
        id=link.connection or desk.runtime.new_id("con"),
        provider=link.provider,
        role=link.role,
        client=link.client,
        user=link.user,
        actor=link.actor,
        name=link.name,
        marks_titles=link.marks_titles,
    )


async def _exchanged(desk: Desk, ask: ExchangeCode, link: LinkRequest) -> Bring:
    runtime, title = desk.runtime, PROVIDERS[link.provider].title
    again = "Start the link again."
    try:
        ours = await registration(runtime, desk.tenant, link.client)
        context = Sealed.OAUTH_CODE.of(desk.tenant, link.id)
        code = opened(runtime, ask.code_sealed, context=context)
        context = Sealed.PKCE_VERIFIER.of(desk.tenant, link.id)
        verifier = opened(runtime, link.verifier_sealed, context=context)
        granted = await _sent_once(desk, ours, code, verifier)
    except (Refused, Unsealable) as error:
        raise Declined(ProblemType.LINK_REFUSED, f"{error}. {again}") from None
    except TryLater:
        words = f"{title} gave no answer that can be used, and a code works once. {again}"
        raise Declined(ProblemType.LINK_REFUSED, words) from None
    if isinstance(granted, Dead):
        words = f"{title} refused the code ({granted.reason}). {again}"
        raise Declined(ProblemType.LINK_REFUSED, words)
    return Bring(ours, granted)


async def _sent_once(
    desk: Desk, ours: Registration, code: SecretStr, verifier: SecretStr
) -> Granted | Dead:
    """Send the code at most once; what surely was not sent may be."""
    for _ in range(SURELY_UNSENT_TRIES - 1):
        try:
            return await exchange(desk.runtime, ours, code=code, verifier=verifier)
        except NotSent:
            continue
    return await exchange(desk.runtime, ours, code=code, verifier=verifier)


async def _built_in(desk: Desk, ask: LinkGiven) -> Account:
    """Who hosts where nobody has an account; the client checks the address."""
    where = ask.room_url or ask.base_url or ""
    access = Access(connection=ask.connection, api=where, host=where, token="", serial=0)
    return await desk.runtime.conferences[ask.provider].account(access)


async def _given(desk: Desk, ask: LinkGiven) -> Bring:
    ours = await registration(desk.runtime, desk.tenant, ask.client)
    if ask.directory:
        return await _in_its_own_name(desk, ours, ask.directory)
    if ask.refresh_sealed is not None:
        context = Sealed.REFRESH_TOKEN.of(desk.tenant, ask.connection)
        token = opened(desk.runtime, ask.refresh_sealed, context=context)
        granted = await refresh(desk.runtime, ours, token)
        if isinstance(granted, Dead):
            words = f"{ours.provider.title} does not take the refresh token ({granted.reason})."
            raise Declined(ProblemType.LINK_REFUSED, words)
        return Bring(ours, replace(granted, refresh_token=granted.refresh_token or token))
    if ask.access_sealed is None:
        words = f"{ours.provider.title} needs a token to be linked with."
        raise Declined(ProblemType.LINK_REFUSED, words)
    context = Sealed.ACCESS_TOKEN.of(desk.tenant, ask.connection)
    access = opened(desk.runtime, ask.access_sealed, context=context)
    scopes = frozenset(ask.scopes) or None
    return Bring(ours, Granted(access, None, desk.runtime.now() + GIVEN_LIFE, scopes))


async def _in_its_own_name(desk: Desk, ours: Registration, directory: str) -> Bring:
    granted = await on_its_own(desk.runtime, ours, directory)
    if isinstance(granted, Dead):
        words = (
            f"{ours.provider.title} gives this client no token for {directory} ({granted.reason})."
            " An administrator there has to consent to its application permissions."
        )
        raise Declined(ProblemType.LINK_REFUSED, words)
    return Bring(ours, granted)


async def _checked(
    desk: Desk, proposal: Proposal, brought: Bring, *, expected: str | None
) -> Proposal:
    """The proposal with its account, if the scopes, the plan and the account are right."""
    title, granted = brought.ours.provider.title, brought.granted
    if missing := lacking(granted, brought.ours.oauth):
        words = (
            f"{title} did not grant {', '.join(missing)}. Link again, and leave every box of the"
            " consent page ticked."
        )
        raise Declined(ProblemType.LINK_REFUSED, words)
    account = await _account(desk, proposal, brought)
    if expected and expected not in {account.id, account.account_id}:
        words = f"This is {title} account {account.id}, not {expected}. Log in there as that one."
        raise Declined(ProblemType.LINK_REFUSED, words)
    warning = free_plan(account, title)
    if warning and desk.runtime.settings.free_plan == "refuse":
        raise Declined(ProblemType.LINK_REFUSED, warning)
    return replace(
        proposal,
        account=account,
        granted=granted,
        scopes=tuple(sorted(granted.scopes or brought.ours.oauth.scopes)),
        base_url=proposal.base_url or brought.ours.base_url,
        warning=warning,
    )


def free_plan(account: Account, title: str) -> str:
    """What is to be said of an account without a paid plan; nothing of one that has it (S4-6)."""
    if account.plan.casefold() not in FREE_PLANS:
        return ""
    return f"This {title} account is free; applications need a paid plan (Pro or above)."


async def _account(desk: Desk, proposal: Proposal, brought: Bring) -> Account:
    access = Access(
        connection=proposal.id,
        api=brought.ours.provider.urls.api,
        host=proposal.account.id,
        token=brought.granted.access_token.get_secret_value(),
        serial=0,
        turn=turn_of(
            desk.runtime,
            desk.tenant,
            brought.ours.provider,
            client=proposal.client,
            host=proposal.account.id,
        ),
    )
    runtime, title = desk.runtime, brought.ours.provider.title
    try:
        if proposal.role is Role.CALENDAR:
            return await runtime.calendars[proposal.provider].account(access)
        return await runtime.conferences[proposal.provider].account(access)
    except NotPermitted as error:
        raise Declined(ProblemType.LINK_REFUSED, f"{title}: {error.reason}.") from error
    except (TokenExpired, NeedsReauth, Refused, TryLater) as error:
        words = f"{title} did not say whose account this is ({error}). Start the link again."
        raise Declined(ProblemType.LINK_REFUSED, words) from error
