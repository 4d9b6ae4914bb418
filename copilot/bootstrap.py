"""Make `.venv` from the hashed lock files: `python3 copilot/bootstrap.py [--dev | --tools]`; or with `--peers` a
`.venv-peers`, for what the benchmark compares us with: its pins conflict with ours, and we are not in it.

Standard library only, and it must parse on a Python too old for everything else, in order to say so.
The environment counts as ready only once `ready.json` stands in it; that is written last, so whatever
was interrupted is made again. The packages are fetched by the uv named in requirements-tools.lock (4 s
where pip takes 45), itself fetched by pip; where uv can't be had, pip does it all, from the same locks.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_MB = 1000  # for a new environment while it is being made; about two thirds of it stays
LOCKS = {
    "": ["requirements.lock"],
    "--dev": ["requirements.lock", "requirements-dev.lock"],
    "--tools": ["requirements.lock", "requirements-dev.lock", "requirements-tools.lock"],
    "--peers": ["requirements-peers.lock"],
}
# Written to bytecode now are the modules a start may need; these alone would cost 60 MB and are hardly ever loaded.
NOT_COMPILED = r"/tests?/|/spacy/lang/\w\w\w?/|/phonenumbers/\w*data/|/networkx/|/nltk/|/pip/|/playwright/|/setuptools/"
# Settings of pip and of Python that would put the packages somewhere else than into the environment
STRAY = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_HASHES", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


class SetupError(Exception):
    """The one sentence to print instead of a traceback."""


class CommandError(Exception):
    """A tool ended badly; `output` is all it said."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


