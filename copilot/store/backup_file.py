"""The file of a backup: a zip archive around pg_dump's own, which brings a checksum for every part."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from copilot.domain.answer import Json
from copilot.errors import BackupError

FORMAT = 1
DUMP = "database.dump"
_MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself: when it began, which migrations it holds, the audit's head at that time."""

    made_at: str
    migrations: tuple[str, ...]
    head: int

    def to_json(self) -> dict[str, Json]:
        """As written."""
        return {
            "format": FORMAT,
            "made_at": self.made_at,
            "migrations": list(self.migrations),
            "head": self.head,
        }

    @classmethod
    def read(cls, archive: zipfile.ZipFile) -> Manifest:
        """The manifest of a backup. Raises BackupError where there is none of ours."""
        try:
            row: Any = json.loads(archive.read(_MANIFEST))
            written_as = int(row["format"])
            manifest = cls(made_at=str(row["made_at"]), migrations=tuple(row["migrations"]), head=int(row["head"]))
            archive.getinfo(DUMP)
        except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise BackupError(f"{str(archive.filename)!r} is not a backup of this program") from error
        if written_as > FORMAT:
            raise BackupError("the backup was made by a newer version; restore it with that version")
        return manifest


@contextmanager
def new_archive(target: Path) -> Generator[zipfile.ZipFile]:
    """A new archive that gets its name only when it is whole and on the disk."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    with _sentences(target):
        if target.exists():
            raise FileExistsError(target)
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w+b") as out:
                with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
                    yield archive
                out.flush()
                os.fsync(out.fileno())
            os.link(part, target)  # unlike a rename, never over what came to be there meanwhile
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def open_archive(source: Path) -> Generator[zipfile.ZipFile]:
    """The archive of a backup. Raises BackupError where it can't be read."""
    with _sentences(source):
        try:
            archive = zipfile.ZipFile(source)
        except zipfile.BadZipFile as error:
            raise BackupError(f"{str(source)!r} is not a backup of this program, or cut short") from error
    with archive:
        yield archive


def size_of(file: Path) -> int:
    """The size of a file in bytes."""
    return file.stat().st_size


def put_beside(archive: zipfile.ZipFile, files: Mapping[str, Path]) -> None:
    """Add those files that there are, under their names."""
    for name, file in files.items():
        if file.exists():
            archive.writestr(name, file.read_bytes())


def dump_into(archive: zipfile.ZipFile, pg_dump: Path, dsn: str, arguments: Sequence[str]) -> None:
    """Run pg_dump, its output going straight into the archive. Blocks."""
    command = [pg_dump, "--format=custom", "--no-password", "--exclude-table-data=stage.*", *arguments]
    with tempfile.TemporaryFile() as said, archive.open(DUMP, "w", force_zip64=True) as out:
        address, environment = _connection(dsn)
        with subprocess.Popen(
            [*command, f"--dbname={address}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment, cwd="/",
        ) as child:  # fmt: skip
            _pump(child, child.stdout, out)
        _refuse(child.returncode, said, "pg_dump")


def restore_from(archive: zipfile.ZipFile, pg_restore: Path, dsn: str) -> None:
    """Run pg_restore into an empty database, whole or not at all. Blocks."""
    command = [pg_restore, "--no-password", "--single-transaction", "--exit-on-error", "--no-comments"]
    with tempfile.TemporaryFile() as said, archive.open(DUMP) as dump:
        address, environment = _connection(dsn)
        with subprocess.Popen(
            [*command, f"--dbname={address}"],
            stdin=subprocess.PIPE, stdout=said, stderr=said, env=environment, cwd="/",
        ) as child:  # fmt: skip
            _pump(child, dump, child.stdin)
        _refuse(child.returncode, said, "pg_restore")


def _pump(child: subprocess.Popen[bytes], source: IO[bytes] | None, sink: IO[bytes] | None) -> None:
    if source is None or sink is None:
        return
    try:
        shutil.copyfileobj(source, sink, _CHUNK)
        if sink is child.stdin:
            sink.close()
    except BrokenPipeError:
        return  # it gave up, and says why
    except BaseException:
        child.kill()
        raise


def _connection(dsn: str) -> tuple[str, dict[str, str]]:
    """The address for the command line, and the password where no other user can read it."""
    password = conninfo_to_dict(dsn).get("password")
    parts = {key: value for key, value in conninfo_to_dict(dsn).items() if key != "password"}
    environment = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo("", **parts), environment


def _refuse(code: int, said: IO[bytes], program: str) -> None:
    if code == 0:
        return
    said.seek(0)
    lines = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    if any("No space left" in line or "could not extend file" in line for line in lines):
        raise BackupError("the disk of the database is full; free some space and try again")
    told = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "nothing")
    raise BackupError(f"{program} failed and said {told.strip()!r}; nothing was changed")


@contextmanager
def _sentences(file: Path) -> Generator[None]:
    try:
        yield
    except FileExistsError as error:
        raise BackupError(f"{str(file)!r} exists; name another file or remove that one") from error
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise BackupError(f"the disk that holds {str(file)!r} is full; free some space and try again") from error
        raise BackupError(f"{str(file)!r} cannot be used: {error.strerror or error}") from error
