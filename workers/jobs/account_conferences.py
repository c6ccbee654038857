"""How are an account's conferences managed by the provider's own ids? Desk work, at once."""

from __future__ import annotations

from collections.abc import Sequence

from infra.errors import Vanished
from infra.seal import PublicKey
from schemas.account_asks import (
    ListUpcoming,
    MakeConference,
    OfAccount,
    ReadConference,
    RemoveConference,
    ReplaceConference,
    StartConference,
)
from schemas.accounts import AccountConference, ConferenceDraft, Organizer, Removed
from schemas.desk import DeskAnswer
from schemas.problems import ProblemType
from schemas.seals import Sealed
from workers.jobs.account_desk import at_account, found, once
from workers.jobs.desk import Declined, Desk
from workers.ports import Access, AccountConferences, People
from workers.providers import account_conferences, people


async def list_upcoming(desk: Desk, ask: ListUpcoming) -> DeskAnswer:
    """What is to come, or running."""

    async def call(port: AccountConferences, access: Access) -> list[AccountConference]:
        return await port.upcoming(access, ask.whose)

    rows = await at_account(desk, ask, account_conferences, call)
    return found(desk, ask, conferences=rows)


async def make_conference(desk: Desk, ask: MakeConference) -> DeskAnswer:
    """One more. It is nobody's meeting: what was made here is managed here."""
    draft = await _with_keys(desk, ask, ask.draft)

    async def call(port: AccountConferences, access: Access) -> AccountConference:
        return await port.make(access, draft)

    made = await once(
        desk, "The conference", lambda: at_account(desk, ask, account_conferences, call)
    )
    return found(desk, ask, conferences=(made,))


async def read_conference(desk: Desk, ask: ReadConference) -> DeskAnswer:
    """As the provider has it now."""

    async def call(port: AccountConferences, access: Access) -> AccountConference:
        return await port.look_up(access, ask.conference)

    row = await at_account(desk, ask, account_conferences, call)
    return found(desk, ask, conferences=(row,))


async def replace_conference(desk: Desk, ask: ReplaceConference) -> DeskAnswer:
    """A second run replaces it by the same."""
    draft = await _with_keys(desk, ask, ask.draft)

    async def call(port: AccountConferences, access: Access) -> AccountConference:
        return await port.replace(access, ask.conference, draft)

    row = await at_account(desk, ask, account_conferences, call)
    return found(desk, ask, conferences=(row,))


async def remove_conference(desk: Desk, ask: RemoveConference) -> DeskAnswer:
    """By the explicit wish of an actor with the scope for it, whoever made it (DESIGN §6). A second
    run may find it gone, which is what was wanted."""

    async def call(port: AccountConferences, access: Access) -> int:
        return await port.remove(access, ask.conference)

    begun = desk.request.begun_at is not None
    try:
        code = await at_account(desk, ask, account_conferences, call)
    except Vanished:
        if not begun:
            raise
        code = 404
    message = "The conference was deleted."
    return found(desk, ask, removed=Removed(message=message, code=code))


async def start_conference(desk: Desk, ask: StartConference) -> DeskAnswer:
    """A fresh host link, sealed to the process that asked; it is nowhere in clear (DESIGN §7)."""

    async def call(port: AccountConferences, access: Access) -> str:
        return await port.start_link(access, ask.conference)

    link = await at_account(desk, ask, account_conferences, call)
    context = Sealed.HOST_LINK.of(desk.tenant, desk.request.id)
    sealed = PublicKey.parse(ask.reply_key).seal(link.encode(), context=context)
    return desk.done(connection=ask.connection, sealed=sealed)


async def _with_keys(desk: Desk, ask: OfAccount, draft: ConferenceDraft) -> ConferenceDraft:
    """The draft with every co-organizer as a key; one named by address is looked up (S1-40)."""
    if not any("@" in named for named in draft.co_organizers):
        return draft
    keys = [await _key(desk, ask, named) for named in draft.co_organizers]
    return draft.model_copy(update={"co_organizers": tuple(keys)})


async def _key(desk: Desk, ask: OfAccount, named: str) -> str:
    if "@" not in named:
        return named

    async def call(port: People, access: Access) -> Organizer:
        return await port.organizer(access, email=named)

    try:
        organizer = await at_account(desk, ask, people, call)
    except Vanished:
        words = f"{named} is no organizer of this account. Invite them first."
        raise Declined(ProblemType.NOT_FOUND, words) from None
    must_have_accepted([organizer])
    return organizer.key


def must_have_accepted(organizers: Sequence[Organizer]) -> None:
    """Raises Declined for who has no key yet: nothing can be done for them before (S1-38)."""
    for one in organizers:
        if one.state == "pending":
            words = (
                f"{one.email} has not accepted the invitation yet, so there is nothing to be done"
                " for them. Ask again once they have."
            )
            raise Declined(ProblemType.ORGANIZER_PENDING, words)
