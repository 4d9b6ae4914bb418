"""Erasing somebody: what goes, what stays, and that it holds whatever comes back, wherever it was interrupted."""

from __future__ import annotations

import inspect
import json
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from copilot.domain.clock import fixed_clock
from copilot.domain.session import Account, Entrusted, Vouched
from copilot.errors import SettingsError, SignInError
from copilot.store.audit import AuditLog, sealed_blobs
from copilot.store.audit_verify import verify
from copilot.store.backup import backup, restore
from copilot.store.conversations import Conversations, Turn, new_conversation
from copilot.store.directory import Directory
from copilot.store.directory_changes import DirectoryChanges, NewGrant
from copilot.store.embedded_binaries import server_binaries
from copilot.store.erasing import Erasing
from copilot.store.erasure_list import ERASURES, ErasureList
from copilot.store.erasures import ERASED, bring_about, faults_of
from copilot.store.pool import Database
from copilot.store.reviews import Reviews
from copilot.store.roles import Role
from copilot.store.sealing import KeyErasedError, KeyRing
from copilot.store.sessions import Sessions
from copilot.store.vaults import KeptVault, Vaults
from redaction.vault import Kept, Vault
from tests.integration.audit_support import NOW, Site, entry

pytest_plugins = ("tests.integration.audit_fixtures",)

CLOCK = fixed_clock(NOW)
LATER = fixed_clock(NOW + timedelta(days=1))
SECRET = "zorvexin"
ACCOUNT = Account("https://provider.example", "ext-1")


@dataclass(frozen=True, slots=True)
class Place:
    """A site with its pools and its audit."""

    site: Site
    database: Database
    audit: AuditLog

    def erasing(self, clock: Callable[[], Any] = CLOCK) -> Erasing:
        return Erasing(self.database, self.site.home, clock, self.audit, self.site.superuser_dsn, "op", "1")

    async def readable(self) -> str:
        """Everything that stands in the state and the directory in the clear."""
        found: list[str] = []
        async with await psycopg.AsyncConnection.connect(self.site.superuser_dsn) as admin:
            tables = await (
                await admin.execute(
                    "select format('%I.%I', schemaname, tablename) from pg_tables"
                    " where schemaname in ('state', 'directory', 'audit')"
                )
            ).fetchall()
            for (table,) in tables:
                rows = await (await admin.execute(f"select t::text from {table} t".encode())).fetchall()
                found += [row[0] for row in rows]
        return "\n".join(found)

    async def opens(self, audit_id: str) -> list[bytes]:
        """What the sealed values of an answer open to."""
        opened: list[bytes] = []
        for blob in await sealed_blobs(self.database, audit_id):
            try:
                opened.append(blob.open(KeyRing(self.site.home)))
            except KeyErasedError:
                continue
        return opened

    async def faults(self) -> list[str]:
        async with self.database.connection(Role.OWNER) as owner:
            return [*await faults_of(owner, self.site.home)]

    async def start(self) -> None:
        """What every start does."""
        async with self.database.connection(Role.OWNER) as owner:
            await bring_about(owner, self.site.home)

    async def chain(self) -> tuple[bool, int]:
        report = await verify(self.database, self.site.home)
        return report.ok, report.rows


@asynccontextmanager
async def opened(site: Site) -> AsyncIterator[Place]:
    database = site.database()
    audit = AuditLog(database, site.home, CLOCK)
    try:
        yield Place(site, database, audit)
    finally:
        await audit.close()
        await database.close()


@pytest.fixture
async def place(audit_own_site: Site) -> AsyncIterator[Place]:
    async with opened(audit_own_site) as made:
        yield made
    name = str(conninfo_to_dict(audit_own_site.superuser_dsn)["dbname"])
    maintenance = make_conninfo(audit_own_site.superuser_dsn, dbname="postgres")
    async with await psycopg.AsyncConnection.connect(maintenance, autocommit=True) as admin:
        for (each,) in await (await admin.execute("select datname from pg_database")).fetchall():
            if each.startswith(f"{name}_"):
                await admin.execute(psycopg.sql.SQL("drop database {}").format(psycopg.sql.Identifier(each)))


