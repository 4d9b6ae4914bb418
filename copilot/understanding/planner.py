"""The rules planner: reads the question as typed and decides its kind and the records it names, or says why not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product

from psycopg.rows import DictRow

from copilot.domain.plan import Choice, NoPlan, Period, Plan, Wanted
from copilot.semantic.language import per_language
from copilot.understanding.candidates import Candidate, Doubt, read_as
from copilot.understanding.choices import MOST_CHOICES, choice, instead, suggesting
from copilot.understanding.kinds import NOW, Kind, load_kinds, make_plan
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.names import find_candidates
from copilot.understanding.readings import (
    Cue,
    Named,
    Reading,
    all_cues,
    besides_told,
    counting,
    hints_used,
    independent,
    measured,
    read,
)
from copilot.understanding.times import Mention, ahead_period, find_time, resolve, usual_period
from copilot.understanding.told import DAYS, find_told
from copilot.understanding.vocabulary import load_vocabulary
from copilot.understanding.wanted import NOTHING_WANTED, Refused, WantedMention, find_wanted
from copilot.understanding.words import Word, cut, is_place, is_singular

_ZONED = ("sales_order", "purchase_order", "customer")
"""Records whose site decides in which time zone a time is meant; a customer's is the one of the newest order."""


_NUMBER = re.compile(r"[A-Za-z]{1,5}[-/]?[0-9]{4,}")
"""What is a number of a record to anybody, and no size of a thing."""


async def plan_question(lookup: Lookup, text: str) -> Plan | NoPlan:
    """The plan of a question, or why there is none. Looks names up in the scope of the transaction."""
    words = cut(text)
    cues = all_cues(words)
    timed = find_time(words) if any(kind.time and cue[0] for kind, cue in cues) else None
    told = find_wanted(words) if any(kind.quantity and cue[0] for kind, cue in cues) else NOTHING_WANTED
    spoken = (timed.positions if timed else frozenset[int]()) | told.day_positions
    besides = find_told(words, dated=any(DAYS in kind.told and cue[0] for kind, cue in cues))
    asked = frozenset(p for kind, (_, positions) in cues if kind.cues for p in positions) | spoken
    turning = frozenset(p for p, word in enumerate(words) if word.folded in lexicon().turning)
    found = await find_candidates(lookup, words, asked | besides.positions | turning)
    candidates = independent([c for c in found if c.doubt is not Doubt.GUESS and not measured(c, besides)])
    plainly = Named.of(candidates)

    def read_as_one(kind: Kind, cue: Cue) -> Reading | None:
        left = besides_told(candidates, kind, spoken, told, besides)
        reading = read(kind, cue, plainly if len(left) == len(candidates) else Named.of(left), words, besides)
        return counting(reading, told, lookup.now) if reading and kind.quantity == NOW else reading

    readings = [reading for kind, cue in cues if (reading := read_as_one(kind, cue))]
    if not readings:
        return suggesting(_nothing_named(words, candidates, asked), words, found)
    named = frozenset(p for c in candidates if c.doubt is Doubt.NONE and (c.full or c.by_number) for p in c.positions)

    def fitness(reading: Reading) -> tuple[object, ...]:
        """A kind that is of all records named, before one that asks more of some of them."""
        return (reading.named(named), reading.score[0], bool(spoken and reading.kind.time), reading.score[1:])

    best = max(readings, key=fitness)
    equals = [r for r in readings if r.score == best.score and set(r.candidates) != set(best.candidates)]
    if equals:
        return _one_of((best, *equals), words, asked)
    if best.kind.ahead:
        return await _ahead(lookup, best, words)
    if best.kind.told:
        return _telling(best, words, lookup.now)
    if best.kind.quantity:
        return await _promising(lookup, best, words, told)
    if best.kind.time is None:
        return _decide(best, words)
    period = await _period(lookup, best, timed)
    if period is None:
        return NoPlan(reason="unsupported", unknown_words=tuple(words[p].typed for p in sorted(spoken)))
    return _decide(best, words, period, spoken)


def replan(
    kind: str, references: Mapping[str, Sequence[int]], period: Period | None = None, wanted: Wanted | None = None
) -> Plan | None:
    """The plan of a kept question, from its references; None where that kind is no longer known."""
    known = load_kinds().get(kind)
    ids = {entity: tuple(those) for entity, those in references.items()}
    untimed = known is not None and known.ahead and (period is None or period.until is None)
    if known is None or untimed or (any(known.told.values()) and wanted is None and not known.ahead):
        return None
    return make_plan(known, ids, period=period, wanted=wanted)


