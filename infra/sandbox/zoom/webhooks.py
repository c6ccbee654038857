"""What are an app's subscribers told, and how is it signed?

https://developers.zoom.us/docs/api/webhooks/
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from infra.sandbox.courier import Parcel
from infra.sandbox.documents import Doc, section, text
from infra.sandbox.zoom.state import Meeting, Subscription, User

if TYPE_CHECKING:
    from infra.sandbox.oauth import Grant
    from infra.sandbox.zoom.simulator import Zoom

_AGAIN = (timedelta(minutes=5), timedelta(minutes=20), timedelta(minutes=60))
MOST_FAILURES = 6
_CREATED = [
    "uuid",
    "id",
    "host_id",
    "topic",
    "type",
    "start_time",
    "duration",
    "timezone",
    "join_url",
    "password",
    "occurrences",
    "recurrence",
    "tracking_fields",
]
_PLAIN = ["uuid", "id", "host_id", "topic", "type", "start_time", "duration", "timezone"]


def created(zoom: Zoom, meeting: Meeting) -> None:
    """`meeting.created`; the agenda is not in it."""
    settings = section(meeting.doc, "settings")
    seen = ("use_pmi", "alternative_hosts", "join_before_host", "jbh_time", "meeting_invitees")
    shown = _columns(meeting.doc, _CREATED) | {
        "settings": {key: settings[key] for key in seen if key in settings}
    }
    tell(
        zoom,
        meeting,
        "meeting.created",
        {**_operator(zoom, meeting), "operation": "all", "object": shown},
    )


def updated(zoom: Zoom, meeting: Meeting, before: Doc, sent: Doc) -> None:
    """`meeting.updated`: only what was sent and differs, beside what it was."""
    keys = [key for key in sent if before.get(key) != meeting.doc.get(key)]
    ident: Doc = {"id": meeting.id}
    payload: Doc = {
        **_operator(zoom, meeting),
        "scope": "all",
        "time_stamp": _ms(zoom.stage.clock.now()),
        "object": ident | {key: meeting.doc[key] for key in keys},
        "old_object": ident | {key: before[key] for key in keys if key in before},
    }
    tell(zoom, meeting, "meeting.updated", payload)


def deleted(zoom: Zoom, meeting: Meeting, occurrences: list[Doc]) -> None:
    """`meeting.deleted`; `operation: single` when only some occurrences went."""
    shown = _columns(meeting.doc, _PLAIN)
    if occurrences:
        shown["occurrences"] = [row | {"status": "deleted"} for row in occurrences]
    operation = "single" if occurrences else "all"
    payload = {**_operator(zoom, meeting), "operation": operation, "object": shown}
    tell(zoom, meeting, "meeting.deleted", payload)


def recovered(zoom: Zoom, meeting: Meeting) -> None:
    """`meeting.recovered`."""
    shown = _columns(meeting.doc, _PLAIN)
    payload = {**_operator(zoom, meeting), "operation": "all", "object": shown}
    tell(zoom, meeting, "meeting.recovered", payload)


def started(zoom: Zoom, meeting: Meeting) -> None:
    """Begin a meeting and send `meeting.started`; here the id is a string."""
    meeting.live, meeting.ended = True, False
    meeting.instance = zoom.stage.chance.key()
    zoom.shelf.by_instance[meeting.instance] = meeting
    meeting.started_at = zoom.stamp()
    meeting.participants = []
    tell(zoom, meeting, "meeting.started", {"object": _instance(meeting)})


def ended(zoom: Zoom, meeting: Meeting) -> None:
    """End a meeting and send `meeting.ended`."""
    meeting.live, meeting.ended = False, True
    end = zoom.stamp()
    done: Doc = {"uuid": meeting.instance, "start_time": meeting.started_at, "end_time": end}
    meeting.instances.append(done | {"participants": meeting.participants})
    tell(zoom, meeting, "meeting.ended", {"object": _instance(meeting) | {"end_time": end}})


def joined(zoom: Zoom, meeting: Meeting, person: Doc) -> Doc:
    """Let somebody in and send `meeting.participant_joined`."""
    participant: Doc = {
        "user_id": zoom.stage.chance.digits(8),
        "user_name": text(person, "name", "Guest"),
        "id": zoom.stage.chance.word(22) if person.get("email") else "",
        "participant_uuid": zoom.stage.chance.word(22),
        "join_time": zoom.stamp(),
        "email": text(person, "email"),
    }
    meeting.participants.append(participant)
    told: Doc = _instance(meeting) | {"participant": participant}
    tell(zoom, meeting, "meeting.participant_joined", {"object": told})
    return participant


def left(zoom: Zoom, meeting: Meeting, user_id: str) -> None:
    """Let somebody go and send `meeting.participant_left`."""
    person = next(row for row in meeting.participants if row["user_id"] == user_id)
    person["leave_time"] = zoom.stamp()
    told = {key: value for key, value in person.items() if key != "join_time"}
    told["leave_reason"] = f"{text(person, 'user_name')} left the meeting."
    payload: Doc = {"object": _instance(meeting) | {"participant": told}}
    tell(zoom, meeting, "meeting.participant_left", payload)


def deauthorized(zoom: Zoom, grant: Grant) -> None:
    """`app_deauthorized`: the person uninstalled the app."""
    user = zoom.users[grant.account]
    at = zoom.stage.clock.now()
    payload: Doc = {
        "account_id": user.account_id,
        "user_id": user.id,
        "signature": hashlib.sha256(grant.id.encode()).hexdigest(),
        "deauthorization_time": at.strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{at.microsecond // 1000:03d}Z",
        "client_id": grant.client,
    }
    document: Doc = {"event": "app_deauthorized", "event_ts": _ms(at), "payload": payload}
    for subscription in zoom.subscriptions.values():
        if subscription.client == grant.client and not subscription.disabled:
            _send(zoom, subscription, document, f"zoom:{subscription.id}:{grant.account}")


def tell(zoom: Zoom, meeting: Meeting, event: str, payload: Doc) -> None:
    """Send an event of a meeting to every subscription whose app its host has installed."""
    document: Doc = {
        "event": event,
        "event_ts": _ms(zoom.stage.clock.now()),
        "payload": {"account_id": meeting.account_id, **payload},
    }
    for subscription in zoom.subscriptions.values():
        if _hears(zoom, subscription, meeting, event):
            _send(zoom, subscription, document, f"zoom:{subscription.id}:{meeting.id}")


def validate(zoom: Zoom, subscription: Subscription) -> None:
    """Send `endpoint.url_validation` and judge the answer."""
    plain = zoom.stage.chance.word(22)
    wanted = hmac.new(subscription.secret.encode(), plain.encode(), hashlib.sha256).hexdigest()

    def heard(status: int | None, body: bytes) -> None:
        judge(subscription, status, body, (plain, wanted))

    document: Doc = {
        "event": "endpoint.url_validation",
        "event_ts": _ms(zoom.stage.clock.now()),
        "payload": {"plainToken": plain},
    }
    parcel = _parcel(zoom, subscription, document, f"zoom:{subscription.id}:validation")
    parcel.heard, parcel.again = heard, lambda status, tries: None
    zoom.stage.courier.send(parcel)


def validate_regularly(zoom: Zoom, subscription: Subscription) -> None:
    """Send the handshake every 72 hours of the sandbox's time for as long as it is subscribed."""

    def again() -> None:
        if zoom.subscriptions.get(subscription.id) is subscription:
            validate(zoom, subscription)
            validate_regularly(zoom, subscription)

    zoom.stage.clock.after(timedelta(seconds=zoom.settings.validation_every_s), again)


