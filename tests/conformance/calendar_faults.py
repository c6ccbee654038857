"""What must a calendar's client make of everything that can go wrong with a call?"""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from infra.errors import (
    NeedsReauth,
    NotSent,
    RateLimited,
    TokenExpired,
    TryLater,
    Unknown,
)
from tests.conformance.calendar_stage import NOW, Book, Joined

OPERATIONS = ["calendars", "list", "get", "patch", "watch", "stop"]
TWICE = 2
"""The pool repeats what is idempotent once when a kept line turns out to be dead."""
MAYBE_DONE = [
    {"when": "before", "status": 500},
    {"when": "after", "status": 503, "body": "<html>Service Unavailable</html>"},
    {"when": "hang_after", "delay_s": 0.05, "times": TWICE},
    {"when": "reset_before", "times": TWICE},
    {"when": "reset_after", "times": TWICE},
]


class Suffers(Book):
    """Every operation through every fault."""

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize(
        "fault", MAYBE_DONE, ids=lambda fault: "-".join(map(str, fault.values()))
    )
    async def test_what_may_have_been_done_is_unknown(
        self, joined: Joined, operation: str, fault: dict[str, Any]
    ) -> None:
        event = await joined.add(location="zoom")
        await joined.sandbox.fault(f"{joined.name}.{operation}", **fault)

        with pytest.raises(Unknown):
            await joined.calls(event)[operation]()

    @pytest.mark.parametrize("operation", OPERATIONS)
    async def test_what_found_nobody_was_surely_not_sent(
        self, joined: Joined, operation: str
    ) -> None:
        event = await joined.add(location="zoom")
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # bound and not listening: refused
            nowhere = f"http://127.0.0.1:{held.getsockname()[1]}"
            joined.access = replace(joined.access, api=nowhere)

            with pytest.raises(NotSent):
                await joined.calls(event)[operation]()

    @pytest.mark.parametrize("operation", OPERATIONS)
    async def test_a_token_that_ran_out_is_no_dead_link(
        self, joined: Joined, operation: str
    ) -> None:
        event = await joined.add(location="zoom")
        await joined.expire()

        with pytest.raises(TokenExpired):
            await joined.calls(event)[operation]()

    @pytest.mark.parametrize("operation", OPERATIONS)
    async def test_too_many_calls_are_made_later(self, joined: Joined, operation: str) -> None:
        event = await joined.add(location="zoom")
        await joined.sandbox.fault(f"{joined.name}.{operation}", "before", status=429)

        with pytest.raises(TryLater) as raised:
            await joined.calls(event)[operation]()

        assert not isinstance(raised.value, Unknown | NotSent)

    async def test_a_limit_that_names_its_moment_is_kept(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        until = NOW + timedelta(hours=7)
        header = {"Retry-After": f"{until:%a, %d %b %Y %H:%M:%S GMT}"}
        await joined.sandbox.fault(f"{joined.name}.patch", "before", status=429, headers=header)

        with pytest.raises(RateLimited) as raised:
            await joined.write(event)

        assert raised.value.until == until

    async def test_a_permission_that_is_missing_needs_a_person(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        await joined.lose_scopes()

        with pytest.raises(NeedsReauth):
            await joined.write(event)

    async def test_words_that_we_do_not_know_are_an_unknown_outcome(self, joined: Joined) -> None:
        event = await joined.add(location="zoom")
        await joined.sandbox.fault(
            f"{joined.name}.patch", "after", status=200, body={"colour": "Interview"}
        )

        with pytest.raises(Unknown) as raised:
            await joined.write(event)

        assert "Interview" not in str(raised.value)  # what people wrote stays out of logs
        assert raised.value.__cause__ is None
