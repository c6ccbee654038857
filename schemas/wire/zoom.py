"""What does Zoom's API say? Its own words (v2), only those that we use.

https://developers.zoom.us/docs/api/meetings/
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field

from schemas.records import Wire


def _as_text(number: Any) -> Any:  # noqa: ANN401 - what a vendor sent may be anything
    return str(number) if isinstance(number, int) else number


Number = Annotated[str, BeforeValidator(_as_text)]
"""A meeting's number, beyond 10 digits; Zoom sends it as a number here and as text there."""


class Meeting(Wire):
    """A meeting. Anything but its number may be missing, the passcode first of all."""

    id: Number
    host_id: str = ""
    type: int = 2
    """2 is scheduled, 3 recurs without a fixed time."""
    topic: str = ""
    start_time: AwareDatetime | None = None
    """None for a meeting without a fixed time (type 3)."""
    duration: int | None = None
    """Minutes."""
    agenda: str = ""
    created_at: AwareDatetime | None = None
    status: str = ""
    join_url: str = ""
    start_url: str = Field(default="", repr=False)
    """Logs the host in: a secret."""


class Listed(Wire):
    """One meeting of a list; its agenda is cut to 250 letters."""

    id: Number
    topic: str = ""
    agenda: str = ""
    start_time: AwareDatetime | None = None
    duration: int | None = None
    created_at: AwareDatetime | None = None


class Meetings(Wire):
    """A page of a host's meetings."""

    meetings: tuple[Listed, ...] = ()
    next_page_token: str = ""


class User(Wire):
    """A user; `type` 1 is Basic, 2 Licensed, 3 on premises, 99 none."""

    id: str
    account_id: str = ""
    type: int = 0
    display_name: str = ""
    email: str = ""


class ErrorBody(Wire):
    """Why a call was refused. `code` is a number space of its own."""

    code: int = 0
    message: str = ""
