"""Is a store behind TLS called like any other, on both loops that we run on?"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from infra import valkey
from infra.functions.calls import Calls
from infra.settings import Settings

HOST = "127.0.0.1"
LARGE = 300_000
"""Bytes; more than a record of TLS, and than a transport takes before it asks to wait."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of this machine, with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "store.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


async def call_over_tls(store: Path, certificate: Path) -> list[int]:
    """Echoes of several sizes, asked at once, once before and once after the line was lost."""
    hearing: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hearing.append(writer)
        there, back = await asyncio.open_unix_connection(str(store))
        answering = asyncio.create_task(_pass(there, writer))
        await _pass(reader, back)
        back.close()
        await answering
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, HOST, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    url = SecretStr(f"rediss://{HOST}:{port}/0?ssl_ca_certs={certificate}")
    client = valkey.connect(Settings(valkey_url=url))
    async with aclosing(client), aclosing(Calls(client)) as calls:
        sizes: list[int] = []
        for _ in range(2):
            echoes = (calls.read("echo", "ECHO", b"x" * size) for size in (1, LARGE, 100))
            sizes += [len(echo) for echo in await asyncio.gather(*echoes)]
            hearing[-1].transport.abort()
    server.close()
    return sizes


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
    except ConnectionError:
        writer.close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_store_behind_tls_is_called_like_any_other(
    place: Path, certificate: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        sizes = runner.run(call_over_tls(place, certificate))

    assert sizes == 2 * [1, LARGE, 100]