@pytest.fixture
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not the data folder, which `tmp_path` is."""
    return tmp_path_factory.mktemp("apart")


async def lived(place: Place, subject: str, words: str, clock: Callable[[], Any] = CLOCK) -> str:
    """Somebody used it: the audit id of one answer. `words` are wherever something of theirs is kept."""
    database, home = place.database, place.site.home
    changes = DirectoryChanges(database, clock, "op")
    async with database.connection(Role.OWNER) as owner:
        known = await (await owner.execute("select 1 from directory.person where subject = %s", [subject])).fetchone()
    if not known:
        grant = NewGrant(role="planner", first=NOW)
        await changes.add_person(subject, f"{words} Name", home=None, local=True, grant=grant)
    sessions = Sessions(database, KeyRing(home), clock)
    external = replace(ACCOUNT, external=f"{words}-{subject}")
    vouched = Vouched(account=external, subject=subject, name=f"{words} Provided", groups=("g",), at=clock())
    await sessions.start(
        external, await sessions.vouch(vouched), None, Entrusted(refresh="r", id_token="i"), timedelta(hours=1)
    )
    asked = replace(entry(1, subject, f"where is {words}?"), answer={"answer": f"no {words} here"})
    receipt = await place.audit.append(asked)
    conversation = new_conversation()
    vault = Vault({"<PERSON_1>": Kept(words)})
    assert await Vaults(database, home, clock).keep(subject, conversation, KeptVault(vault))
    kept = Conversations(database, clock)
    await kept.append(
        Turn(
            subject=subject, conversation=conversation, channel="web", question=f"where is {words}?", plan={"w": words},
            verdict="declined", reason=words, audit_id=receipt.audit_id,
        )
    )  # fmt: skip
    await kept.rate(subject, receipt.audit_id, helpful=False, comment=words)
    number = await Reviews(database, clock).open(subject, conversation, receipt.audit_id, words)
    assert number
    await Reviews(database, clock).close(number, by="kim", note=f"they said {words}")
    return receipt.audit_id


async def test_everything_goes_but_the_chain(place: Place) -> None:
    gone = await lived(place, "anna", SECRET)
    stays = await lived(place, "ben", "plomqua")
    assert SECRET in await place.readable()
    assert len(await place.opens(gone)) == 2
    done = await place.erasing().erase("anna")
    assert (done.keys, done.before) == (1, None)
    removed = done.removed
    assert (removed.conversations, removed.turns, removed.vaults, removed.ratings, removed.reviews) == (1, 1, 1, 1, 1)
    assert (removed.sessions, removed.accounts, removed.grants) == (1, 1, 1)
    found = await place.readable()
    assert SECRET not in found
    assert found.count("plomqua") >= 10
    assert await place.opens(gone) == []
    assert len(await place.opens(stays)) == 2
    assert await place.chain() == (True, 3)
    assert await place.site.value("select name from directory.person where subject = 'anna'") == ERASED
    with pytest.raises(SignInError):
        await Directory(place.database).principal("anna", NOW)
    assert await Directory(place.database).principal("ben", NOW)
    row = str(await place.site.value("select e::text from audit.entry e where kind = 'erasure'"))
    assert "anna" not in row
    assert "operator:op" in row
    assert await place.faults() == []


async def test_the_list_is_private_and_names_nobody(place: Place) -> None:
    await lived(place, "anna", SECRET)
    await place.erasing().erase("anna")
    file = place.site.home / ERASURES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (line,) = file.read_text().splitlines()
    assert "anna" not in line
    assert json.loads(line)["keys"]


async def test_a_question_under_way_leaves_nothing(place: Place) -> None:
    await lived(place, "anna", SECRET)
    await place.erasing().erase("anna")
    with pytest.raises(KeyErasedError):
        await place.audit.append(entry(2, "anna", SECRET))
    vault = KeptVault(Vault({"<PERSON_1>": Kept(SECRET)}))
    with pytest.raises(KeyErasedError):
        await Vaults(place.database, place.site.home, CLOCK).keep("anna", new_conversation(), vault)
    assert not list((place.site.home / "keys" / "person").glob(f"{KeyRing(place.site.home).pseudonym('anna')}.key"))
    assert await place.chain() == (True, 2)


async def test_the_provider_brings_nobody_back(place: Place) -> None:
    await lived(place, "anna", SECRET)
    await place.erasing().erase("anna")
    sessions = Sessions(place.database, KeyRing(place.site.home), CLOCK)
    account = replace(ACCOUNT, external=f"{SECRET}-anna")
    with pytest.raises(SignInError):
        await sessions.vouch(Vouched(account=account, subject="anna", name=SECRET, groups=("g",), at=NOW))
    assert SECRET not in await place.readable()


async def test_twice_is_said_and_changes_nothing(place: Place) -> None:
    await lived(place, "anna", SECRET)
    await place.erasing().erase("anna")
    list_before = (place.site.home / ERASURES).read_bytes()
    again = await place.erasing(LATER).erase("anna")
    assert again.before is not None
    assert (again.keys, again.removed) == (0, replace(again.removed, conversations=0, turns=0, vaults=0, sessions=0))
    assert (place.site.home / ERASURES).read_bytes() == list_before
    assert await place.chain() == (True, 2)


@pytest.mark.parametrize("subject", ["nobody.at.all", "", "nobody", "operator:op", "Anna"])
async def test_somebody_unknown_is_named_and_nothing_changes(place: Place, subject: str) -> None:
    await lived(place, "anna", SECRET)
    before = await place.readable()
    with pytest.raises(SettingsError, match=subject or "''"):
        await place.erasing().erase(subject)
    assert await place.readable() == before
    assert not (place.site.home / ERASURES).exists()


async def test_somebody_known_from_the_audit_alone(place: Place) -> None:
    receipt = await place.audit.append(entry(1, "left.long.ago", SECRET))
    done = await place.erasing().erase("left.long.ago")
    assert done.keys == 1
    assert await place.opens(receipt.audit_id) == []
    assert await place.site.value("select disabled from directory.person where subject = 'left.long.ago'") is True


async def test_somebody_with_nothing_kept(place: Place) -> None:
    changes = DirectoryChanges(place.database, CLOCK, "op")
    await changes.add_person("new", SECRET, home=None, local=False, grant=NewGrant(role="planner", first=NOW))
    done = await place.erasing().erase("new")
    assert (done.keys, done.removed.conversations, done.removed.names) == (0, 0, 1)
    assert SECRET not in await place.readable()


async def test_the_log_of_the_directory_loses_the_name_and_nothing_else(place: Place) -> None:
    await lived(place, "anna", SECRET)
    await place.erasing().erase("anna")
    shown = "select string_agg(action || told::text, ' ' order by id) from directory.log where subject = 'anna'"
    text = str(await place.site.value(shown))
    assert "person add{}" in text
    assert '"role": "planner"' in text
    for statement in (
        "update directory.log set operator = 'x'",
        "update directory.log set told = '{}'",
        "delete from directory.log",
        "truncate directory.log",
    ):
        with pytest.raises(psycopg.errors.RaiseException):
            await place.site.as_superuser(statement, replica=False)


async def test_somebody_who_comes_back_is_new(place: Place) -> None:
    old = await lived(place, "anna", SECRET)
    saved = place.site.home / "keys-before"
    shutil.copytree(place.site.home / "keys", saved)
    await place.erasing().erase("anna")
    KeyRing(place.site.home).let_in_again("anna")
    await DirectoryChanges(place.database, CLOCK, "op").disable("anna", disabled=False)
    new = await lived(place, "anna", "plomqua", LATER)
    assert "plomqua Provided" in await place.readable()
    await place.start()
    await place.erasing(LATER).replay()
    assert len(await place.opens(new)) == 2
    assert "plomqua" in await place.readable()
    shutil.rmtree(place.site.home / "keys")
    shutil.copytree(saved, place.site.home / "keys")
    assert len(await place.opens(old)) == 2
    await place.start()
    assert await place.opens(old) == []
    again = await place.erasing(LATER).erase("anna")
    assert again.before is None
    assert "plomqua" not in await place.readable()
    assert len(ErasureList(place.site.home).read().erasures) == 2
    assert (await place.chain())[0]


async def test_a_key_that_came_back_goes_at_the_start(place: Place) -> None:
    gone = await lived(place, "anna", SECRET)
    stays = await lived(place, "ben", "plomqua")
    saved = place.site.home / "saved"
    shutil.copytree(place.site.home / "keys", saved)
    await place.erasing().erase("anna")
    shutil.copytree(saved, place.site.home / "keys", dirs_exist_ok=True)
    await place.start()
    assert await place.opens(gone) == []
    assert len(await place.opens(stays)) == 2


STEPS = ((Erasing, "_on_list"), (KeyRing, "erase_person"), (KeyRing, "destroy"), (Erasing, "_rows"),
         (Erasing, "_copies"), (Erasing, "_record"))  # fmt: skip


class Cut(Exception):  # noqa: N818 -- the power
    pass


def cut(plain: Any, *, after: bool) -> Any:
    """A step with the power cut before or after it."""

    async def waiting(*arguments: Any, **named: Any) -> None:
        if after:
            await plain(*arguments, **named)
        raise Cut

    def blocking(*arguments: Any, **named: Any) -> None:
        if after:
            plain(*arguments, **named)
        raise Cut

    return waiting if inspect.iscoroutinefunction(plain) else blocking


@pytest.mark.parametrize("then", ["again", "start"])
async def test_interrupted_anywhere_it_is_completed(place: Place, monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    for number, (where, step) in enumerate(STEPS):
        for after in (False, True):
            subject, words = f"anna-{step}-{after}", f"zorvexin{number}{after}"
            gone = await lived(place, subject, words)
            listed = len(ErasureList(place.site.home).read().erasures)
            with monkeypatch.context() as patched:
                patched.setattr(where, step, cut(getattr(where, step), after=after))
                with pytest.raises(Cut):
                    await place.erasing().erase(subject)
            begun = len(ErasureList(place.site.home).read().erasures) > listed
            assert begun == (step != "_on_list" or after)
            if then == "start" and begun:
                await place.start()
            else:
                await place.erasing().erase(subject)
            assert words not in await place.readable()
            assert await place.opens(gone) == []
            await place.erasing().erase(subject)
            assert len(ErasureList(place.site.home).read().erasures) == listed + 1
    assert await place.site.value("select count(*) from audit.entry where kind = 'erasure'") == 2 * len(STEPS)
    assert (await place.chain())[0]


# --- what comes back ---------------------------------------------------------------------------------------


async def back_up(place: Place, file: Path) -> None:
    await backup(place.site.superuser_dsn, server_binaries(), file, place.site.home, CLOCK)


@asynccontextmanager
async def restored(place: Place, file: Path) -> AsyncIterator[tuple[Place, Any]]:
    """The site after an older backup took its database's place."""
    await place.audit.close()
    await place.database.close()
    report = await restore(place.site.superuser_dsn, server_binaries(), file, place.site.home, LATER)
    async with opened(place.site) as after:
        yield after, report


