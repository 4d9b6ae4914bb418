"""The data folder of the embedded PostgreSQL and the password that opens it.

Nothing here starts the server, and nothing here changes a data folder that isn't ours.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from copilot.errors import StartupError
from copilot.store.embedded_account import Account, user_name
from copilot.store.embedded_process import MAJOR, Layout, open_private
from copilot.store.embedded_sentences import FREE_BYTES, Pace, Progress, disk_full, refuse_from_log

SUPERUSER = "postgres"
INITDB_SECONDS = 600.0
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}


def read_password(layout: Layout) -> str | None:
    """Return the superuser's password, or None if the file is missing or empty."""
    try:
        return layout.password.read_text().strip() or None
    except FileNotFoundError:
        return None


def new_password(layout: Layout) -> str:
    """Draw a password and keep it in its file, whole or not at all."""
    password = secrets.token_urlsafe(32)
    write_private(layout.password, password)
    return password


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file by renaming, so that no crash leaves half of it."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(open_private(part, os.O_WRONLY), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def reset_password(layout: Layout, account: Account, folder: Path) -> str:
    """Give the stopped server a new superuser password; whoever owns the data may do that anyway."""
    password = secrets.token_urlsafe(32)
    done = subprocess.run(
        [folder / "postgres", "--single", "-D", layout.data, "-c", "log_statement=none", "postgres"],
        input=f"ALTER ROLE {SUPERUSER} PASSWORD '{password}';\n".encode(),
        capture_output=True,
        cwd="/",
        env=ENVIRONMENT,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
    )
    if done.returncode != 0 or b"ERROR" in done.stderr:
        refuse_from_log(layout, done.stderr.decode(errors="replace"))
    write_private(layout.password, password)
    return password


def ensure_cluster(layout: Layout, account: Account, folder: Path, progress: Progress) -> None:
    """Make the data folder if there is none, and see that the server may use the one there is."""
    _clear_parts(layout)
    if not _has_cluster(layout, account):
        _initialise(layout, account, folder, progress)
    _restrict(layout.data)
    # Nobody runs it (the caller looked), so a pid file is stale; PostgreSQL itself would refuse to
    # start if that number now belonged to another process of this account.
    (layout.data / "postmaster.pid").unlink(missing_ok=True)


def _clear_parts(layout: Layout) -> None:
    """Remove what an interrupted initialisation left: it never held data."""
    for part in layout.home.glob(f"{layout.data.name}.part-*"):
        if not part.is_symlink():
            shutil.rmtree(part)


def _has_cluster(layout: Layout, account: Account) -> bool:
    data = layout.data
    try:
        entries = {entry.name for entry in data.iterdir()}
    except FileNotFoundError:
        _refuse_other_majors(layout)
        return False
    except PermissionError:
        _refuse_owner(data, account)
    if not entries:
        return False
    _refuse_other_version(data)
    if "global" not in entries or not (data / "global" / "pg_control").is_file():
        _refuse_incomplete(data)
    if data.stat().st_uid != (os.geteuid() if account.uid is None else account.uid):
        _refuse_owner(data, account)
    return True


def _refuse_owner(data: Path, account: Account) -> NoReturn:
    owner = user_name(data.stat().st_uid)
    raise StartupError(
        f"The data folder {str(data)!r} belongs to {owner!r} but the database would run as {account.name!r}: "
        "start as its owner, change the owner of everything in it, or set COPILOT_HOME to another folder."
    )


def _refuse_incomplete(data: Path) -> NoReturn:
    raise StartupError(
        f"The folder {str(data)!r} is not a complete PostgreSQL data folder and was left as it is: "
        "move it away to start with a new one, or set COPILOT_HOME to another folder."
    )


def _refuse_other_version(data: Path) -> None:
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        _refuse_incomplete(data)
    if found != str(MAJOR):
        _refuse_major(data, found)


def _refuse_other_majors(layout: Layout) -> None:
    """Refuse to begin anew beside the folder of another major: it would look as if the data were lost."""
    for other in sorted(layout.home.glob("pg[0-9]*")):
        if re.fullmatch(r"pg\d+", other.name) and (other / "PG_VERSION").is_file():
            _refuse_major(other, (other / "PG_VERSION").read_text().strip())


def _refuse_major(data: Path, found: str) -> NoReturn:
    raise StartupError(
        f"The data folder {str(data)!r} was made by PostgreSQL {found!r}, this program brings {MAJOR}: make a backup "
        "with the version of this program that wrote it, move the folder away and restore; nothing was changed."
    )


def _initialise(layout: Layout, account: Account, folder: Path, progress: Progress) -> None:
    """Run initdb beside the final place and rename at the end, so that an interruption leaves no half."""
    if shutil.disk_usage(layout.home).free < FREE_BYTES:
        raise disk_full(layout.home)
    progress("Preparing the database folder, once")
    part = Path(tempfile.mkdtemp(prefix=f"{layout.data.name}.part-", dir=layout.home))
    try:
        _restrict(part)
        secret = part / "secret"
        write_private(secret, new_password(layout))
        for path in (part, secret):
            account.own(path)
        _run_initdb(layout, account, [folder / "initdb", *_initdb_options(part / "data", secret)], progress)
        (part / "data").rename(layout.data)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _restrict(folder: Path) -> None:
    """PostgreSQL wants its folder closed to everybody else."""
    if stat.S_IMODE(folder.stat().st_mode) == 0o700:
        return
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        raise StartupError(
            f"The file system of {str(folder.parent)!r} does not keep permissions, so the database cannot be closed "
            "to other users there: set COPILOT_HOME to a folder on a local disk."
        )


def _initdb_options(data: Path, secret: Path) -> list[str]:
    """Sorting and case come from PostgreSQL itself, so they are the same on every platform.

    The system's locale is C because macOS has no C.UTF-8; full text follows the builtin one since 18.
    """
    return [
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--data-checksums",
        "--no-instructions",
    ]


def _run_initdb(layout: Layout, account: Account, command: list[Path | str], progress: Progress) -> None:
    pace = Pace(progress, "Still preparing the database folder")
    begun = time.monotonic()
    # In our process group on purpose: Ctrl-C reaches initdb too, which then removes its part.
    with tempfile.TemporaryFile(dir=layout.home) as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=ENVIRONMENT,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
        try:
            while child.poll() is None:
                pace(time.monotonic() - begun)
                if time.monotonic() - begun > INITDB_SECONDS:
                    raise TimeoutError(f"initdb was not done after {INITDB_SECONDS:.0f} s")
                time.sleep(0.02)
        finally:
            child.kill()
            child.wait()
        output.seek(0)
        if child.returncode != 0:
            refuse_from_log(layout, output.read().decode(errors="replace"))
