"""The questions a new chat offers, by role."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import cast

import yaml


def starters_from_file(role: str) -> tuple[tuple[str, str], ...]:
    """Labels and questions for a role; none for a role that the file doesn't know."""
    return tuple(_file().get(role, {}).items())


@cache
def _file() -> dict[str, dict[str, str]]:
    text = files("copilot.channels.web").joinpath("starters.yaml").read_text(encoding="utf-8")
    return cast("dict[str, dict[str, str]]", yaml.safe_load(text))
