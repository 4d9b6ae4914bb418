"""The environment is made once, made again when it was interrupted, and every failure is one sentence."""

import ast
import errno
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from copilot import bootstrap

SOURCE = Path(bootstrap.__file__)
PIN = "{0}==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


class Usage(NamedTuple):
    """What shutil.disk_usage answers."""

    total: int
    used: int
    free: int


class FakeTools:
    """Stands where programs are run: a `venv` makes an interpreter, installers are only written down."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.fail: dict[str, BaseException] = {}  # part of a command -> what happens then

    def run(self, command: list[str], settings: dict[str, str] | None = None) -> None:
        line = " ".join(command)
        self.commands.append(line)
        for part, error in self.fail.items():
            if part in line:
                raise error
        if "-m venv" in line:
            venv = Path(command[-1])
            (venv / "bin").mkdir(parents=True)
            (venv / "bin" / "python").symlink_to(sys.executable)
            if "--without-pip" not in line:
                (venv / "lib" / "python3" / "site-packages" / "pip").mkdir(parents=True)

    def ran(self, part: str) -> bool:
        return any(part in command for command in self.commands)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with lock files and nothing else."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.y]\nz = 1\n')
    (tmp_path / "requirements.lock").write_text(PIN.format("setuptools"))
    (tmp_path / "requirements-dev.lock").write_text(PIN.format("pytest"))
    (tmp_path / "requirements-tools.lock").write_text(PIN.format("uv"))
    (tmp_path / "requirements-peers.lock").write_text(PIN.format("vanna"))
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap.signal, "signal", lambda *_: None)
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: Usage(10**12, 0, 10**12))
    return tmp_path


@pytest.fixture
def tools(root: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    fake = FakeTools()
    monkeypatch.setattr(bootstrap, "_run", fake.run)
    monkeypatch.setattr(bootstrap, "_settings", lambda _: dict[str, str]())
    return fake


def _sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What went to the error output, which has to be one line."""
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


