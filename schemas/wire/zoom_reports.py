"""What does a notification of Zoom report? As far as workers act on it; the rest is ignored.

https://developers.zoom.us/docs/api/rest/webhook-reference/meeting-events/
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from schemas.records import Wire

Id = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
"""Zoom writes a meeting's id as a number or as a string, and it is an int64 (T20)."""


class Participant(Wire):
    """Who joined or left. Guests have no id; `user_id` only holds within one instance."""

    user_name: str = ""
    id: str = ""
    participant_uuid: str = ""
    user_id: str = ""
    join_time: datetime | None = None
    leave_time: datetime | None = None


class Thing(Wire):
    """The meeting or the user that the event is about."""

    id: Id = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    participant: Participant = Participant()


class Payload(Wire):
    """What happened to what."""

    object: Thing = Thing()
    user_id: str = ""
    client_id: str = ""
    deauthorization_time: datetime | None = None


class Event(Wire):
    """One event of an app."""

    event: str
    payload: Payload = Payload()
