"""People whom no record knows, told by the words around their names, and street addresses by their form. No model.

A name is a run of words written large, with what belongs to names between them; a word of business or of the calendar
is none, and what ends like a firm is a firm. Words are read from left to right once, so the time is that of the text's
length.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from redaction.addresses import addresses_in
from redaction.finds import Find
from redaction.leads import FIRMS, GOES_ON, LABELS, LEADS, NOBODY, PARTICLES, TITLES, Lead, Sort
from redaction.words import Words

_MOST_WORDS = 6
_GAPS: dict[Sort, re.Pattern[str]] = {
    "title": re.compile(r"\.?[ \u00a0]{1,2}"),
    "greeting": re.compile(r"[ \u00a0]{1,2}"),
    "person": re.compile(r"\.?\)?[ \t]?[:=?-]?[\s\"'(]{0,12}(?:User: )?"),
    "party": re.compile(r"\)?[ \t]?[:=-]?[ \t\"'(]{0,12}"),
    "self": re.compile(r"[ \u00a0]{1,2}"),
    "closing": re.compile(r"[ \t]?[,.!]?\s{1,6}"),
}
"""What may stand between a lead and the name."""
_WITHIN = re.compile(r"[ \u00a0]{1,2}|[-\u2010'\u2019]|\.[ \u00a0]?")
_SAME_WORD = re.compile(r"[-\u2010'\u2019]")
_REST_OF_LINE = re.compile(r"[ \t]*(?:[.,!)]?[ \t]*(?:\n|$)|$)")
_HONOUR = re.compile(r"([\u4e00-\u9fff]{1,4})(?:先生|女士|小姐|经理|經理)")
_BEFORE_HONOUR = re.compile(r".*[请請系絡络给給和与與找叫问問向跟是的您]")
_NAME_LINE = re.compile(
    r"^[^\w\n]{0,4}([^\W\d_][^\d\n@:,;!?]{3,40}?)[ \t]*\n"
    r"(?=(?:[^\d\n@]{0,50}\n){0,3}[^\w\n]{0,4}(?:Tel|Phone|Mobil|\d|[^\s@]{1,64}@))",
    re.MULTILINE,
)
_POSSESSIONS = frozenset(Words("address phone number mobile email mail telephone").folded)


@dataclass(frozen=True, slots=True)
class _Name:
    """A run of words that could be a name."""

    first: int
    last: int
    parts: int
    """Words written large; what is joined by a hyphen is one."""
    plain: bool
    """Whether nothing tells a firm or a thing."""


class ContextFinder:
    """Finds people and addresses by what stands around them."""

    uncovered: frozenset[str] = frozenset()

    def find(self, text: str, words: Words) -> Iterable[Find]:
        """The finds of a text; they may overlap."""
        yield from addresses_in(text)
        for at, word in enumerate(words.folded):
            for lead in LEADS.get(word, ()):
                if tuple(words.folded[at : at + len(lead.words)]) != lead.words:
                    continue
                name = _led(text, words, at, lead)
                if name:
                    yield _find(words, name, lead.sort)
                    break
            if word in _POSSESSIONS and at > 1 and words.folded[at - 1] == "s":
                yield from _owner(text, words, at - 2)
        if not text.isascii():
            yield from _honoured(text)
        if "\n" in text:
            yield from _heading(text, words)


def _led(text: str, words: Words, at: int, lead: Lead) -> _Name | None:
    """The name that a lead leads to."""
    after = at + len(lead.words)
    if after >= len(words.folded):
        return None
    gap = text[words.spans[after - 1][1] : words.spans[after][0]]
    if lead.words in LABELS and ":" not in gap:
        return None
    if not _GAPS[lead.sort].fullmatch(gap):
        return None
    if lead.sort == "title" and not _is_title(text, words, at, gap):
        return None
    name = _name_at(text, words, after, small=lead.sort == "title")
    return name if name and _holds(text, words, name, lead.sort) else None


def _is_title(text: str, words: Words, at: int, gap: str) -> bool:
    """Hr. and Fr. are titles with their dot, Miss where it is written large; 'Dear Miss' and 'the miss' differ."""
    word, begin = words.folded[at], words.spans[at][0]
    if word in ("hr", "fr"):
        return text[begin].isupper() and gap.startswith(".")
    return word != "miss" or text[begin].isupper()


def _holds(text: str, words: Words, name: _Name, sort: Sort) -> bool:
    end = words.spans[name.last][1]
    following = words.folded[name.last + 1] if name.last + 1 < len(words.folded) else ""
    if sort == "title":
        return True
    if not name.plain:
        return False
    if sort == "closing":
        return _REST_OF_LINE.match(text, end) is not None
    if sort == "self":
        return following in GOES_ON
    return sort != "party" or name.parts > 1


def _name_at(text: str, words: Words, at: int, *, small: bool) -> _Name | None:
    """The name that begins at a word. A title's holder may be in small letters: then it is one word, and its
    particles."""
    first = last = None
    parts = initials = 0
    counted = False
    here = at
    while here < len(words.folded) and here - at < _MOST_WORDS and (here == at or _goes_on(text, words, here)):
        word, (begin, end) = words.folded[here], words.spans[here]
        joined = here > at and _SAME_WORD.fullmatch(text[words.spans[here - 1][1] : begin]) is not None
        if first is None and word in TITLES:
            here += 1
            continue
        large = text[begin].isupper() and text[begin:end].isalpha()
        initial = large and len(word) == 1 and text[end : end + 1] == "."
        lower = small and not parts and len(word) > 1 and word.isalpha() and word not in NOBODY
        if word in PARTICLES and not large:
            first = here if first is None else first
        elif (joined and word != "s") or initial or ((large or lower) and word not in NOBODY):
            first, last = (here if first is None else first), here
            initials += initial
            counted = counted and joined
            parts += len(word) > 1 and not counted
            counted = counted or len(word) > 1
            if lower and not large:
                break
        else:
            break
        here += 1
    if first is None or last is None or not parts:
        return None
    return _Name(first, last, parts + initials, not _is_firm(text, words, last))


def _goes_on(text: str, words: Words, here: int) -> bool:
    """Whether a word may belong to the name before it: a full stop stands only after an initial or a title."""
    before, gap = words.folded[here - 1], text[words.spans[here - 1][1] : words.spans[here][0]]
    if not _WITHIN.fullmatch(gap):
        return False
    return not gap.startswith(".") or len(before) == 1 or before in TITLES


def _is_firm(text: str, words: Words, last: int) -> bool:
    """Whether a firm's word, or another one written large that names nobody, follows."""
    if last + 1 >= len(words.folded):
        return False
    begin = words.spans[last + 1][0]
    gap = text[words.spans[last][1] : begin]
    if not re.fullmatch(r",?[ \u00a0]|[ ]?&[ ]?|-", gap):
        return False
    word = words.folded[last + 1]
    return word in FIRMS or "&" in gap or (gap != ", " and word in NOBODY and text[begin].isupper() and len(word) > 3)


