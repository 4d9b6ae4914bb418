"""The ways to read a question as one of a kind: what its cues ask for, and which records it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from copilot.semantic.language import per_language
from copilot.understanding.candidates import Candidate
from copilot.understanding.kinds import Kind, load_kinds
from copilot.understanding.lexicon import lexicon
from copilot.understanding.told import NOTHING_TOLD, Told
from copilot.understanding.wanted import WantedMention
from copilot.understanding.words import Word, first_words, phrases_in

_SURE = 20
"""Strength from which a number is surely one: as written, or bare digits after a word such as "order"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read the question: a kind, how strongly its cues ask for it, and what its references may be."""

    kind: Kind
    cue: int
    cue_positions: frozenset[int]
    candidates: Mapping[str, tuple[Candidate, ...]]
    """Entity -> the strongest candidates; several mean that we have to ask."""
    told: Told = NOTHING_TOLD

    @property
    def score(self) -> tuple[int, int, int, int]:
        """Orders readings: more asked for, more records named, more surely, the usual question about such a record."""
        first = [found[0] for found in self.candidates.values()]
        default = any(c.entity in self.kind.default_for for c in first)
        return self.cue, len(first), sum(c.strength for c in first), int(default)

    def named(self, positions: frozenset[int]) -> int:
        """How many of the words at some positions name its records; none where no cue asks for it."""
        covered = frozenset(p for those in self.candidates.values() for p in those[0].positions)
        return len(covered & positions) if self.cue else 0

    @property
    def firsts(self) -> tuple[Candidate, ...]:
        """Of each entity the first record that may be meant."""
        return tuple(those[0] for those in self.candidates.values())

    def all_of(self, entity: str) -> bool:
        """Whether the question is about all the records of an entity that it names, each by words of its own."""
        those = self.candidates[entity]
        places = [position for c in those for position in c.positions]
        return entity in self.kind.several and len(places) == len(set(places))


Cue = tuple[int, frozenset[int]]
NO_CUE: Cue = (0, frozenset())


def all_cues(words: Sequence[Word]) -> Sequence[tuple[Kind, Cue]]:
    """Every kind with what of a question asks for it. Few kinds have a cue that begins with one of its words."""
    begun = _begun()
    said = {piece for word in words for piece in word.folded.split()}
    may_be = {name for piece in said for name in begun.get(piece, ())} | begun[""]
    return [(kind, cues_of(kind, words) if name in may_be else NO_CUE) for name, kind in load_kinds().items()]


@per_language
def _begun() -> Mapping[str, frozenset[str]]:
    """The names of the kinds with a cue that begins with a word, by that word; by "" of those without any cue."""
    begun: dict[str, set[str]] = {"": set()}
    for name, kind in load_kinds().items():
        for first in first_words(kind.cues) or ("",):
            begun.setdefault(first, set()).add(name)
    return {first: frozenset(names) for first, names in begun.items()}


def cues_of(kind: Kind, words: Sequence[Word]) -> Cue:
    """How many words of the question ask for this kind, and where they stand; what only goes with them counts then."""
    positions = frozenset(p for _, at in phrases_in(words, kind.cues) if not _of_number(words, at) for p in at)
    beside = [kind.words, *kind.also] if positions or not kind.cues else []
    found = [frozenset(p for _, at in phrases_in(words, phrases) for p in at) for phrases in beside]
    if not all(found[1:]):
        return NO_CUE
    positions = positions.union(*found)
    return len(positions), positions


def _of_number(words: Sequence[Word], at: Sequence[int]) -> bool:
    """Whether the last of several words belongs to the number behind it: the "order" of "on order SO-24"."""
    *before, last = at
    small = bool(before) and all(words[p].folded in lexicon().stop for p in before)
    return small and words[last].folded in lexicon().hints and last + 1 < len(words) and words[last + 1].has_digit


def independent(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Without the candidates whose words another candidate of another entity explains better, and without bare digits
    where a name is given: they are then a quantity."""
    named = any(not c.by_number for c in candidates)
    kept = [c for c in candidates if not (named and c.by_number and c.strength < _SURE)]
    return tuple(c for c in kept if not any(_explains_more(other, c) for other in kept))


def measured(candidate: Candidate, told: Told) -> bool:
    """Whether bare digits that might be a number are how much of something: "14400 kg" is no order."""
    return (
        candidate.by_number
        and candidate.strength < _SURE
        and any(candidate.positions <= a.positions for a in told.amounts)
    )


def _explains_more(other: Candidate, candidate: Candidate) -> bool:
    if other.by_number and not candidate.by_number and candidate.positions <= other.positions:
        return True
    return other.entity != candidate.entity and candidate.positions < other.positions


def besides_told(
    candidates: Sequence[Candidate], kind: Kind, spoken: frozenset[int], told: WantedMention, besides: Told
) -> Sequence[Candidate]:
    """For a kind that is about a time, a quantity or what else is told, without what only the words of those would
    name."""
    if kind.told:
        return [c for c in candidates if not c.positions <= besides.positions]
    if kind.quantity:
        amount = told.beside(c.positions for c in candidates)
        return [c for c in candidates if not (c.positions & told.day_positions or c.positions <= amount)]
    return [c for c in candidates if not (kind.time and c.positions & spoken)]


