"""With which certificate may a provider encrypt for us, and what opens that?

One file of PEM blocks holds private keys and their certificates. The first certificate is the one
that subscriptions name; those below it open what is still under way for them. Microsoft Graph asks
for RSA of 2048 to 4096 bits and encrypts with OAEP over SHA-1:
https://learn.microsoft.com/graph/change-notifications-with-resource-data
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from infra.errors import Refused
from infra.seal import Unsealable, read_secret, replace, write_secret

BITS: Final = range(2048, 4097)
GOOD_FOR: Final = timedelta(days=3650)
"""Nobody trusts it for its dates, but a vendor may refuse one that ran out."""
_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_SHA1: Final = SHA1()  # noqa: S303 - as the vendor encrypts; nothing is signed with it


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a subscription is made with."""

    id: str
    """Names it in everything that was encrypted with it: its SHA-256."""
    base64: str
    """DER."""


class Certificates:
    """Certificates with their private keys, the newest first."""

    def __init__(self, pairs: Iterable[tuple[x509.Certificate, RSAPrivateKey]]) -> None:
        self._pairs = {_id(certificate): (certificate, key) for certificate, key in pairs}

    @classmethod
    def load(cls, path: Path) -> Certificates:
        """Read a file. Raises Refused in words that quote nothing of it, OSError without one."""
        blocks = _BLOCK.finditer(read_secret(path))
        certificates: list[x509.Certificate] = []
        keys: list[RSAPrivateKey] = []
        for block in blocks:
            try:
                if block[1] == b"CERTIFICATE":
                    certificates.append(x509.load_pem_x509_certificate(block[0]))
                else:
                    keys.append(_rsa(load_pem_private_key(block[0], None)))
            except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # or it has a password
                raise Refused(f"{path} holds something that cannot be read here.") from error
        pairs = list(_paired(certificates, keys))
        if not pairs or len(pairs) != len(certificates):
            raise Refused(f"{path} must hold certificates, each of them with its RSA key.")
        return cls(pairs)

    @property
    def newest(self) -> Certificate:
        """What new subscriptions name."""
        name, (certificate, _) = next(iter(self._pairs.items()))
        der = certificate.public_bytes(Encoding.DER)
        return Certificate(name, base64.b64encode(der).decode())

    def knows(self, name: str) -> bool:
        """Whether the key of this certificate is here."""
        return name in self._pairs

    def open(self, sealed: bytes, *, certificate: str) -> bytes:
        """Open what was encrypted with a certificate. Raises Unsealable."""
        if not self.knows(certificate):
            raise Unsealable("encrypted for a certificate that is not here")
        _, key = self._pairs[certificate]
        try:
            return key.decrypt(sealed, OAEP(MGF1(_SHA1), _SHA1, None))
        except ValueError as error:
            raise Unsealable("encrypted for another key, or damaged") from error


def make(path: Path, *, now: datetime) -> Certificate:
    """Put a new certificate first: into a new file, or before those that are there, which go on
    opening what is under way. Raises Refused for a file that holds something else."""
    held = b""
    if path.exists():
        Certificates.load(path)
        held = read_secret(path)
    key = generate_private_key(65537, BITS[0])
    certificate = _self_signed(key, now)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    content = private + certificate.public_bytes(Encoding.PEM)
    if held:
        replace(path, content + held + b"\n", mode=0o600)
    else:
        write_secret(path, content)
    return Certificates.load(path).newest


def _self_signed(key: RSAPrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tieline notifications")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + GOOD_FOR)
        .sign(key, SHA256())
    )


def _paired(
    certificates: Iterable[x509.Certificate], keys: Iterable[RSAPrivateKey]
) -> Iterator[tuple[x509.Certificate, RSAPrivateKey]]:
    by_public = {key.public_key().public_numbers(): key for key in keys}
    for certificate in certificates:
        public = certificate.public_key()
        numbers = getattr(public, "public_numbers", lambda: None)()
        if numbers in by_public:
            yield certificate, by_public[numbers]


def _rsa(key: object) -> RSAPrivateKey:
    if not isinstance(key, RSAPrivateKey) or key.key_size not in BITS:
        raise ValueError("not an RSA key of 2048 to 4096 bits")
    return key


def _id(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(SHA256()).hex()
