"""Backup and restore: after a crash, of an older state, onto a new machine, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import stat
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from copilot.domain.clock import fixed_clock
from copilot.errors import BackupError
from copilot.store import embedded
from copilot.store.audit_verify import Problem, VerifyReport, verify
from copilot.store.backup import RestoreReport, backup, restore
from copilot.store.checkpoint import CHECKPOINT, PUBLIC_KEY
from copilot.store.conversations import Conversations, Turn, new_conversation
from copilot.store.embedded_binaries import ServerBinaries, server_binaries
from copilot.store.roles import Role
from tests.integration.audit_support import NOW, Site, append_many, make_site

pytest_plugins = ("tests.integration.audit_fixtures",)

CLOCK = fixed_clock(NOW)


@pytest.fixture(scope="module")
def binaries() -> ServerBinaries:
    """The packaged client programs."""
    return server_binaries()


@pytest.fixture
async def written(audit_own_site: Site, tmp_path: Path) -> AsyncIterator[Site]:
    """Six audit rows and a kept turn."""
    await append_many(audit_own_site, 6)
    database = audit_own_site.database()
    await Conversations(database, CLOCK).append(
        Turn(
            subject="rep.us", conversation=new_conversation(), channel="web", question="where is [ORDER_1]?",
            plan=None, verdict="verified", reason=None, audit_id=str(uuid4()),
        )
    )  # fmt: skip
    await database.close()
    yield audit_own_site
    name = str(conninfo_to_dict(audit_own_site.superuser_dsn)["dbname"])
    maintenance = make_conninfo(audit_own_site.superuser_dsn, dbname="postgres")
    async with await psycopg.AsyncConnection.connect(maintenance, autocommit=True) as admin:
        for row in await (await admin.execute("select datname from pg_database")).fetchall():
            if row[0].startswith(f"{name}_"):
                await admin.execute(psycopg.sql.SQL("drop database {}").format(psycopg.sql.Identifier(row[0])))


async def found(site: Site) -> VerifyReport:
    """Verify with pools of its own."""
    database = site.database()
    try:
        return await verify(database, site.home)
    finally:
        await database.close()


async def databases(site: Site) -> set[str]:
    """This site's database and those made of it."""
    name = conninfo_to_dict(site.superuser_dsn)["dbname"]
    maintenance = make_conninfo(site.superuser_dsn, dbname="postgres")
    async with await psycopg.AsyncConnection.connect(maintenance) as admin:
        rows = await (await admin.execute("select datname from pg_database")).fetchall()
    return {row[0] for row in rows if row[0].startswith(str(name))}


async def restored(site: Site, binaries: ServerBinaries, source: Path) -> RestoreReport:
    """Restore over the site's database."""
    return await restore(site.superuser_dsn, binaries, source, site.home, CLOCK)


