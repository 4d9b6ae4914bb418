"""The embedded PostgreSQL really started, shared, killed and refused, in folders of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from copilot.errors import StartupError
from copilot.store import embedded, embedded_cluster, embedded_process
from copilot.store.embedded_account import prepare_home
from copilot.store.embedded_process import Layout

ROOT = os.geteuid() == 0
REPOSITORY = Path(__file__).parents[2]
IMPORTS = os.pathsep.join([str(REPOSITORY), *(each for each in sys.path if each)])
LINGER = 1.5
HOLDER = f"""
import json, sys
from pathlib import Path
from copilot.store import embedded
embedded.LINGER_SECONDS = {LINGER}
order = json.loads(sys.stdin.readline())
server = embedded.ensure_running(Path(order["home"]), progress=lambda text: None)
said = dict(dsn=server.superuser_dsn, started=server.started_by_us)
print(json.dumps(said), flush=True)
how = sys.stdin.readline().strip()
getattr(server, how or "stop")()
print("done", flush=True)
"""

linux_only = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks into /proc")
root_only = pytest.mark.skipif(not ROOT, reason="needs root")


@pytest.fixture
def place() -> Iterator[Path]:
    """A short-lived folder that the server's account can pass, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="copilot-pg-", dir="/var/tmp" if ROOT else None)).resolve()
    folder.chmod(0o755)
    yield folder
    for data in folder.glob("**/pg18"):
        embedded.stop(data.parent)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A folder with an initialised, stopped server and one row in it, to copy from."""
    folder = Path(tempfile.mkdtemp(prefix="copilot-pg-made-", dir="/var/tmp" if ROOT else None)).resolve()
    folder.chmod(0o755)
    server = start(folder / "home")
    run_sql(server.superuser_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def home(place: Path, made: Path) -> Path:
    """A copy of a data folder that was used before."""
    home = place / "home"
    home.mkdir()
    for path in made.iterdir():
        if path.name.startswith("pg18-bin-"):
            (home / path.name).symlink_to(path)
        else:
            subprocess.run(["cp", "-a", str(path), str(home)], check=True)
    return home


@pytest.fixture(autouse=True)
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the watchdog act soon."""
    monkeypatch.setattr(embedded, "LINGER_SECONDS", LINGER)


def quiet(_text: str) -> None:
    """Take progress and say nothing."""


def start(home: Path) -> embedded.EmbeddedServer:
    return embedded.ensure_running(home, progress=quiet)


