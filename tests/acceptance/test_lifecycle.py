"""`erp-copilot run` from an empty folder on: started, asked, stopped, killed, and refused in one sentence."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from copilot.store import embedded
from tests.company import scratch_folder

REPOSITORY = Path(__file__).parents[2]
# Against hanging: how long starting takes is measured by `make bench`, part `start`.
FIRST_START_SECONDS = 300
SECOND_START_SECONDS = 60
STOP_SECONDS = 30

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks into /proc"),
    pytest.mark.timeout(FIRST_START_SECONDS + 60),
]


def environment(home: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPILOT_")}
    return {**kept, "COPILOT_HOME": str(home), "COPILOT_PORT": str(port)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "copilot.channels.cli", *arguments]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def processes_of(home: Path) -> set[int]:
    """Every live process that works in the folder, names it, or was started for it."""
    found: set[int] = set()
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if not process.name.isdigit() or (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if str(home).encode() in said or str((process / "cwd").readlink()).startswith(str(home)):
                found.add(int(process.name))
    return found - {os.getpid()}


def gone(home: Path, seconds: float = STOP_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes_of(home)


@dataclass(frozen=True, slots=True)
class Running:
    """A copilot that serves."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int
    seconds: float
    """From the start of the process to the first good answer of /health."""
    log: Path

    def get(self, path: str) -> tuple[int, str, Any]:
        return self._open(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def ask(self, question: str, token: str | None, **more: Any) -> tuple[int, str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        body = json.dumps({"question": question, "conversation": None} | more).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/ask", data=body, headers=headers)
        return self._open(request)

    def _open(self, request: urllib.request.Request) -> tuple[int, str, Any]:
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, response.headers["Content-Type"], json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], json.load(error)

    def token(self, subject: str) -> str:
        done = subprocess.run(
            command("token", "--as", subject),
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            check=True,
            env=environment(self.home, self.port),
            timeout=30,
        )
        return done.stdout.strip()

    def end(self, how: signal.Signals) -> float:
        """Seconds until it has ended after a signal."""
        begun = time.monotonic()
        self.process.send_signal(how)
        assert self.process.wait(timeout=STOP_SECONDS) in (0, 130)
        return time.monotonic() - begun


@contextmanager
def started(home: Path, patience: float = SECOND_START_SECONDS) -> Generator[Running]:
    """A copilot on a free port, ready; ended the hard way where a test has not ended it."""
    port, log, begun = free_port(), home.parent / "run.log", time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command("run"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=REPOSITORY,
            env=environment(home, port),
            start_new_session=True,
        )
    try:
        while not _healthy(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - begun < patience, log.read_text()
            time.sleep(0.05)
        yield Running(process, home, port, time.monotonic() - begun, log)
    finally:
        process.kill()
        process.wait()


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as response:
            return response.status == 200 and json.load(response)["status"] == "ok"
    except (OSError, ValueError):
        return False


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder
        embedded.stop(folder / "home")


@pytest.fixture(scope="module")
def home(place: Path) -> Path:
    """A data folder made by the first start, stopped in order."""
    folder = place / "home"
    with started(folder, FIRST_START_SECONDS) as running:
        said = running.log.read_text()
        assert f"The copilot is at http://127.0.0.1:{running.port}" in said
        for person in ("rep.us", "rep.de", "planner", "buyer", "warehouse.sg", "finance", "auditor", "admin"):
            assert f"\n  {person} " in said
        running.end(signal.SIGTERM)
        assert gone(folder)
    return folder


def answered(running: Running) -> None:
    """A question goes all the way through."""
    status, _, body = running.ask("open orders for Acme", running.token("rep.us"))
    assert status == 200
    status, _, body = running.ask(body["choices"][0]["question"], running.token("rep.us"))
    assert (status, body["verdict"]) == (200, "verified")


def test_a_second_start_is_quick_and_the_api_answers_whom_it_knows(home: Path) -> None:
    with started(home) as running:
        assert running.seconds < SECOND_START_SECONDS
        status, kind, body = running.get("/health")
        components = {"database": "ok", "audit": "ok"}
        assert (status, body) == (200, {"status": "ok", "components": components, "models": [], "by_rules": []})
        answered(running)
        for token, code in ((None, "not_signed_in"), ("not.a.token", "token_refused")):
            status, kind, body = running.ask("open orders for Acme", token)
            assert (status, kind, body["code"], body["status"]) == (
                401,
                "application/problem+json",
                code,
                401,
            )
            assert set(body) == {"type", "title", "status", "code", "detail"}
        token = running.token("rep.us")
        for question, code in (("", 422), (" ", 422), ("x" * 50_000, 413)):
            status, kind, body = running.ask(question, token)
            assert (status, kind) == (code, "application/problem+json")
        status, kind, _ = running.ask("where is SO-1?", token, more=1)
        assert (status, kind) == (422, "application/problem+json")
        status, _, body = running.ask("where is SO-99999?", token)
        assert (status, body["verdict"], body["reason"]) == (200, "declined", "not_found")
        assert running.end(signal.SIGINT) < STOP_SECONDS
        assert gone(home)


def test_sigterm_while_a_command_line_is_beside_it_leaves_nothing(home: Path) -> None:
    with started(home) as running:
        beside = subprocess.Popen(
            command("ask", "open orders for Acme", "--as", "rep.us"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env=environment(home, running.port),
        )
        assert running.end(signal.SIGTERM) < STOP_SECONDS
        assert beside.wait(timeout=20) == 3  # two of that name: it asked back, on a database that stayed for it
        assert gone(home, STOP_SECONDS + 4)


def test_after_kill_9_of_all_the_next_start_recovers_by_itself(home: Path) -> None:
    with started(home) as running:
        answered(running)
        server = embedded.status(home).pid
        assert server is not None
        running.process.kill()
        os.kill(server, signal.SIGKILL)
        running.process.wait()
    with started(home) as running:
        answered(running)
        verified = subprocess.run(
            command("audit", "verify"),
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            check=False,
            env=environment(home, running.port),
            timeout=30,
        )
        assert (verified.returncode, "the chain holds" in verified.stdout) == (0, True), verified.stdout
        running.process.kill()  # now the program alone: its watchdog takes the database down
        running.process.wait()
        assert gone(home, STOP_SECONDS + 4)


def test_stopped_while_it_starts_it_leaves_nothing(home: Path) -> None:
    for seconds in (0.3, 1.2):
        process = subprocess.Popen(
            command("run"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=REPOSITORY,
            env=environment(home, free_port()),
        )
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=STOP_SECONDS + 4)
        assert b"Traceback" not in said
        assert gone(home, STOP_SECONDS + 4)


# --- refused in one sentence -------------------------------------------------------------------------------


def refused(home: Path, port: int) -> str:
    done = subprocess.run(
        command("run"),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=environment(home, port),
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    *progress, said = done.stderr.strip().splitlines()
    assert said.startswith("erp-copilot: ")
    assert progress in ([], ["Copying PostgreSQL to where its account can read it"])
    assert processes_of(home) == set()
    return said


def test_a_taken_port_starts_nothing(place: Path) -> None:
    home = place / "untouched"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 is taken by another program." in refused(home, port)
    assert not home.exists()


def test_a_half_made_data_folder_is_left_as_it_is(place: Path) -> None:
    data = place / "half" / "pg18"
    data.mkdir(parents=True)
    (data / "precious").write_text("kept")
    assert "is not a complete PostgreSQL data folder and was left as it is" in refused(place / "half", free_port())
    assert (data / "precious").read_text() == "kept"


def test_data_of_another_major_is_left_as_it_is(place: Path) -> None:
    data = place / "older" / "pg17"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    assert "was made by PostgreSQL '17', this program brings 18" in refused(place / "older", free_port())
    assert sorted(path.name for path in data.iterdir()) == ["PG_VERSION"]


def test_a_place_where_no_folder_can_be(place: Path) -> None:
    (place / "file").write_text("no folder")
    assert "COPILOT_HOME" in refused(place / "file" / "home", free_port())
