"""The same in other words, with courtesy around it, with its parts in another order, with its numbers loosely typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from evals.proofs.variations.typed import Lexicon, Typed, data

_KEY = re.compile(r"\b([A-Z]{2,4})-(\d+)\b")
_KINDS = {"SO": "order", "PO": "purchase order", "INV": "invoice", "RMA": "return", "TR": "transfer", "CASE": "case"}
_ENDS = re.compile(r"[?!.]\s+\S|[,;:]| - ")
_BOUND = re.compile(r"\b(?:for|since|of|by|before|after|until|in|at|than|the|and|to)\Z", re.IGNORECASE)
"""What must not be left without what stands behind it."""
_GOES_ON = re.compile(r"\A\s*(?:\d|and\b|or\b|so\b|by\b)", re.IGNORECASE)
"""What belongs to a time or place before it."""
_TWICE = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
_FEWEST = 3
"""Words that must be left where a part of a question is moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Phrases that may be typed, as patterns, with what else may stand there; not beside some words."""

    found: tuple[tuple[re.Pattern[str], str], ...]
    instead: tuple[str, ...]
    unless: tuple[str, ...]


def paraphrased(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """With one of the phrases that it contains put otherwise."""
    del lexicon
    forms = [form for group in _groups() for form in _otherwise(group, message.text)]
    return random.choice(forms) if forms else None


def reworded(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """With two phrases put otherwise."""
    once = paraphrased(message, lexicon, random)
    forms = [form for group in _groups() for form in _otherwise(group, once)] if once else []
    forms = [form for form in forms if form.casefold() != message.text.casefold() and not _TWICE.search(form)]
    return random.choice(forms) if forms else None


def courteous(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """With a greeting before it, thanks behind it, or both."""
    del lexicon
    bare = message.text.rstrip()
    before, behind = random.choice(data("paraphrases")["before"]), random.choice(data("paraphrases")["behind"])
    if bare[-1] in "?!." and not behind.startswith("."):
        behind = behind.removeprefix(",")
    behind = behind.removeprefix(".") if bare[-1] in "?!." else behind
    return random.choice((before + bare, bare + behind, before + bare + behind))


def moved(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """With a time, a place or a name from its end at its beginning, or the other way round."""
    del lexicon
    text = message.text.rstrip(" ?!.")
    if _ENDS.search(text) or _has(text, data("paraphrases")["fixed"]):
        return None
    forms = [*_to_front(text), *_to_end(text), *_name_to_front(message, text)]
    return random.choice(forms) if forms else None


def numbered(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """With a number typed loosely."""
    del lexicon
    found = list(_KEY.finditer(message.text))
    if not found:
        return None
    match = random.choice(found)
    letters, figures = match.groups()
    forms = [f"{written}{mark}{figures}" for written in (letters, letters.lower()) for mark in ("-", " ", "")]
    return message.replaced(match.span(), random.choice(forms[1:]))


def figures_only(message: Typed, lexicon: Lexicon, random: Random) -> str | None:
    """With the figures of a document's number alone, or behind the word for such a document."""
    del lexicon
    found = [match for match in _KEY.finditer(message.text) if match[1] in _KINDS]
    if not found:
        return None
    match = random.choice(found)
    word = _KINDS[match[1]]
    named = message.text[: match.start()].rstrip().casefold().endswith(word.split()[-1])
    return message.replaced(match.span(), match[2] if named else random.choice((match[2], f"{word} {match[2]}")))


def _otherwise(group: _Group, text: str) -> Iterator[str]:
    bare = text.rstrip(" ?!.")
    if _has(bare, group.unless):
        return
    found = next(((match, phrase) for pattern, phrase in group.found if (match := pattern.search(bare))), None)
    if found is None:
        return
    match, phrase = found
    for other in group.instead:
        if other != phrase and other.count("*") == phrase.count("*"):
            yield bare[: match.start()] + _filled(other, match.groups()) + bare[match.end() :] + text[len(bare) :]


def _filled(phrase: str, parts: Sequence[str]) -> str:
    rest = iter(parts)
    return re.sub(r"\*", lambda _: next(rest, ""), phrase.removeprefix("^").removesuffix("$"))


@cache
def _groups() -> tuple[_Group, ...]:
    return tuple(_group(body) for body in data("paraphrases")["groups"])


def _group(body: dict[str, Any]) -> _Group:
    phrases: list[str] = body.get("any") or body["from"]
    found = tuple((_pattern(phrase), phrase) for phrase in sorted(phrases, key=len, reverse=True))
    return _Group(found=found, instead=tuple(body.get("any") or body["to"]), unless=tuple(body.get("unless", ())))


def _pattern(phrase: str) -> re.Pattern[str]:
    """A phrase as whole words; one that begins and ends what is typed has its other words within it."""
    inner = phrase.removeprefix("^").removesuffix("$")
    body = r"(.+?)".join(re.escape(part) for part in inner.split("*"))
    start = r"\A" if phrase.startswith("^") else r"(?<!\w)" if inner[0].isalnum() else ""
    end = r"\Z" if phrase.endswith("$") else r"(?![\w'])" if inner[-1].isalnum() else ""
    return re.compile(start + body + end, re.IGNORECASE)


def _to_front(text: str) -> Iterator[str]:
    for part in _parts():
        match = re.search(rf"\s({part})\Z", text, re.IGNORECASE)
        if match and not _BOUND.search(text[: match.start()]) and len(text[: match.start()].split()) >= _FEWEST:
            yield f"{match[1]}, {text[: match.start()]}"
            yield f"{match[1]}: {text[: match.start()]}"


def _to_end(text: str) -> Iterator[str]:
    for part in _parts():
        match = re.search(rf"\s({part})(?=\s)", text, re.IGNORECASE)
        if match is None:
            continue
        before, behind = text[: match.start()], text[match.end() :]
        alone = not (_BOUND.search(before) or _GOES_ON.search(behind) or _month(behind))
        if alone and len(before.split()) >= _FEWEST - 1:
            yield f"{before}{behind} {match[1]}"


def _name_to_front(message: Typed, text: str) -> Iterator[str]:
    """A name that was filled in at the end, with the small word before it."""
    for start, end in message.filled:
        before = text[:start].split()
        if end == len(text) and len(before) > _FEWEST - 1 and before[-1].casefold() in data("paraphrases")["names"]:
            yield f"{before[-1]} {text[start:end]}: {' '.join(before[:-1])}"
            if before[-1].casefold() in ("for", "of"):
                yield f"{text[start:end]}: {' '.join(before[:-1])}"


@cache
def _parts() -> tuple[str, ...]:
    """The times and places, as patterns."""
    own = data("paraphrases")
    months = "|".join(own["months"])
    times = [re.escape(each).replace("%", r"\d+").replace("@", f"(?:{months})") for each in own["times"]]
    return (*sorted(times, key=len, reverse=True), *map(re.escape, own["places"]))


def _month(text: str) -> bool:
    """Whether a text begins with a month."""
    return text.strip().casefold().split(" ")[0] in data("paraphrases")["months"]


def _has(text: str, words: Sequence[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) for word in words)