def test_parses_on_a_python_too_old_for_everything_else() -> None:
    assert ast.parse(SOURCE.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("version", [None, (3, 10), (3, 14)])
def test_wrong_python_is_one_sentence(
    tools: FakeTools,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: tuple[int, int] | None,
) -> None:
    monkeypatch.setattr(bootstrap, "_version_of", lambda _: version)
    monkeypatch.delenv("PYTHON", raising=False)
    assert bootstrap.main([]) == 1
    assert "needs CPython 3.11, 3.12 or 3.13" in _sentence(capsys)
    assert not tools.commands


def test_named_python_is_asked_first_and_named_when_it_does_not_do(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON", "no-such-python")
    assert bootstrap.main([]) == 1
    assert "$PYTHON is no-such-python" in _sentence(capsys)


def test_version_is_read_from_the_program_itself(tmp_path: Path) -> None:
    dead = tmp_path / "python3.13"
    dead.write_text("#!/bin/sh\nexit 127\n")
    dead.chmod(0o755)
    assert bootstrap._version_of(sys.executable) == sys.version_info[:2]
    assert bootstrap._version_of(str(dead)) is None


def test_second_run_does_nothing(root: Path, tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bootstrap.main([]) == 0
    assert tools.ran("--require-hashes --no-deps -r " + str(root / "requirements.lock"))
    tools.commands.clear()
    monkeypatch.setattr(bootstrap, "find_python", lambda: pytest.fail("looked for a Python"))
    assert bootstrap.main([]) == 0
    assert not tools.commands


def test_second_run_as_a_process_is_quick(root: Path, tools: FakeTools) -> None:
    assert bootstrap.main([]) == 0
    script = root / "copilot" / "bootstrap.py"
    script.parent.mkdir()
    script.write_text(SOURCE.read_text())
    took: list[float] = []
    for _ in range(3):
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-I", str(script)], check=True, capture_output=True, text=True, env={})
        took.append(time.monotonic() - began)
        assert done.stdout == done.stderr == ""
    assert min(took) < 5  # nothing is installed again: that takes half a minute


def test_half_made_environment_is_made_again(root: Path, tools: FakeTools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.fail = {"requirements.lock": KeyboardInterrupt()}
    assert bootstrap.main([]) == 130
    assert "next start makes it anew" in _sentence(capsys)
    assert not (root / ".venv" / "ready.json").exists()
    (root / ".venv" / "remains").touch()

    tools.fail = {}
    assert bootstrap.main([]) == 0
    assert not (root / ".venv" / "remains").exists()
    assert "never finished" in capsys.readouterr().out


def test_adding_the_test_tools_keeps_what_is_there(root: Path, tools: FakeTools) -> None:
    assert bootstrap.main([]) == 0
    (root / ".venv" / "kept").touch()
    tools.commands.clear()
    assert bootstrap.main(["--dev"]) == 0
    assert (root / ".venv" / "kept").exists()
    assert tools.ran("requirements-dev.lock")
    assert not tools.ran("-m venv")
    tools.commands.clear()
    assert bootstrap.main([]) == 0  # the smaller set is part of the larger one
    assert not tools.commands


def test_peers_have_an_environment_of_their_own_without_us(root: Path, tools: FakeTools) -> None:
    assert bootstrap.main(["--peers"]) == 0
    assert tools.ran("--require-hashes --no-deps -r " + str(root / "requirements-peers.lock"))
    assert not tools.ran("--editable")
    assert not tools.ran("-r " + str(root / "requirements.lock"))
    assert not (root / ".venv").exists()
    tools.commands.clear()
    assert bootstrap.main(["--peers"]) == 0
    assert not tools.commands
    assert bootstrap.main([]) == 0
    assert tools.ran("--editable")
    assert "requirements-peers.lock" not in (root / ".venv" / "ready.json").read_text()


def test_interrupted_while_adding_is_made_again(root: Path, tools: FakeTools) -> None:
    assert bootstrap.main([]) == 0
    tools.fail = {"requirements-dev.lock": KeyboardInterrupt()}
    assert bootstrap.main(["--dev"]) == 130
    tools.fail = {}
    tools.commands.clear()
    assert bootstrap.main([]) == 0
    assert tools.ran("-m venv")


def test_what_changes_the_environment_and_what_does_not(root: Path, tools: FakeTools) -> None:
    assert bootstrap.main([]) == 0
    tools.commands.clear()
    (root / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.y]\nz = 2\n')
    assert bootstrap.main([]) == 0
    assert not tools.commands
    (root / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "2"\n')
    assert bootstrap.main([]) == 0
    assert tools.ran("--editable")
    tools.commands.clear()
    (root / "requirements.lock").write_text(PIN.format("setuptools") + PIN.format("more"))
    assert bootstrap.main([]) == 0
    assert tools.ran("requirements.lock")


def test_moved_checkout_is_made_again(root: Path, tools: FakeTools) -> None:
    assert bootstrap.main([]) == 0
    marker = root / ".venv" / "ready.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "root": "/elsewhere"}))
    tools.commands.clear()
    assert bootstrap.main([]) == 0
    assert tools.ran("-m venv")


def test_pip_does_it_where_uv_cannot_be_had(root: Path, tools: FakeTools) -> None:
    tools.fail = {"--target": bootstrap.CommandError("ERROR: No matching distribution found for uv==1.0")}
    assert bootstrap.main([]) == 0
    (install,) = [line for line in tools.commands if str(root / "requirements.lock") in line]
    assert "-m pip install" in install
    assert "--require-hashes --no-deps" in install


def test_pip_does_it_where_uv_fails_at_it(root: Path, tools: FakeTools) -> None:
    tools.fail = {"bin/uv pip": bootstrap.CommandError("error sending request: invalid peer certificate")}
    assert bootstrap.main([]) == 0
    assert tools.ran(
        "-m pip install --no-compile --progress-bar off --retries 2 --quiet --no-build-isolation --no-deps"
    )
    assert (root / ".venv" / "ready.json").exists()


def test_without_ensurepip_an_installed_uv_fills_it(
    root: Path, tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None if name == "virtualenv" else name)
    tools.fail = {f"-m venv {root}": bootstrap.CommandError("ensurepip is not available")}
    assert bootstrap.main([]) == 0
    assert tools.ran("--without-pip")
    assert not tools.ran("-m pip install")


def test_without_ensurepip_and_helpers_is_one_sentence(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if name == sys.executable else None)
    tools.fail = {"-m venv": bootstrap.CommandError("ensurepip is not available")}
    assert bootstrap.main([]) == 1
    assert "put `virtualenv` or `uv` on the PATH" in _sentence(capsys)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("error: failed to write: No space left on device (os error 28)", "The disk is full"),
        ("urllib3: NewConnectionError('[Errno -3] Temporary failure in name resolution')", "can't be reached"),
        ("error sending request for url: dns error", "can't be reached"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one the lock file names"),
    ],
)
def test_what_installers_say_becomes_one_sentence(
    root: Path, tools: FakeTools, capsys: pytest.CaptureFixture[str], said: str, sentence: str
) -> None:
    tools.fail = {"install": bootstrap.CommandError(said)}
    assert bootstrap.main([]) == 1
    assert sentence in _sentence(capsys)
    assert not (root / ".venv" / "ready.json").exists()


def test_no_room_is_said_before_anything_is_made(
    root: Path, tools: FakeTools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: Usage(10**9, 9 * 10**8, 10**8))
    assert bootstrap.main([]) == 1
    assert "100 MB are free" in _sentence(capsys)
    assert not (root / ".venv").exists()


def test_disk_that_fills_while_we_write_is_one_sentence(tools: FakeTools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.fail = {"-m venv": OSError(errno.ENOSPC, "No space left on device")}
    assert bootstrap.main([]) == 1
    assert "The disk is full" in _sentence(capsys)


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_missing_file_is_one_sentence(
    root: Path, tools: FakeTools, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (root / name).unlink()
    assert bootstrap.main([]) == 1
    assert f"{name} is missing" in _sentence(capsys)
    assert not tools.commands


def test_unknown_option_is_one_sentence(tools: FakeTools, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["--everything"]) == 1
    assert "usage:" in _sentence(capsys)
