"""The questions a new chat offers, by role."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from copilot.domain.question import DemoPerson

Starters = Callable[[DemoPerson], Iterable[tuple[str, str]]]
"""A person -> their first questions as (label, question)."""


def starters_from_file(person: DemoPerson) -> tuple[tuple[str, str], ...]:
    """Labels and questions for a person's role; none for a role that the file doesn't know."""
    return tuple(_file().get(person.role, {}).items())


@cache
def _file() -> dict[str, dict[str, str]]:
    text = files("copilot.channels.web").joinpath("starters.yaml").read_text(encoding="utf-8")
    return cast("dict[str, dict[str, str]]", yaml.safe_load(text))
