"""Secrets of sources: from the environment, the operating system's keyring, or a 0600 file in the data folder.

Never in the database, in YAML or in a log. The first place that has one is used, in the order above.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SERVICE = "erp-copilot"


class Secrets:
    """Reads and keeps the secrets of sources."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self._file = home / "secrets.json"
        self._environment = os.environ if environment is None else environment

    def get(self, source: str, setting: str) -> str | None:
        """A source's secret, None where there is none. The variable is COPILOT_SOURCE_<SOURCE>_<SETTING>."""
        return (
            self._environment.get(variable(source, setting))
            or _from_keyring(source, setting)
            or self._kept(source, setting)
        )

    def keep(self, source: str, setting: str, value: str) -> str:
        """Keep a secret in the keyring if there is one, else in the file; returns where it went, for the person."""
        keyring = _keyring()
        if keyring is not None:
            keyring.set_password(_SERVICE, f"{source}/{setting}", value)
            return "the system's keyring"
        kept = self._read()
        kept.setdefault(source, {})[setting] = value
        part = self._file.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)  # a part left over may have had another mode
        with os.fdopen(descriptor, "w") as out:
            json.dump(kept, out)
        part.replace(self._file)
        return str(self._file)

    def _kept(self, source: str, setting: str) -> str | None:
        return self._read().get(source, {}).get(setting)

    def _read(self) -> dict[str, dict[str, str]]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}


def variable(source: str, setting: str) -> str:
    """The environment variable that holds a source's secret."""
    name = "".join(c if c.isalnum() else "_" for c in f"{source}_{setting}")
    return f"COPILOT_SOURCE_{name.upper()}"


def _from_keyring(source: str, setting: str) -> str | None:
    keyring = _keyring()
    return None if keyring is None else keyring.get_password(_SERVICE, f"{source}/{setting}")


def _keyring() -> Any:
    """The keyring module where the extra is installed and a real back end answers; else None."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    usable = getattr(keyring.get_keyring(), "priority", 0) >= 1
    return keyring if usable else None
