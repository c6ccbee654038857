"""Where does a call go? An address of a host, and what is asked for there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import httpx

from infra.errors import Refused
from infra.http.guard import Guard, literal

_PORTS: Final = {"https": 443, "http": 80}


class Address(NamedTuple):
    """Where lines lead."""

    host: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes, and how the request names it."""

    address: Address
    authority: str
    """For `Host`."""
    target: str
    """Path and query, where secrets travel."""


def place_of(url: str | httpx.URL, guard: Guard | None) -> Place:
    """The place that this names, if it does not forbid itself. Raises Refused."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise Refused("This is not an address that we can call.") from None
    host = parsed.raw_host.decode("ascii")
    if guard is not None:
        guard.check_url(parsed)
    elif parsed.scheme not in _PORTS or not host:
        raise Refused("The address must begin with https:// or http:// and name a host.")
    literal(host)
    return Place(
        Address(host, parsed.port or _PORTS[parsed.scheme], parsed.scheme == "https"),
        parsed.netloc.decode("ascii"),
        parsed.raw_path.decode("ascii"),
    )
