"""What a question refers to: for every run of words all the records it may name, in the asker's scope."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from copilot.understanding.candidates import Candidate, Doubt, Key, labelled
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.names import Hit, by_whole_name, completed, is_everyday, name_hits, of_hits
from copilot.understanding.numbers import by_number, chosen, meant_as_numbers
from copilot.understanding.words import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Some words of a question and the records they may name, surest first; never without one."""

    positions: frozenset[int]
    candidates: tuple[Candidate, ...]

    @property
    def surest(self) -> tuple[Candidate, ...]:
        """Those that nothing tells apart: several have to be asked back."""
        first = self.candidates[0]
        return tuple(c for c in self.candidates if (c.doubt, c.strength) == (first.doubt, first.strength))

    def of(self, entities: Collection[str]) -> Reference | None:
        """The same words where only records of these kinds can be meant; None where they name none."""
        those = tuple(c for c in self.candidates if c.entity in entities)
        return replace(self, candidates=those) if those else None


async def find_references(
    lookup: Lookup,
    words: Sequence[Word],
    known: frozenset[int] = frozenset(),
    digits: frozenset[int] = frozenset(),
) -> tuple[Reference, ...]:
    """Every run of words that may name records, longest first, then from left to right; runs may overlap.

    `known` are positions of words that mean something by themselves: they may be part of a name, but are none alone,
    and no slip of one. Bare digits count as a number after a word that says so ("customer 10021"), after another
    number ("SO-10482 and 10491"), from six digits on, and at the positions `digits`.
    """
    spelled, bare = meant_as_numbers(words, digits)
    numbers = (*chosen(lookup.model, words), *await by_number(lookup, words, spelled, bare))
    taken = frozenset(position for candidate in numbers for position in candidate.positions)
    whole = await by_whole_name(lookup, words, known)
    hits = await name_hits(lookup, words, known, taken)
    runs = (c for key, those in hits.items() for c in _runs(key, those, words, known))
    names = [c for c in runs if not is_everyday(c, words)]
    labels = await labelled(lookup, (*numbers, *whole, *names))
    shown = [completed(candidate, words) for candidate in labels]
    return _grouped(_undominated([c for c in shown if c.full or not _joins(c, words)]))


def settled(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """A reading in which no word is used twice: numbers before names, longer runs before shorter ones; no guesses."""
    taken: set[int] = set()
    kept: list[Reference] = []
    for reference in sorted((r for r in references if r.candidates[0].doubt is not Doubt.GUESS), key=_rank):
        if taken.isdisjoint(reference.positions):
            kept.append(reference)
            taken |= reference.positions
    return tuple(sorted(kept, key=lambda r: min(r.positions)))


def guesses(references: Iterable[Reference]) -> tuple[Candidate, ...]:
    """What may only be suggested ("did you mean …?"), the likeliest first."""
    found = [c for r in references for c in r.candidates if c.doubt is Doubt.GUESS]
    return tuple(sorted(found, key=lambda c: (-c.strength, c.entity, c.label)))


def _rank(reference: Reference) -> tuple[bool, int, int]:
    first = reference.candidates[0]
    return not first.by_number, -len(reference.positions), -first.strength


def _runs(key: Key, hits: set[Hit], words: Sequence[Word], known: frozenset[int]) -> Iterable[Candidate]:
    """The runs of words that have words of one record's name; also across "and", for a name that has it."""
    for joining in (frozenset[str](), lexicon().names):
        for run in _split(hits, words, joining):
            at = frozenset(hit.position for hit in run)
            if not at <= known:
                yield of_hits(key, run, words)


def _split(hits: set[Hit], words: Sequence[Word], joining: frozenset[str]) -> list[set[Hit]]:
    """The hits in runs: between two of one run stand only words that say nothing."""
    runs: list[set[Hit]] = []
    stop, names = lexicon().stop, lexicon().names
    last = -1
    for position, those in groupby(sorted(hits), key=lambda hit: hit.position):
        between = words[last + 1 : position]
        if runs and all(w.folded in stop and (w.folded not in names or w.folded in joining) for w in between):
            runs[-1].update(those)
        else:
            runs.append(set(those))
        last = position
    return runs


def _joins(candidate: Candidate, words: Sequence[Word]) -> bool:
    """Whether a name was put together of words on both sides of an "and"."""
    span = range(min(candidate.positions), max(candidate.positions))
    return any(words[p].folded in lexicon().names for p in span)


def _undominated(candidates: Sequence[Candidate]) -> Iterable[Candidate]:
    """Without the weaker readings: fewer of the same words, for a record of the same kind, no more surely."""
    by_run: dict[tuple[str, frozenset[int]], list[Candidate]] = {}
    for candidate in candidates:
        by_run.setdefault((candidate.entity, candidate.positions), []).append(candidate)
    for (entity, positions), those in by_run.items():
        wider = [c for (e, at), others in by_run.items() if e == entity and positions < at for c in others]
        if not any(c.doubt <= max(those[0].doubt, Doubt.SLIP) for c in wider):
            yield from _once(those)


def _once(candidates: Iterable[Candidate]) -> Iterable[Candidate]:
    best: dict[Key, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (c.doubt, -c.strength)):
        best.setdefault(candidate.key, candidate)
    return best.values()


def _grouped(candidates: Iterable[Candidate]) -> tuple[Reference, ...]:
    runs: dict[frozenset[int], list[Candidate]] = {}
    for candidate in candidates:
        runs.setdefault(candidate.positions, []).append(candidate)
    found = [Reference(positions=at, candidates=tuple(sorted(those, key=_order))) for at, those in runs.items()]
    return tuple(sorted(found, key=lambda r: (-len(r.positions), min(r.positions))))


def _order(candidate: Candidate) -> tuple[Doubt, int, str, str, int]:
    return candidate.doubt, -candidate.strength, candidate.entity, candidate.label, candidate.id
