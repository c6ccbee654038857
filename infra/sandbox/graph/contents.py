"""How does a notification carry its data? Encrypted for a certificate, with a token of its sender.

https://learn.microsoft.com/graph/change-notifications-with-resource-data
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import jwt
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from jwt.algorithms import RSAAlgorithm

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, text
from infra.sandbox.graph.errors import refuse
from infra.sandbox.graph.shown import shown
from infra.sandbox.graph.state import Event, Mailbox, Subscription

if TYPE_CHECKING:
    from infra.sandbox.graph.simulator import Graph

LONGEST_LIFE = timedelta(minutes=1_440)
DIRECTORY = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The application that sends all change notifications."""
_KEY_BITS = range(2048, 4097)
_LONGEST_ID = 128
_NOT_SELECTED = frozenset({"body", "uniqueBody"})
_REFUSED = ("$top", "$skip", "$orderby")
_BLOCK = 128
_TOKEN_LIFE = timedelta(hours=1)


class Signing:
    """The keys by which tokens are signed; made when the first is asked for, for that is slow."""

    def __init__(self) -> None:
        self._keys: list[rsa.RSAPrivateKey] = []

    def rotate(self) -> None:
        """Sign with a new key; only that one is published from now on."""
        self._keys = [_new_key()]

    @property
    def key(self) -> rsa.RSAPrivateKey:
        """The one in use."""
        if not self._keys:
            self.rotate()
        return self._keys[0]

    @property
    def name(self) -> str:
        """Its name among the published ones."""
        return str(self.key.public_key().public_numbers().n % 10**12)

    def published(self) -> Doc:
        """The key set, as `/discovery/v2.0/keys` shows it."""
        key = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "use": "sig", "kid": self.name, "key_ops": None}]}


def published(graph: Graph, call: Call) -> Reply:
    """`GET /common/discovery/v2.0/keys`."""
    del call
    return answer(graph.signing.published())


def demand(doc: Doc) -> None:
    """Refuse a subscription that asks for contents and cannot have them."""
    if not doc.get("includeResourceData"):
        return
    query = parse_qs(urlsplit(text(doc, "resource")).query)
    selected = set(",".join(query.get("$select", [])).split(",")) - {""}
    if not selected or selected & _NOT_SELECTED or query.keys() & set(_REFUSED):
        raise refuse(400, "InvalidRequest", "Resource data needs a $select without body.")
    name = text(doc, "encryptionCertificateId")
    if not 0 < len(name) <= _LONGEST_ID:
        raise refuse(400, "InvalidRequest", "encryptionCertificateId is missing or too long.")
    certificate_of(doc)


def certificate_of(doc: Doc) -> tuple[x509.Certificate, rsa.RSAPublicKey]:
    """The certificate that a subscription names, and its key; refuses what is none."""
    try:
        raw = base64.b64decode(text(doc, "encryptionCertificate"), validate=True)
        certificate = x509.load_der_x509_certificate(raw)
    except (binascii.Error, ValueError) as error:
        raise refuse(400, "ValidationError", "Certificate is not valid.") from error
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in _KEY_BITS:
        raise refuse(400, "ValidationError", "Certificate must hold an RSA key of 2048 bit.")
    return certificate, key


def encrypted(graph: Graph, one: Subscription, mailbox: Mailbox, event: Event) -> Doc:
    """The event as selected, for the holder of the certificate's key alone; spoilt as set."""
    asked = Call("graph", "", "GET", "", {}, {}, urlsplit(text(one.doc, "resource")).query, b"")
    plain = orjson.dumps(shown(mailbox, event, asked))
    key, spoilt = secrets.token_bytes(32), graph.settings.spoilt
    padder = PKCS7(_BLOCK).padder()
    padded = padder.update(b"no JSON" if spoilt == "json" else plain) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(padded) + encryptor.finalize()
    signature = hmac.digest(key, data, "sha256")
    certificate, public = certificate_of(one.doc)
    sha1 = hashes.SHA1()  # noqa: S303 - what Graph documents
    wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(sha1), sha1, None))
    return {
        "data": _text(data[:-1] if spoilt == "data" else data),
        "dataSignature": _text(_flipped(signature) if spoilt == "signature" else signature),
        "dataKey": _text(_flipped(wrapped) if spoilt == "key" else wrapped),
        "encryptionCertificateId": "of somebody else"
        if spoilt == "certificate"
        else text(one.doc, "encryptionCertificateId"),
        "encryptionCertificateThumbprint": certificate.fingerprint(sha1).hex().upper(),
    }


def token(graph: Graph, client: str) -> str:
    """A token of the sender for one client and organisation; spoilt as set."""
    spoilt, now = graph.settings.spoilt, graph.stage.clock.now()
    begun = now - 2 * _TOKEN_LIFE if spoilt == "expired" else now
    publisher = client if spoilt == "publisher" else PUBLISHER
    claims: Doc = {
        "aud": "somebody else" if spoilt == "audience" else client,
        "iss": f"https://sts.windows.net/{DIRECTORY}/",
        "tid": DIRECTORY,
        "ver": "1.0",
        "appid": publisher,
        "iat": _stamp(begun),
        "nbf": _stamp(begun),
        "exp": _stamp(begun + _TOKEN_LIFE),
    }
    if graph.settings.token_version == 2:  # noqa: PLR2004 - the number of a version
        del claims["appid"]
        at = f"{graph.settings.identity}/{DIRECTORY}/v2.0"
        claims |= {"iss": at, "ver": "2.0", "azp": publisher}
    if spoilt == "issuer":
        claims["iss"] = "https://sts.example.org/"
    signing = _new_key() if spoilt == "stranger" else graph.signing.key
    return jwt.encode(claims, signing, algorithm="RS256", headers={"kid": graph.signing.name})


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _stamp(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())


def _flipped(raw: bytes) -> bytes:
    return bytes([raw[0] ^ 1]) + raw[1:]


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
