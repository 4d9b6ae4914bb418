"""Reading back what a source prints: fields by name, dates, ages. Nothing here computes a figure of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import urlsplit

from copilot.domain.answer import Source

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})\.? ([A-Za-z]{3})[a-z]*\.? (\d{4})")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3})[a-z]*\.? (\d{1,2}), (\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NOTHING = frozenset({"", "-", "–", "—", "none", "not recorded"})


def named(fields: Mapping[str, str], *names: str) -> str | None:
    """The first of the named fields that holds something; names compare without case, `_` counts as a space."""
    known = {_plain(name): value for name, value in fields.items()}
    for name in names:
        value = known.get(_plain(name), "").strip()
        if value.casefold() not in _NOTHING:
            return value
    return None


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ").replace("’", "'").strip()


def printed_date(text: str | None) -> date | None:
    """The day at the start of a printed date or instant; None where it is not written as a day."""
    if text is None:
        return None
    try:
        if match := _ISO.match(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _DAY_FIRST.match(text):
            return date(int(match[3]), _MONTHS.index(match[2].casefold()) + 1, int(match[1]))
        if match := _MONTH_FIRST.match(text):
            return date(int(match[3]), _MONTHS.index(match[1].casefold()) + 1, int(match[2]))
    except ValueError:
        return None
    return None


def age_words(seconds: int) -> str:
    """How long ago, in words a person says."""
    if seconds < 60:
        return "just now"
    if seconds < 3_600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3_600} h ago"
    days = seconds // 86_400
    return "1 day ago" if days == 1 else f"{days} days ago"


def web_link(link: str | None) -> str | None:
    """A link that only opens a page: http or https with a host and no credentials; else None."""
    if link is None:
        return None
    try:
        parts = urlsplit(link)
        safe = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    except ValueError:
        return None
    return link if safe else None


def of_entity(sources: tuple[Source, ...], entity: str) -> list[Source]:
    """The sources of one entity, in the answer's order."""
    return [source for source in sources if source.entity == entity]