async def test_yesterdays_backup_brings_nobody_back(place: Place, apart: Path) -> None:
    gone, stays = await lived(place, "anna", SECRET), await lived(place, "ben", "plomqua")
    await back_up(place, apart / "one.backup")
    saved = apart / "keys-saved"
    shutil.copytree(place.site.home / "keys", saved)
    await place.erasing().erase("anna")
    shutil.copytree(saved, place.site.home / "keys", dirs_exist_ok=True)
    async with restored(place, apart / "one.backup") as (after, report):
        assert (report.erased.erasures, report.erased.keys) == (1, 1)
        found = await after.readable()
        assert SECRET not in found
        assert "plomqua" in found
        assert await after.opens(gone) == []
        assert len(await after.opens(stays)) == 2
        assert (await after.erasing(LATER).replay()).recorded == 1
        assert (await after.chain())[0]
        assert await after.faults() == []
        with pytest.raises(SignInError):
            await Directory(after.database).principal("anna", NOW)


async def test_what_a_restore_left_behind_is_gone_through_too(place: Place, apart: Path) -> None:
    await lived(place, "anna", SECRET)
    await back_up(place, apart / "one.backup")
    async with restored(place, apart / "one.backup") as (after, report):
        done = await after.erasing(LATER).erase("anna")
        assert done.copies == 1
        copy = Site(make_conninfo(place.site.superuser_dsn, dbname=report.previous), place.site.home, Path())
        async with opened_readonly(copy) as left:
            assert SECRET not in await left.readable()


