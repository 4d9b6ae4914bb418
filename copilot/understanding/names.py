"""Finds the records that words of a question may name, under the asker's scope: what is hidden is never suggested."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from copilot.understanding.candidates import Candidate, Doubt, Key, labelled
from copilot.understanding.fuzzy import halves, joined, keys_between, near_words
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.name_words import beginning, known, read_names, whole_names
from copilot.understanding.numbers import bare_digits, by_number, chosen, hint, spellings
from copilot.understanding.sayings import everyday_words
from copilot.understanding.sizes import parted, sizes
from copilot.understanding.words import Word, fold, is_place

_MEASURE = re.compile(r"^(\d+)([a-z]{1,4})$")
_STRENGTH = {Doubt.NONE: 5, Doubt.SLIP: 4, Doubt.GUESS: 2}
_PER_WORD = _STRENGTH[Doubt.NONE]
_NAMED = frozenset({"item", "customer", "supplier", "site"})
"""What people call by name as well as by number."""
_MOST_WORDS = 60
_LONGEST_NAME = 12


class Hit(NamedTuple):
    """A word of a name in the question: where, what was typed for it, and how doubtful that is."""

    position: int
    part: str
    doubt: Doubt = Doubt.NONE


Meant = dict[str, set[Hit]]
"""Words of names -> the words of the question that mean them."""


async def find_candidates(lookup: Lookup, words: Sequence[Word], cues: frozenset[int]) -> tuple[Candidate, ...]:
    """Every record that the words may name; `cues` are positions of words that also ask for something."""
    spelled = spellings(words)
    numbered = _surest(await by_number(lookup, words, spelled, bare_digits(words, spelled)))
    numbers = (*chosen(lookup.model, words), *numbered)
    taken = frozenset(position for candidate in numbers for position in candidate.positions)
    whole = await by_whole_name(lookup, words, cues)
    certain = {candidate.key for candidate in whole}
    hits = await name_hits(lookup, words, cues, taken)
    names = [of_hits(key, those, words) for key, those in hits.items() if key not in certain]
    names = [name for name in names if not is_everyday(name, words)]
    shown = await labelled(lookup, (*numbers, *whole, *names))
    return tuple(completed(candidate, words) for candidate in shown)


def is_everyday(candidate: Candidate, words: Sequence[Word]) -> bool:
    """Whether the one word of a name that stands there is an everyday one, and perhaps not even that of the name."""
    everyday = all(words[position].folded in everyday_words() for position in candidate.positions)
    return everyday and candidate.doubt is not Doubt.NONE


def _surest(candidates: Iterable[Candidate]) -> Iterable[Candidate]:
    """Each record by its surest reading."""
    best: dict[Key, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: -c.strength):
        best.setdefault(candidate.key, candidate)
    return best.values()


async def by_whole_name(lookup: Lookup, words: Sequence[Word], cues: frozenset[int]) -> tuple[Candidate, ...]:
    """Records whose whole name stands in the question: its single letters and digits count as well."""
    spelled = {
        " ".join(word.folded for word in words[start:end]): range(start, end)
        for start in range(min(len(words), _MOST_WORDS))
        for end in range(start + 2, min(len(words), start + _LONGEST_NAME) + 1)
    }
    if not spelled:
        return ()
    found = await whole_names(lookup, spelled)
    every = [(key, frozenset(spelled[name])) for name, keys in found.items() for key in keys]
    every += await _by_initials(lookup, spelled)
    return tuple(
        named(key, at, words, matched=len(at), strength=_PER_WORD * (len(at) + 1))
        for key, at in every
        if not at <= cues
    )


async def _by_initials(lookup: Lookup, spelled: Mapping[str, range]) -> list[tuple[Key, frozenset[int]]]:
    """Records whose names begin with these words, the first a single letter, as no other name does: "G & K"."""
    starts = {f"{name} ": at for name, at in spelled.items() if len(name.split()[0]) == 1 and name[0].isalpha()}
    begun = await keys_between(lookup, "name", {start: f"{start}~" for start in starts})
    only = {keys[0]: starts[start] for start, keys in begun.items() if len(keys) == 1}
    named_so = await whole_names(lookup, only)
    return [(key, frozenset(only[name])) for name, keys in named_so.items() for key in keys]


async def name_hits(
    lookup: Lookup, words: Sequence[Word], cues: frozenset[int], taken: frozenset[int]
) -> dict[Key, set[Hit]]:
    """The records whose names have words of the question that are no number -> those words; not `cues` alone."""
    asked: dict[str, set[int]] = {}
    for position, word in enumerate(words):
        if position not in taken and not _of_a_document(words, position):
            for part in _parts(word):
                if part not in lexicon().stop or is_place(words, position):
                    asked.setdefault(part, set()).add(position)
    if not asked:
        return {}
    meant = await _meant(lookup, asked, cues)
    _add_sizes(meant, words, taken)
    _add_measures(meant, words, taken)
    unheard = asked.keys() - {hit.part for those in meant.values() for hit in those}
    await _add_near(lookup, meant, {part: asked[part] for part in unheard if not cues.issuperset(asked[part])})
    hits = await _named_so(lookup, meant)
    unclear = _unclear(asked, cues, hits)
    if unclear and await _add_near(lookup, meant, {part: asked[part] for part in unclear}):
        hits = await _named_so(lookup, meant)
    kept = {key: _whole_words(_without_numbers(those, words), words) for key, those in hits.items()}
    return {key: those for key, those in kept.items() if not {hit.position for hit in those} <= cues}


async def _named_so(lookup: Lookup, meant: Meant) -> dict[Key, set[Hit]]:
    """The records whose names have the words, of each entity those with most of them."""
    typed = {word: {hit.part for hit in those} for word, those in meant.items()}
    hits: dict[Key, set[Hit]] = {}
    for key, held in await read_names(lookup, typed):
        those = hits.setdefault(key, set())
        for word in held:
            those.update(meant[word])
    return {key: _best(those) for key, those in hits.items()}


def _best(hits: set[Hit]) -> set[Hit]:
    """Each typed word by its surest reading in one name."""
    best: dict[tuple[int, str], Hit] = {}
    for hit in sorted(hits, key=lambda h: h.doubt):
        best.setdefault((hit.position, hit.part), hit)
    return set(best.values())


def _unclear(asked: Mapping[str, Collection[int]], cues: frozenset[int], hits: Mapping[Key, set[Hit]]) -> set[str]:
    """The words that no name has, and those that stand beside one without any name that has both."""
    places = sorted({p for at in asked.values() for p in at} - cues)
    held = {hit.position for those in hits.values() for hit in those}
    together = [{hit.position for hit in those} for those in hits.values()]
    parted = {
        p
        for a, b in pairwise(places)
        if b - a == 1 and not any(a in those and b in those for those in together)
        for p in (a, b)
    }
    return {part for part, at in asked.items() for p in at if p not in cues and (p not in held or p in parted)}


async def _add_near(lookup: Lookup, meant: Meant, unclear: Mapping[str, Collection[int]]) -> bool:
    """Add the words of names that unclear words may be meant for; returns whether there are any."""
    before = sum(map(len, meant.values()))
    pairs = joined(sorted((p, part) for part, at in unclear.items() for p in at))
    parts = {half: (pair, word) for word in unclear for pair in halves(word) for half in pair}
    for word in await known(lookup, {*pairs, *parts}):
        for position, part in pairs.get(word, ()):
            meant.setdefault(word, set()).add(Hit(position, part))
        if word in parts:
            meant.setdefault(word, set()).update(Hit(p, word) for p in unclear[parts[word][1]])
    for typed, likely in (await near_words(lookup, unclear)).items():
        for word, doubt in likely.items():
            meant.setdefault(word, set()).update(Hit(p, typed, doubt) for p in unclear[typed])
    return sum(map(len, meant.values())) > before


def _add_sizes(meant: Meant, words: Sequence[Word], taken: frozenset[int]) -> None:
    """Add sizes as names have them; the figures of "m8x50" may also stand apart there."""
    for size, at in sizes(words):
        if taken.isdisjoint(at):
            meant.setdefault(size, set()).update(Hit(p, next(iter(_parts(words[p])), words[p].folded)) for p in at)
    for position, word in enumerate(words):
        for half in parted(word.folded) or ():
            if position not in taken:
                meant.setdefault(half, set()).add(Hit(position, half))


def _add_measures(meant: Meant, words: Sequence[Word], taken: frozenset[int]) -> None:
    """Add measures as names that write them in one have them: "25ft"."""
    for position, word in enumerate(words):
        for part in word.folded.split():
            if position not in taken and (found := _MEASURE.match(part)):
                meant.setdefault(part, set()).update(Hit(position, piece) for piece in found.groups())


def _whole_words(hits: set[Hit], words: Sequence[Word]) -> set[Hit]:
    """Without one half of a word whose other half the name does not have."""
    held: dict[int, set[str]] = {}
    for hit in hits:
        held.setdefault(hit.position, set()).add(hit.part)
    return {hit for hit in hits if _typed_so(hit.part, words[hit.position], held[hit.position])}


def _typed_so(part: str, word: Word, held: Collection[str]) -> bool:
    """Whether a part is a word as typed, or one half of it whose other half is held too."""
    if part in (word.folded, *_parts(word)):
        return True
    return any(
        f"{a}{x}{b}" in (word.folded, *_parts(word)) for a in held for b in held for x in ("", "x") if part in (a, b)
    )


def of_hits(key: Key, hits: set[Hit], words: Sequence[Word]) -> Candidate:
    """A record by the words of its name that stand in the question."""
    strength = sum(_STRENGTH[hit.doubt] for hit in hits)
    doubt = max(hit.doubt for hit in hits)
    found = named(key, frozenset(h.position for h in hits), words, matched=len(hits), strength=strength)
    return replace(found, doubt=doubt, slipped=frozenset(h.position for h in hits if h.doubt))


def completed(candidate: Candidate, words: Sequence[Word]) -> Candidate:
    """With the words beside those found that its name has too, among them single letters and figures ("6 mm")."""
    if candidate.by_number:
        return candidate
    name = f" {fold(candidate.name)} "
    at = set(candidate.positions)
    for position in range(min(at) + 1, min(max(at) + _LONGEST_NAME, len(words))):
        if position not in at and position - 1 in at and _says(name, words, position):
            at.add(position)
    added = len(at) - len(candidate.positions)
    return replace(
        candidate,
        positions=frozenset(at),
        strength=candidate.strength + _PER_WORD * added,
        matched=candidate.matched + added,
    )


def _says(name: str, words: Sequence[Word], position: int) -> bool:
    """Whether a name, between blanks, has a word; a figure only beside the word that it was typed beside."""
    said = " ".join(_parts(words[position], 0))
    if not said.isdecimal():
        return f" {said} " in name
    before, after = words[position - 1].folded, words[position + 1].folded if position + 1 < len(words) else ""
    return f" {before} {said} " in name or (bool(after) and f" {said} {after} " in name)


def _without_numbers(hits: set[Hit], words: Sequence[Word]) -> set[Hit]:
    """Without hits in a word whose figures the name does not have: "LUM-0815" is a number, not Lumber Inc."""
    held = {hit.part for hit in hits}
    figures = {h.position: {x for x in _parts(words[h.position]) if any(c.isdigit() for c in x)} for h in hits}
    return {hit for hit in hits if all(f in held or held.issuperset(parted(f) or (f,)) for f in figures[hit.position])}


def _of_a_document(words: Sequence[Word], position: int) -> bool:
    """Whether a word is bare digits after a word such as "order": a number, and no part of a name."""
    hinted = lexicon().hints.get(words[position - 1].folded, ()) if position else ()
    return words[position].bare_number and bool(hinted) and _NAMED.isdisjoint(hinted)


def _parts(word: Word, longer_than: int = 1) -> list[str]:
    """The words that a name would have for it: "10mm" stands in names as "10 mm"."""
    parts = [part for part in word.folded.split() if len(part) > longer_than]
    return [piece for part in parts for piece in _MEASURE.sub(r"\1 \2", part).split()]


def named(key: Key, at: frozenset[int], words: Sequence[Word], *, matched: int, strength: int) -> Candidate:
    """A record called by name; a word such as "customer" before it tips the scales between two of one name."""
    hinted = 1 if hint(words, (min(at), max(at)), key[0]) else 0
    return Candidate(
        entity=key[0], id=key[1], positions=at, strength=strength + hinted, by_number=False, matched=matched
    )


async def _meant(lookup: Lookup, asked: Mapping[str, Collection[int]], cues: frozenset[int]) -> Meant:
    """Words of names -> the words that mean them: the same word, its singular, or one that begins so."""
    meant: Meant = {}

    def add(word: str, part: str) -> None:
        meant.setdefault(word, set()).update(Hit(p, part) for p in asked[part])

    plain = [(w, ending) for ending in lexicon().plural for w in asked if len(w) > 3 and w.isalpha()]
    singular = [(w.removesuffix(ending), w) for w, ending in plain if w.endswith(ending)]
    there = await known(lookup, {*asked, *(one for one, _ in singular)})
    for word in there.intersection(asked):
        add(word, word)
    for one, several in singular:
        if one in there and several not in there:
            add(one, several)
    said = {hit.part for hits in meant.values() for hit in hits}
    rest = [w for w, at in asked.items() if w not in said and w not in everyday_words() and not cues.issuperset(at)]
    for part, words in (await beginning(lookup, rest)).items():
        for word in words:
            add(word, part)
    return meant
