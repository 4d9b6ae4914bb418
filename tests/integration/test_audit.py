"""Appending to the audit chain: rights, order, programs beside each other, and what a crash leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from copilot.domain.clock import fixed_clock
from copilot.errors import AuditError
from copilot.store import audit
from copilot.store.audit import AuditLog, sealed_blobs
from copilot.store.audit_verify import VerifyReport, verify
from copilot.store.pool import Database
from copilot.store.roles import Role
from copilot.store.sealing import KeyErasedError, KeyRing
from tests.integration import audit_support
from tests.integration.audit_support import NOW, Site, append_many, entry

pytest_plugins = ("tests.integration.audit_fixtures",)


async def verified(site: Site) -> VerifyReport:
    """Verify with pools of its own."""
    database = site.database()
    try:
        return await verify(database, site.home)
    finally:
        await database.close()


async def test_an_empty_chain_verifies(audit_site: Site) -> None:
    report = await verified(audit_site)
    assert report.ok
    assert report.rows == 0


async def test_rows_follow_each_other_and_verify(audit_site: Site) -> None:
    async with audit_site.log(fixed_clock(NOW)) as log:
        receipts = [await log.append(entry(number)) for number in range(1, 6)]
    assert [receipt.id for receipt in receipts] == [1, 2, 3, 4, 5]
    report = await verified(audit_site)
    assert report.ok, report.findings
    assert report.notes == ()
    assert (report.rows, report.head.id, report.head.hash.hex()) == (5, 5, receipts[-1].hash)
    assert report.signed == report.head


async def test_nothing_unmasked_and_no_value_stands_in_the_clear(audit_site: Site) -> None:
    await append_many(audit_site, 1)
    shown = await audit_site.value(
        "select (select e::text from audit.entry e) || (select string_agg(b::text, ' ') from audit.blob b)"
    )
    for secret in ("Anna", "Schmidt", "S00024", "1250000000", b"Anna".hex(), b"1250000000".hex()):
        assert secret not in str(shown)


async def test_sealed_values_open_until_their_key_is_erased(audit_site: Site) -> None:
    async with audit_site.log() as log:
        receipt = await log.append(entry())
    database, ring = audit_site.database(), KeyRing(audit_site.home)
    blobs = {blob.kind: blob for blob in await sealed_blobs(database, receipt.audit_id)}
    assert blobs["question"].open(ring) == b"where is S00024 for Anna Schmidt?"
    assert b"1250000000" in blobs["answer"].open(ring)
    ring.erase_person(ring.pseudonym("rep.us"))
    for blob in blobs.values():  # an answer repeats words of its question
        with pytest.raises(KeyErasedError):
            blob.open(ring)
    assert (await verify(database, audit_site.home)).ok
    await database.close()


async def test_odd_text_is_kept_rather_than_refused(audit_site: Site) -> None:
    odd = "nul \x00 surrogate \ud800 quote ' emoji 📦"
    async with audit_site.log() as log:
        receipt = await log.append(replace(entry(question=odd), masked_question=odd, plan={"echo": odd}))
    assert (await verified(audit_site)).ok
    database = audit_site.database()
    kept = {blob.kind: blob for blob in await sealed_blobs(database, receipt.audit_id)}["question"]
    assert kept.open(KeyRing(audit_site.home)).decode("utf-8", "surrogatepass") == odd
    await database.close()


async def test_what_cannot_be_written_is_an_audit_error(audit_site: Site) -> None:
    async with audit_site.log() as log:
        for bad in (
            replace(entry(), plan={"x": 0.5}),
            replace(entry(), audit_id="none"),
            replace(entry(), conversation="none"),
            replace(entry(), answer=float("nan")),
        ):
            with pytest.raises(AuditError):
                await log.append(bad)
        assert (await log.append(entry())).id == 1


async def test_one_refused_row_does_not_take_its_neighbours(audit_site: Site) -> None:
    async with audit_site.log() as log:
        first = await log.append(entry())
        rows = [entry(2), replace(entry(3), audit_id=first.audit_id), entry(4), entry(5)]
        said = await asyncio.gather(*(log.append(row) for row in rows), return_exceptions=True)
    assert [isinstance(one, AuditError) for one in said] == [False, True, False, False]
    report = await verified(audit_site)
    assert report.ok
    assert report.rows == 4


async def test_an_asker_who_leaves_disturbs_nobody(audit_site: Site) -> None:
    async with audit_site.log() as log:
        leaving = asyncio.create_task(log.append(entry(1)))
        staying = asyncio.create_task(log.append(entry(2)))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying).id == 2
    assert (await verified(audit_site)).ok


async def test_eight_writers_at_once(audit_site: Site) -> None:
    async def write(log: AuditLog, writer: int) -> list[int]:
        return [(await log.append(entry(writer * 100 + number))).id for number in range(25)]

    async with audit_site.log() as log:
        ids = await asyncio.gather(*(write(log, writer) for writer in range(8)))
    assert sorted(number for some in ids for number in some) == list(range(1, 201))
    assert all(some == sorted(some) for some in ids)
    report = await verified(audit_site)
    assert report.ok, report.findings
    assert report.notes == ()


async def program(site: Site, count: int) -> asyncio.subprocess.Process:
    """Another program that appends."""
    return await asyncio.create_subprocess_exec(
        sys.executable, audit_support.__file__, site.superuser_dsn, str(site.home), str(site.roles_home), str(count),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_two_programs_interleave(audit_site: Site) -> None:
    programs = [await program(audit_site, 60) for _ in range(2)]
    assert [await one.wait() for one in programs] == [0, 0]
    report = await verified(audit_site)
    assert report.ok, report.findings
    assert report.rows == 120
    assert report.signed == report.head


@pytest.mark.parametrize("after", [1, 7, 30])
async def test_a_killed_program_leaves_a_chain_that_verifies(audit_site: Site, after: int) -> None:
    victim = await program(audit_site, 100_000)
    assert victim.stdout is not None
    while int(await victim.stdout.readline()) < after:
        pass
    os.kill(victim.pid, signal.SIGKILL)
    await victim.wait()
    report = await verified(audit_site)
    assert report.ok, report.findings
    assert report.rows >= after
    await append_many(audit_site, 3)
    healed = await verified(audit_site)
    assert healed.ok, healed.findings
    assert healed.notes == ()


async def test_no_database_no_receipt(audit_site: Site) -> None:
    nowhere = make_conninfo(audit_site.dsn(Role.AUDIT_WRITER), port=1, connect_timeout=1)
    database = Database({Role.AUDIT_WRITER: nowhere})
    pool = await database.pool(Role.AUDIT_WRITER)
    pool.timeout = 0.5
    log = AuditLog(database, audit_site.home, fixed_clock(NOW))
    with pytest.raises(AuditError):
        await log.append(entry())
    await log.close()
    await database.close()


async def test_connections_lost_between_appends_are_replaced(audit_site: Site) -> None:
    async with audit_site.log() as log:
        await log.append(entry(1))
        await audit_site.as_superuser(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
            "and usename = 'copilot_audit_writer'"
        )
        assert (await log.append(entry(2))).id == 2
    assert (await verified(audit_site)).ok


async def test_who_waits_too_long_for_the_chain_gets_an_audit_error(
    audit_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_PATIENCE_S", 0.5)
    async with audit_site.log() as log:
        async with await psycopg.AsyncConnection.connect(audit_site.superuser_dsn) as holder:
            await holder.execute("select pg_advisory_xact_lock(7022)")
            with pytest.raises(AuditError):
                await log.append(entry(1))
        assert (await log.append(entry(2))).id == 1


@pytest.fixture
def unwritable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A checkpoint file that takes nothing."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    yield
    monkeypatch.undo()


async def test_no_checkpoint_no_receipt(audit_site: Site, unwritable: None) -> None:
    async with audit_site.log() as log:
        with pytest.raises(AuditError, match="checkpoint"):
            await log.append(entry())


REFUSED = {
    Role.AUDIT_WRITER: (
        "update audit.entry set reason = 'x'",
        "delete from audit.entry",
        "truncate audit.entry",
        "select subject from audit.entry",
        "select * from audit.blob",
        "update audit.blob set kind = 'x'",
        "delete from audit.blob",
        "select 1 from state.conversation",
    ),
    Role.AUDITOR: (
        "update audit.entry set reason = 'x'",
        "delete from audit.entry",
        "insert into audit.blob values (9, 'question', 'k', '', '')",
        "delete from audit.blob",
        "select audit.chain_head()",
        "select 1 from state.conversation",
        "select 1 from biz.customer",
    ),
    Role.APP: ("select 1 from audit.entry", "insert into audit.blob values (9, 'question', 'k', '', '')"),
    Role.STATE: ("select 1 from audit.entry", "select 1 from audit.blob"),
    Role.WORKER: ("select 1 from audit.entry",),
    Role.LOADER: ("select 1 from audit.entry",),
    Role.GAZETTEER: ("select 1 from audit.entry",),
    Role.OWNER: (
        "update audit.entry set reason = 'x' where false",
        "delete from audit.entry where false",
        "truncate audit.entry",
        "delete from audit.blob where false",
        "truncate audit.blob",
    ),
}


@pytest.mark.parametrize("role", REFUSED)
async def test_what_each_role_may_not(audit_site: Site, role: Role) -> None:
    await append_many(audit_site, 1)
    async with await psycopg.AsyncConnection.connect(audit_site.dsn(role), autocommit=True) as connection:
        for statement in REFUSED[role]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement.encode())


async def test_the_superuser_is_refused_too_until_meaning_it(audit_site: Site) -> None:
    await append_many(audit_site, 1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await audit_site.as_superuser("delete from audit.entry", replica=False)


async def test_the_writer_cannot_leave_a_gap(audit_site: Site) -> None:
    await append_many(audit_site, 1)
    row = "select (jsonb_populate_record(null::audit.entry, %s)).*"
    made = {"id": 3, "audit_id": "0b0e0d0c-0000-4000-8000-0000000000ff", "at": NOW.isoformat(), "subject": "x",
            "channel": "x", "masked_question": "x", "records": [], "verdict": "x", "engine": "x", "claims": [],
            "policy": {}, "sealed": [], "elapsed_ms": 1, "prev_hash": "\\x00",
            "hash": "\\x00", "stamp": "\\x00"}  # fmt: skip
    async with await psycopg.AsyncConnection.connect(audit_site.dsn(Role.AUDIT_WRITER)) as connection:
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            await connection.execute(f"insert into audit.entry {row}".encode(), (psycopg.types.json.Jsonb(made),))
