"""The running embedded PostgreSQL: its files, its locks, its pid file, its end.

This file imports the standard library only, because it is also the watchdog:
`embedded.py` starts it as a script of its own, which outlives a killed parent.

Who uses the server is kept in locks the kernel drops when a process dies:

* `door`: held (exclusive) for the length of one start or stop, by whoever does it;
* `users`: held (shared) by every program that uses the server, taken in the door.
  Somebody standing in the door who could take it exclusively knows that nobody is left;
* `watch`: held (exclusive) by the watchdog for as long as it lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

MAJOR = 18
POLL_SECONDS = 0.02
DOOR_SECONDS = 600.0
FAST_STOP_SECONDS = 60.0
IMMEDIATE_STOP_SECONDS = 15.0
WATCH_SECONDS = 0.5
LOG_BYTES = 10_000_000
LOG_KEPT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of the embedded server lies below the user's data folder."""

    home: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder, named by major version so that two can lie side by side."""
        return self.home / f"pg{MAJOR}"

    @property
    def password(self) -> Path:
        """The superuser's password, readable by its owner only."""
        return self.home / f"pg{MAJOR}.password"

    @property
    def port(self) -> Path:
        """The port used last, tried first at the next start."""
        return self.home / f"pg{MAJOR}.port"

    @property
    def log(self) -> Path:
        """The server's log; the watchdog keeps it below `LOG_BYTES`."""
        return self.home / f"pg{MAJOR}.log"

    @property
    def door(self) -> Path:
        """Lock file: one start or stop at a time."""
        return self.home / f"pg{MAJOR}.door"

    @property
    def users(self) -> Path:
        """Lock file: shared by every program that uses the server."""
        return self.home / f"pg{MAJOR}.users"

    @property
    def watch(self) -> Path:
        """Lock file of the watchdog, holding its process id."""
        return self.home / f"pg{MAJOR}.watch"


def open_private(path: Path, flags: int) -> int:
    """Open or make a file only its owner can read. Returns the descriptor."""
    fd = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        # After one start with sudo, the folder's owner must still be able to start without.
        folder = path.parent.stat()
        os.fchown(fd, folder.st_uid, folder.st_gid)
    return fd


def try_lock(fd: int) -> bool:
    """Take the exclusive lock if it is free now."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take_share(layout: Layout) -> int:
    """Count the caller among the users until the returned descriptor is closed."""
    fd = open_private(layout.users, os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


def in_use(layout: Layout) -> bool:
    """Whether any program, this one included, counts itself among the users.

    Ask only while standing in the door: the try itself takes the lock for a moment,
    and shares are taken in the door, so the answer stays true until one leaves it.
    """
    fd = open_private(layout.users, os.O_RDWR)
    try:
        return not try_lock(fd)
    finally:
        os.close(fd)


def silent(_seconds: float) -> None:
    """Report nothing; the default of everything that waits."""


@contextlib.contextmanager
def standing_in_door(
    layout: Layout,
    *,
    patience: float = DOOR_SECONDS,
    waiting: Callable[[float], None] = silent,
) -> Generator[None]:
    """Hold the door, waiting for whoever starts or stops the server just now.

    Raises TimeoutError after `patience` seconds.
    """
    fd = open_private(layout.door, os.O_RDWR)
    try:
        begun = time.monotonic()
        while not try_lock(fd):
            waited = time.monotonic() - begun
            if waited > patience:
                raise TimeoutError(f"the lock {layout.door} was not free for {patience:.0f} s")
            waiting(waited)
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(fd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    """A live server process, as its pid file describes it."""

    pid: int
    port: int | None
    status: str

    @property
    def ready(self) -> bool:
        """Whether it takes connections (after a crash: recovery is over)."""
        return self.status == "ready" and self.port is not None


def read_pid_file(data: Path) -> Postmaster | None:
    """Return what `postmaster.pid` says, true or stale; None if it is missing or not written yet."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    port = lines[3].strip() if len(lines) > 3 else ""
    status = lines[7].strip() if len(lines) > 7 else "starting"
    return Postmaster(pid=pid, port=int(port) if port.isdigit() else None, status=status)


