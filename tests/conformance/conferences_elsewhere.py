"""What must a client do whose conferences are made by calls? Every fault that one can meet."""

from __future__ import annotations

import socket
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from infra.errors import (
    InSession,
    NeedsReauth,
    NotSent,
    RateLimited,
    Refused,
    TokenExpired,
    TryLater,
    Unknown,
)
from infra.http.wire import Wire
from infra.sandbox.client import Sandbox
from schemas.meetings import Conference
from tests.conformance.conferences import ANOTHER, MOVED, NOW, REFERENCE, SLOT, Joined, Rooms

Do = Callable[[], Awaitable[object]]


@dataclass
class Elsewhere(Joined):
    """A provider that the sandbox plays, with what its people and its faults may do."""

    sandbox: Sandbox
    name: str

    async def made(self) -> int:
        """How many conferences there are."""
        raise NotImplementedError

    async def delete_there(self, conference: Conference) -> None:
        """Somebody deletes it at the provider."""
        raise NotImplementedError

    async def move_there(self, conference: Conference) -> None:
        """Somebody moves it at the provider."""
        raise NotImplementedError

    async def start_there(self, conference: Conference) -> None:
        """Its host opens it."""
        raise NotImplementedError

    async def lose_scopes(self) -> None:
        """The account takes back what it allowed, but for reading itself."""
        raise NotImplementedError

    async def expire(self) -> None:
        """The access token runs out."""
        raise NotImplementedError

    def calls(self, made: Conference) -> dict[str, Do]:
        """Every operation of the port, to be called through a fault."""
        port, access = self.port, self.access
        return {
            "user": lambda: port.account(access),
            "create": lambda: self.create(ANOTHER),
            "list": self.find,
            "get": lambda: port.read(access, made),
            "update": lambda: port.update(access, made, MOVED),
            "delete": lambda: port.delete(access, made),
        }


OPERATIONS = ["user", "create", "list", "get", "update", "delete"]
TWICE = 2
"""The pool repeats what is idempotent once when a kept line turns out to be dead."""
MAYBE_DONE = [
    {"when": "before", "status": 500},
    {"when": "after", "status": 502, "body": "<html>Bad Gateway</html>"},
    {"when": "before", "status": 503, "body": "<error><code>1</code></error>"},
    {"when": "hang_after", "delay_s": 0.05, "times": TWICE},
    {"when": "reset_before", "times": TWICE},
    {"when": "reset_after", "times": TWICE},
]


