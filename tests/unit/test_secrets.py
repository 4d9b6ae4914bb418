"""Secrets of sources: where they are looked for, where they are kept, and who can read that."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from copilot.store import secrets as secrets_module
from copilot.store.secrets import Secrets, variable


class _Keyring:
    """A keyring in memory."""

    def __init__(self, priority: float = 5) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self._priority = priority

    def get_keyring(self) -> object:
        return SimpleNamespace(priority=self._priority)

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.kept[service, name] = value


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets_module, "_keyring", lambda: None)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> _Keyring:
    ring = _Keyring()
    monkeypatch.setattr(secrets_module, "_keyring", lambda: ring)
    return ring


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_kept_secret_is_found_again_by_source_and_setting(tmp_path: Path, no_keyring: None) -> None:
    kept = Secrets(tmp_path, {})
    kept.keep("odoo", "password", "s3cret")
    kept.keep("odoo", "key", "other")
    kept.keep("wms", "password", "third")
    again = Secrets(tmp_path, {})
    assert again.get("odoo", "password") == "s3cret"
    assert again.get("odoo", "key") == "other"
    assert again.get("wms", "password") == "third"
    assert again.get("wms", "key") is None


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path, no_keyring: None) -> None:
    where = Secrets(tmp_path, {}).keep("odoo", "password", "s3cret")
    assert where == str(tmp_path / "secrets.json")
    assert _mode(tmp_path / "secrets.json") == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.json"]


def test_the_file_is_private_whatever_was_there_before(tmp_path: Path, no_keyring: None) -> None:
    previous = os.umask(0)
    try:
        (tmp_path / "secrets.part").write_text("left by a crash")
        (tmp_path / "secrets.part").chmod(0o644)
        (tmp_path / "secrets.json").write_text("{}")
        (tmp_path / "secrets.json").chmod(0o644)
        Secrets(tmp_path, {}).keep("odoo", "password", "s3cret")
    finally:
        os.umask(previous)
    assert _mode(tmp_path / "secrets.json") == 0o600
    assert json.loads((tmp_path / "secrets.json").read_text()) == {"odoo": {"password": "s3cret"}}


def test_the_environment_comes_before_the_keyring_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets_module, "_keyring", lambda: None)
    Secrets(tmp_path, {}).keep("odoo", "password", "from the file")
    ring = _Keyring()
    monkeypatch.setattr(secrets_module, "_keyring", lambda: ring)
    environment = {"COPILOT_SOURCE_ODOO_PASSWORD": "from the environment"}
    assert Secrets(tmp_path, {}).get("odoo", "password") == "from the file"
    Secrets(tmp_path, {}).keep("odoo", "password", "from the keyring")
    assert Secrets(tmp_path, {}).get("odoo", "password") == "from the keyring"
    assert Secrets(tmp_path, environment).get("odoo", "password") == "from the environment"
    assert Secrets(tmp_path, {"COPILOT_SOURCE_ODOO_PASSWORD": ""}).get("odoo", "password") == "from the keyring"


def test_with_a_keyring_nothing_is_written_to_a_file(tmp_path: Path, keyring: _Keyring) -> None:
    assert "keyring" in Secrets(tmp_path, {}).keep("odoo", "password", "s3cret")
    assert list(tmp_path.iterdir()) == []
    assert keyring.kept == {("erp-copilot", "odoo/password"): "s3cret"}


def test_a_keyring_without_a_real_back_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets_module.importlib, "import_module", lambda _: _Keyring(priority=0))
    assert secrets_module._keyring() is None
    monkeypatch.setattr(secrets_module.importlib, "import_module", lambda _: _Keyring(priority=5))
    assert secrets_module._keyring() is not None


@pytest.mark.parametrize(
    ("source", "name"),
    [("odoo", "COPILOT_SOURCE_ODOO_PASSWORD"), ("Main ERP-2", "COPILOT_SOURCE_MAIN_ERP_2_PASSWORD")],
)
def test_the_variable_is_one_that_a_shell_can_set(source: str, name: str) -> None:
    assert variable(source, "password") == name
    assert name.isidentifier()