@dataclass(frozen=True, slots=True)
class Named:
    """The records that a question may name: all that may be meant, and of each entity the strongest."""

    candidates: Sequence[Candidate]
    strongest: Mapping[str, tuple[Candidate, ...]]

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> Named:
        """The candidates by entity."""
        return cls(candidates, {entity: _strongest(candidates, entity) for entity in {c.entity for c in candidates}})


def read(kind: Kind, cue: Cue, named: Named, words: Sequence[Word], besides: Told = NOTHING_TOLD) -> Reading | None:
    """The question read as one of a kind; None where it lacks what that needs, or has words for another."""
    candidates, strongest = named.candidates, named.strongest
    found = _one_place({entity: strongest[entity] for entity in kind.references if entity in strongest})
    for entity in kind.through:
        if not any(required in found for required in kind.required) and entity in strongest:
            found[entity] = strongest[entity]
    led = any(entity in kind.through for entity in found)
    if not led and any(entity not in found for entity in kind.required):
        return None
    usual = any(entity in kind.default_for for entity in found)
    covered = frozenset(p for those in found.values() for p in those[0].positions)
    told = besides.fitting(kind.told, frozenset(p for those in found.values() for c in those for p in c.positions))
    if told is None or (kind.told and not cue[0] and kind.cues) or any(phrases_in(words, kind.never)):
        return None
    cue = (cue[0], cue[1] | told.positions)
    if not kind.needs_record and any(not c.positions <= covered | cue[1] for c in candidates):
        return None  # it is about a record after all
    sure = {c.entity: (c,) for c in candidates if c.by_number and c.strength >= _SURE}
    asked = len(cue[1] - covered - hints_used(words, found) - hints_used(words, sure))
    if not asked and not usual:
        return None
    return Reading(kind=kind, cue=asked, cue_positions=cue[1], candidates=found, told=told)


def _one_place(found: dict[str, tuple[Candidate, ...]]) -> dict[str, tuple[Candidate, ...]]:
    """Without the less sure of a site and a region that the same words name: "Singapore" is not Singapore Tuas."""
    site, region = found.get("site"), found.get("region")
    if site and region and site[0].positions & region[0].positions:
        lesser = "site" if region[0].strength > site[0].strength else "region"
        return {entity: those for entity, those in found.items() if entity != lesser}
    return found


def _strongest(candidates: Sequence[Candidate], entity: str) -> tuple[Candidate, ...]:
    """What an entity's records in the question may be: the surest reading, and with two numbers typed one for each."""
    those = [c for c in candidates if c.entity == entity]
    top = max(c.strength for c in those)
    numbered = [c for c in those if c.by_number and c.strength >= _SURE]
    rivals = {c: [o.strength for o in numbered if o.positions & c.positions] for c in numbered}
    kept = [c for c in those if c.strength == top or (c in rivals and c.strength == max(rivals[c]))]
    return tuple(sorted(kept, key=lambda c: (c.label, c.id)))


def counting(reading: Reading, told: WantedMention, now: datetime) -> Reading | None:
    """A reading that is about a quantity that there may be today; None where no quantity is named, or a day to come."""
    at = told.beside(c.positions for those in reading.candidates.values() for c in those)
    if not at or not told.is_now(now):
        return None
    return replace(reading, cue=reading.cue + len(at), cue_positions=reading.cue_positions | at)


def hints_used(
    words: Sequence[Word], candidates: Mapping[str, tuple[Candidate, ...]], led_to: Sequence[str] = ()
) -> frozenset[int]:
    """Positions of words right before or after a record that say what kind it is, as in "customer PO 4711".

    Words of kinds stand in a run; one of them that fits the record, or an entity it has led to, is enough. "PO of
    SO-24" is no such run: it asks for something of the record. The word that is above all one for its kind says it
    from anywhere: "the status of the order for customer PO 4711".
    """
    used: set[int] = set()
    for entity, at in ((c.entity, c.positions) for those in candidates.values() for c in those):
        for start, step in ((min(at) - 1, -1), (max(at) + 1, 1)):
            run = _run_of_hints(words, start, step)
            if any(not {entity, *led_to}.isdisjoint(lexicon().hints[words[p].folded]) for p in run):
                used.update(run)
        used.update(p for p, word in enumerate(words) if _first_hint(word) == entity)
    return frozenset(used)


def _first_hint(word: Word) -> str:
    """The kind that a word says above all: "order" is one of customers, also where a purchase order may be meant."""
    return next(iter(lexicon().hints.get(word.folded, ())), "")


def _run_of_hints(words: Sequence[Word], start: int, step: int) -> list[int]:
    run: list[int] = []
    while 0 <= start < len(words) and words[start].folded in lexicon().hints:
        run.append(start)
        start += step
    return run