def run_sql(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def value(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def processes_of(home: Path) -> set[int]:
    """Every live process that works in the folder or names it: server, its children, watchdog."""
    found: set[int] = set()
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            arguments = (process / "cmdline").read_bytes().decode(errors="replace")
            if process.name.isdigit() and (str(home) in f"{(process / 'cwd').readlink()}\0{arguments}"):
                found.add(int(process.name))
    return found - {os.getpid()}


def wait_until_none(home: Path, seconds: float) -> set[int]:
    deadline = time.monotonic() + seconds
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    return processes_of(home)


class Holder:
    """Another program that uses the server until told to `stop` or `leave`, or killed."""

    def __init__(
        self,
        home: Path,
        *,
        python: str = sys.executable,
        path: str = IMPORTS,
        uid: int | None = None,
        session: bool = False,
    ):
        self.process = subprocess.Popen(
            [python, "-c", HOLDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            start_new_session=session,
        )
        said = json.loads(self.order(json.dumps({"home": str(home)})) or "{}")
        self.dsn, self.started = str(said["dsn"]), bool(said["started"])

    def order(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def end(self, how: str = "stop") -> None:
        assert self.order(how).strip() == "done"
        self.process.communicate(timeout=20)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


# --- starting and stopping ---------------------------------------------------------------------------------


@linux_only
def test_first_start_answers_and_stop_leaves_no_process(place: Path) -> None:
    home = place / "home"
    said: list[str] = []
    server = embedded.ensure_running(home, progress=said.append)
    assert server.started_by_us
    assert server.host == "127.0.0.1"
    assert "Preparing the database folder, once" in said
    assert value(server.superuser_dsn, "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 1
    assert len(processes_of(home)) >= 2
    server.stop()
    assert processes_of(home) == set()
    server.stop()  # twice does nothing
    assert not embedded.status(home).running


def test_the_server_is_as_decided(place: Path) -> None:
    server = start(place / "home")
    expected = {
        "server_version_num": "180004",
        "data_checksums": "on",
        "fsync": "on",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
    }
    assert {name: value(server.superuser_dsn, f"SHOW {name}") for name in expected} == expected
    locale = value(
        server.superuser_dsn, "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname='template1'"
    )
    assert locale == "bC.UTF-8"
    assert value(server.superuser_dsn, "SELECT to_tsvector('simple', 'Größe')::text") == "'größe':1"
    assert value(server.superuser_dsn, "SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules")
    server.stop()


def test_secrets_are_closed_to_others(home: Path) -> None:
    server = start(home)
    layout = Layout(home)
    for path in (layout.password, layout.log, layout.door, layout.users, layout.watch, layout.port):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(layout.data.stat().st_mode) == 0o700
    assert layout.password.read_text() not in repr(server)
    run_sql(server.superuser_dsn, "CREATE ROLE clerk LOGIN PASSWORD 'a-secret-word'")
    with pytest.raises(psycopg.errors.DuplicateObject):
        run_sql(server.superuser_dsn, "CREATE ROLE clerk LOGIN PASSWORD 'a-secret-word'")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.superuser_dsn.replace(layout.password.read_text(), "wrong"))
    server.stop()
    assert "a-secret-word" not in layout.log.read_text()


def test_second_start_is_quick_and_keeps_port_and_data(home: Path) -> None:
    first = start(home)
    first.stop()
    begun = time.monotonic()
    second = start(home)
    assert time.monotonic() - begun < 20
    assert second.port == first.port
    assert value(second.superuser_dsn, "SELECT answer FROM kept") == 42
    second.stop()


def test_a_taken_port_is_changed(home: Path) -> None:
    first = start(home)
    first.stop()
    with socket.create_server(("127.0.0.1", first.port)):
        second = start(home)
        assert second.port != first.port
        assert value(second.superuser_dsn, "SELECT answer FROM kept") == 42
        second.stop()


def test_a_port_taken_at_the_last_moment_is_changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = start(home)
    first.stop()
    with socket.create_server(("127.0.0.1", first.port)):
        monkeypatch.setattr(embedded, "_can_bind", lambda _port: True)
        second = start(home)
        assert second.port != first.port
        second.stop()


# --- several programs --------------------------------------------------------------------------------------


@linux_only
def test_the_first_to_leave_does_not_stop_it(home: Path) -> None:
    other = Holder(home)
    mine = start(home)
    assert other.started
    assert not mine.started_by_us
    other.end()
    assert value(mine.superuser_dsn, "SELECT answer FROM kept") == 42
    mine.stop()
    assert processes_of(home) == set()


@linux_only
def test_two_users_in_one_program(home: Path) -> None:
    first, second = start(home), start(home)
    first.stop()
    first.stop()
    assert embedded.status(home).in_use
    assert value(second.superuser_dsn, "SELECT 1") == 1
    second.stop()
    assert processes_of(home) == set()


@linux_only
def test_many_programs_starting_at_once_share_one_server(home: Path) -> None:
    waiting = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": IMPORTS},
        )
        for _ in range(4)
    ]
    said = [program.communicate(json.dumps({"home": str(home)}) + "\nstop\n", timeout=30)[0] for program in waiting]
    assert all(each.endswith("done\n") for each in said)
    assert processes_of(home) == set()


@linux_only
def test_leaving_lets_the_next_one_attach_and_then_ends_the_server(home: Path) -> None:
    Holder(home).end("leave")
    assert embedded.status(home).running
    server = start(home)
    assert not server.started_by_us
    server.leave()
    assert wait_until_none(home, LINGER + 5) == set()


@linux_only
def test_killing_the_program_leaves_no_process(home: Path) -> None:
    holder = Holder(home)
    run_sql(holder.dsn, "UPDATE kept SET answer = 43")
    holder.kill()
    assert wait_until_none(home, LINGER + 5) == set()
    server = start(home)
    assert value(server.superuser_dsn, "SELECT answer FROM kept") == 43
    server.stop()


@linux_only
def test_killing_everything_loses_nothing(home: Path) -> None:
    holder = Holder(home)
    run_sql(holder.dsn, "INSERT INTO kept SELECT generate_series(1, 1000)")
    holder.process.send_signal(signal.SIGSTOP)  # so that nobody tidies up in between
    for pid in processes_of(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    holder.kill()
    assert (home / "pg18" / "postmaster.pid").exists()
    server = start(home)
    assert value(server.superuser_dsn, "SELECT count(*) FROM kept") == 1001
    server.stop()
    assert processes_of(home) == set()


@linux_only
def test_killing_the_server_under_its_user_is_recovered_by_the_next(home: Path) -> None:
    first = start(home)
    pid = embedded.status(home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    second = start(home)
    assert second.started_by_us
    assert value(second.superuser_dsn, "SELECT answer FROM kept") == 42
    first.stop()
    assert value(second.superuser_dsn, "SELECT answer FROM kept") == 42
    second.stop()
    assert processes_of(home) == set()


@linux_only
def test_a_killed_watchdog_is_replaced(home: Path) -> None:
    first = start(home)
    watchdog = int(Layout(home).watch.read_text())
    os.kill(watchdog, signal.SIGKILL)
    time.sleep(0.1)
    holder = Holder(home)
    first.leave()
    holder.kill()
    assert wait_until_none(home, LINGER + 5) == set()


@linux_only
def test_a_stale_pid_file_naming_a_live_process_is_no_hindrance(home: Path) -> None:
    stale = home / "pg18" / "postmaster.pid"
    port = 15432
    owner = (home / "pg18").stat()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid if ROOT else None) as stranger:
        stale.write_text(f"{stranger.pid}\n{home}/pg18\n1700000000\n{port}\n\n127.0.0.1\n0 0\nready\n")
        if ROOT:
            os.chown(stale, owner.st_uid, owner.st_gid)
        server = start(home)
        assert server.started_by_us
        assert value(server.superuser_dsn, "SELECT answer FROM kept") == 42
        server.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_an_interrupted_initialisation_is_done_again(place: Path) -> None:
    home = place / "home"
    (home / "pg18.part-abc" / "data" / "base").mkdir(parents=True)
    (home / "pg18.part-abc" / "data" / "PG_VERSION").write_text("18\n")
    start(home).stop()
    assert sorted(path.name for path in home.glob("pg18.part*")) == []


def test_a_lost_password_file_gets_a_new_password(home: Path) -> None:
    Layout(home).password.unlink()
    server = start(home)
    assert value(server.superuser_dsn, "SELECT answer FROM kept") == 42
    server.stop()


# --- refused, in one sentence ------------------------------------------------------------------------------


def sentence(home: Path) -> str:
    with pytest.raises(StartupError) as refused:
        start(home)
    said = str(refused.value)
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def test_data_of_another_major(place: Path) -> None:
    for name in ("pg18", "pg17"):
        data = place / name / name
        data.mkdir(parents=True)
        (data / "PG_VERSION").write_text("17\n")
        (data / "precious").write_text("kept")
        said = sentence(place / name)
        assert "made by PostgreSQL '17', this program brings 18" in said
        assert (data / "precious").read_text() == "kept"


def test_a_half_made_folder(place: Path) -> None:
    data = place / "home" / "pg18"
    data.mkdir(parents=True)
    (data / "precious").write_text("kept")
    assert "is not a complete PostgreSQL data folder" in sentence(place / "home")
    (data / "PG_VERSION").write_text("18\n")
    assert "is not a complete PostgreSQL data folder" in sentence(place / "home")
    assert (data / "precious").read_text() == "kept"


def test_a_wrong_password_file(home: Path) -> None:
    Layout(home).password.write_text("wrong")
    assert "refuses the password" in sentence(home)


def test_a_file_in_place_of_the_folder(place: Path) -> None:
    (place / "home").write_text("a file")
    assert "cannot use" in sentence(place / "home")


def test_too_little_space_before_the_first_start(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(1, 1, 10_000_000))  # type: ignore[attr-defined]
    assert "is full: free at least 300 MB" in sentence(place / "home")


def test_a_file_system_that_keeps_no_permissions(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_folder(*, prefix: str, dir: Path) -> str:  # noqa: A002
        folder = dir / f"{prefix}abc"
        folder.mkdir()
        os.chmod(folder, 0o755)  # noqa: PTH101
        return str(folder)

    start(place / "home").stop()
    shutil.rmtree(place / "home" / "pg18")
    monkeypatch.setattr("tempfile.mkdtemp", open_folder)
    monkeypatch.setattr(Path, "chmod", lambda _self, _mode: None)
    assert "does not keep permissions" in sentence(place / "home")


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_folder_without_permission(place: Path) -> None:
    (place / "closed").mkdir(mode=0o500)
    assert "No permission for" in sentence(place / "closed" / "home")


@root_only
def test_a_folder_the_server_account_cannot_pass(place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    said = sentence(place / "closed" / "home")
    assert "cannot pass" in said
    assert "COPILOT_HOME" in said
    assert stat.S_IMODE((place / "closed").stat().st_mode) == 0o700


@root_only
def test_a_data_folder_of_another_account(home: Path) -> None:
    os.chown(home / "pg18", 0, 0)
    assert "belongs to 'root'" in sentence(home)


@root_only
def test_a_full_disk_loses_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = place / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=420m", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount a small file system here")
    try:
        _fill(disk, leaving=60_000_000)
        with monkeypatch.context() as patched:
            patched.setattr(embedded_cluster, "FREE_BYTES", 0)  # so that initdb itself meets the end
            assert "is full" in sentence(disk / "home")
        assert not list((disk / "home").glob("pg18.part*"))
        (disk / "filler").unlink()
        _fill_and_start(disk)
    finally:
        embedded.stop(disk / "home")
        subprocess.run(["umount", str(disk)], check=True)


def _fill(disk: Path, *, leaving: int) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while shutil.disk_usage(disk).free > leaving:
            file.write(b"\0" * 65536)


def _fill_and_start(disk: Path) -> None:
    home = disk / "home"
    server = start(home)
    run_sql(server.superuser_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    _fill(disk, leaving=0)
    assert "is full" in sentence(home)
    (disk / "filler").unlink()
    server = start(home)
    assert value(server.superuser_dsn, "SELECT answer FROM kept") == 42
    server.stop()


@root_only
def test_started_by_root_it_runs_as_another_account(home: Path) -> None:
    server = start(home)
    pid = embedded.status(home).pid
    assert Path(f"/proc/{pid}").stat().st_uid == (home / "pg18").stat().st_uid != 0
    server.stop()


@root_only
@linux_only
def test_an_ordinary_user_starts_it_and_sudo_later_changes_nothing(place: Path) -> None:
    account = pwd.getpwnam("nobody")
    home = place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, account.pw_uid, account.pw_gid)
    python, path = _python_for(account)
    first = Holder(home, python=python, path=path, uid=account.pw_uid)
    assert _owners(home) == {account.pw_uid}
    run_sql(first.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.end()
    assert processes_of(home) == set()
    start(home).stop()
    again = Holder(home, python=python, path=path, uid=account.pw_uid)
    assert value(again.dsn, "SELECT answer FROM kept") == 42
    again.kill()
    assert wait_until_none(home, LINGER + 5) == set()


def _owners(home: Path) -> set[int]:
    """The accounts whose processes hold a data folder; one that ends while it is looked at counts no more."""
    found: set[int] = set()
    for pid in processes_of(home):
        with contextlib.suppress(FileNotFoundError):
            found.add(Path(f"/proc/{pid}").stat().st_uid)
    return found


def _python_for(account: pwd.struct_passwd) -> tuple[str, str]:
    """An interpreter of our version that this account may run, and the path to what it imports."""
    path = os.pathsep.join([str(REPOSITORY), *(each for each in sys.path if each.endswith("site-packages"))])
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        with contextlib.suppress(OSError):
            tried = subprocess.run(
                [python, "-c", "import psycopg, copilot.store.embedded"],
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
                env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
                cwd="/",
                capture_output=True,
                check=False,
            )
            if tried.returncode == 0:
                return python, path
    pytest.skip(f"no Python here that {account.pw_name} may run")


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="needs ps")
def test_where_there_is_no_proc_the_server_is_known_by_its_command(home: Path) -> None:
    server = start(home)
    pid = embedded.status(home).pid
    assert pid is not None
    assert embedded_process._is_listed_postmaster(pid, server.data_dir)
    assert not embedded_process._is_listed_postmaster(pid, home / "other")
    assert not embedded_process._is_listed_postmaster(os.getpid(), server.data_dir)
    server.stop()
    assert not embedded_process._is_listed_postmaster(pid, server.data_dir)


@linux_only
def test_ctrl_c_reaches_the_program_and_not_the_server(home: Path) -> None:
    holder = Holder(home, session=True)
    server = processes_of(home) - {holder.process.pid}
    assert server
    assert all(os.getpgid(pid) != holder.process.pid for pid in server)
    os.killpg(holder.process.pid, signal.SIGINT)
    holder.process.communicate(timeout=20)
    assert wait_until_none(home, LINGER + 5) == set()
    assert "database system is shut down" in Layout(home).log.read_text()


@root_only
def test_the_account_is_the_owner_of_what_is_there(place: Path) -> None:
    layout = Layout(place / "home")
    assert prepare_home(layout).name in {"postgres", "nobody"}
    nobody = pwd.getpwnam("nobody")
    os.chown(layout.home, nobody.pw_uid, nobody.pw_gid)
    assert prepare_home(layout).name == "nobody"