@asynccontextmanager
async def opened_readonly(site: Site) -> AsyncIterator[Place]:
    """Another database, to look into."""
    none: Any = None
    yield Place(site, none, none)


async def test_a_lost_list_is_found_again_in_the_audit(place: Place, apart: Path) -> None:
    gone = await lived(place, "anna", SECRET)
    saved = apart / "home-before"
    shutil.copytree(place.site.home, saved)
    await place.erasing().erase("anna")
    (place.site.home / ERASURES).unlink()
    assert "is gone: 1 that are on record" in (await place.faults())[0]
    shutil.copytree(saved, place.site.home, dirs_exist_ok=True)
    await place.start()
    assert await place.faults() == []
    assert await place.opens(gone) == []
    assert [each.via for each in ErasureList(place.site.home).read().erasures] == ["audit"]


async def test_a_restore_asks_the_database_that_was_there(place: Place, apart: Path) -> None:
    await lived(place, "anna", SECRET)
    await back_up(place, apart / "one.backup")
    await place.erasing().erase("anna")
    (place.site.home / ERASURES).unlink()
    async with restored(place, apart / "one.backup") as (after, report):
        assert report.listed_again == 1
        assert SECRET not in await after.readable()


async def test_a_copy_of_the_list_kept_elsewhere(place: Place, apart: Path) -> None:
    gone = await lived(place, "anna", SECRET)
    await lived(place, "ben", "plomqua")
    await back_up(place, apart / "one.backup")
    saved, elsewhere = apart / "home-before", apart / "copy.jsonl"
    shutil.copytree(place.site.home, saved)
    await place.erasing().erase("anna")
    shutil.copy(place.site.home / ERASURES, elsewhere)
    shutil.rmtree(place.site.home)
    shutil.copytree(saved, place.site.home)
    await place.site.as_superuser("delete from audit.entry where kind = 'erasure'", "delete from directory.erasure")
    async with restored(place, apart / "one.backup") as (after, _):
        assert SECRET in await after.readable()
        done = await after.erasing(LATER).replay(elsewhere)
        assert (done.added, done.about.erasures, done.about.keys) == (1, 1, 1)
        assert SECRET not in await after.readable()
        assert "plomqua" in await after.readable()
        assert await after.opens(gone) == []
        assert (await after.chain())[0]
        assert (await after.erasing(LATER).replay(elsewhere)).added == 0


