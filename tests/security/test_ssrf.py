"""Can a partner make us call a place that is not theirs? A canary listens; it must hear nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM

import httpx
import pytest
from pydantic import ValidationError

from infra.errors import NotSent, Refused
from infra.http.dialling import Dial
from infra.http.guard import BLOCKED, Guard
from infra.http.wire import Wire
from infra.settings import Settings
from tests.machines.peer import Peer, peer, says
from tests.security.elsewhere import Tls, Zone

FORBIDDEN = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255
127.0.0.1 127.0.0.53 127.1.1.1 127.255.255.254 168.63.129.16
169.254.0.1 169.254.169.253 169.254.169.254 169.254.170.2 169.254.255.255
172.16.0.1 172.17.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.0.192 192.0.2.1
192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.1.254 192.168.255.255 192.175.48.1
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
224.0.0.1 224.0.0.251 233.252.0.1 239.255.255.250 240.0.0.1 255.255.255.254 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::169.254.169.254 ::8.8.8.8 ::ffff:0:127.0.0.1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:168.63.129.16
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 64:ff9b:1:ffff::a00:1
100::1 100:0:0:1::1 1000::1
2001::1 2001:0:7f00:1:: 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 2001:30::1
2001:db8::1 2001:db8:ffff::1
2002:7f00:1:: 2002:a9fe:a9fe:: 2002:a00:1::1 2002:808:808::1
2620:4f:8000::1 3fff::1 3fff:fff::1 4000::1 5f00::1 8000::1
fc00::1 fd00::1 fd00:ec2::254 fd12:3456:789a::1 fdff:ffff::1
fe80::1 fe80::1%lo fe80::a9fe:a9fe fec0::1 feff::1
ff01::1 ff02::1 ff02::fb ff05::1:3 ff0e::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
""".split()  # noqa: SIM905  read it as a list of addresses

SPELLINGS = """
2130706433 0177.0.0.1 0x7f.1 0x7f000001 127.1 127.0.1 0 017700000001 127.0.0.1. 127.0.0.01
①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1 0x7f.0x0.0x0.0x1 00000177.1 localhost localhost.
127.0.0.1.nip.example [::ffff:7f00:1] [0:0:0:0:0:0:0:1] [::1]
""".split()  # noqa: RUF001, SIM905  these letters are meant

PUBLIC = ("8.8.8.8", "1.1.1.1", "203.0.112.255", "172.32.0.1", "100.128.0.1", "2606:4700::1111")


@pytest.fixture
async def canary() -> AsyncIterator[Peer]:
    """Listens on this host; every address that leads here is forbidden."""
    async with peer(says()) as listener:
        yield listener
        assert (listener.lines, listener.heads) == (0, [])


async def call(url: str, zone: Zone | None, guard: Guard) -> None:
    wire = Wire(guard=guard, look_up=zone)
    try:
        await wire.send(httpx.Request("POST", url, content=b"{}"), deadline=dt.timedelta(seconds=5))
    finally:
        await wire.aclose()


def test_the_corpus_is_large_enough() -> None:
    assert len(set(FORBIDDEN)) >= 80


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_name_that_leads_to_a_forbidden_address_is_refused(
    canary: Peer, address: str
) -> None:
    guard = Guard(ports=frozenset({443, canary.port}))

    with pytest.raises(Refused, match="leads to a forbidden address"):
        await call(f"https://partner.example:{canary.port}/", Zone([address]), guard)


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_forbidden_address_in_the_url_is_refused(canary: Peer, address: str) -> None:
    guard = Guard(ports=frozenset({443, canary.port}))
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address

    with pytest.raises((Refused, httpx.InvalidURL)):
        await call(f"https://{host}:{canary.port}/", None, guard)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_odd_spelling_of_this_host_gets_through(canary: Peer, spelling: str) -> None:
    guard = Guard(ports=frozenset({443, canary.port}))
    here = Zone(["127.0.0.1"])  # what getaddrinfo makes of most of them

    with pytest.raises((Refused, httpx.InvalidURL)):
        await call(f"https://{spelling}:{canary.port}/", here, guard)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_nor_with_the_resolver_of_the_system(canary: Peer, spelling: str) -> None:
    guard = Guard(ports=frozenset({443, canary.port}))

    with pytest.raises((Refused, httpx.InvalidURL, NotSent)):
        await call(f"https://{spelling}:{canary.port}/", None, guard)


@pytest.mark.parametrize(
    "answer", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2606:4700::1111", "::1"]]
)
async def test_one_forbidden_address_among_the_answers_refuses_all(
    canary: Peer, answer: list[str]
) -> None:
    guard = Guard(ports=frozenset({443, canary.port}))

    with pytest.raises(Refused, match="forbidden address"):
        await call(f"https://partner.example:{canary.port}/", Zone(answer), guard)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://partner.example/", "begin with https"),
        ("ftp://partner.example/", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("https:///path", "name a host"),
        ("https://user:pass@partner.example/", "user name or password"),
        ("https://partner.example:22/", "Port 22"),
        ("https://partner.example:6379/", "Port 6379"),
        ("https://8.8.8.8:8443/", "Port 8443"),
    ],
)
async def test_what_the_text_alone_tells_is_refused_without_asking(url: str, words: str) -> None:
    zone = Zone(["8.8.8.8"])

    with pytest.raises(Refused, match=words):
        await call(url, zone, Guard())

    assert zone.asked == 0


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    Guard().check_all("partner.example", 443, [address])