def _owner(text: str, words: Words, last: int) -> Iterator[Find]:
    """The two words or more before "'s address"."""
    if text[words.spans[last][1] : words.spans[last + 1][0]] not in ("'", "\u2019"):
        return
    for first in range(max(0, last - 3), last):
        name = _name_at(text, words, first, small=False)
        if name and name.last == last and name.parts > 1:
            yield _find(words, name, "owner")
            return


def _heading(text: str, words: Words) -> Iterator[Find]:
    """A line that is a name, over one with a number or an address of mail: the head of a letter, or its end."""
    for line in _NAME_LINE.finditer(text):
        at = bisect_left(words.spans, (line.start(1), 0))
        name = _name_at(text, words, at, small=False) if at < len(words.spans) else None
        if name and name.plain and name.parts > 1 and words.spans[name.last][1] == line.end(1):
            yield _find(words, name, "heading")


def _honoured(text: str) -> Iterator[Find]:
    """Chinese names stand before their title."""
    for match in _HONOUR.finditer(text):
        begin = match.start() + len(found[0] if (found := _BEFORE_HONOUR.match(match[1])) else "")
        begin = max(begin, match.end(1) - 3)
        if begin < match.end(1):
            yield Find(begin, match.end(1), "PERSON", "context:title")


def _find(words: Words, name: _Name, told: str) -> Find:
    return Find(words.spans[name.first][0], words.spans[name.last][1], "PERSON", f"context:{told}")