def is_postmaster_of(pid: int, data: Path) -> bool:
    """Whether this process is a PostgreSQL server working in this data folder.

    A pid in a stale file may belong to anything by now, so its number proves nothing.
    """
    if pid <= 0:
        return False
    process = Path(f"/proc/{pid}")
    if not Path("/proc/self/cwd").exists():
        return _is_listed_postmaster(pid, data)
    try:
        if (process / "comm").read_text().strip() != "postgres":
            return False
        return (process / "cwd").samefile(data)
    except OSError:
        return False  # gone, a zombie, or another user's


def _is_listed_postmaster(pid: int, data: Path) -> bool:
    """Do the same where there is no /proc (macOS)."""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return "postgres -D " in listed and str(data) in listed


def running_postmaster(data: Path) -> Postmaster | None:
    """Return the server of this data folder, if it lives."""
    named = read_pid_file(data)
    if named is None or not is_postmaster_of(named.pid, data):
        return None
    return named


def wait_gone(pid: int, data: Path, patience: float) -> bool:
    """Wait until that server process has ended."""
    deadline = time.monotonic() + patience
    while is_postmaster_of(pid, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def stop_postmaster(data: Path) -> bool:
    """Stop the server, within a checkpoint if it can. Returns whether one was running.

    Raises TimeoutError if the process survives even an immediate shutdown.
    """
    server = running_postmaster(data)
    if server is None:
        return False
    stages = ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS))
    for stage, patience in stages:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, stage)
        if wait_gone(server.pid, data, patience):
            return True
    raise TimeoutError(f"PostgreSQL (process {server.pid}) does not stop")


def start_watchdog(layout: Layout, linger: float) -> subprocess.Popen[bytes] | None:
    """Start the watchdog unless one lives. The caller stands in the door and reaps the child."""
    fd = open_private(layout.watch, os.O_RDWR)
    try:
        if not try_lock(fd):
            return None
        # The child inherits the locked descriptor, so there is no moment without a holder.
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(layout.home), str(linger), str(fd)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            pass_fds=(fd,),
            start_new_session=True,
        )
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(child.pid).encode(), 0)
        return child
    finally:
        os.close(fd)


def end_watchdog(layout: Layout) -> None:
    """End the watchdog, if one lives, and wait for its end. The caller stands in the door."""
    fd = open_private(layout.watch, os.O_RDWR)
    try:
        if try_lock(fd):
            return
        pid = os.pread(fd, 20, 0)
        if pid.isdigit():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)
        for _ in range(250):
            if try_lock(fd):
                return
            time.sleep(POLL_SECONDS)
    finally:
        os.close(fd)


def trim_log(path: Path) -> None:
    """Cut the log to its last part once it is too long.

    Truncating in place is safe: the server appends, so it goes on at the new end.
    """
    try:
        if path.stat().st_size <= LOG_BYTES:
            return
        with path.open("r+b") as log:
            log.seek(-LOG_KEPT_BYTES, os.SEEK_END)
            kept = log.read(LOG_KEPT_BYTES)
            log.truncate(0)
        with path.open("ab") as log:
            log.write(kept)
    except OSError:
        return  # a log that can't be trimmed is no reason to stop anything


def _watch(layout: Layout, linger: float) -> None:
    """Stop the server once nobody has used it for `linger` seconds, then end."""
    unused_since: float | None = None
    while layout.home.is_dir():
        # A busy door, or a server that takes its time to stop: look again later.
        with contextlib.suppress(TimeoutError), standing_in_door(layout, patience=0):
            if in_use(layout):
                unused_since = None
            elif running_postmaster(layout.data) is None:
                return
            else:
                unused_since = unused_since or time.monotonic()
                if time.monotonic() - unused_since >= linger:
                    stop_postmaster(layout.data)
                    return
        trim_log(layout.log)
        time.sleep(WATCH_SECONDS)


def main(arguments: list[str]) -> None:
    """Be the watchdog: HOME LINGER FD, the last being the inherited, locked descriptor."""
    home, linger, _held = arguments
    _watch(Layout(Path(home)), float(linger))


if __name__ == "__main__":
    main(sys.argv[1:])
