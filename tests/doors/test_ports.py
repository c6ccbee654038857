"""Are ports that we set aside still ours when the process that shall listen there is up?"""

from __future__ import annotations

import socket

from infra.cli.ports import free_ports

ENOUGH = 1_000
"""Of some 14,000: without care, about 35 of so many would be given twice."""


def _given_by_the_system(count: int) -> set[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = {int(probe.getsockname()[1]) for probe in probes}
    for probe in probes:
        probe.close()
    return ports


def test_ports_set_aside_are_given_to_nobody_else_who_asks_for_any() -> None:
    ours = free_ports(ENOUGH)

    assert len(set(ours)) == ENOUGH
    for _ in range(10):
        assert _given_by_the_system(ENOUGH // 10).isdisjoint(ours)


def test_who_names_a_port_that_was_set_aside_gets_it() -> None:
    [port] = free_ports(1)

    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port
