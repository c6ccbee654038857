"""Which question about an account is answered where?"""

from __future__ import annotations

from typing import assert_never

from schemas import account_asks as asks
from schemas.desk import DeskAnswer
from workers.jobs import account_conferences as conferences
from workers.jobs import account_history as history
from workers.jobs import account_people as people
from workers.jobs.account_trials import try_operation
from workers.jobs.desk import Desk
from workers.jobs.reconciling import reconcile


async def answer_account(  # noqa: PLR0911 - one line a kind of question
    desk: Desk, ask: asks.AccountAsk
) -> DeskAnswer:
    """The answer; raises what the desk puts into words."""
    match ask:
        case asks.ListUpcoming() | asks.ReadConference() | asks.StartConference():
            return await _read_conferences(desk, ask)
        case asks.MakeConference() | asks.ReplaceConference() | asks.RemoveConference():
            return await _change_conferences(desk, ask)
        case asks.ListHeld():
            return await history.list_held(desk, ask)
        case asks.ListAttendance():
            return await history.list_attendance(desk, ask)
        case asks.TryOperation():
            return await try_operation(desk, ask)
        case asks.Reconcile():
            return await reconcile(desk, ask)
        case _:
            return await _people(desk, ask)


async def _read_conferences(
    desk: Desk, ask: asks.ListUpcoming | asks.ReadConference | asks.StartConference
) -> DeskAnswer:
    match ask:
        case asks.ListUpcoming():
            return await conferences.list_upcoming(desk, ask)
        case asks.ReadConference():
            return await conferences.read_conference(desk, ask)
        case asks.StartConference():
            return await conferences.start_conference(desk, ask)
        case _:
            assert_never(ask)


async def _change_conferences(
    desk: Desk, ask: asks.MakeConference | asks.ReplaceConference | asks.RemoveConference
) -> DeskAnswer:
    match ask:
        case asks.MakeConference():
            return await conferences.make_conference(desk, ask)
        case asks.ReplaceConference():
            return await conferences.replace_conference(desk, ask)
        case asks.RemoveConference():
            return await conferences.remove_conference(desk, ask)
        case _:
            assert_never(ask)


async def _people(desk: Desk, ask: asks.PeopleAsk) -> DeskAnswer:
    match ask:
        case asks.ListOrganizers():
            return await people.list_organizers(desk, ask)
        case asks.InviteOrganizers():
            return await people.invite_organizers(desk, ask)
        case asks.ChangeOrganizer():
            return await people.change_organizer(desk, ask)
        case asks.RemoveOrganizer():
            return await people.remove_organizer(desk, ask)
        case asks.ListGroups():
            return await people.list_groups(desk, ask)
        case asks.ListOffers():
            return await people.list_offers(desk, ask)
        case _:
            assert_never(ask)
