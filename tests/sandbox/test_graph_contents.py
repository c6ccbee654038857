"""Notifications that carry their data: asked for by Microsoft's own client, opened step by step as
its documentation says, with nothing of ours but the test's own key."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.subscription import Subscription
from msgraph.graph_service_client import GraphServiceClient

from infra.sandbox.client import Sandbox
from tests.sandbox.graph import event, subscription
from tests.sandbox.inbox import Inbox
from tests.sandbox.test_graph_push import changes, greeting

KEY: Final = generate_private_key(65537, 2048)
NEXT: Final = generate_private_key(65537, 2048)
SHORT: Final = generate_private_key(65537, 1024)  # noqa: S505 - what is refused
DAY: Final = timedelta(hours=23)


def certificate(key: RSAPrivateKey) -> str:
    """Self-signed, as Graph takes it."""
    now, name = datetime.now(UTC), x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .sign(key, SHA256())
    )
    return b64encode(made.public_bytes(Encoding.DER)).decode()


async def watched(graph: GraphServiceClient, inbox: Inbox, **more: object) -> Subscription:
    """A subscription that asks for content."""
    inbox.answer = greeting
    asked: dict[str, object] = {
        "resource": "me/events?$select=subject,changeKey",
        "expiration_date_time": datetime.now(UTC) + DAY,
        "include_resource_data": True,
        "encryption_certificate": certificate(KEY),
        "encryption_certificate_id": "first",
    }
    made = await graph.subscriptions.post(subscription(inbox.url, **(asked | more)))
    assert made is not None
    return made


def opened(content: dict[str, str], key: RSAPrivateKey) -> dict[str, Any]:
    """The four steps of the documentation."""
    symmetric = key.decrypt(b64decode(content["dataKey"]), OAEP(MGF1(SHA1()), SHA1(), None))  # noqa: S303
    data = b64decode(content["data"])
    assert hmac.digest(symmetric, data, "sha256") == b64decode(content["dataSignature"])
    decryptor = Cipher(algorithms.AES(symmetric), modes.CBC(symmetric[:16])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    remover = PKCS7(128).unpadder()
    read: dict[str, Any] = json.loads(remover.update(padded) + remover.finalize())
    return read


async def test_a_change_carries_what_was_selected_for_the_holder_of_the_key_alone(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox
) -> None:
    await watched(graph, inbox)

    entry = await graph.me.events.post(event("A secret"))
    await sandbox.settled()

    (post,) = changes(inbox)
    (element,) = post.json["value"]
    content = element["encryptedContent"]
    told = opened(content, KEY)
    assert entry is not None
    assert (told["subject"], told["id"], told["changeKey"]) == (
        "A secret",
        entry.id,
        entry.change_key,
    )
    assert "start" not in told
    assert content["encryptionCertificateId"] == "first"
    assert b"A secret" not in post.body
    with pytest.raises(ValueError, match="ecryption"):
        opened(content, NEXT)


@pytest.mark.parametrize(("version", "claim"), [(1, "appid"), (2, "azp")])
async def test_its_sender_is_proven_by_the_published_keys(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox, version: int, claim: str
) -> None:
    await sandbox.graph.settings(token_version=version)
    await watched(graph, inbox)
    await graph.me.events.post(event())
    await sandbox.settled()

    (post,) = changes(inbox)
    (token,) = post.json["validationTokens"]
    async with httpx.AsyncClient(trust_env=False) as http:
        published = await http.get(f"{sandbox.url}/graph/common/discovery/v2.0/keys")
    keys = jwt.PyJWKSet.from_dict(published.json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="sandbox-graph")

    assert claims[claim] == "0bf30f3b-4a52-48df-9a82-234910c4a086"
    assert claims["tid"] == post.json["value"][0]["tenantId"]
    assert claims["tid"] in claims["iss"]


async def test_another_certificate_may_be_named_while_it_lives(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox
) -> None:
    made = await watched(graph, inbox)
    patch = Subscription(
        expiration_date_time=datetime.now(UTC) + DAY,
        encryption_certificate=certificate(NEXT),
        encryption_certificate_id="second",
    )

    renewed = await graph.subscriptions.by_subscription_id(str(made.id)).patch(patch)
    await graph.me.events.post(event("Later"))
    await sandbox.settled()

    (post,) = changes(inbox)
    content = post.json["value"][0]["encryptedContent"]
    assert renewed is not None
    assert renewed.encryption_certificate_id == "second"
    assert opened(content, NEXT)["subject"] == "Later"


async def test_what_was_deleted_has_no_content(
    graph: GraphServiceClient, inbox: Inbox, sandbox: Sandbox
) -> None:
    await watched(graph, inbox)
    entry = await graph.me.events.post(event())
    assert entry is not None

    await sandbox.graph.cancel_event("ada@example.org", str(entry.id))
    await sandbox.settled()

    _, deleted = changes(inbox)
    assert "encryptedContent" not in deleted.json["value"][0]
    assert "validationTokens" not in deleted.json


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource": "me/events"},
        {"resource": "me/events?$select=subject,body"},
        {"resource": "me/events?$select=subject&$top=3"},
        {"expiration_date_time": datetime.now(UTC) + timedelta(days=2)},
        {"encryption_certificate": "bm8gY2VydGlmaWNhdGU="},
        {"encryption_certificate": certificate(SHORT)},
        {"encryption_certificate_id": None},
        {"encryption_certificate_id": "x" * 129},
    ],
)
async def test_what_graph_would_refuse_is_refused(
    graph: GraphServiceClient, inbox: Inbox, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ODataError) as refused:
        await watched(graph, inbox, **wrong)

    assert refused.value.response_status_code == 400
