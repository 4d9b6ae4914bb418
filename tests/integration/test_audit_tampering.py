"""Every way to tamper with the chain or its checkpoint, planted and found by name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copilot.domain.clock import fixed_clock
from copilot.store import checkpoint
from copilot.store.audit import AuditLog
from copilot.store.audit_chain import Head, entry_hash
from copilot.store.audit_verify import Problem, VerifyReport, verify
from copilot.store.checkpoint import CHECKPOINT, PUBLIC_KEY, Checkpoint, read_checkpoint
from copilot.store.checkpoint_lines import Line
from copilot.store.sealing import KeyRing
from tests.integration.audit_support import NOW, Site, append_many, entry

pytest_plugins = ("tests.integration.audit_fixtures",)

ROWS = 9


@pytest.fixture
async def chain(audit_site: Site) -> Site:
    """A chain of nine rows."""
    await append_many(audit_site, ROWS)
    return audit_site


async def found(site: Site) -> VerifyReport:
    """Verify with pools of its own."""
    database = site.database()
    try:
        return await verify(database, site.home)
    finally:
        await database.close()


def named(report: VerifyReport) -> set[tuple[Problem, int | None]]:
    """What was found about which row."""
    assert report.ok == (not report.findings)
    return {(finding.problem, finding.id) for finding in report.findings}


EDITS = {
    "audit_id": "gen_random_uuid()",
    "at": "at + interval '1 microsecond'",
    "subject": "'planner'",
    "channel": "'web'",
    "conversation": "null",
    "masked_question": "masked_question || ' '",
    "kind": "null",
    "plan": 'plan || \'{"kind": "stock"}\'',
    "records": "records - 0",
    "verdict": "'declined'",
    "reason": "'stale'",
    "engine": "'model:x'",
    "claims": "'[]'",
    "policy": "jsonb_set(policy, '{outcome}', '\"refused\"')",
    "sealed": "jsonb_set(sealed, '{0,plain}', '\"00\"')",
    "elapsed_ms": "elapsed_ms + 1",
    "help": "'{}'",
    "prev_hash": "sha256('x')",
    "hash": "sha256('x')",
}


@pytest.mark.parametrize(("column", "row"), [*((column, 5) for column in EDITS), ("verdict", 1), ("verdict", ROWS)])
async def test_an_edited_column(chain: Site, column: str, row: int) -> None:
    await chain.as_superuser(f"update audit.entry set {column} = {EDITS[column]} where id = {row}")
    assert (Problem.ALTERED, row) in named(await found(chain))


async def test_an_edit_names_its_row_and_no_other(chain: Site) -> None:
    await chain.as_superuser("update audit.entry set verdict = 'declined' where id = 5")
    assert named(await found(chain)) == {(Problem.ALTERED, 5)}


@pytest.mark.parametrize("value", ["1.0", "1.5", '"1"', "true"])
async def test_a_number_of_another_kind(chain: Site, value: str) -> None:
    await chain.as_superuser(f"update audit.entry set plan = jsonb_set(plan, '{{subject,0}}', '{value}') where id = 1")
    assert named(await found(chain)) == {(Problem.ALTERED, 1)}


async def test_an_edited_stamp(chain: Site) -> None:
    await chain.as_superuser("update audit.entry set stamp = sha256('x') where id = 5")
    assert named(await found(chain)) == {(Problem.FORGED, 5)}


@pytest.mark.parametrize("row", [1, 5])
async def test_a_deleted_row(chain: Site, row: int) -> None:
    await chain.as_superuser(
        f"delete from audit.entry where id = {row}", f"delete from audit.blob where entry_id = {row}"
    )
    assert named(await found(chain)) == {(Problem.MISSING, row)}


async def test_the_last_row_deleted(chain: Site) -> None:
    await chain.as_superuser("delete from audit.entry where id = 9", "delete from audit.blob where entry_id = 9")
    assert named(await found(chain)) == {(Problem.TRUNCATED, 9)}


async def test_several_deleted_rows_are_one_finding(chain: Site) -> None:
    await chain.as_superuser("delete from audit.entry where id between 3 and 6")
    missing = [finding for finding in (await found(chain)).findings if finding.problem is Problem.MISSING]
    assert [(finding.id, finding.last) for finding in missing] == [(3, 6)]


async def test_a_deleted_row_with_the_gap_closed(chain: Site) -> None:
    await chain.as_superuser(
        "delete from audit.entry where id = 5",
        "update audit.entry set id = id - 1 where id = 6",
        "update audit.entry set id = id - 1 where id = 7",
    )
    assert {(Problem.ALTERED, 5), (Problem.ALTERED, 6), (Problem.MISSING, 7)} <= named(await found(chain))


async def test_two_rows_swapped(chain: Site) -> None:
    await chain.as_superuser(
        "update audit.entry set id = 100 where id = 3",
        "update audit.entry set id = 3 where id = 7",
        "update audit.entry set id = 7 where id = 100",
    )
    assert {(Problem.ALTERED, 3), (Problem.ALTERED, 7)} <= named(await found(chain))


async def test_a_row_doubled_past_the_keys(audit_own_site: Site) -> None:
    chain = audit_own_site
    await append_many(chain, ROWS)
    await chain.as_superuser(
        "alter table audit.entry drop constraint entry_pkey",
        "alter table audit.entry drop constraint entry_audit_id_key",
        "insert into audit.entry select * from audit.entry where id = 4",
    )
    assert (Problem.DUPLICATE, 4) in named(await found(chain))


async def test_the_tail_cut_off(chain: Site) -> None:
    await chain.as_superuser("delete from audit.entry where id > 4", "delete from audit.blob where entry_id > 4")
    report = await found(chain)
    assert named(report) == {(Problem.TRUNCATED, 5)}
    assert report.findings[0].last == ROWS


async def test_everything_cut_off(chain: Site) -> None:
    await chain.as_superuser("truncate audit.entry, audit.blob")
    assert named(await found(chain)) == {(Problem.TRUNCATED, 1)}


@pytest.mark.parametrize("left", [0, 4])
async def test_a_cut_is_still_found_after_the_chain_has_grown_over_it(chain: Site, left: int) -> None:
    await chain.as_superuser(
        f"delete from audit.entry where id > {left}", f"delete from audit.blob where entry_id > {left}"
    )
    await append_many(chain, 12)
    report = await found(chain)
    assert (Problem.BREAK, left) in named(report)
    assert (Problem.REWRITTEN, ROWS) in named(report)


async def rewrite(site: Site, first: int) -> None:
    """Rehash every row from `first` on, as somebody would who knows this program but not its keys."""
    database = site.database()
    log = AuditLog(database, site.home / "intruder", fixed_clock(NOW))
    rows = [entry(number) for number in range(first, ROWS + 1)]
    await site.as_superuser(
        f"delete from audit.entry where id >= {first}", f"delete from audit.blob where entry_id >= {first}"
    )
    for row in rows:
        await log.append(row)
    await log.close()
    await database.close()


async def test_a_chain_rewritten_with_right_hashes(chain: Site) -> None:
    await rewrite(chain, 4)
    report = await found(chain)
    assert {(Problem.FORGED, number) for number in range(4, ROWS + 1)} <= named(report)
    assert {(Problem.REWRITTEN, number) for number in range(4, ROWS + 1)} <= named(report)
    assert not any(finding.id and finding.id < 4 for finding in report.findings)


async def test_a_chain_rewritten_is_found_by_the_checkpoint_alone(chain: Site) -> None:
    await rewrite(chain, 4)
    (chain.home / "keys" / "stamp.key").unlink()
    assert {(Problem.REWRITTEN, number) for number in range(4, ROWS + 1)} == named(await found(chain))


async def test_a_row_put_in_the_middle(chain: Site) -> None:
    await chain.as_superuser(
        "update audit.entry set id = id + 1000 where id > 5",
        "update audit.entry set id = id - 999 where id > 1000",
        "insert into audit.entry select (jsonb_populate_record(null::audit.entry, to_jsonb(e) || "
        "jsonb_build_object('id', 6, 'audit_id', gen_random_uuid()))).* from audit.entry e where id = 5",
    )
    assert {(Problem.ALTERED, number) for number in range(6, 11)} <= named(await found(chain))


async def test_a_row_added_at_the_end_with_a_right_hash(chain: Site) -> None:
    """The checkpoint only knows that the chain grew; the stamp knows that it was not us."""
    database = chain.database()
    stranger = AuditLog(database, chain.home / "intruder", fixed_clock(NOW))
    await stranger.append(entry(99))
    await stranger.close()
    await database.close()
    assert named(await found(chain)) == {(Problem.FORGED, 10)}


@pytest.mark.parametrize("kind", ["question", "answer"])
@pytest.mark.parametrize("change", ["ciphertext = ciphertext || 'x'", "nonce = sha256('x')", "key_id = 'business:0'"])
async def test_an_edited_blob(chain: Site, kind: str, change: str) -> None:
    await chain.as_superuser(f"update audit.blob set {change} where entry_id = 5 and kind = '{kind}'")
    report = await found(chain)
    assert named(report) == {(Problem.BLOB, 5)}
    assert kind in report.findings[0].text


async def test_blobs_swapped_between_rows(chain: Site) -> None:
    await chain.as_superuser(
        "update audit.blob set entry_id = 100 where entry_id = 3 and kind = 'answer'",
        "update audit.blob set entry_id = 3 where entry_id = 7 and kind = 'answer'",
        "update audit.blob set entry_id = 7 where entry_id = 100 and kind = 'answer'",
    )
    assert named(await found(chain)) == {(Problem.BLOB, 3), (Problem.BLOB, 7)}


async def test_a_blob_deleted_added_or_astray(chain: Site) -> None:
    await chain.as_superuser(
        "delete from audit.blob where entry_id = 2 and kind = 'question'",
        "insert into audit.blob select 4, 'more', key_id, nonce, ciphertext from audit.blob where entry_id = 1 limit 1",
        "insert into audit.blob select 77, kind, key_id, nonce, ciphertext from audit.blob where entry_id = 1",
    )
    assert named(await found(chain)) == {(Problem.BLOB, 2), (Problem.BLOB, 4), (Problem.BLOB, 77)}


# --- the checkpoint ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [CHECKPOINT, PUBLIC_KEY])
async def test_a_missing_checkpoint(chain: Site, name: str) -> None:
    (chain.home / name).unlink()
    assert named(await found(chain)) == {(Problem.CHECKPOINT, None)}


async def test_a_removed_checkpoint_stays_known_after_appending(chain: Site) -> None:
    (chain.home / CHECKPOINT).unlink()
    await append_many(chain, 1)
    assert named(await found(chain)) == {(Problem.BREAK, ROWS)}


async def test_an_edited_checkpoint_line(chain: Site) -> None:
    file = chain.home / CHECKPOINT
    lines = file.read_text().splitlines()
    changed = json.loads(lines[3]) | {"hash": "00" * 32}
    file.write_text("\n".join([*lines[:3], json.dumps(changed), *lines[4:], ""]))
    assert named(await found(chain)) == {(Problem.CHECKPOINT, None)}


async def test_a_line_signed_by_somebody_else(chain: Site) -> None:
    forged = Line(number=99, kind="restored", head=Head(4, bytes(32)), at="x", signed=Head(9, bytes(32)))
    with (chain.home / CHECKPOINT).open("ab") as file:
        file.write(forged.encode(Ed25519PrivateKey.generate()))
    await chain.as_superuser("delete from audit.entry where id > 4", "delete from audit.blob where entry_id > 4")
    assert named(await found(chain)) == {(Problem.CHECKPOINT, None), (Problem.TRUNCATED, 5)}


async def test_a_genuine_line_repeated(chain: Site) -> None:
    file = chain.home / CHECKPOINT
    with file.open("ab") as out:
        out.write(file.read_bytes().splitlines(keepends=True)[3])
    assert named(await found(chain)) == {(Problem.CHECKPOINT, None)}


async def test_another_key_put_in_the_place_of_ours(chain: Site) -> None:
    other = chain.home / "other"
    other.mkdir()
    Checkpoint(other).advance(Head(4, bytes(32)), "x")
    for name in (CHECKPOINT, PUBLIC_KEY):
        (chain.home / name).write_bytes((other / name).read_bytes())
    assert not (await found(chain)).ok


async def test_a_line_cut_off_by_a_crash_is_no_failure(chain: Site) -> None:
    file = chain.home / CHECKPOINT
    file.write_bytes(file.read_bytes()[:-20])
    report = await found(chain)
    assert report.ok
    assert "row 9 is not signed yet" in report.notes[0]
    await append_many(chain, 1)
    report = await found(chain)
    assert report.ok
    assert report.notes == ()
    assert report.signed == report.head


async def test_a_signed_restore_explains_what_is_gone(chain: Site) -> None:
    await chain.as_superuser("delete from audit.entry where id > 4", "delete from audit.blob where entry_id > 4")
    database = chain.database()
    head = (await verify(database, chain.home)).head
    await database.close()
    lost = Checkpoint(chain.home).restored(head, "2026-11-20T10:00:00Z", new_keys=False)
    assert lost is not None
    assert lost.id == ROWS
    await append_many(chain, 8)
    report = await found(chain)
    assert report.ok, report.findings
    assert "rows 5 to 9 are lost" in report.notes[0]


async def test_the_file_stays_short_and_keeps_what_matters(chain: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "KEPT", 5)
    monkeypatch.setattr(checkpoint, "_COMPACT_AT", 1)
    await chain.as_superuser("delete from audit.entry where id = 9", "delete from audit.blob where entry_id = 9")
    await append_many(chain, 20)
    Checkpoint(chain.home).settle()
    signed = read_checkpoint(chain.home)
    assert signed is not None
    assert [line.kind for line in signed.lines] == ["break", *["head"] * 5]
    assert (Problem.BREAK, 8) in named(await found(chain))


async def test_a_lost_signing_key_is_not_made_anew_in_silence(chain: Site) -> None:
    (chain.home / "keys" / "checkpoint.key").unlink()
    with pytest.raises(Exception, match="put it back"):
        await append_many(chain, 1)
    assert (await found(chain)).ok


def test_the_hash_is_what_the_documentation_says() -> None:
    text = '{"a":1,"b":"\\u00e9","id":1,"prev_hash":"' + "00" * 32 + '"}'
    whole = b"erp-copilot audit entry 1\n" + text.encode()
    assert entry_hash({"b": "é", "a": 1}, 1, bytes(32)) == hashlib.sha256(whole).digest()


def test_keys_of_two_folders_differ(tmp_path: Path) -> None:
    assert KeyRing(tmp_path / "a").business().id != KeyRing(tmp_path / "b").business().id
