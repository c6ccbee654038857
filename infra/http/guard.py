"""May we send to this address at all? Partners choose where callbacks go; the answer is mostly no.

What counts is the *resolved* address, checked anew for every connection and then pinned: a name may
answer differently a moment later, and text such as 0x7f.1 or full-width digits becomes loopback
only in the resolver. `ipaddress.is_global` is no filter: it lets NAT64, 6to4, multicast and the
wire server of Azure through. Compare svix `is_allowed` and Stripe's smokescreen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

import httpx

from infra.errors import Refused
from infra.settings import Settings

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# IANA special-purpose registries of IPv4 and IPv6, and what clouds put beside them.
_BLOCKED: Final = (
    ("0.0.0.0/8", "this host"),
    ("10.0.0.0/8", "a private network"),
    ("100.64.0.0/10", "a carrier's private network"),
    ("127.0.0.0/8", "this host"),
    ("168.63.129.16/32", "the wire server of Azure"),
    ("169.254.0.0/16", "link-local, where clouds keep their secrets"),
    ("172.16.0.0/12", "a private network"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "reserved for documentation"),
    ("192.31.196.0/24", "reserved for name servers"),
    ("192.52.193.0/24", "reserved for multicast relays"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("192.168.0.0/16", "a private network"),
    ("192.175.48.0/24", "reserved for name servers"),
    ("198.18.0.0/15", "reserved for measurements"),
    ("198.51.100.0/24", "reserved for documentation"),
    ("203.0.113.0/24", "reserved for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    # Of IPv6 only 2000::/3 is given out. The rest holds loopback, mapped IPv4, NAT64, unique local,
    # link-local, site-local, segment routing and multicast, and whatever will be invented there.
    ("::/3", "outside the public IPv6 space"),
    ("4000::/2", "outside the public IPv6 space"),
    ("8000::/1", "outside the public IPv6 space"),
    ("2001::/23", "reserved for protocols"),
    ("2001:db8::/32", "reserved for documentation"),
    ("2002::/16", "6to4, which hides an IPv4 address"),
    ("2620:4f:8000::/48", "reserved for name servers"),
    ("3fff::/20", "reserved for documentation"),
)
BLOCKED: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ip_network(network), what) for network, what in _BLOCKED
)


@dataclass(frozen=True, slots=True)
class Guard:
    """What an installation allows beside the public internet over https on port 443."""

    loopback: bool = False
    """Addresses of this host, on any port, also over http:// to localhost and to literals."""
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({443})

    @classmethod
    def of(cls, settings: Settings) -> Guard:
        """The guard of this installation."""
        return cls(
            loopback=settings.allow_loopback_endpoints,
            networks=settings.allow_networks,
            ports=frozenset({443, *settings.allow_ports}),
        )

    def check_url(self, url: httpx.URL) -> None:
        """Say what the text alone tells; asks no name server. Raises Refused, in words.

        Passing is not enough to be called: every connection checks what the name resolves to.
        """
        host = url.host.rstrip(".")
        if url.scheme not in {"https", "http"} or not host:
            raise Refused("The address must begin with https:// and name a host.")
        if url.userinfo:
            raise Refused("The address must not contain a user name or password.")
        spelt = literal(host)
        if url.scheme == "http" and not (self.loopback and _is_local(host, spelt)):
            raise Refused("The address must begin with https://.")
        port = url.port or (443 if url.scheme == "https" else 80)
        if spelt is not None:
            self.check(host, port, spelt)
        elif port not in self.ports and not self.loopback:
            raise Refused(f"Port {port} is not allowed; use 443.")

    def check(self, host: str, port: int, address: Address) -> None:
        """Judge one resolved address of `host`. Raises Refused, without telling the address."""
        if self.loopback and address.is_loopback:
            return
        if port not in self.ports:
            raise Refused(f"Port {port} is not allowed; use 443.")
        if host.rstrip(".") == "localhost" and not address.is_loopback:
            raise Refused("localhost must be this host.")
        if any(address in network for network in self.networks):
            return
        for network, what in BLOCKED:
            if address in network:
                raise Refused(f"{host} leads to a forbidden address ({what}).")

    def check_all(self, host: str, port: int, addresses: Iterable[str]) -> None:
        """All answers must be allowed: a mixed answer is an attack, not a choice."""
        for text in addresses:
            self.check(host, port, ip_address(text))


def literal(host: str) -> Address | None:
    """The address that the host spells, if it spells one. Raises Refused for odd spellings."""
    try:
        return ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        # As in the URL standard: a host that ends in a number is an IPv4 address, or nothing.
        if last.isdigit() or last.lower().startswith("0x") or ":" in host:
            raise Refused(f"{host} is not a host name, nor a plainly written address.") from None
        return None


def _is_local(host: str, spelt: Address | None) -> bool:
    return host == "localhost" if spelt is None else spelt.is_loopback