async def test_a_list_of_another_installation_is_refused(place: Place, apart: Path) -> None:
    await lived(place, "anna", SECRET)
    await place.erasing().erase("anna")
    other = KeyRing(apart / "other")
    other.person("x")
    shutil.copy(place.site.home / ERASURES, apart / "mine.jsonl")
    assert not ErasureList(apart / "other").read(apart / "mine.jsonl").erasures
    (apart / "text").write_text("hello\n")
    for bad in ("nowhere", "text", "."):
        with pytest.raises(SettingsError, match="list of erasures"):
            await place.erasing().replay(apart / bad)


async def test_an_altered_or_shortened_list_is_noticed(place: Place) -> None:
    for subject in ("anna", "ben", "cleo"):
        await place.audit.append(entry(1, subject, str(uuid4())))
        await place.erasing().erase(subject)
    file = place.site.home / ERASURES
    first, second, third = file.read_bytes().splitlines(keepends=True)
    for content, found in (
        (first + second, "lacks 1"),
        (first + third, "does not follow"),
        (second + first + third, "does not follow"),
        (first + second.replace(b'"at":"2026', b'"at":"2027') + third, "line 2 is not what was written"),
        (b"", "is gone: 3"),
        (first + second + b"{}\n" + third, "line 3 is not what was written"),
    ):
        file.write_bytes(content)
        assert found in " ".join(await place.faults()), content
    file.write_bytes(first + second + third + b'{"id":"cut o')
    assert await place.faults() == []
    await place.audit.append(entry(1, "dan", "x"))
    await place.erasing().erase("dan")
    assert await place.faults() == []
    assert len(ErasureList(place.site.home).read().erasures) == 4


async def test_nothing_can_be_made_up_to_destroy_a_key(place: Place) -> None:
    receipt = await place.audit.append(entry(1, "ben", "x"))
    ring = KeyRing(place.site.home)
    key = ring.person("ben")
    line = {"id": "1", "at": "2026-11-20T00:00:00.000000Z", "person": ring.pseudonym("ben"), "keys": [key.fingerprint]}
    (place.site.home / ERASURES).write_text(json.dumps({**line, "seal": "0" * 64, "link": "0" * 64}) + "\n")
    await place.start()
    assert len(await place.opens(receipt.audit_id)) == 2
