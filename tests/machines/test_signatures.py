"""Does every public vector hold, does nothing forged pass, do the reference libraries agree?"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from infra import signatures
from infra.verifier import Reason, Unproven

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "standard_webhooks_vectors.json").read_text())["vectors"]
SAMPLES = json.loads((HERE / "zoom_vectors.json").read_text())
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = b'{"type":"meeting.provisioned"}'


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def headers(header: str, message_id: str = "msg_1", at: datetime = NOW) -> dict[str, str]:
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": header,
    }


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_vector_is_believed_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    def verify() -> None:
        signatures.verify(
            vector["headers"],
            vector["body"].encode(),
            secrets=[SecretStr(secret) for secret in vector["secrets"]],
            now=moment(vector["now"]),
        )

    if vector["valid"]:
        verify()
    else:
        with pytest.raises(Unproven):
            verify()


@pytest.mark.parametrize(
    ("name", "key"), [("v1_published", None), ("v1a_published", "private_key")]
)
def test_we_sign_the_published_messages_as_published(name: str, key: str | None) -> None:
    vector = next(vector for vector in VECTORS if vector["name"] == name)
    named = vector["headers"]

    header = signatures.sign(
        named["webhook-id"],
        vector["body"].encode(),
        at=moment(int(named["webhook-timestamp"])),
        secrets=[SecretStr(vector[key] if key else vector["secrets"][0])],
    )

    assert header == named["webhook-signature"]


@given(
    st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True),
    st.text(st.characters(codec="utf-8")),
    st.integers(0, 4_000_000_000),
    st.binary(min_size=24, max_size=64),
)
def test_the_reference_library_signs_the_same(
    message_id: str, text: str, at: int, key: bytes
) -> None:
    ours = signatures.sign(message_id, text.encode(), at=moment(at), secrets=[secret_of(key)])

    # svix wraps the same code; it is asked all the same, should that change.
    for library in (standardwebhooks.Webhook, svix.webhooks.Webhook):
        assert library(key).sign(message_id, moment(at), text) == ours


def secret_of(key: bytes) -> SecretStr:
    return SecretStr("whsec_" + base64.b64encode(key).decode())


@pytest.mark.parametrize("library", [standardwebhooks.Webhook, svix.webhooks.Webhook])
def test_the_reference_libraries_believe_us_and_we_believe_them(library: type[Any]) -> None:
    now = datetime.now(UTC)  # the libraries have no other clock
    old, new = signatures.new_secret(), signatures.new_secret()
    ours = headers(signatures.sign("msg_1", BODY, at=now, secrets=[new, old]), at=now)
    theirs = headers(library(old.get_secret_value()).sign("msg_1", now, BODY.decode()), at=now)

    library(old.get_secret_value()).verify(BODY, ours)
    library(new.get_secret_value()).verify(BODY, ours)
    proven_by = signatures.verify(theirs, BODY, secrets=[new, old], now=now)

    assert proven_by is old


def test_unlike_the_library_a_public_key_is_never_a_secret() -> None:
    """PyPI standardwebhooks takes `whpk_…` for an HMAC key, so whoever knows it can sign."""
    now = datetime.now(UTC)
    _, public = signatures.new_key_pair()
    # All of the text is base64 letters but "_", which b64decode skips.
    forged = headers(standardwebhooks.Webhook(public).sign("msg_1", now, BODY.decode()), at=now)

    standardwebhooks.Webhook(public).verify(BODY, forged)
    with pytest.raises(Unproven):
        signatures.verify(forged, BODY, secrets=[SecretStr(public)], now=now)


@pytest.mark.parametrize("header", ["nonsense", "v1,a,b", "v1,=", "v1,é"])
def test_unlike_the_library_odd_entries_are_refusals_and_not_crashes(header: str) -> None:
    """PyPI standardwebhooks lets ValueError and binascii.Error out: a 500 for anybody."""
    now = datetime.now(UTC)
    library = standardwebhooks.Webhook(SECRET.get_secret_value())

    with pytest.raises((ValueError, standardwebhooks.WebhookVerificationError)):
        library.verify(BODY, headers(header, at=now))
    with pytest.raises(Unproven):
        signatures.verify(headers(header, at=now), BODY, secrets=[SECRET], now=now)


def test_unlike_the_library_a_body_need_not_be_text() -> None:
    """PyPI standardwebhooks decodes the body first: UnicodeDecodeError."""
    now = datetime.now(UTC)
    body = b"\xff\xfe"
    signed = headers(signatures.sign("msg_1", body, at=now, secrets=[SECRET]), at=now)

    with pytest.raises(UnicodeDecodeError):
        standardwebhooks.Webhook(SECRET.get_secret_value()).verify(body, signed)
    assert signatures.verify(signed, body, secrets=[SECRET], now=now) is SECRET


def test_a_pair_of_keys_signs_and_verifies_v1a() -> None:
    private, public = signatures.new_key_pair()
    signed = signatures.sign("msg_1", BODY, at=NOW, secrets=[private, SECRET])

    assert [entry.split(",")[0] for entry in signed.split()] == ["v1a", "v1"]
    signatures.verify(headers(signed), BODY, secrets=[SecretStr(public)], now=NOW)
    signatures.verify(headers(signed), BODY, secrets=[SECRET], now=NOW)
    with pytest.raises(Unproven):
        signatures.verify(headers(signed), BODY + b" ", secrets=[SecretStr(public)], now=NOW)


@pytest.mark.parametrize("message_id", ["", "msg_a.1614265330"])
def test_an_id_that_could_trade_places_with_the_body_is_not_signed(message_id: str) -> None:
    with pytest.raises(ValueError, match="dot"):
        signatures.sign(message_id, BODY, at=NOW, secrets=[SECRET])


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeA"])
def test_a_secret_that_cannot_sign_is_told_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^this secret cannot sign$"):
        signatures.sign("msg_1", BODY, at=NOW, secrets=[SecretStr(secret)])


GOOD = signatures.sign("msg_1", BODY, at=NOW, secrets=[SECRET])


@pytest.mark.parametrize(
    ("change", "secrets", "reason"),
    [
        ({"webhook-id": ""}, [SECRET], Reason.NO_HEADER),
        ({"webhook-timestamp": "1e9"}, [SECRET], Reason.ODD_TIMESTAMP),
        ({"webhook-timestamp": "-5"}, [SECRET], Reason.ODD_TIMESTAMP),
        ({"webhook-timestamp": "٣٤٥"}, [SECRET], Reason.ODD_TIMESTAMP),
        ({"webhook-timestamp": "9" * 400}, [SECRET], Reason.ODD_TIMESTAMP),
        ({"webhook-timestamp": "1"}, [SECRET], Reason.TOO_OLD),
        ({"webhook-timestamp": "99999999999"}, [SECRET], Reason.TOO_NEW),
        ({}, [], Reason.NO_SECRET),
        ({}, [SecretStr("whsec_")], Reason.NO_SECRET),
        ({}, [SecretStr("whpk_AAAA")], Reason.NO_SECRET),
        ({"webhook-id": "msg_2"}, [SECRET], Reason.NO_MATCH),
        ({"webhook-signature": " ".join(["v1,AAAA"] * 16 + [GOOD])}, [SECRET], Reason.NO_MATCH),
    ],
)
def test_a_refusal_tells_its_reason(
    change: dict[str, str], secrets: list[SecretStr], reason: Reason
) -> None:
    with pytest.raises(Unproven) as caught:
        signatures.verify(headers(GOOD) | change, BODY, secrets=secrets, now=NOW)

    assert caught.value.reason is reason


@given(st.text(), st.text(), st.text(), st.binary())
def test_no_input_makes_it_stumble(message_id: str, at: str, header: str, body: bytes) -> None:
    strange = {"webhook-id": message_id, "webhook-timestamp": at, "webhook-signature": header}

    with pytest.raises(Unproven):
        signatures.verify(strange, body, secrets=[SECRET], now=NOW)
    with pytest.raises(Unproven):
        signatures.verify_v0(body, signature=header, timestamp=at, secrets=[SECRET], now=NOW)


@given(st.text(), st.binary())
def test_no_signature_of_ours_by_chance(header: str, body: bytes) -> None:
    with pytest.raises(Unproven):
        signatures.verify(headers(f"v1,{header}"), body, secrets=[SECRET], now=NOW)


def test_zoom_is_believed_on_its_raw_bytes() -> None:
    sample = SAMPLES["zoom_signature"]
    secret, at = SecretStr(sample["secret"]), sample["x-zm-request-timestamp"]
    now = moment(int(at)) + timedelta(minutes=80)

    proven_by = signatures.verify_v0(
        sample["body"].encode(),
        signature=sample["x-zm-signature"],
        timestamp=at,
        secrets=[signatures.new_secret(), secret],
        now=now,
        tolerance=timedelta(minutes=95),
    )

    assert proven_by is secret
    written_anew = json.dumps(json.loads(sample["body"])).encode()
    with pytest.raises(Unproven):
        signatures.verify_v0(
            written_anew,
            signature=sample["x-zm-signature"],
            timestamp=at,
            secrets=[secret],
            now=moment(int(at)),
        )


def test_zooms_handshake_is_answered_with_the_secret_that_proved_it() -> None:
    sample = SAMPLES["zoom_url_validation"]

    answer = signatures.answer_v0(sample["plainToken"], secret=SecretStr(sample["secret"]))

    assert answer == sample["encryptedToken"]


@pytest.mark.parametrize(
    ("signature", "timestamp", "secrets", "reason"),
    [
        ("", "1763640000", [SECRET], Reason.NO_HEADER),
        ("v0=é", "1795176000", [SECRET], Reason.NO_MATCH),
        ("v0=00", "1795176000", [SecretStr("")], Reason.NO_SECRET),
        ("v0=00", "1795175699", [SECRET], Reason.TOO_OLD),
        ("v0=00", "1795176301", [SECRET], Reason.TOO_NEW),
    ],
)
def test_zoom_is_refused_with_a_reason(
    signature: str, timestamp: str, secrets: list[SecretStr], reason: Reason
) -> None:
    with pytest.raises(Unproven) as caught:
        signatures.verify_v0(
            BODY, signature=signature, timestamp=timestamp, secrets=secrets, now=NOW
        )

    assert caught.value.reason is reason


def test_tokens_are_compared_whole_and_an_empty_one_never_fits() -> None:
    expected = SecretStr("channel-token")

    assert signatures.same_token("channel-token", expected=expected)
    assert not signatures.same_token("channel-toke", expected=expected)
    assert not signatures.same_token("chânnel-token", expected=expected)
    assert not signatures.same_token("", expected=SecretStr(""))


def test_a_token_is_stored_as_its_hash() -> None:
    token = SecretStr("tl_live_0123456789")
    hashed = signatures.hash_token(token)

    assert signatures.fits_hash("tl_live_0123456789", hashed=hashed)
    assert not signatures.fits_hash("tl_live_012345678", hashed=hashed)
    assert not signatures.fits_hash("", hashed="")
    assert "tl_live" not in hashed
