"""Can only the holder of the private key read a secret, and only in its own place?"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import seal
from infra.errors import Refused
from infra.seal import KeyRing, PublicKey, Unsealable

HERE = "acme|conn_1|refresh_token"
RING = KeyRing.fresh()
SEALED = RING.newest.seal(b"canary", context=HERE)


@given(st.binary(max_size=5000), st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_opens_in_its_place(plaintext: bytes, context: str) -> None:
    sealed = RING.newest.seal(plaintext, context=context)

    assert RING.open(sealed, context=context) == plaintext


@given(st.text(st.characters(codec="utf-8")).filter(lambda other: other != HERE))
def test_a_secret_moved_elsewhere_does_not_open(elsewhere: str) -> None:
    with pytest.raises(Unsealable):
        RING.open(SEALED, context=elsewhere)


@given(st.integers(0, len(SEALED) - 1), st.sampled_from("AbZ09-_.|é "))
def test_a_changed_secret_does_not_open(place: int, letter: str) -> None:
    changed = SEALED[:place] + letter + SEALED[place + 1 :]
    if changed == SEALED:
        return

    with pytest.raises(Unsealable):
        RING.open(changed, context=HERE)


@given(st.text())
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(Unsealable):
        RING.open(f"{RING.newest.kid}.{text}", context=HERE)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(Unsealable, match="not here"):
        KeyRing.fresh().open(SEALED, context=HERE)


def test_two_seals_of_one_secret_do_not_look_alike() -> None:
    assert RING.newest.seal(b"canary", context=HERE) != SEALED


def test_a_key_pair_lives_in_files_that_only_its_owner_reads(tmp_path: Path) -> None:
    private, public = tmp_path / "keys" / "vault.private", tmp_path / "keys" / "vault.public"

    seal.generate(private, public)
    sealed = PublicKey.load(public).seal(b"canary", context=HERE)

    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    assert KeyRing.load(private).open(sealed, context=HERE) == b"canary"


def test_a_key_pair_is_never_overwritten(tmp_path: Path) -> None:
    seal.generate(tmp_path / "private", tmp_path / "public")

    with pytest.raises(FileExistsError):
        seal.generate(tmp_path / "private", tmp_path / "public")


def test_after_a_rotation_the_old_opens_and_the_new_seals(tmp_path: Path) -> None:
    private, public = tmp_path / "private", tmp_path / "public"
    seal.generate(private, public)
    old = PublicKey.load(public)
    before = old.seal(b"before", context=HERE)

    seal.rotate(private, public)
    new = PublicKey.load(public)
    ring = KeyRing.load(private)

    assert new == ring.newest != old
    assert ring.open(before, context=HERE) == b"before"
    assert ring.open(new.seal(b"after", context=HERE), context=HERE) == b"after"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    seal.generate(tmp_path / "private", tmp_path / "public")
    (tmp_path / "private").chmod(0o640)

    with pytest.raises(Refused, match="chmod 600"):
        KeyRing.load(tmp_path / "private")


@pytest.mark.parametrize("text", ["", "short", "not base64!", "A" * 44])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    seal.write_secret(tmp_path / "private", text.encode())

    with pytest.raises(Refused):
        KeyRing.load(tmp_path / "private")
    with pytest.raises(Refused):
        PublicKey.parse(text)


def test_a_written_secret_is_random_and_private(tmp_path: Path) -> None:
    seal.write_secret(tmp_path / "one")
    seal.write_secret(tmp_path / "two")

    assert len(bytes.fromhex(seal.read_secret(tmp_path / "one").decode())) == 32
    assert seal.read_secret(tmp_path / "one") != seal.read_secret(tmp_path / "two")


def test_keys_do_not_print_themselves() -> None:
    assert "PrivateKey" not in repr(RING)