async def _promising(lookup: Lookup, reading: Reading, words: Sequence[Word], told: WantedMention) -> Plan | NoPlan:
    """The plan of a question about a quantity and a day, in the zone of the site named or of a site in scope."""
    named = [c.positions for those in reading.candidates.values() for c in those]
    told = told.without_none(reading.cue_positions)
    sites = [c.id for c in reading.candidates.get("site", ())]
    wanted = told.resolve(named, lookup.now, _zone(await lookup.rows("zone_of_promise", sites=sites)))
    if isinstance(wanted, Refused) or (reading.kind.quantity in ("required", NOW) and wanted.quantity is None):
        unknown = wanted.positions if isinstance(wanted, Refused) else told.positions
        return NoPlan(reason="unsupported", unknown_words=tuple(words[p].typed for p in sorted(unknown)))
    decided = _decide(reading, words, spoken=told.beside(named) | told.day_positions)
    if isinstance(decided, Plan):  # a promise on half of what was said would be a wrong one
        unused = NoPlan(reason="unsupported", unknown_words=decided.unused_words)
        return unused if decided.unused_words else replace(decided, wanted=wanted)
    doubtful = [those for those in reading.candidates.values() if len(those) > 1]
    if decided.reason != "ambiguous" or len(doubtful) != 1:
        return decided
    choices = tuple(Choice(label=c.label, question=instead(words, c)) for c in doubtful[0][:MOST_CHOICES])
    return replace(decided, choices=choices)


def _telling(reading: Reading, words: Sequence[Word], now: datetime) -> Plan | NoPlan:
    """The plan of a question that tells more than names: a figure on half of what was said would be a wrong one."""
    wanted, period = reading.told.wanted(), reading.told.period(now, "UTC")
    if wanted is None or (reading.told.spans and period is None):
        return NoPlan(reason="unsupported", unknown_words=tuple(words[p].typed for p in sorted(reading.told.positions)))
    decided = _decide(reading, words, period, reading.told.positions, wanted)
    if isinstance(decided, Plan) and decided.unused_words:
        return NoPlan(reason="unsupported", unknown_words=decided.unused_words)
    unnamed = isinstance(decided, Plan) and not decided.echo
    return replace(decided, echo=wanted.lot or "") if unnamed else decided


async def _ahead(lookup: Lookup, reading: Reading, words: Sequence[Word]) -> Plan | NoPlan:
    """The plan of a question about a time to come, in the zone of the site named or of a site in scope."""
    zone = _zone(await lookup.rows("zone_of_promise", sites=[c.id for c in reading.candidates.get("site", ())]))
    named = reading.told.period(lookup.now, zone)
    period = ahead_period(str(reading.kind.ahead), named, lookup.now, zone)
    if period is None or (reading.told.spans and named is None):
        return NoPlan(reason="unsupported", unknown_words=tuple(words[p].typed for p in sorted(reading.told.positions)))
    decided = _decide(reading, words, period, reading.told.positions)
    if isinstance(decided, Plan) and decided.unused_words:
        return NoPlan(reason="unsupported", unknown_words=decided.unused_words)
    return decided


async def _period(lookup: Lookup, reading: Reading, timed: Mention | None) -> Period | None:
    """The time asked about, in the zone of the site of the record named; None for a time that can't be."""
    named = {f"{entity}s": [c.id for c in reading.candidates.get(entity, ())] for entity in _ZONED}
    zone = _zone(await lookup.rows("zones_of_records", **named))
    return resolve(timed, lookup.now, zone) if timed else usual_period(str(reading.kind.time), lookup.now, zone)


def _zone(rows: Sequence[DictRow]) -> str:
    """The time zone that the first row says."""
    return str(rows[0]["time_zone"] or "UTC") if rows else "UTC"


def _decide(
    reading: Reading,
    words: Sequence[Word],
    period: Period | None = None,
    spoken: frozenset[int] = frozenset(),
    wanted: Wanted | None = None,
) -> Plan | NoPlan:
    doubtful = [those for entity, those in reading.candidates.items() if len(those) > 1 and not reading.all_of(entity)]
    covered = frozenset(p for those in reading.candidates.values() for c in those for p in c.positions)
    echo = " ".join(words[p].typed for p in sorted(covered))
    if doubtful and (missing := _numbers_of_nothing(words, covered | spoken | reading.cue_positions)):
        return NoPlan(reason="not_found", echo=missing)
    if doubtful:
        combinations = list(product(*reading.candidates.values()))
        choices = tuple(choice(reading, combination, words) for combination in combinations[:MOST_CHOICES])
        return NoPlan(reason="ambiguous", entity=doubtful[0][0].entity, echo=echo, choices=choices)
    used = covered | spoken | reading.cue_positions | hints_used(words, reading.candidates, reading.kind.required)
    left = _left_over(words, used | _again(words, reading))
    unused = tuple(words[p].typed for p in left)
    if unused and (
        not reading.cue
        or not reading.kind.needs_record
        or _beside_a_name(left, words, reading)
        or _changes_meaning(left, words)
    ):
        offered = () if reading.kind.told else (choice(reading, reading.firsts, words, titled=True),)
        return NoPlan(reason="unsupported", unknown_words=unused, choices=offered)
    references = {
        entity: tuple(c.id for c in (those if reading.all_of(entity) else those[:1]))
        for entity, those in reading.candidates.items()
    }
    plan = make_plan(reading.kind, references, echo=echo, unused=unused, period=period, wanted=wanted)
    return replace(plan, read_as=read_as(reading.firsts, words))


