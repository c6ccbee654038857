"""Who is told that a calendar changed, and how?

https://developers.google.com/workspace/calendar/api/guides/push
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.courier import Parcel
from infra.sandbox.documents import Doc, text, whole
from infra.sandbox.google.errors import body_of, refuse
from infra.sandbox.google.state import Calendar, Channel

if TYPE_CHECKING:
    from infra.sandbox.google.simulator import Google

RETRIED = (500, 502, 503, 504)
TRIES = 8
LONGEST_ID = 64


def watch(google: Google, calendar: Calendar, account: str, body: Doc) -> Reply:
    """Open a channel and send its `sync` message."""
    name, address = text(body, "id"), text(body, "address")
    if not name or len(name) > LONGEST_ID:
        raise refuse(400, "required" if not name else "invalid", "Invalid channel id")
    if name in google.channels:
        raise refuse(400, "channelIdNotUnique", f"Channel id {name} not unique")
    if text(body, "type") not in ("web_hook", "webhook"):
        raise refuse(400, "badRequest", "Unknown channel type")
    scheme = "https://" if google.settings.require_https else "http"
    if not address.startswith(scheme):
        raise refuse(400, "webhookUrlNotHttps", "WebHook callback must be HTTPS")
    channel = Channel(
        id=name,
        calendar=calendar.id,
        resource=resource_of(calendar),
        address=address,
        token=text(body, "token"),
        expires_ms=_expiry(google, body),
        account=account,
    )
    google.channels[name] = calendar.channels[name] = channel
    tell(google, channel, "sync")
    return answer(shown(channel))


def stop(google: Google, call: Call) -> Reply:
    """Close a channel; one that lingers may be closed again, then it is not found."""
    account = google.caller(call, ())
    body = body_of(call)
    channel = google.channels.get(text(body, "id"))
    if channel is None or channel.resource != text(body, "resourceId"):
        raise refuse(404, message=f"Channel '{text(body, 'id')}' not found for project")
    if channel.account != account or (channel.stopped and channel.linger <= 0):
        raise refuse(404, message=f"Channel '{channel.id}' not found for project")
    if not channel.stopped:
        channel.linger = google.settings.stopped_channels_linger
    channel.stopped = True
    return Reply(204)


def changed(google: Google, calendar: Calendar) -> None:
    """Tell every live channel of a calendar; stopped ones too for as long as they linger."""
    for channel in list(calendar.channels.values()):
        if channel.stopped:
            channel.linger -= 1
        if (channel.stopped and channel.linger < 0) or _is_over(google, channel):
            del calendar.channels[channel.id]
        else:
            tell(google, channel, "exists")


def tell(google: Google, channel: Channel, state: str) -> None:
    """Send one message on a channel; numbers grow but skip."""
    channel.sent += 1 if state == "sync" else google.stage.chance.dice.randint(1, 3)
    headers = _headers(channel, state)

    def again(status: int | None, tries: int) -> timedelta | None:
        retried = status in RETRIED or (status is None and google.settings.retry_unreachable)
        return timedelta(seconds=2 ** (tries - 1)) if retried and tries < TRIES else None

    google.stage.courier.send(
        Parcel(
            provider="google",
            stream=f"google:{channel.id}",
            label=state,
            url=channel.address,
            body=b"",
            headers=lambda _: headers,
            again=again,
        )
    )


def resource_of(calendar: Calendar) -> str:
    """Return the opaque, stable id of a calendar's events as a resource."""
    return f"ret{calendar.id.encode().hex()[:40]}"


def shown(channel: Channel) -> Doc:
    """Write a channel as the API answers it."""
    token: Doc = {"token": channel.token} if channel.token else {}
    return {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource,
        "resourceUri": _uri(channel),
        "expiration": str(channel.expires_ms),
        **token,
    }


def _headers(channel: Channel, state: str) -> dict[str, str]:
    expires = datetime.fromtimestamp(channel.expires_ms / 1000, UTC)
    headers = {
        "Content-Type": "application/json; utf-8",
        "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": expires.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "X-Goog-Resource-ID": channel.resource,
        "X-Goog-Resource-URI": _uri(channel),
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(channel.sent),
    }
    return headers | ({"X-Goog-Channel-Token": channel.token} if channel.token else {})


def _uri(channel: Channel) -> str:
    calendar = quote(channel.calendar, safe="")
    return f"https://www.googleapis.com/calendar/v3/calendars/{calendar}/events?alt=json"


def _expiry(google: Google, body: Doc) -> int:
    """A week at most, whatever was asked."""
    now = google.stage.clock.now().timestamp()
    longest = int((now + google.settings.channel_life_s) * 1000)
    asked = whole(body, "expiration")
    return min(asked, longest) if asked else longest


def _is_over(google: Google, channel: Channel) -> bool:
    return google.stage.clock.now().timestamp() * 1000 >= channel.expires_ms
