"""Sealing: what opens, what does not, and what erasing a key leaves."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.errors import AuditError
from copilot.store.audit_chain import canonical, entry_hash, parse, storable
from copilot.store.sealing import DataKey, KeyErasedError, KeyRing, joint, seal

ID = str(uuid4())
KEY = DataKey("business", bytes(range(32)))


def test_a_sealed_value_opens_with_its_key(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    blob, digests = seal(ring.person("rep.us"), ID, "question", b"where is S00024?")
    assert blob.open(KeyRing(tmp_path)) == b"where is S00024?"
    assert isinstance(digests, dict)
    assert digests["cipher"] == blob.digest()
    assert b"S00024" not in blob.ciphertext


def test_keys_are_private_files_that_name_nobody(tmp_path: Path) -> None:
    KeyRing(tmp_path).person("rep.us")
    files = [path for path in (tmp_path / "keys").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / "person").stat().st_mode) == 0o700
    assert not any("rep" in str(file.relative_to(tmp_path)) for file in files)


def test_an_erased_key_is_gone_even_for_a_ring_that_used_it(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    blob, _ = seal(ring.person("rep.us"), ID, "question", b"private")
    other, _ = seal(ring.person("rep.de"), ID, "question", b"private too")
    assert KeyRing(tmp_path).erase_person(ring.pseudonym("rep.us"))
    assert not KeyRing(tmp_path).erase_person(ring.pseudonym("rep.us"))
    with pytest.raises(KeyErasedError):
        blob.open(ring)
    assert other.open(ring) == b"private too"


def test_a_new_key_after_an_erasure_does_not_open_old_values(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    blob, _ = seal(ring.person("rep.us"), ID, "question", b"private")
    ring.erase_person(ring.pseudonym("rep.us"))
    ring.let_in_again("rep.us")
    assert ring.person("rep.us").id != blob.key_id
    with pytest.raises(KeyErasedError):
        blob.open(ring)


def test_nobody_erased_gets_a_key_again_until_they_are_let_in(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    old = ring.person("rep.us")
    ring.erase_person(ring.pseudonym("rep.us"))
    file = tmp_path / "keys" / f"{old.name}.key"
    for _ in range(2):
        with pytest.raises(KeyErasedError):
            ring.person("rep.us")
        assert not file.exists()
        file.write_bytes(old.secret)  # put back from somewhere
    assert ring.person("rep.de")


def test_a_key_that_was_being_destroyed_is_known_for_it(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    old = ring.person("rep.us")
    pseudonym, file = ring.pseudonym("rep.us"), tmp_path / "keys" / f"{old.name}.key"
    assert ring.has_returned(pseudonym, {old.fingerprint})
    assert not ring.has_returned(pseudonym, {"0" * 16})
    ring.erase_person(pseudonym)
    for left in (bytes(32), bytes(7)):
        file.write_bytes(left)
        assert ring.has_returned(pseudonym, ())


def test_what_two_keys_seal_opens_with_both_alone(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    blob, _ = seal(joint(ring.person("rep.us"), ring.business()), ID, "answer", b"S00024")
    assert blob.open(KeyRing(tmp_path)) == b"S00024"
    other = replace(blob, key_id=blob.key_id.replace("+business", ""))
    with pytest.raises(KeyErasedError):
        other.open(ring)
    business = (tmp_path / "keys" / "business.key").read_bytes()
    ring.destroy("business")
    with pytest.raises(KeyErasedError):
        blob.open(ring)
    (tmp_path / "keys" / "business.key").write_bytes(business)
    assert blob.open(ring) == b"S00024"
    ring.erase_person(ring.pseudonym("rep.us"))
    with pytest.raises(KeyErasedError):
        blob.open(ring)


def test_a_changed_or_moved_blob_does_not_open(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    blob, _ = seal(ring.business(), ID, "answer", b"S00024 ships tomorrow")
    for other in (
        replace(blob, ciphertext=bytes([blob.ciphertext[0] ^ 1]) + blob.ciphertext[1:]),
        replace(blob, nonce=bytes(12)),
        replace(blob, audit_id=str(uuid4())),
        replace(blob, kind="question"),
    ):
        with pytest.raises(AuditError):
            other.open(ring)


def test_equal_values_look_different_and_the_plain_digest_is_keyed() -> None:
    one, first = seal(KEY, ID, "answer", b"yes")
    two, second = seal(KEY, ID, "answer", b"yes")
    _, third = seal(DataKey("business", bytes(32)), ID, "answer", b"yes")
    assert one.ciphertext != two.ciphertext
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert isinstance(third, dict)
    assert first["plain"] == second["plain"] != third["plain"]


def test_a_damaged_key_is_said(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.business()
    (tmp_path / "keys" / "business.key").write_bytes(b"short")
    with pytest.raises(AuditError, match="damaged"):
        ring.business()


def test_a_key_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside.key").write_bytes(bytes(32))
    with pytest.raises(KeyErasedError):
        KeyRing(tmp_path).find(f"../outside:{DataKey('', bytes(32)).id.partition(':')[2]}")


@given(st.binary(max_size=2_000), st.sampled_from(["question", "answer"]))
def test_any_value_survives(value: bytes, kind: str) -> None:
    blob, _ = seal(KEY, ID, kind, value)

    class Ring(KeyRing):
        def find(self, key_id: str) -> DataKey:
            return KEY

    assert blob.open(Ring(Path("unused"))) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_the_encoding_survives_being_read_back(value: object) -> None:
    cleaned = storable(value)  # pyright: ignore[reportArgumentType]
    assert parse(canonical(cleaned).decode()) == cleaned


def test_the_hash_covers_number_link_and_every_column() -> None:
    base = entry_hash({"a": 1, "b": "x"}, 1, bytes(32))
    assert base != entry_hash({"a": 1, "b": "x"}, 2, bytes(32))
    assert base != entry_hash({"a": 1, "b": "x"}, 1, bytes(31) + b"\1")
    assert base != entry_hash({"a": "1", "b": "x"}, 1, bytes(32))
    assert base != entry_hash({"a": 1, "b": None}, 1, bytes(32))


def test_a_float_is_refused() -> None:
    with pytest.raises(AuditError, match="float"):
        storable({"a": [1.5]})
    with pytest.raises(ValueError, match="float"):
        parse('{"a": 1.0}')