def test_every_blocked_network_is_blocked_to_its_edges() -> None:
    edges = [edge for network, _ in BLOCKED for edge in (network[0], network[-1])]

    refused = 0
    for edge in edges:
        with pytest.raises(Refused):
            Guard().check("partner.example", 443, edge)
        refused += 1

    assert refused == 2 * len(BLOCKED)


def test_an_allowed_network_opens_itself_and_nothing_beside() -> None:
    guard = Guard(networks=(ip_network("10.1.0.0/16"),))

    guard.check("partner.example", 443, ip_address("10.1.2.3"))
    with pytest.raises(Refused):
        guard.check("partner.example", 443, ip_address("10.2.2.3"))


def test_loopback_is_closed_unless_the_settings_say_otherwise() -> None:
    with pytest.raises(Refused):
        Guard.of(Settings()).check("partner.example", 443, ip_address("127.0.0.1"))
    Guard.of(Settings(allow_loopback_endpoints=True)).check("a", 8080, ip_address("127.0.0.1"))
    with pytest.raises(Refused):
        Guard.of(Settings(allow_loopback_endpoints=True)).check("a", 443, ip_address("10.0.0.1"))


def test_localhost_may_not_be_another_host() -> None:
    with pytest.raises(Refused, match="must be this host"):
        Guard(loopback=True).check("localhost", 443, ip_address("8.8.8.8"))


def test_a_misspelt_network_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"allow_networks": ["10.0.0.0/33"]})


async def test_a_name_that_is_rebound_after_its_first_answer_is_refused(
    canary: Peer, tmp_path: Path
) -> None:
    tls = Tls(tmp_path)
    zone = Zone(["127.0.0.2"], ["127.0.0.1"])
    async with peer(says(), tls=tls.server, host="127.0.0.2", port=canary.port) as partner:
        guard = Guard(networks=(ip_network("127.0.0.2/32"),), ports=frozenset({canary.port}))
        request = httpx.Request("POST", f"https://partner.example:{canary.port}/")
        wire = Wire(guard=guard, look_up=zone, tls=tls.client)
        first = await wire.send(request)
        kept = await wire.send(request)  # stays on the line that was judged
        await wire.aclose()

        wire = Wire(guard=guard, look_up=zone, tls=tls.client)
        with pytest.raises(Refused, match="forbidden address"):
            await wire.send(request)
        await wire.aclose()

    assert (first.status_code, kept.status_code) == (200, 200)
    assert (zone.asked, partner.lines) == (2, 1)
    assert f"Host: partner.example:{canary.port}\r\n" in partner.heads[0]


async def test_a_name_is_asked_anew_for_every_line_of_a_wire(canary: Peer, tmp_path: Path) -> None:
    tls, names = Tls(tmp_path), []
    tls.server.sni_callback = lambda _line, name, _context: names.append(name)
    zone = Zone(["127.0.0.2"], ["127.0.0.1"])
    ends = says(headers="Connection: close\r\n")
    async with peer(ends, tls=tls.server, host="127.0.0.2", port=canary.port) as partner:
        guard = Guard(networks=(ip_network("127.0.0.2/32"),), ports=frozenset({canary.port}))
        wire = Wire(guard=guard, look_up=zone, tls=tls.client)
        request = httpx.Request("POST", f"https://partner.example:{canary.port}/")
        first = await wire.send(request)
        with pytest.raises(Refused, match="forbidden address"):
            await wire.send(request)
        await wire.aclose()

    assert (first.status_code, partner.lines, zone.asked) == (200, 1, 2)
    assert names == ["partner.example"]


async def test_a_partner_without_a_certificate_for_its_name_gets_nothing(tmp_path: Path) -> None:
    tls = Tls(tmp_path)
    async with peer(says(), tls=tls.server, host="127.0.0.2") as partner:
        guard = Guard(networks=(ip_network("127.0.0.2/32"),), ports=frozenset({partner.port}))
        wire = Wire(guard=guard, look_up=Zone(["127.0.0.2"]), tls=tls.client)
        with pytest.raises(NotSent, match="certificate"):
            await wire.send(httpx.Request("POST", f"https://other.example:{partner.port}/"))
        await wire.aclose()

    assert partner.heads == []


async def test_a_guarded_answer_does_not_redirect_us_home(canary: Peer, tmp_path: Path) -> None:
    tls = Tls(tmp_path)
    away = says("307 Temporary Redirect", f"Location: http://127.0.0.1:{canary.port}/\r\n")
    async with peer(away, tls=tls.server, host="127.0.0.2") as partner:
        guard = Guard(networks=(ip_network("127.0.0.2/32"),), ports=frozenset({partner.port}))
        wire = Wire(guard=guard, look_up=Zone(["127.0.0.2"]), tls=tls.client)
        answer = await wire.send(httpx.Request("POST", f"https://partner.example:{partner.port}/"))
        await wire.aclose()

    assert answer.status_code == 307


async def test_the_last_wall_stands_alone() -> None:
    async with peer(says()) as listener:
        dial = Dial(Guard(ports=frozenset({listener.port})), None, None)
        found = (AF_INET, SOCK_STREAM, IPPROTO_TCP, "", ("127.0.0.1", listener.port))

        with pytest.raises(PermissionError, match="forbidden address"):
            dial.socket_to(found)  # the walls before it let nothing come here
        dial.close()