class RoomsElsewhere(Rooms):
    """Providers whose conferences are made by calls."""

    @abstractmethod
    @override
    async def join(self, sandbox: Sandbox, wire: Wire) -> Elsewhere:
        """The provider's client, linked to an account that the sandbox plays."""

    @pytest.fixture
    async def there(self, joined: Joined) -> Elsewhere:
        assert isinstance(joined, Elsewhere)
        return joined

    async def test_each_create_is_a_conference_and_all_are_found_oldest_first(
        self, there: Elsewhere
    ) -> None:
        made = []
        for _ in range(5):
            made.append((await there.create()).id)
            await there.sandbox.advance(timedelta(seconds=5))
        await there.create(ANOTHER)

        found = await there.find()

        assert [one.id for one in found] == made
        assert await there.made() == 6

    async def test_what_was_made_behind_a_lost_answer_is_found(self, there: Elsewhere) -> None:
        await there.sandbox.fault(f"{there.name}.create", "reset_after")
        with pytest.raises(Unknown):
            await there.create()

        (found,) = await there.find()

        assert (found.shown, found.reference) == (SLOT.fingerprint, REFERENCE)
        assert await there.made() == 1

    async def test_many_conferences_of_others_hide_nothing(self, there: Elsewhere) -> None:
        made = await there.create()
        for number in range(3):
            await there.create(f"tl-other-{number}")

        assert await there.find() == [made]

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize(
        "fault", MAYBE_DONE, ids=lambda fault: "-".join(map(str, fault.values()))
    )
    async def test_what_may_have_been_done_is_unknown(
        self, there: Elsewhere, operation: str, fault: dict[str, Any]
    ) -> None:
        made = await there.create()
        await there.sandbox.fault(f"{there.name}.{operation}", **fault)

        with pytest.raises(Unknown):
            await there.calls(made)[operation]()

    async def test_a_create_is_never_repeated(self, there: Elsewhere) -> None:
        await there.sandbox.fault(f"{there.name}.create", "before", status=500, times=9)

        with pytest.raises(Unknown):
            await there.create()

        assert await there.sandbox.calls(f"{there.name}.create") == 1

    @pytest.mark.parametrize("operation", OPERATIONS)
    async def test_what_found_nobody_was_surely_not_sent(
        self, there: Elsewhere, operation: str
    ) -> None:
        made = await there.create()
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # bound and not listening: refused
            there.access = replace(there.access, api=f"http://127.0.0.1:{held.getsockname()[1]}")

            with pytest.raises(NotSent):
                await there.calls(made)[operation]()

    async def test_a_create_that_is_late_is_not_sent(self, there: Elsewhere) -> None:
        with pytest.raises(NotSent):
            await there.port.create(there.access, SLOT, REFERENCE, send_by=time.monotonic() - 0.001)

        assert await there.made() == 0

    @pytest.mark.parametrize("operation", OPERATIONS)
    async def test_too_many_calls_are_made_later(self, there: Elsewhere, operation: str) -> None:
        made = await there.create()
        await there.sandbox.fault(f"{there.name}.{operation}", "before", status=429)

        with pytest.raises(TryLater) as raised:
            await there.calls(made)[operation]()

        assert not isinstance(raised.value, Unknown | NotSent)

    async def test_a_limit_that_names_its_moment_is_kept(self, there: Elsewhere) -> None:
        until = NOW + timedelta(hours=7)
        header = {"Retry-After": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
        await there.sandbox.fault(f"{there.name}.create", "before", status=429, headers=header)

        with pytest.raises(RateLimited) as raised:
            await there.create()

        assert raised.value.until == until
        assert there.access.host in raised.value.scope

    @pytest.mark.parametrize("operation", OPERATIONS)
    async def test_a_token_that_ran_out_is_no_dead_link(
        self, there: Elsewhere, operation: str
    ) -> None:
        made = await there.create()
        await there.expire()

        with pytest.raises(TokenExpired):
            await there.calls(made)[operation]()

    async def test_a_permission_that_is_missing_is_named(self, there: Elsewhere) -> None:
        await there.lose_scopes()

        with pytest.raises(NeedsReauth) as raised:
            await there.create()

        assert raised.value.missing

    async def test_what_is_gone_is_none_and_deleting_it_is_done(self, there: Elsewhere) -> None:
        made = await there.create()
        await there.delete_there(made)

        assert await there.port.read(there.access, made) is None
        assert await there.port.update(there.access, made, MOVED) is None
        assert await there.find() == []
        await there.port.delete(there.access, made)

    async def test_what_somebody_moved_shows_another_slot(self, there: Elsewhere) -> None:
        made = await there.create()
        await there.move_there(made)

        read = await there.port.read(there.access, made)
        (found,) = await there.find()

        assert read is not None
        assert read.slot.starts_at != made.slot.starts_at
        assert (read.shown, found.shown) == (read.slot.fingerprint, "")

    async def test_a_conference_in_session_is_left_alone(self, there: Elsewhere) -> None:
        made = await there.create()
        await there.start_there(made)

        with pytest.raises(InSession):
            await there.port.delete(there.access, made)
        (found,) = await there.port.find(there.access, SLOT, REFERENCE, since=NOW)

        assert found.started

    async def test_a_host_link_is_fresh_each_time(self, there: Elsewhere) -> None:
        made = await there.create()

        links = {await there.port.host_link(there.access, made) for _ in range(2)}

        assert len(links) == 2
        assert made.join_url not in links

    async def test_words_that_we_do_not_know_are_an_unknown_outcome(self, there: Elsewhere) -> None:
        await there.sandbox.fault(
            f"{there.name}.create", "after", status=201, body={"colour": "Interview"}
        )

        with pytest.raises(Unknown) as raised:
            await there.create()

        assert "Interview" not in str(raised.value)  # what people wrote stays out of logs
        assert raised.value.__cause__ is None

    async def test_bad_input_is_refused_in_the_providers_words(self, there: Elsewhere) -> None:
        nowhere = SLOT.model_copy(update={"timezone": "Moon/Tycho"})

        with pytest.raises(Refused) as raised:
            await there.create(slot=nowhere)

        assert raised.value.reason