def judge(
    subscription: Subscription, status: int | None, body: bytes, token: tuple[str, str]
) -> None:
    """Count a right or wrong answer to the handshake; too many wrong ones disable the endpoint."""
    try:
        answered = orjson.loads(body) if status == HTTPStatus.OK else {}
    except ValueError:
        answered = {}
    subscription.validated = answered == {"plainToken": token[0], "encryptedToken": token[1]}
    subscription.failures = 0 if subscription.validated else subscription.failures + 1
    subscription.disabled = subscription.failures >= MOST_FAILURES


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the `x-zm-signature` of a body."""
    message = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _hears(zoom: Zoom, subscription: Subscription, meeting: Meeting, event: str) -> bool:
    if subscription.disabled or (subscription.events and event not in subscription.events):
        return False
    client = zoom.authority.clients.get(subscription.client)
    if client is not None and client.account == meeting.account_id:
        return True
    return zoom.authority.installed(subscription.client, meeting.host)


def _send(zoom: Zoom, subscription: Subscription, document: Doc, stream: str) -> None:
    zoom.stage.courier.send(_parcel(zoom, subscription, document, stream))


def _parcel(zoom: Zoom, subscription: Subscription, document: Doc, stream: str) -> Parcel:
    """Sign the very bytes that are sent: compact, unescaped UTF-8."""
    body = orjson.dumps(document)
    tracking = zoom.stage.chance.word(22)

    def headers(at: datetime) -> dict[str, str]:
        timestamp = str(int(at.timestamp()))
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zoom Marketplace/1.0a",
            "clientid": subscription.client,
            "x-zm-signature": sign(subscription.secret, timestamp, body),
            "x-zm-request-timestamp": timestamp,
            "x-zm-trackingid": f"v=2.0;clid=us06;rid=WEB_{tracking}",
            "x-zm-request-id": tracking,
        }

    def again(status: int | None, tries: int) -> timedelta | None:
        return _AGAIN[tries - 1] if tries <= len(_AGAIN) else None

    return Parcel("zoom", stream, text(document, "event"), subscription.url, body, headers, again)


def _instance(meeting: Meeting) -> Doc:
    return _columns(meeting.doc, _PLAIN) | {"id": str(meeting.id), "uuid": meeting.instance}


def _columns(doc: Doc, names: list[str]) -> Doc:
    return {key: doc[key] for key in names if key in doc}


def _operator(zoom: Zoom, meeting: Meeting) -> Doc:
    host: User = zoom.users[meeting.host]
    return {"operator": host.email, "operator_id": host.id}


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
