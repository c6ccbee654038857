"""Which rows does the API have? All of them, in the order in which people read about them."""

from __future__ import annotations

from typing import Final

from webhooks.api import (
    account_conferences,
    account_people,
    calendars,
    callback_types,
    callbacks,
    clients,
    connections,
    dry_runs,
    endpoint_states,
    endpoint_tests,
    endpoints,
    explain,
    feed,
    keys,
    links,
    meetings,
    occurrences,
    policy,
    recoveries,
    requests,
    rooms,
    tenants,
    timelines,
    trials,
    undelivered,
)
from webhooks.api.operation import Row

ROWS: Final[tuple[Row, ...]] = (
    *meetings.ROWS,
    *occurrences.ROWS,
    *timelines.ROWS,
    *explain.ROWS,
    *dry_runs.ROWS,
    *feed.ROWS,
    *callback_types.ROWS,
    *endpoints.ROWS,
    *endpoint_states.ROWS,
    *endpoint_tests.ROWS,
    *callbacks.ROWS,
    *undelivered.ROWS,
    *recoveries.ROWS,
    *connections.ROWS,
    *trials.ROWS,
    *links.ROWS,
    *account_conferences.ROWS,
    *account_people.ROWS,
    *calendars.ROWS,
    *timelines.OF_CALENDARS,
    *rooms.ROWS,
    *policy.ROWS,
    *clients.ROWS,
    *requests.ROWS,
    *keys.ROWS,
    *tenants.ROWS,
)
