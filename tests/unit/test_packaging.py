"""The lock files pin everything by hash and name no place to fetch from; the wheel holds the product and no tests."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
# what the others add to the same `.venv`; the peers have an environment of their own, for their pins conflict with ours
ADDED = [lock for lock in LOCKS if lock.name not in ("requirements.lock", "requirements-peers.lock")]
PACKAGES = ("connectors", "copilot", "evals", "prompts", "redaction")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _entries(lock: Path) -> Iterator[tuple[Requirement, list[str]]]:
    """Each pinned requirement of a lock file with its hashes; anything else in it fails the test."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    for line in text.splitlines():
        pin, *hashes = re.split(r"\s+--hash=sha256:", line.rstrip())
        assert hashes, line
        yield Requirement(pin), hashes


def _versions(lock: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for requirement, _ in _entries(lock):
        found.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_line_of_a_lock_is_one_version_with_hashes(lock: Path) -> None:
    for requirement, hashes in _entries(lock):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert not requirement.url, requirement
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in hashes), requirement


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locks_name_no_place_to_fetch_from(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


@pytest.mark.parametrize("lock", ADDED, ids=lambda lock: lock.name)
def test_locks_agree_with_the_first(lock: Path) -> None:
    product = _versions(ROOT / "requirements.lock")
    for name, versions in _versions(lock).items():
        assert versions <= product.get(name, versions), name


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PROJECT["dependency-groups"]["test"]),
        ("requirements-tools.lock", PROJECT["dependency-groups"]["tools"]),
        ("requirements-keyring.lock", PROJECT["project"]["optional-dependencies"]["keyring"]),
    ],
)
def test_locks_hold_what_the_project_asks_for(lock: str, wanted: list[str]) -> None:
    locked = _versions(ROOT / lock)
    for requirement in map(Requirement, wanted):
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in {lock}: make lock"
        assert all(Version(version.removeprefix("==")) in requirement.specifier for version in versions), requirement


def test_keyring_extra_and_its_lock_ask_for_the_same() -> None:
    assert PROJECT["project"]["optional-dependencies"]["keyring"] == PROJECT["dependency-groups"]["keyring"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools leaves its working files where it builds."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for package in (*PACKAGES, "tests"):
        if (ROOT / package).is_dir():
            shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(built), str(source)], check=True, capture_output=True, timeout=100)
    (path,) = built.glob("*.whl")
    return path


def test_wheel_holds_the_product_and_no_tests(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in held} - {"erp_copilot-0.1.0.dist-info"}
    assert tops <= set(PACKAGES)
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= held, f"left out of the wheel: {sorted(ours - held)}"


def test_wheel_starts_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    start = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r});"
        " import copilot; print(copilot.__file__);"
        " from copilot.channels.cli import main; sys.exit(main(['--help']))"
    )
    (tmp_path / "elsewhere").mkdir()
    command = [sys.executable, "-I", "-c", start]
    done = subprocess.run(command, cwd=tmp_path / "elsewhere", check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    place, *shown = done.stdout.splitlines()
    assert Path(place).is_relative_to(tmp_path / "installed")
    assert "usage" in "\n".join(shown).lower()
