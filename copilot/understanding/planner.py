"""The rules planner: reads the question as typed and decides its kind and the records it names, or says why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

from psycopg.rows import DictRow

from copilot.domain.plan import Choice, NoPlan, Period, Plan, Wanted
from copilot.understanding.candidates import Candidate, Doubt, read_as
from copilot.understanding.kinds import Kind, load_kinds, make_plan
from copilot.understanding.lookup import Lookup
from copilot.understanding.names import find_candidates
from copilot.understanding.times import Mention, find_time, resolve, usual_period
from copilot.understanding.told import DAYS, NOTHING_TOLD, Told, find_told
from copilot.understanding.wanted import NOTHING_WANTED, Refused, WantedMention, find_wanted
from copilot.understanding.words import HINTS, STOP, TURNING, Word, cut, is_place, phrases_in

_MOST_CHOICES = 8
_ZONED = ("sales_order", "purchase_order", "customer")
"""Records whose site decides in which time zone a time is meant; a customer's is the one of the newest order."""
_SURE = 20
"""Strength from which a number is surely one: as written, or bare digits after a word such as "order"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
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


async def plan_question(lookup: Lookup, text: str) -> Plan | NoPlan:
    """The plan of a question, or why there is none. Looks names up in the scope of the transaction."""
    words = cut(text)
    cues = [(kind, _cues(kind, words)) for kind in load_kinds().values()]
    timed = find_time(words) if any(kind.time and cue[0] for kind, cue in cues) else None
    told = find_wanted(words) if any(kind.quantity and cue[0] for kind, cue in cues) else NOTHING_WANTED
    spoken = (timed.positions if timed else frozenset[int]()) | told.day_positions
    besides = find_told(words, dated=any(DAYS in kind.told and cue[0] for kind, cue in cues))
    asked = frozenset(p for kind, (_, positions) in cues if kind.cues for p in positions) | spoken
    found = await find_candidates(lookup, words, asked | besides.positions)
    candidates = _independent([c for c in found if c.doubt is not Doubt.GUESS])
    readings = [
        r
        for kind, cue in cues
        if (r := _read(kind, cue, _besides(candidates, kind, spoken, told, besides), words, besides))
    ]
    if not readings:
        return _suggesting(_nothing_named(words, candidates, asked), words, found)
    best = max(readings, key=lambda r: (r.score[0], bool(spoken and r.kind.time), r.score[1:]))
    equals = [r for r in readings if r.score == best.score and set(r.candidates) != set(best.candidates)]
    if equals:
        choices = tuple(_choice(r, _firsts(r), words, titled=True) for r in (best, *equals))
        return NoPlan(reason="ambiguous", choices=choices)
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
    if known is None or (any(known.told.values()) and wanted is None):
        return None
    return make_plan(known, ids, period=period, wanted=wanted)


def _besides(
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


async def _promising(lookup: Lookup, reading: _Reading, words: Sequence[Word], told: WantedMention) -> Plan | NoPlan:
    """The plan of a question about a quantity and a day, in the zone of the site named or of a site in scope."""
    named = [c.positions for those in reading.candidates.values() for c in those]
    told = told.without_none(reading.cue_positions)
    sites = [c.id for c in reading.candidates.get("site", ())]
    wanted = told.resolve(named, lookup.now, _zone(await lookup.rows("zone_of_promise", sites=sites)))
    if isinstance(wanted, Refused) or (reading.kind.quantity == "required" and wanted.quantity is None):
        unknown = wanted.positions if isinstance(wanted, Refused) else told.positions
        return NoPlan(reason="unsupported", unknown_words=tuple(words[p].typed for p in sorted(unknown)))
    decided = _decide(reading, words, spoken=told.beside(named) | told.day_positions)
    if isinstance(decided, Plan):  # a promise on half of what was said would be a wrong one
        unused = NoPlan(reason="unsupported", unknown_words=decided.unused_words)
        return unused if decided.unused_words else replace(decided, wanted=wanted)
    doubtful = [those for those in reading.candidates.values() if len(those) > 1]
    if decided.reason != "ambiguous" or len(doubtful) != 1:
        return decided
    choices = tuple(Choice(label=c.label, question=_instead(words, c)) for c in doubtful[0][:_MOST_CHOICES])
    return replace(decided, choices=choices)


def _telling(reading: _Reading, words: Sequence[Word], now: datetime) -> Plan | NoPlan:
    """The plan of a question that tells more than names: a figure on half of what was said would be a wrong one."""
    wanted, period = reading.told.wanted(), reading.told.period(now, "UTC")
    if wanted is None or (reading.told.spans and period is None):
        return NoPlan(reason="unsupported", unknown_words=tuple(words[p].typed for p in sorted(reading.told.positions)))
    decided = _decide(reading, words, period, reading.told.positions, wanted)
    if isinstance(decided, Plan) and decided.unused_words:
        return NoPlan(reason="unsupported", unknown_words=decided.unused_words)
    unnamed = isinstance(decided, Plan) and not decided.echo
    return replace(decided, echo=wanted.lot or "") if unnamed else decided


async def _period(lookup: Lookup, reading: _Reading, timed: Mention | None) -> Period | None:
    """The time asked about, in the zone of the site of the record named; None for a time that can't be."""
    named = {f"{entity}s": [c.id for c in reading.candidates.get(entity, ())] for entity in _ZONED}
    zone = _zone(await lookup.rows("zones_of_records", **named))
    return resolve(timed, lookup.now, zone) if timed else usual_period(str(reading.kind.time), lookup.now, zone)


