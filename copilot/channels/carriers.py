"""Links to a carrier's tracking page, from an allow-list of templates; an unknown carrier has no link."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypedDict, cast
from urllib.parse import quote, urlsplit

import yaml

from copilot.errors import SettingsError

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{2,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One carrier: the names it goes by, in lower case, and its tracking page."""

    code: str
    names: tuple[str, ...]
    link: str


class _Entry(TypedDict):
    names: list[str]
    link: str


def tracking_link(carrier: str | None, number: str | None) -> str | None:
    """The tracking page of one parcel; None for an unknown carrier or a number that cannot be one."""
    found = _named(carrier or "")
    if found is None or number is None or not _NUMBER.fullmatch(number):
        return None
    return found.link.replace("{number}", quote(number, safe=""))


def _named(name: str) -> Carrier | None:
    words = " ".join(re.split(r"[\s_]+", name.casefold().strip()))
    return next((carrier for carrier in carriers() if _goes_by(carrier, words)), None)


def _goes_by(carrier: Carrier, words: str) -> bool:
    return any(words == name or words.startswith(f"{name} ") for name in carrier.names)


@cache
def carriers() -> tuple[Carrier, ...]:
    """Every carrier of `carriers.yaml`. Raises SettingsError for a template that could lead anywhere else."""
    text = files("copilot.channels").joinpath("carriers.yaml").read_text(encoding="utf-8")
    entries = cast("dict[str, _Entry]", yaml.safe_load(text))
    return tuple(_carrier(code, entry) for code, entry in entries.items())


def _carrier(code: str, entry: _Entry) -> Carrier:
    parts = urlsplit(entry["link"])
    if parts.scheme != "https" or "{" in parts.netloc or entry["link"].count("{number}") != 1:
        raise SettingsError(f"carriers.yaml, {code!r}: {entry['link']!r} is not an https link with one {{number}}")
    return Carrier(code=code, names=tuple(name.casefold() for name in entry["names"]), link=entry["link"])