def _numbers_of_nothing(words: Sequence[Word], used: frozenset[int]) -> str:
    """Numbers of documents or items that nothing here has, as they are typed: what is asked is of those."""
    return " ".join(w.typed for p, w in enumerate(words) if p not in used and _NUMBER.fullmatch(w.typed))


def _again(words: Sequence[Word], reading: Reading) -> frozenset[int]:
    """Positions of words that say once more what is taken account of: "from which site, and to which site"; a number
    that is typed twice."""
    numbers = {p for those in reading.candidates.values() for c in those[:1] if c.by_number for p in c.positions}
    said = {words[p].folded for p in (*reading.cue_positions, *numbers)}
    return frozenset(p for p, word in enumerate(words) if word.folded in said)


def _left_over(words: Sequence[Word], used: frozenset[int]) -> tuple[int, ...]:
    """Positions of the words that say something and that nothing took account of."""
    silent = _silent()
    return tuple(
        p for p, word in enumerate(words) if p not in used and (word.folded not in silent or is_place(words, p))
    )


@per_language
def _silent() -> frozenset[str]:
    """Words that say nothing by themselves."""
    known = lexicon()
    return known.stop | (load_vocabulary().filler - known.turning - known.hints.keys())


def _changes_meaning(left: Sequence[int], words: Sequence[Word]) -> bool:
    """Whether a word left over would make it another question: a negation, a filter, a kind of record, a place."""
    known = lexicon()
    for position in left:
        word, before = words[position], words[position - 1].folded if position else ""
        turned = word.folded in known.turning or word.folded in known.hints
        if turned or before in known.before_places or is_place(words, position):
            return True
        if word.has_digit and any(c.isalpha() for c in word.typed):
            return True
    return False


def _beside_a_name(left: Sequence[int], words: Sequence[Word], reading: Reading) -> bool:
    """Whether a word left over stands beside a name: "Acme Holzbau" is not the Acme we know. A number before a name is
    a quantity."""
    named = {p for those in reading.candidates.values() for c in those if not c.by_number for p in c.positions}
    return any(p - 1 in named or (p + 1 in named and not words[p].bare_number) for p in left)


def _one_of(readings: Sequence[Reading], words: Sequence[Word], asked: frozenset[int]) -> NoPlan:
    """Nothing tells readings apart: which one is asked back, unless what is asked for is none of these."""
    if strange := _called_otherwise(words, readings[0], asked):
        return NoPlan(reason="not_found", echo=strange)
    choices = tuple(choice(reading, reading.firsts, words, titled=True) for reading in readings)
    return NoPlan(reason="ambiguous", choices=choices)


def _called_otherwise(words: Sequence[Word], reading: Reading, asked: frozenset[int]) -> str:
    """What is asked for where a name is but a part of it, and the rest is in no name: "copper pipe" is no Copperline
    Contractors, whoever else that might be. Empty where every word is of a name, or of the question."""
    covered = frozenset(p for those in reading.candidates.values() for c in those for p in c.positions)
    left = _left_over(words, covered | asked | reading.cue_positions)
    strange = not reading.cue and _beside_a_name(left, words, reading)
    return " ".join(words[p].typed for p in sorted({*covered, *left})) if strange else ""


def _nothing_named(words: Sequence[Word], candidates: Sequence[Candidate], asked: frozenset[int]) -> NoPlan:
    """No kind fits: something is named that does not exist here, or the question is of no known kind."""
    covered = frozenset(p for c in candidates for p in c.positions)
    hinted = frozenset(p for p, word in enumerate(words) if word.folded in lexicon().hints)
    unknown = tuple(words[p].typed for p in _left_over(words, covered | asked | hinted))
    numbers = tuple(word.typed for p, word in enumerate(words) if word.has_digit and p not in covered)
    if numbers or (unknown and asked):
        return NoPlan(reason="not_found", echo=" ".join(numbers or unknown))
    if candidates:
        return NoPlan(reason="unsupported", entity=candidates[0].entity, unknown_words=unknown)
    if asked and not unknown and hinted and is_singular(words[max(hinted)].folded):
        first, last = min(hinted), max(hinted)
        if len(hinted) == last - first + 1:  # "where is my order": which one is asked back
            return NoPlan(reason="ambiguous", echo=" ".join(word.typed for word in words[first : last + 1]))
    return NoPlan(reason="unsupported", unknown_words=unknown)
