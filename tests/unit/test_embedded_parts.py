"""The parts of the embedded PostgreSQL that need no server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from copilot.errors import StartupError
from copilot.store import embedded, embedded_binaries, embedded_process
from copilot.store.embedded_process import Layout
from copilot.store.embedded_sentences import Pace


def test_the_log_is_kept_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_process, "LOG_BYTES", 1000)
    monkeypatch.setattr(embedded_process, "LOG_KEPT_BYTES", 100)
    log = tmp_path / "pg18.log"
    with log.open("ab", buffering=0) as server:
        server.write(b"a" * 5000)
        embedded_process.trim_log(log)
        server.write(b"b" * 50)
    assert log.read_bytes() == b"a" * 100 + b"b" * 50


def test_progress_speaks_after_two_seconds() -> None:
    said: list[str] = []
    pace = Pace(said.append, "Waiting")
    for tenths in range(130):
        pace(tenths / 10)
    assert said == ["Waiting (2 s)", "Waiting (7 s)", "Waiting (12 s)"]


def test_the_door_is_for_one_at_a_time(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with (
        embedded_process.standing_in_door(layout),
        pytest.raises(TimeoutError),
        embedded_process.standing_in_door(layout, patience=0.05),
    ):
        pass


def test_a_process_number_alone_proves_nothing(tmp_path: Path) -> None:
    assert not embedded_process.is_postmaster_of(os.getpid(), tmp_path)
    assert embedded_process.read_pid_file(tmp_path) is None
    (tmp_path / "postmaster.pid").write_text("half")
    assert embedded_process.read_pid_file(tmp_path) is None


def test_client_programs_are_of_the_server_s_version() -> None:
    binaries = embedded.server_binaries()
    for program in (binaries.pg_dump, binaries.pg_restore, binaries.psql):
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        assert "18.4" in said


def test_no_port_at_all_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_can_bind", lambda _port: False)
    with pytest.raises(StartupError, match="No port between 15432 and 16431 is free"):
        embedded._free_port(Layout(tmp_path), set())


def test_a_platform_without_binaries_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_binaries, "PACKAGE", "no_such_package")
    with pytest.raises(StartupError, match="set COPILOT_DATABASE_URL"):
        embedded.server_binaries()
