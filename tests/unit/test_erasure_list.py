"""The list of erasures: sealed, linked, and what it does to keys that came back."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from copilot.store.erasure_list import ERASURES, Erasure, ErasureList
from copilot.store.erasures import destroy_returned
from copilot.store.sealing import NAMES, KeyRing


def erasure(number: int, *keys: str) -> Erasure:
    return Erasure(id=f"{number:032x}", at="2026-11-20T09:30:00.000000Z", person=f"{number:032x}", keys=keys)


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    kept = ErasureList(tmp_path)
    assert kept.read().erasures == ()
    added = [erasure(1, "a" * 16), erasure(2)]
    assert kept.add(added) == added
    assert kept.add([erasure(2), erasure(3)]) == [erasure(3)]
    assert kept.add(added) == []
    listed = ErasureList(tmp_path).read()
    assert listed.erasures == (*added, erasure(3))
    assert listed.faults == ()
    assert stat.S_IMODE((tmp_path / ERASURES).stat().st_mode) == 0o600


@pytest.mark.parametrize("gone", [0, 1])
def test_a_line_that_is_gone_is_noticed_and_the_others_count(tmp_path: Path, gone: int) -> None:
    kept = ErasureList(tmp_path)
    kept.add([erasure(number) for number in range(3)])
    lines = (tmp_path / ERASURES).read_bytes().splitlines(keepends=True)
    (tmp_path / ERASURES).write_bytes(b"".join(line for number, line in enumerate(lines) if number != gone))
    listed = kept.read()
    assert len(listed.erasures) == 2
    assert len(listed.faults) == 1
    kept.add([erasure(7)])
    assert len(kept.read().faults) == 1


def test_every_changed_character_is_noticed(tmp_path: Path) -> None:
    kept = ErasureList(tmp_path)
    kept.add([erasure(1, "a" * 16), erasure(2)])
    content = (tmp_path / ERASURES).read_bytes()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / ERASURES).write_bytes(changed)
        assert kept.read() != ErasureList(tmp_path).parsed(content), place
        assert kept.read().faults, place


def test_several_at_once_lose_nothing(tmp_path: Path) -> None:
    KeyRing(tmp_path).lasting(NAMES)
    threads = [threading.Thread(target=ErasureList(tmp_path).add, args=([erasure(n)],)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = ErasureList(tmp_path).read()
    assert len(listed.erasures) == 20
    assert listed.faults == ()


def test_without_the_key_of_names_it_says_so(tmp_path: Path) -> None:
    ErasureList(tmp_path).add([erasure(1)])
    KeyRing(tmp_path).destroy(NAMES)
    listed = ErasureList(tmp_path).read()
    assert listed.erasures == ()
    assert "names" in listed.faults[0]
    assert not (tmp_path / "keys" / f"{NAMES}.key").exists()


def test_only_keys_that_were_destroyed_are_destroyed_again(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    old, new = ring.person("anna"), ring.person("ben")
    lines = [
        Erasure(id="1", at="", person=ring.pseudonym("anna"), keys=(old.fingerprint,)),
        Erasure(id="2", at="", person=ring.pseudonym("ben"), keys=(old.fingerprint, "0" * 16)),
        Erasure(id="3", at="", person=ring.pseudonym("cleo"), keys=()),
    ]
    assert destroy_returned(ring, lines) == 1
    assert ring.known(old.name) is None
    assert ring.known(new.name) == new
