"""Are certificates made, changed over and read, and is nothing opened that is not for us?"""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from typer.testing import CliRunner

from infra import certificates
from infra.certificates import Certificates
from infra.cli import app
from infra.errors import Refused
from infra.seal import Unsealable

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PADDING = OAEP(MGF1(SHA1()), SHA1(), None)  # noqa: S303 - as Graph encrypts


def wrapped(certificate: certificates.Certificate, plain: bytes = b"k" * 32) -> bytes:
    """What somebody who has only the certificate makes of it."""
    key = x509.load_der_x509_certificate(b64decode(certificate.base64)).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key.encrypt(plain, PADDING)


def written(
    path: Path, key: CertificateIssuerPrivateKeyTypes, *, password: bytes | None = None
) -> Path:
    """A file as an operator's own tools make it: the certificate above its key."""
    name = x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=90))
        .sign(key, SHA256())
    )
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, lock)
    path.write_bytes(made.public_bytes(Encoding.PEM) + b"a note of somebody\n" + private)
    path.chmod(0o600)
    return path


def test_what_is_encrypted_for_a_certificate_that_was_made_opens_here(tmp_path: Path) -> None:
    made = certificates.make(tmp_path / "content.pem", now=NOW)

    read = Certificates.load(tmp_path / "content.pem")

    assert read.newest == made
    assert len(made.id) == 64  # Graph takes 128
    assert read.open(wrapped(made), certificate=made.id) == b"k" * 32
    assert (tmp_path / "content.pem").stat().st_mode & 0o777 == 0o600


def test_the_next_one_comes_first_and_the_one_before_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "content.pem"
    old, new = (certificates.make(path, now=NOW) for _ in range(2))

    read = Certificates.load(path)

    assert read.newest == new
    assert read.open(wrapped(old), certificate=old.id) == b"k" * 32
    with pytest.raises(Unsealable):
        read.open(wrapped(old), certificate=new.id)
    with pytest.raises(Unsealable):
        read.open(wrapped(old), certificate="of somebody else")
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_operators_own_certificate_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "own.pem", rsa.generate_private_key(65537, 2048))

    read = Certificates.load(path)

    assert read.open(wrapped(read.newest, b"x"), certificate=read.newest.id) == b"x"


@pytest.mark.parametrize(
    "kind", ["short", "curve", "locked", "alone", "empty", "rubbish", "open to others"]
)
def test_what_is_no_use_is_refused_in_words_that_quote_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "content.pem"
    match kind:
        case "short":
            written(path, rsa.generate_private_key(65537, 1024))  # noqa: S505 - what is refused
        case "curve":
            written(path, ec.generate_private_key(ec.SECP256R1()))
        case "locked":
            written(path, rsa.generate_private_key(65537, 2048), password=b"a password")
        case "alone":
            written(path, rsa.generate_private_key(65537, 2048))
            path.write_bytes(path.read_bytes().partition(b"a note")[0])
        case "open to others":
            written(path, rsa.generate_private_key(65537, 2048)).chmod(0o644)
        case _:
            begin, end = b"-----BEGIN CERTIFICATE-----\n", b"\n-----END CERTIFICATE-----\n"
            path.write_bytes(begin + b"canary" + end if kind == "rubbish" else b"")
            path.chmod(0o600)

    with pytest.raises(Refused) as raised:
        Certificates.load(path)

    assert str(path) in raised.value.reason
    assert "canary" not in raised.value.reason
    assert "PRIVATE" not in raised.value.reason


def test_the_command_makes_one_and_then_the_next(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "content.pem"

    runs = [CliRunner().invoke(app, ["certificate", str(path)]) for _ in range(2)]

    newest = Certificates.load(path).newest
    assert [run.exit_code for run in runs] == [0, 0]
    assert newest.id in runs[1].output
    assert newest.id not in runs[0].output
    assert "PRIVATE" not in runs[0].output


def test_the_command_leaves_a_file_that_it_cannot_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "content.pem"
    path.write_text("the notes of somebody")
    path.chmod(0o600)

    run = CliRunner().invoke(app, ["certificate", str(path)])

    assert run.exit_code == 2
    assert path.read_text() == "the notes of somebody"