async def test_a_backup_comes_back_whole(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    report = await backup(written.superuser_dsn, binaries, file, written.home, CLOCK)
    assert (report.head, report.size) == (6, file.stat().st_size)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await written.as_superuser("truncate audit.entry, audit.blob, state.conversation cascade")
    done = await restored(written, binaries, file)
    assert (done.head, done.signed, done.new_keys) == (6, 6, False)
    after = await found(written)
    assert after.ok, after.findings
    assert after.rows == 6
    assert await written.value("select count(*) from state.turn") == 1
    await append_many(written, 2)
    assert (await found(written)).ok
    assert done.previous in await databases(written)


async def test_an_older_backup_says_what_is_lost(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    file = tmp_path / "older.backup"
    await backup(written.superuser_dsn, binaries, file, written.home, CLOCK)
    await append_many(written, 3)
    done = await restored(written, binaries, file)
    assert (done.head, done.signed) == (6, 9)
    await append_many(written, 5)
    after = await found(written)
    assert after.ok, after.findings
    assert "rows 7 to 9 are lost" in " ".join(after.notes)


async def test_an_unsigned_restore_is_a_truncation(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    await append_many(written, 3)
    await written.as_superuser("delete from audit.entry where id > 6", "delete from audit.blob where entry_id > 6")
    assert {finding.problem for finding in (await found(written)).findings} == {Problem.TRUNCATED}


async def test_neither_keys_nor_passwords_are_in_it(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    await backup(written.superuser_dsn, binaries, file, written.home, CLOCK)
    content = file.read_bytes()
    for key in (written.home / "keys").rglob("*.key"):
        assert key.read_bytes() not in content
        assert key.read_bytes().hex().encode() not in content
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {"manifest.json", "database.dump", CHECKPOINT, PUBLIC_KEY}


async def test_the_owner_backs_up_what_row_security_guards(
    written: Site, binaries: ServerBinaries, tmp_path: Path
) -> None:
    await written.as_superuser(
        "insert into biz.item (source_id, source_key, confirmed_at, valid_from, batch_id, label_region, label_site, "
        "label_channel, label_account, record_class, name, base_unit) "
        "values (1, 'x', now(), now(), 1, 0, 0, 0, 0, 'item', 'Desk', 'pcs')"
    )
    file = tmp_path / "owner.backup"
    await backup(written.dsn(Role.OWNER), binaries, file, written.home, CLOCK)
    await restored(written, binaries, file)
    assert await written.value("select name from biz.item") == "Desk"
    forced = "select count(*) from pg_class where relforcerowsecurity and relnamespace = 'biz'::regnamespace"
    assert await written.value(forced)
    assert await written.value("select count(*) from pg_policy")


async def test_a_table_the_owner_cannot_see_stops_the_backup(
    written: Site, binaries: ServerBinaries, tmp_path: Path
) -> None:
    await written.as_superuser("drop policy owner on biz.item")
    with pytest.raises(BackupError, match=r"biz\.item"):
        await backup(written.dsn(Role.OWNER), binaries, tmp_path / "x", written.home, CLOCK)
    await backup(written.superuser_dsn, binaries, tmp_path / "x", written.home, CLOCK)


async def test_erased_keys_do_not_come_back(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    await backup(written.superuser_dsn, binaries, tmp_path / "one", written.home, CLOCK)
    before = {path.name for path in (written.home / "keys" / "person").iterdir()}
    for path in (written.home / "keys" / "person").iterdir():
        path.unlink()
    await restored(written, binaries, tmp_path / "one")
    assert before
    assert not list((written.home / "keys" / "person").iterdir())
    assert (await found(written)).ok


async def test_a_new_machine_without_the_keys(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    await backup(written.superuser_dsn, binaries, tmp_path / "one", written.home, CLOCK)
    bare = Site(written.superuser_dsn, tmp_path / "bare", written.roles_home)
    bare.home.mkdir()
    assert (await restored(bare, binaries, tmp_path / "one")).new_keys
    assert (bare.home / f"{CHECKPOINT}.before-restore").exists()
    await append_many(bare, 2)
    report = await found(bare)
    assert report.ok, report.findings
    await bare.as_superuser("update audit.entry set stamp = '' where id = 8")
    assert not (await found(bare)).ok


async def test_a_new_machine_with_the_keys(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    await backup(written.superuser_dsn, binaries, tmp_path / "one", written.home, CLOCK)
    other = Site(written.superuser_dsn, tmp_path / "other", written.roles_home)
    shutil.copytree(written.home / "keys", other.home / "keys")
    assert not (await restored(other, binaries, tmp_path / "one")).new_keys
    assert (await found(other)).ok
    await other.as_superuser("update audit.entry set verdict = 'x' where id = 2")
    assert not (await found(other)).ok


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's account can pass, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="copilot-backup-", dir="/var/tmp" if os.geteuid() == 0 else None)).resolve()
    folder.chmod(0o755)
    yield folder
    embedded.stop(folder / "home")
    shutil.rmtree(folder)


async def test_restored_after_the_server_was_killed(place: Path, binaries: ServerBinaries, tmp_path: Path) -> None:
    server = embedded.ensure_running(place / "home", progress=lambda text: None)
    site = await make_site(server.superuser_dsn, place / "home", place / "home")
    await append_many(site, 20)
    await backup(site.superuser_dsn, binaries, tmp_path / "one", site.home, CLOCK)
    appending = asyncio.create_task(append_many(site, 100_000))
    await asyncio.sleep(0.5)
    pid = embedded.status(place / "home").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Exception, match="audit row could not be written"):
        await appending
    server.stop()
    server = embedded.ensure_running(place / "home", progress=lambda text: None)
    site = Site(make_conninfo(server.superuser_dsn, dbname=conninfo_to_dict(site.superuser_dsn)["dbname"]),
                site.home, site.roles_home)  # fmt: skip
    crashed = await found(site)
    assert crashed.ok, crashed.findings
    assert crashed.rows > 20
    done = await restored(site, binaries, tmp_path / "one")
    assert done.head == 20
    report = await found(site)
    assert report.ok, report.findings
    assert report.rows == 20
    assert "are lost" in " ".join(report.notes)
    server.stop()


# --- what can go wrong -------------------------------------------------------------------------------------


async def test_an_existing_file_is_not_overwritten(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("precious")
    with pytest.raises(BackupError, match="exists"):
        await backup(written.superuser_dsn, binaries, tmp_path / "here", written.home, CLOCK)
    assert (tmp_path / "here").read_text() == "precious"


async def test_a_full_disk(written: Site, binaries: ServerBinaries, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written.home / "out"
    folder.mkdir()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(BackupError, match="full"):
        await backup(written.superuser_dsn, binaries, folder / "x", written.home, CLOCK)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("missing", ["no/such/folder/x", "."])
async def test_a_place_that_cannot_be_written(
    written: Site, binaries: ServerBinaries, tmp_path: Path, missing: str
) -> None:
    with pytest.raises(BackupError):
        await backup(written.superuser_dsn, binaries, tmp_path / missing, written.home, CLOCK)


@pytest.mark.parametrize("damage", ["absent", "text", "other_zip", "short", "flipped", "empty"])
async def test_a_file_that_is_no_whole_backup(
    written: Site, binaries: ServerBinaries, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "one"
    await backup(written.superuser_dsn, binaries, file, written.home, CLOCK)
    content = file.read_bytes()
    if damage == "absent":
        file.unlink()
    elif damage == "other_zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x", "y")
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        file.write_bytes({"text": b"hello", "short": content[:middle], "flipped": flipped, "empty": b""}[damage])
    before = await databases(written)
    with pytest.raises(BackupError) as refusal:
        await restored(written, binaries, file)
    assert "\n" not in str(refusal.value)
    assert await databases(written) == before
    assert (await found(written)).rows == 6


async def test_a_database_in_use(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    await backup(written.superuser_dsn, binaries, tmp_path / "one", written.home, CLOCK)
    before = await databases(written)
    async with await psycopg.AsyncConnection.connect(written.superuser_dsn):
        with pytest.raises(BackupError, match="in use"):
            await restored(written, binaries, tmp_path / "one")
    assert await databases(written) == before


async def test_a_newer_schema(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    await backup(written.superuser_dsn, binaries, tmp_path / "one", written.home, CLOCK)
    with zipfile.ZipFile(tmp_path / "one") as old, zipfile.ZipFile(tmp_path / "newer", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                manifest["migrations"].append("9999_later.sql")
                content = json.dumps(manifest).encode()
            new.writestr(name, content)
    with pytest.raises(BackupError, match="newer"):
        await restored(written, binaries, tmp_path / "newer")


async def test_a_failure_half_way_leaves_what_was_there(
    written: Site, binaries: ServerBinaries, tmp_path: Path
) -> None:
    await backup(written.superuser_dsn, binaries, tmp_path / "one", written.home, CLOCK)
    with zipfile.ZipFile(tmp_path / "one") as old, zipfile.ZipFile(tmp_path / "bad", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[: len(content) // 2] if name == "database.dump" else content)
    before = await databases(written)
    with pytest.raises(BackupError, match="pg_restore"):
        await restored(written, binaries, tmp_path / "bad")
    assert await databases(written) == before
    assert (await found(written)).ok


async def test_a_server_that_is_not_there(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    with pytest.raises(BackupError):
        await backup(make_conninfo(written.superuser_dsn, port=1), binaries, tmp_path / "x", written.home, CLOCK)


async def test_nothing_to_back_up(written: Site, binaries: ServerBinaries, tmp_path: Path) -> None:
    empty = make_conninfo(written.superuser_dsn, dbname="postgres")
    with pytest.raises(BackupError, match="nothing to back up"):
        await backup(empty, binaries, tmp_path / "x", written.home, CLOCK)
    assert not (tmp_path / "x").exists()
