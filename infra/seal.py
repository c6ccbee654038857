"""Who can read a stored secret? Only who holds the private key; the doors seal and cannot open.

A sealed box: a fresh X25519 key for every message, HKDF-SHA256, AES-256-GCM. The context (tenant,
subject and field) is authenticated with it, so a ciphertext that is moved elsewhere does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

from infra.errors import Refused

_POINT: Final = 32  # bytes of an X25519 key, private or public
REMEMBERED: Final = 4096  # opened secrets; the keys to all of them are in the process anyway
_PURPOSE: Final = b"tieline sealed box 1"


class Unsealable(Exception):
    """Not for us, not for here, or not whole: which one is not told, and nothing of it is read."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a door holds: it can seal and not open."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read what `str` wrote. Raises Refused for anything else."""
        raw = _decoded(text.strip())
        if raw is None or len(raw) != _POINT:
            raise Refused("This is not a public key of a vault.")
        return cls(raw)

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read a key file. Raises Refused, and OSError when there is none."""
        return cls.parse(path.read_text())

    @override
    def __str__(self) -> str:
        return _encoded(self.raw)

    @property
    def kid(self) -> str:
        """Names the key in everything it sealed."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def seal(self, plaintext: bytes, *, context: str) -> str:
        """Close it for the holder of the private key: "kid.base64url", 48 bytes longer."""
        once = X25519PrivateKey.generate()
        point = once.public_key().public_bytes_raw()
        shared = once.exchange(X25519PublicKey.from_public_bytes(self.raw))
        box, nonce = _box(shared, point, self.raw)
        sealed = box.encrypt(nonce, plaintext, context.encode())
        return f"{self.kid}.{_encoded(point + sealed)}"


class KeyRing:
    """What a vault holds: private keys, the newest first, so that keys can be changed over time."""

    def __init__(self, keys: Iterable[X25519PrivateKey]) -> None:
        self._keys = {_public(key).kid: key for key in keys}
        self._opened = lru_cache(maxsize=REMEMBERED)(self._open)
        if not self._keys:
            raise Refused("A key ring needs a private key.")

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read a key file. Raises Refused when others may read it too, OSError if there is none."""
        raw = [_decoded(line) for line in read_secret(path).decode("ascii", "replace").split()]
        if any(key is None or len(key) != _POINT for key in raw):
            raise Refused(f"{path} holds something that is not a private key.")
        return cls(X25519PrivateKey.from_private_bytes(key) for key in raw if key is not None)

    @classmethod
    def fresh(cls) -> KeyRing:
        """A key that lives as long as this process, for answers meant for it alone."""
        return cls([X25519PrivateKey.generate()])

    @property
    def newest(self) -> PublicKey:
        """The key that new secrets are sealed to."""
        return _public(next(iter(self._keys.values())))

    def open(self, sealed: str, *, context: str) -> bytes:
        """Read what was sealed for exactly this context. Raises Unsealable."""
        return self._open(sealed, context)

    def open_often(self, sealed: str, *, context: str) -> bytes:
        """`open`, for what signs every callback and goes out with every call: some of these are
        remembered, in the clear, as long as the process lives. Opening one costs more than all the
        rest of signing."""
        return self._opened(sealed, context)

    def _open(self, sealed: str, context: str) -> bytes:
        kid, _, text = sealed.partition(".")
        key, raw = self._keys.get(kid), _decoded(text)
        if key is None or raw is None:
            raise Unsealable(f"sealed to a key that is not here: {kid[:16]!r}")
        point, ciphertext = raw[:_POINT], raw[_POINT:]
        try:
            shared = key.exchange(X25519PublicKey.from_public_bytes(point))
            box, nonce = _box(shared, point, key.public_key().public_bytes_raw())
            return box.decrypt(nonce, ciphertext, context.encode())
        except (InvalidTag, ValueError) as error:
            raise Unsealable("sealed for another context, or damaged") from error


def generate(private: Path, public: Path) -> None:
    """Make a key pair in two new files. Raises FileExistsError: see `rotate`."""
    key = X25519PrivateKey.generate()
    write_secret(private, _encoded(key.private_bytes_raw()).encode() + b"\n")
    replace(public, f"{_public(key)}\n".encode(), mode=0o644)


def publish(private: Path, public: Path) -> None:
    """Write the public half of the newest key again, as after the file was lost."""
    replace(public, f"{KeyRing.load(private).newest}\n".encode(), mode=0o644)


def rotate(private: Path, public: Path) -> None:
    """Seal with a new key from now on; what older keys sealed still opens."""
    held = read_secret(private)
    key = X25519PrivateKey.generate()
    # The vault must know the key before a door uses it.
    replace(private, _encoded(key.private_bytes_raw()).encode() + b"\n" + held, mode=0o600)
    replace(public, f"{_public(key)}\n".encode(), mode=0o644)


def write_secret(path: Path, content: bytes | None = None) -> None:
    """Keep a secret (by default a random one) in a new file, 0600. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode() + b"\n" if content is None else content)
        file.flush()
        os.fsync(file.fileno())


def read_secret(path: Path) -> bytes:
    """Read a secret file. Raises Refused when others may read it too, OSError if there is none."""
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path} can be read by others. Run: chmod 600 {path}")
    return path.read_bytes().strip()


def replace(path: Path, content: bytes, *, mode: int) -> None:
    """Let a file hold this from one moment to the next, whoever reads it meanwhile."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    write_secret(beside, content)
    beside.chmod(mode)
    beside.replace(path)


def _public(key: X25519PrivateKey) -> PublicKey:
    return PublicKey(key.public_key().public_bytes_raw())


def _box(shared: bytes, point: bytes, recipient: bytes) -> tuple[AESGCM, bytes]:
    # The key is used once, so its nonce may be derived with it; both public keys are bound in.
    derived = HKDF(SHA256(), length=44, salt=None, info=_PURPOSE + point + recipient).derive(shared)
    return AESGCM(derived[:32]), derived[32:]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
