"""Recognises what people say beside their questions: a message that is a greeting, a complaint, "how old is this".

A manner is recognised only where phrases of language/LANGUAGE/manners.yaml and fillers cover the whole message, so no
question is taken for one: "hi, where is SO-1?" is the question, without the greeting in front of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from copilot.semantic.language import in_force, per_language
from copilot.understanding.kinds import load_kinds
from copilot.understanding.slips import load_slips
from copilot.understanding.vocabulary import load_vocabulary
from copilot.understanding.words import cut

_CLAUSE = re.compile(r".+?(?:[,.;:!?]+(?=\s|$)|\s+[-–—]+(?=\s)|$)", re.DOTALL)
_ANY = "*"
_MOST_ANY = 3
_SHORTEST_TYPO = 4
_MOST_WORDS = 14
"""Words of the longest complaint with its reason."""

Pieces = tuple[str, ...]


class Manner(StrEnum):
    """What a message is, where it is no question about records. The first of several holds."""

    WRONG = "wrong"
    STOP = "stop"
    RESET = "reset"
    AGE = "age"
    UNDERSTOOD = "understood"
    MEANS = "means"
    ORIGIN = "origin"
    METHOD = "method"
    WHY = "why"
    WHO = "who"
    HELP = "help"
    GOODBYE = "goodbye"
    THANKS = "thanks"
    GREETING = "greeting"


_ABOUT_WRONG = "wrong_around"
"""Phrases that stand beside a complaint and are none by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The phrases of a language, cut as a message is."""

    filler: frozenset[str]
    spelled: Mapping[str, Pieces]
    by_first: Mapping[str, Sequence[tuple[Pieces, str]]]
    """First piece -> phrases, the longest first, each with its manner."""
    leading: frozenset[Pieces]
    kept: frozenset[Pieces]
    polite: frozenset[str]
    reasons: frozenset[str]
    no_reasons: tuple[Pieces, ...]
    words: frozenset[str]
    """Every word of a phrase, and the fillers."""

    def cover(self, pieces: Pieces) -> frozenset[str] | None:
        """The manners of phrases that cover all pieces; None where some piece is of no phrase."""
        found: dict[int, frozenset[str]] = {len(pieces): frozenset()}
        for start in range(len(pieces) - 1, -1, -1):
            for length, manner in self._at(pieces, start):
                if start + length in found:
                    found[start] = found[start + length] | {manner}
                    break
        return found.get(0)

    def _at(self, pieces: Pieces, start: int) -> Iterator[tuple[int, str]]:
        """How many pieces the phrases that begin there cover, the longest first."""
        for phrase, manner in self.by_first.get(pieces[start], ()):
            yield from ((length, manner) for length in _lengths(phrase, pieces[start:]))


def manner_of(text: str) -> Manner | None:
    """What a message wholly is; None for what may be a question."""
    phrases = load_phrases()
    pieces = _pieces(phrases, text)
    if not pieces:
        return Manner.HELP if text.strip() and not text.strip(" ?!.") else None
    covered = phrases.cover(pieces) or phrases.cover(_mended(phrases, pieces))
    if covered:
        return next((manner for manner in Manner if manner in covered), None)
    return Manner.WRONG if _complains(phrases, text) else None


def may_ask_of(text: str, entities: Collection[str]) -> bool:
    """Whether a message that is about the last answer may as well ask it of a record of one of these entities: where a
    transfer comes from."""
    asked, phrases = manners_file()["of_records"], load_phrases()
    meant = {_pieces(phrases, text), _mended(phrases, _pieces(phrases, text))}
    return any(_pieces(phrases, str(phrase)) in meant for entity in entities for phrase in asked.get(entity, ()))


def without_courtesy(text: str) -> str:
    """A message without greetings and thanks before and behind the question, where punctuation sets them apart."""
    phrases = load_phrases()
    clauses = [match.span() for match in _CLAUSE.finditer(text)]
    first, last = 0, len(clauses)
    while last - first > 1 and _courteous(phrases, text[slice(*clauses[first])]):
        first += 1
    while last - first > 1 and _courteous(phrases, text[slice(*clauses[last - 1])]):
        last -= 1
    if (first, last) == (0, len(clauses)):
        return text
    return text[clauses[first][0] : clauses[last - 1][1]].strip(" \t\n,;-–—")


@per_language
def load_phrases() -> Phrases:
    """The phrases of the language in force."""
    body = manners_file()
    spelled = {wrong: tuple(str(right).split()) for wrong, right in body["spelled"].items()}
    filler = frozenset(str(word) for word in body["filler"])

    def all_of(said: Sequence[Any]) -> frozenset[Pieces]:
        return frozenset(_cut(str(phrase), filler, spelled) for phrase in said) - {()}

    phrases = {(phrase, manner) for manner, said in body["manners"].items() for phrase in all_of(said)}
    by_first: dict[str, list[tuple[Pieces, str]]] = {}
    order = {manner: n for n, manner in enumerate(body["manners"])}
    for phrase, manner in sorted(phrases, key=lambda each: (-len(each[0]), order[each[1]], each[0])):
        by_first.setdefault(phrase[0], []).append((phrase, manner))
    leading = all_of(body["leading"])
    said = (*leading, *(phrase for phrase, _ in phrases))
    words = frozenset(word for phrase in said for word in phrase) | filler | spelled.keys()
    return Phrases(
        filler=filler, spelled=spelled, by_first=by_first, leading=leading, kept=all_of(body["kept"]),
        polite=frozenset(body.get("polite", ())), reasons=frozenset(body["reasons"]), words=words,
        no_reasons=tuple(tuple(str(phrase).split()) for phrase in body["no_reasons"]),
    )  # fmt: skip


@per_language
def manners_file() -> Mapping[str, Any]:
    """The file of the language in force as it stands."""
    return in_force().read("manners.yaml")


def _pieces(phrases: Phrases, text: str) -> Pieces:
    return _cut(text, phrases.filler, phrases.spelled)


def _cut(text: str, filler: frozenset[str], spelled: Mapping[str, Pieces]) -> Pieces:
    """The pieces of a message or a phrase without fillers; all of them where nothing else would be left."""
    said = [_ANY] if text == _ANY else []
    for word in text.split() if _ANY in text else [text]:
        said += [_ANY] if word == _ANY else [piece for each in cut(word) for piece in each.folded.split()]
    meant = tuple(right for piece in said for right in spelled.get(piece, (piece,)))
    return tuple(piece for piece in meant if piece not in filler)


def _lengths(phrase: Pieces, pieces: Pieces) -> Iterator[int]:
    """How many pieces the phrase may cover from the first one on."""
    if not phrase:
        yield 0
        return
    if not pieces:
        return
    if phrase[0] == _ANY:
        for some in range(min(_MOST_ANY, len(pieces)), 0, -1):
            yield from (some + rest for rest in _lengths(phrase[1:], pieces[some:]))
    elif phrase[0] == pieces[0]:
        yield from (1 + rest for rest in _lengths(phrase[1:], pieces[1:]))


def _mended(phrases: Phrases, pieces: Pieces) -> Pieces:
    """The pieces with slips of the keyboard put right, unless they are words of the business."""
    meant = tuple(right for piece in pieces for right in _meant(phrases, piece))
    spelled = tuple(right for piece in meant for right in phrases.spelled.get(piece, (piece,)))
    return tuple(piece for piece in spelled if piece not in phrases.filler)


def _meant(phrases: Phrases, piece: str) -> Pieces:
    """What a piece was meant for: by the list, as one slip away from one word, or as two without their blank."""
    slips = load_slips()
    if piece in slips.words:
        return slips.words[piece]
    if len(piece) < _SHORTEST_TYPO or not piece.isalpha() or piece in phrases.words:
        return (piece,)
    if piece in _business_words():
        return (piece,)
    nearest = slips.nearest(piece, phrases.words)
    found = (nearest,) if nearest else slips.parts(piece, phrases.words)
    return found if found and not slips.is_ordinary(piece) else (piece,)


@per_language
def _business_words() -> frozenset[str]:
    """Words of what the records are called and of what can be asked of them; none of them is a slip."""
    said = {piece for phrase in load_vocabulary().phrases for piece in phrase}
    cues = {piece for kind in load_kinds().values() for cue in (*kind.cues, *kind.words) for piece in cue.split()}
    return frozenset(said | cues)


def _complains(phrases: Phrases, text: str) -> bool:
    """Whether a message begins with a whole complaint and goes on with why: "this is not right, I counted them"."""
    words = [word.folded for word in cut(text)]
    if len(words) > _MOST_WORDS or any(word.has_digit for word in cut(text)):
        return False
    clauses = [text[slice(*match.span())] for match in _CLAUSE.finditer(text)]
    for n in range(1, len(clauses)):
        covered = phrases.cover(_pieces(phrases, "".join(clauses[:n])))
        rest = tuple(piece for word in cut("".join(clauses[n:])) for piece in word.folded.split())
        if covered and Manner.WRONG in covered and rest and rest[0] in phrases.reasons:
            return not any(rest[: len(phrase)] == phrase for phrase in phrases.no_reasons)
    return False


def _courteous(phrases: Phrases, clause: str) -> bool:
    pieces = _pieces(phrases, clause)
    if not pieces:
        return all(word.folded in phrases.polite for word in cut(clause))
    if pieces in phrases.leading or _mended(phrases, pieces) in phrases.leading:
        return True
    covered = phrases.cover(pieces)
    return bool(covered) and covered <= {Manner.GREETING, Manner.THANKS} and pieces not in phrases.kept