def main(argv: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        prepare(ROOT, argv[0] if argv else "")
    except SetupError as error:
        return _say_why(str(error))
    except OSError as error:
        return _say_why(_os_sentence(error))
    except KeyboardInterrupt:
        _say_why("Stopped before the environment was ready; the next start makes it anew.")
        return 130
    return 0


def prepare(root: Path, part: str) -> None:
    """Leave the environment under `root` holding the locks of `part`, doing nothing where it already does."""
    if part not in LOCKS:
        raise SetupError(f"usage: python3 copilot/bootstrap.py [--dev | --tools | --peers], not {part!r}")
    venv = root / (".venv-peers" if part == "--peers" else ".venv")
    wanted = fingerprint(root, LOCKS[part])
    if _holds(venv, wanted):
        return
    python = find_python()
    if not _suitable(sys.version_info[:2]):  # what follows is written for the Python that was found
        os.execv(python, [python, "-I", __file__, *([part] if part else [])])  # noqa: S606 - no shell is wanted
    with _alone(root):
        if not _holds(venv, wanted):  # another start may have made it while this one waited
            _make(root, venv, python, wanted)


# --- what is there already -------------------------------------------------------------------------------------


def fingerprint(root: Path, locks: list[str]) -> dict[str, str]:
    """Everything the environment depends on, by name: the lock files, the project's own metadata and the place."""
    found = {"root": str(root)}
    for name in [*locks, "pyproject.toml"]:
        try:
            content = (root / name).read_bytes().split(b"\n[tool.")[0]  # a linter's settings change no environment
        except FileNotFoundError:
            raise SetupError(
                f"{name} is missing from {root}: restore it from the repository and start again."
            ) from None
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def _recorded(venv: Path) -> dict[str, str]:
    try:
        return dict(json.loads((venv / "ready.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _holds(venv: Path, wanted: dict[str, str]) -> bool:
    recorded = _recorded(venv)
    alive = os.access(_python(venv), os.X_OK)  # false when its Python was removed
    return alive and all(recorded.get(name) == digest for name, digest in wanted.items())


def find_python() -> str:
    """The Python to build on: $PYTHON, else this one, else the newest suitable one on the PATH."""
    asked = os.environ.get("PYTHON")
    names = [asked] if asked else [sys.executable, "python3.13", "python3.12", "python3.11"]
    for name in names:
        path = shutil.which(name or "")
        if path and _suitable(_version_of(path)):
            return path
    have = f"$PYTHON is {asked}" if asked else "this is Python " + ".".join(map(str, sys.version_info[:3]))
    raise SetupError(
        f"This needs CPython 3.11, 3.12 or 3.13, and {have}: install one of them, or name it, as in "
        "`PYTHON=/path/to/python3.12 make run`."
    )


def _suitable(version: tuple[int, int] | None) -> bool:
    return version is not None and OLDEST <= version <= NEWEST


def _version_of(python: str) -> tuple[int, int] | None:
    """(major, minor) of a runnable ordinary CPython; None for PyPy, free-threaded builds and dead shims."""
    ask = (
        "import sys, sysconfig as s; print(sys.implementation.name, s.get_config_var('Py_GIL_DISABLED') or 0,"
        " sys.version_info[0], sys.version_info[1])"
    )
    try:
        name, free_threaded, major, minor = _said([python, "-I", "-c", ask]).split()
    except ValueError:
        return None
    return (int(major), int(minor)) if (name, free_threaded) == ("cpython", "0") else None


# --- making it -------------------------------------------------------------------------------------------------


def _make(root: Path, venv: Path, python: str, wanted: dict[str, str]) -> None:
    recorded = _recorded(venv)
    whole = os.access(_python(venv), os.X_OK) and recorded.get("root") == str(root)
    if not whole:
        recorded = {}
        _room_for(root)
        if venv.exists():
            print("Removing an environment that was never finished, or made elsewhere.", flush=True)
            shutil.rmtree(str(venv))
        print(f"Making the environment in {venv.name}: once, about half a minute.", flush=True)
        with _progress("creating", venv):
            _create(python, venv)
    (venv / "ready.json").unlink(missing_ok=True)
    locks = sorted({name for name in [*recorded, *wanted] if name.endswith(".lock")})
    installed = fingerprint(root, locks)
    _install(root, venv, locks)
    unfinished = venv / "ready.json.part"
    unfinished.write_text(json.dumps(installed, indent=1), encoding="utf-8")
    unfinished.replace(venv / "ready.json")


def _create(python: str, venv: Path) -> None:
    """An environment with pip in it, or without where only an installed uv can fill it."""
    ways = [[python, "-m", "venv", str(venv)]]
    if shutil.which("virtualenv"):
        ways.append(["virtualenv", "--quiet", "--python", python, str(venv)])
    if shutil.which("uv"):
        ways.append([python, "-m", "venv", "--clear", "--without-pip", str(venv)])
    for way in ways:
        try:
            return _run(way)
        except CommandError as failed:
            _stop_where_hopeless(failed.output)
            shutil.rmtree(str(venv), ignore_errors=True)
    raise SetupError(
        f"{python} can't make an environment with pip in it, as Debian's own Python without python3-venv: "
        "put `virtualenv` or `uv` on the PATH, or name another Python, as in `PYTHON=/path/to/python3.12 make run`."
    )


def _install(root: Path, venv: Path, locks: list[str]) -> None:
    """Fill the environment from the lock files, each package by its hash, and nothing besides."""
    locked = [argument for name in locks for argument in ("-r", str(root / name))]
    try:
        with _progress("fetching the installer", venv):
            installers = _installers(root, venv)
        with _progress("installing packages", venv):
            install = _first_that_works(installers, "--require-hashes", "--no-deps", *locked)
            if "requirements.lock" in locks:  # what we need is there, so that we can be
                install("--no-deps", "--config-settings", "editable_mode=compat", "--editable", str(root))
    except CommandError as failed:
        _stop_where_hopeless(failed.output)
        print(failed.output[-3000:], file=sys.stderr)
        raise SetupError("The packages could not be installed; what the installer said stands above.") from None
    finally:
        shutil.rmtree(str(venv / ".cache"), ignore_errors=True)
    with _progress("compiling", venv), contextlib.suppress(CommandError):  # a template that is no Python is no failure
        _run([_python(venv), "-m", "compileall", "-qq", "-j", "0", "-x", NOT_COMPILED, str(venv / "lib")])


def _installers(root: Path, venv: Path) -> list[Callable[..., None]]:
    """uv where it can be had, then pip, both building without an environment of their own: that would fetch tools
    that no lock file names. So setuptools comes first; three packages of the lock have no wheel."""
    settings = _settings(venv)

    def installing_with(*command: str) -> Callable[..., None]:
        return lambda *arguments: _run([*command, "--quiet", "--no-build-isolation", *arguments], settings)

    into = ["pip", "install", "--python", _python(venv)]
    hashed = ["--require-hashes", "--no-deps"]
    setuptools = _pinned(root, venv, "requirements.lock", "setuptools")
    if not list(venv.glob("lib/python*/site-packages/pip")):
        uv = installing_with("uv", *into)
        uv(*hashed, "-r", setuptools)
        return [uv]
    pip = installing_with(
        _python(venv), "-m", "pip", "install", "--no-compile", "--progress-bar", "off", "--retries", "2"
    )
    pip(*hashed, "-r", setuptools)
    place = venv / ".cache" / "uv"
    try:
        pip(*hashed, "--target", str(place), "-r", _pinned(root, venv, "requirements-tools.lock", "uv"))
    except CommandError as failed:
        _stop_where_hopeless(failed.output)
        return [pip]
    return [installing_with(str(place / "bin" / "uv"), *into), pip]


def _first_that_works(installers: list[Callable[..., None]], *arguments: str) -> Callable[..., None]:
    """Install with the first, else the next: pip may know a certificate or a proxy that uv does not."""
    for install in installers[:-1]:
        try:
            install(*arguments)
        except CommandError as failed:
            _stop_where_unsafe(failed.output)
        else:
            return install
    installers[-1](*arguments)
    return installers[-1]


def _python(venv: Path) -> str:
    return str(venv / "bin" / "python")


def _settings(venv: Path) -> dict[str, str]:
    """uv's settings: a cache beside the packages (one file system, so that they are linked, not copied), and the
    package index and certificates that this machine's pip is configured with, which uv does not read."""
    settings = {"UV_CACHE_DIR": str(venv / ".cache"), "UV_PYTHON_DOWNLOADS": "never"}
    said = _said([_python(venv), "-m", "pip", "config", "list"])
    for key, variable in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE"), ("proxy", "ALL_PROXY")):
        found = re.search(r"^\S*\." + key + "='(.+)'$", said, re.MULTILINE)
        if found and variable not in os.environ:
            settings[variable] = found.group(1)
    return settings


def _pinned(root: Path, venv: Path, lock: str, name: str) -> str:
    """A file that holds only the lines of `lock` which pin `name`, hashes included."""
    text = (root / lock).read_text(encoding="utf-8")
    found = re.search("^" + name + r"==.*(?:\n    --hash=.*)+$", text, re.MULTILINE)
    if not found:
        raise SetupError(
            f"{lock} does not pin {name}: restore it from the repository, or make it again with `make lock`."
        )
    (venv / ".cache").mkdir(exist_ok=True)
    path = venv / ".cache" / f"{name}.lock"
    path.write_text(found.group(), encoding="utf-8")
    return str(path)


# --- running, waiting, saying ----------------------------------------------------------------------------------


def _said(command: list[str]) -> str:
    """What a short command prints, empty where it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _run(command: list[str], settings: dict[str, str] | None = None) -> None:
    """Run to the end, quietly. The lock is handed down, so that a child that outlives us still keeps others out."""
    environment = {name: value for name, value in os.environ.items() if name not in STRAY}
    environment.update(settings or {})
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, pass_fds=_held
        )
        try:
            code = child.wait()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        output.seek(0)
        if code:
            raise CommandError(output.read().decode("utf-8", "replace"))


_held: list[int] = []  # the descriptor of the lock, while we hold it


@contextlib.contextmanager
def _alone(root: Path) -> Generator[None]:
    """Nobody else makes this environment meanwhile; the lock goes with the process, however it ends."""
    with (root / ".venv.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another start is making the environment; waiting for it.", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        _held.append(handle.fileno())
        try:
            yield
        finally:
            _held.clear()


@contextlib.contextmanager
def _progress(step: str, venv: Path) -> Generator[None]:
    """Every two seconds: which step, for how long, and how much is on the disk."""
    done = threading.Event()
    began = time.monotonic()

    def tell() -> None:
        while not done.wait(2):
            print(f"  {step}: {time.monotonic() - began:.0f} s, {_megabytes(venv)} MB in {venv.name}", flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _megabytes(folder: Path) -> int:
    total = 0
    seen: set[int] = set()
    for place, _, names in os.walk(str(folder)):
        for name in names:
            with contextlib.suppress(OSError):  # it may vanish while we look
                entry = Path(place, name).lstat()
                if entry.st_ino not in seen:
                    seen.add(entry.st_ino)
                    total += entry.st_blocks * 512
    return total // 1_000_000


def _room_for(root: Path) -> None:
    free = shutil.disk_usage(str(root)).free // 1_000_000
    if free < NEEDED_MB:
        raise SetupError(
            f"The disk is too full: the environment needs {NEEDED_MB} MB in {root} and {free} MB are free."
        )


def _stop_where_hopeless(output: str) -> None:
    """Turn what an installer said into one sentence, where another way of installing could do no better."""
    _stop_where_unsafe(output)
    if re.search(
        r"(?i)NewConnectionError|NameResolutionError|name resolution|ConnectTimeout|ReadTimeout|ProxyError|"
        r"connection (?:refused|reset)|Network is unreachable|error sending request|dns error|tcp connect error",
        output,
    ):
        raise SetupError(
            "The package index can't be reached, so the environment can't be made: check the network, or the proxy and "
            "index that pip is configured with, and start again."
        )


def _stop_where_unsafe(output: str) -> None:
    """No second try on a full disk, nor with a package that is not the locked one."""
    if re.search(r"No space left on device|Disk quota exceeded|os error 28", output):
        raise SetupError("The disk is full: free 1 GB where this folder and the temporary files are; nothing is lost.")
    if re.search(r"(?i)do not match the hashes|hash mismatch", output):
        raise SetupError(
            "A downloaded package is not the one the lock file names, so nothing of it was installed: try again, and "
            "where it happens again don't trust the package index in use."
        )


def _os_sentence(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: free 1 GB where this folder is; nothing is lost."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{error.filename!r} may not be written by this user, and the environment is made in {ROOT}."
    return f"The environment can't be made: {error}."


def _say_why(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
