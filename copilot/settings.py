"""Settings from the environment, read once, frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from copilot.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator set.

    COPILOT_HOME          the data folder (embedded database, keys, audit checkpoint)
    COPILOT_DATABASE_URL  a PostgreSQL to use instead of the embedded one, as a role that may create roles and schemas
    COPILOT_HOST, _PORT   where the web front end listens
    COPILOT_LANGUAGE      the language questions are heard and answered in: one that is shipped, or a folder of another
    """

    home: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    language: str = "en"

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one; demo people and tokens exist only then."""
        return self.database_url is None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment. Raises SettingsError naming the variable and its value."""
    env = os.environ if environment is None else environment
    return Settings(
        home=Path(env.get("COPILOT_HOME") or _default_home()).expanduser().absolute(),
        database_url=env.get("COPILOT_DATABASE_URL") or None,
        host=env.get("COPILOT_HOST") or "127.0.0.1",
        port=_port(env.get("COPILOT_PORT") or "8000"),
        language=env.get("COPILOT_LANGUAGE") or "en",
    )


def _default_home() -> str:
    if os.geteuid() == 0:
        # PostgreSQL runs as another user then, and can't reach into root's home.
        return "/var/lib/erp-copilot"
    return platformdirs.user_data_dir("erp-copilot")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingsError(f"COPILOT_PORT is {text!r}; it must be a number between 1 and 65535")
    return int(text)
