"""What does a notification of Microsoft Graph carry? Opened only when its sender is proven.

https://learn.microsoft.com/graph/change-notifications-with-resource-data#decrypting-resource-data-from-change-notifications
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from pydantic import ValidationError

from infra.certificates import Certificates
from infra.http.wire import Wire
from infra.seal import Unsealable
from schemas.connections import Addressee
from schemas.wire.graph_notifications import Carriers, Encrypted, Told
from workers.ports import Shown
from workers.providers.graph.publisher import Doubtful, Flaw, Publisher

KEY_BYTES: Final = 32
VECTOR_BYTES: Final = 16
"""The vector is the beginning of the key; the key is another for every change."""


class GraphContents:
    """Opens what is encrypted for our certificates."""

    def __init__(self, wire: Wire, certificates: Certificates, now: Callable[[], datetime]) -> None:
        self._certificates = certificates
        self._publisher = Publisher(wire, now)

    async def read(self, load: bytes, addressee: Addressee) -> Sequence[Shown | str]:
        """Each change by itself: what it shows, or a word for why it is not believed. The token is
        looked at first: nothing is decrypted for a stranger."""
        try:
            carriers = Carriers.model_validate_json(load)
        except ValidationError:
            return [Flaw.UNREADABLE]
        found: list[Shown | str] = []
        for one in carriers.value:
            try:
                await self._publisher.prove(carriers.tokens, one.tenant, addressee)
                found.append(self._opened(one.encrypted))
            except Doubtful as doubtful:
                found.append(doubtful.flaw)
        return found

    def _opened(self, encrypted: Encrypted) -> Shown:
        """Raises Doubtful."""
        if not self._certificates.knows(encrypted.certificate):
            raise Doubtful(Flaw.OTHER_CERTIFICATE)
        wrapped, data, signature = (
            _decoded(part) for part in (encrypted.key, encrypted.data, encrypted.signature)
        )
        try:
            key = self._certificates.open(wrapped, certificate=encrypted.certificate)
        except Unsealable as error:
            raise Doubtful(Flaw.BAD_KEY) from error
        if len(key) != KEY_BYTES:
            raise Doubtful(Flaw.BAD_KEY)
        if not hmac.compare_digest(hmac.digest(key, data, "sha256"), signature):
            raise Doubtful(Flaw.BAD_SIGNATURE)
        try:
            told = Told.model_validate_json(_decrypted(key, data))
        except ValueError as error:  # a ValidationError is one; nothing of it is quoted
            raise Doubtful(Flaw.BAD_DATA) from error
        return Shown(event=told.id, version=told.version)


def _decrypted(key: bytes, data: bytes) -> bytes:
    """Raises ValueError."""
    decryptor = Cipher(AES256(key), CBC(key[:VECTOR_BYTES])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    remover = PKCS7(AES256.block_size).unpadder()
    return remover.update(padded) + remover.finalize()


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Doubtful(Flaw.UNREADABLE) from error