def _zone(rows: Sequence[DictRow]) -> str:
    """The time zone that the first row says."""
    return str(rows[0]["time_zone"] or "UTC") if rows else "UTC"


def _cues(kind: Kind, words: Sequence[Word]) -> tuple[int, frozenset[int]]:
    """How many words of the question ask for this kind, and where they stand; what only goes with them counts then."""
    found = (at for _, at in phrases_in(words, kind.cues) if not _names_a_number(words, at))
    positions = frozenset(position for at in found for position in at)
    beside = [kind.words, *kind.also] if positions or not kind.cues else []
    found = [frozenset(p for _, at in phrases_in(words, phrases) for p in at) for phrases in beside]
    if not all(found[1:]):
        return 0, frozenset()
    positions = positions.union(*found)
    return len(positions), positions


def _names_a_number(words: Sequence[Word], at: Sequence[int]) -> bool:
    """Whether the end of a phrase only says what the number behind it is of: the "order" of "on order 28414"."""
    first, last = at[0], at[-1]
    if last - first != 1 or last + 1 == len(words) or words[first].folded in HINTS:
        return False
    return words[last].folded in HINTS and words[last + 1].has_digit


def _independent(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Without the candidates whose words another candidate of another entity explains better, and without bare digits
    where a name is given: they are then a quantity."""
    named = any(not c.by_number for c in candidates)
    kept = [c for c in candidates if not (named and c.by_number and c.strength < _SURE)]
    return tuple(c for c in kept if not any(_explains_more(other, c) for other in kept))


def _explains_more(other: Candidate, candidate: Candidate) -> bool:
    if other.by_number and not candidate.by_number and candidate.positions <= other.positions:
        return True
    return other.entity != candidate.entity and candidate.positions < other.positions


def _read(
    kind: Kind,
    cue: tuple[int, frozenset[int]],
    candidates: Sequence[Candidate],
    words: Sequence[Word],
    besides: Told = NOTHING_TOLD,
) -> _Reading | None:
    found = {entity: _strongest(candidates, entity) for entity in kind.references}
    found = _one_place({entity: those for entity, those in found.items() if those})
    for entity in kind.through:
        if not any(required in found for required in kind.required) and (those := _strongest(candidates, entity)):
            found[entity] = those
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
    asked = len(cue[1] - covered - _hints_used(words, found) - _hints_used(words, sure))
    if not asked and not usual:
        return None
    return _Reading(kind=kind, cue=asked, cue_positions=cue[1], candidates=found, told=told)


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
    top = max((c.strength for c in those), default=0)
    numbered = [c for c in those if c.by_number and c.strength >= _SURE]
    rivals = {c: [o.strength for o in numbered if o.positions & c.positions] for c in numbered}
    kept = [c for c in those if c.strength == top or (c in rivals and c.strength == max(rivals[c]))]
    return tuple(sorted(kept, key=lambda c: (c.label, c.id)))


def _decide(
    reading: _Reading,
    words: Sequence[Word],
    period: Period | None = None,
    spoken: frozenset[int] = frozenset(),
    wanted: Wanted | None = None,
) -> Plan | NoPlan:
    doubtful = [those for entity, those in reading.candidates.items() if len(those) > 1 and not _all(reading, entity)]
    covered = frozenset(p for those in reading.candidates.values() for c in those for p in c.positions)
    echo = " ".join(words[p].typed for p in sorted(covered))
    if doubtful:
        combinations = list(product(*reading.candidates.values()))
        choices = tuple(_choice(reading, combination, words) for combination in combinations[:_MOST_CHOICES])
        return NoPlan(reason="ambiguous", entity=doubtful[0][0].entity, echo=echo, choices=choices)
    left = _left_over(
        words, covered | spoken | reading.cue_positions | _hints_used(words, reading.candidates, reading.kind.required)
    )
    unused = tuple(words[p].typed for p in left)
    if unused and (
        not reading.cue
        or not reading.kind.needs_record
        or _beside_a_name(left, words, reading)
        or _changes_meaning(left, words)
    ):
        choice = _choice(reading, _firsts(reading), words, titled=True)
        return NoPlan(reason="unsupported", unknown_words=unused, choices=() if reading.kind.told else (choice,))
    references = {
        entity: tuple(c.id for c in (those if _all(reading, entity) else those[:1]))
        for entity, those in reading.candidates.items()
    }
    plan = make_plan(reading.kind, references, echo=echo, unused=unused, period=period, wanted=wanted)
    return replace(plan, read_as=read_as(_firsts(reading), words))


def _suggesting(none: NoPlan, words: Sequence[Word], found: Sequence[Candidate]) -> NoPlan:
    """With what may have been meant by a name that is not there: the question with that record in its place."""
    if none.reason != "not_found" or none.choices:
        return none
    doubted = sorted((c for c in found if c.doubt is not Doubt.NONE), key=lambda c: (-c.strength, c.label))
    choices = [Choice(label=c.label, question=_instead(words, c)) for c in doubted[:_MOST_CHOICES]]
    return replace(none, choices=tuple(choices))


def _instead(words: Sequence[Word], candidate: Candidate) -> str:
    """The question with a record in the place of the words that may mean it."""
    first = min(candidate.positions)
    name = _exact_name(candidate, ())
    gone = candidate.positions - {first}
    return " ".join(name if p == first else word.typed for p, word in enumerate(words) if p not in gone)


def _retold(words: Sequence[Word], reading: _Reading, combination: Sequence[Candidate]) -> str:
    """The question with these records in the places of the words that name them."""
    names = {min(c.positions): _exact_name(c, reading.candidates[c.entity]) for c in combination}
    gone = {p for c in combination for p in c.positions} - names.keys()
    return " ".join(names.get(p, word.typed) for p, word in enumerate(words) if p not in gone)


def _all(reading: _Reading, entity: str) -> bool:
    """Whether the question is about all the records of an entity that it names, each by words of its own."""
    those = reading.candidates[entity]
    places = [position for c in those for position in c.positions]
    return entity in reading.kind.several and len(places) == len(set(places))


def _firsts(reading: _Reading) -> tuple[Candidate, ...]:
    return tuple(those[0] for those in reading.candidates.values())


def _choice(
    reading: _Reading, combination: Sequence[Candidate], words: Sequence[Word], *, titled: bool = False
) -> Choice:
    """The label a person recognises, and a question that names exactly these records; one that tells more than names
    stays as it was typed."""
    ask = reading.kind.ask
    for candidate in combination:
        name = _exact_name(candidate, reading.candidates[candidate.entity])
        ask = ask.replace("{}", name, 1) if "{}" in ask else f"{ask} {name}"
    if reading.kind.told:
        ask = _retold(words, reading, combination)
    label = ", ".join(c.label for c in combination)
    title = (reading.kind.name.replace("_", " "),) if titled else ()
    return Choice(label=": ".join(part for part in (*title, label) if part), question=ask)


def _exact_name(candidate: Candidate, others: Sequence[Candidate]) -> str:
    """Its number where that is unmistakable, else entity#id."""
    number = candidate.number
    plain = any(c.isdigit() for c in number) and any(c.isalpha() for c in number) and " " not in number
    alone = all(other.number != number for other in others if other.id != candidate.id)
    return number if plain and alone else f"{candidate.entity}#{candidate.id}"


def _left_over(words: Sequence[Word], used: frozenset[int]) -> tuple[int, ...]:
    """Positions of the words that say something and that nothing took account of."""
    return tuple(p for p, word in enumerate(words) if p not in used and (word.folded not in STOP or is_place(words, p)))


def _hints_used(
    words: Sequence[Word], candidates: Mapping[str, tuple[Candidate, ...]], led_to: Sequence[str] = ()
) -> frozenset[int]:
    """Positions of words right before or after a record that say what kind it is, as in "customer PO 4711".

    Words of kinds stand in a run; one of them that fits the record, or an entity it has led to, is enough. "PO of
    SO-24" is no such run: it asks for something of the record.
    """
    used: set[int] = set()
    for entity, at in ((c.entity, c.positions) for those in candidates.values() for c in those):
        for start, step in ((min(at) - 1, -1), (max(at) + 1, 1)):
            run = _run_of_hints(words, start, step)
            if any(not {entity, *led_to}.isdisjoint(HINTS[words[p].folded]) for p in run):
                used.update(run)
    return frozenset(used)


def _run_of_hints(words: Sequence[Word], start: int, step: int) -> list[int]:
    run: list[int] = []
    while 0 <= start < len(words) and words[start].folded in HINTS:
        run.append(start)
        start += step
    return run


def _changes_meaning(left: Sequence[int], words: Sequence[Word]) -> bool:
    """Whether a word left over would make it another question: a negation, a filter, a kind of record, a place."""
    for position in left:
        word, before = words[position], words[position - 1].folded if position else ""
        if word.folded in TURNING or word.folded in HINTS or before in ("in", "at") or is_place(words, position):
            return True
        if word.has_digit and any(c.isalpha() for c in word.typed):
            return True
    return False


def _beside_a_name(left: Sequence[int], words: Sequence[Word], reading: _Reading) -> bool:
    """Whether a word left over stands beside a name: "Acme Holzbau" is not the Acme we know. A number before a name is
    a quantity."""
    named = {p for those in reading.candidates.values() for c in those if not c.by_number for p in c.positions}
    return any(p - 1 in named or (p + 1 in named and not words[p].bare_number) for p in left)


def _nothing_named(words: Sequence[Word], candidates: Sequence[Candidate], asked: frozenset[int]) -> NoPlan:
    """No kind fits: something is named that does not exist here, or the question is of no known kind."""
    covered = frozenset(p for c in candidates for p in c.positions)
    hinted = frozenset(p for p, word in enumerate(words) if word.folded in HINTS)
    unknown = tuple(words[p].typed for p in _left_over(words, covered | asked | hinted))
    numbers = tuple(word.typed for p, word in enumerate(words) if word.has_digit and p not in covered)
    if numbers or (unknown and asked):
        return NoPlan(reason="not_found", echo=" ".join(numbers or unknown))
    if candidates:
        return NoPlan(reason="unsupported", entity=candidates[0].entity, unknown_words=unknown)
    return NoPlan(reason="unsupported", unknown_words=unknown)
