"""Who the embedded PostgreSQL runs as, and whether that account can work in the folder."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from copilot.errors import StartupError
from copilot.store.embedded_process import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who PostgreSQL's processes run as; no ids where that is simply ourselves."""

    name: str
    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        """The further groups of its processes: none of root's."""
        return None if self.uid is None else []

    def own(self, path: Path) -> None:
        """Hand a file or folder to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def prepare_home(layout: Layout) -> Account:
    """Make the folder if it is missing and return who PostgreSQL runs as in it.

    Raises StartupError if that account could not work there.
    """
    root = os.geteuid() == 0
    layout.home.mkdir(parents=True, exist_ok=True, mode=0o711 if root else 0o700)
    if not os.access(layout.home, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(layout.home))
    if not root:
        return Account(name=user_name(os.geteuid()))
    account = _account_for_root(layout)
    _open_way(layout.home, account)
    return account


def user_name(uid: int) -> str:
    """Return the name of a user id, or the id where it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _account_for_root(layout: Layout) -> Account:
    """PostgreSQL refuses to run as root: take the owner of what is there, else a system account."""
    for place in (layout.data, layout.home):
        with contextlib.suppress(FileNotFoundError, KeyError):
            owner = place.stat().st_uid
            if owner != 0:
                return _account(pwd.getpwuid(owner))
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _account(pwd.getpwnam(name))
    raise StartupError("PostgreSQL refuses to run as root and there is no other account: start as an ordinary user.")


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _open_way(home: Path, account: Account) -> None:
    """Let the account pass through our own folder (not look into it); never touch the folders above."""
    if not _passable(home, account):
        home.chmod(stat.S_IMODE(home.stat().st_mode) | 0o011)
    for folder in (home, *home.parents):
        if not _passable(folder, account):
            raise StartupError(
                f"Started by root, the database runs as {account.name!r}, who cannot pass {str(folder)!r}: "
                "set COPILOT_HOME to a folder such as /var/lib/erp-copilot, or start as an ordinary user."
            )


def _passable(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
