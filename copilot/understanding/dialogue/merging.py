"""Merges a fragment into what was asked before: "and in Chicago?", "only the late ones", "same for Meyer"."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import takewhile

from dateutil.relativedelta import relativedelta

from copilot.domain.composition import Composition, Part
from copilot.domain.dialogue import State
from copilot.domain.plan import NoPlan, Plan, ReadAs
from copilot.domain.query import Compare, Condition, Is, Path
from copilot.semantic.kpis import load_kpis
from copilot.semantic.titles import load_titles
from copilot.semantic.ways import way
from copilot.understanding.candidates import Candidate, Doubt
from copilot.understanding.compose.asker import Asker
from copilot.understanding.compose.attach import attach
from copilot.understanding.compose.attributes import Asked, attributes_plan
from copilot.understanding.compose.ranked import order
from copilot.understanding.compose.reader import MOST_RANKED, Target, Work, shape
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import words_for
from copilot.understanding.dialogue.focus import DOCUMENTS, PLACES, Key
from copilot.understanding.kinds import load_kinds, make_plan
from copilot.understanding.vocabulary import CodeWord, Measure, Noun, load_vocabulary

_SUMMED = {"stock": "availability"}
"""Records of several systems, and those of which each is told once: what is added up."""
_STATES = {"segment", "code"}
_UNITS = {
    "day": relativedelta(days=1), "week": relativedelta(weeks=1), "month": relativedelta(months=1),
    "quarter": relativedelta(months=3), "year": relativedelta(years=1),
}  # fmt: skip


def merged(state: State, tokens: Sequence[Token], asker: Asker, *, narrow: bool) -> Composition | Token | None:
    """The last composition with what the fragment says; the token that may name several records; None where the
    fragment says something else."""
    last = state.composition
    if last is None or not tokens:
        return None
    target = _target(last)
    if _another_document(last, tokens):
        return None
    rest, several = _without_nouns(_corrected(tokens), target)
    dated = next((tuple(part.about.split(".")) for part in last.parts if part.role == "time"), None)
    if shifted := _moved(last, rest) or _elsewhere(last, rest) or _behind(last, rest):
        return shifted
    work = Work(rest, asker, load_vocabulary(), usual_date=dated)
    shape(work, target)
    order(work, target)
    attach(work, target)
    if any(True for _ in work.open()) or (work.rank and not (last.measure or work.order or work.splits)):
        return None
    if work.doubtful:
        return work.doubtful
    if work.rank in ("newest", "oldest") and (last.measure or last.counted):  # of what is ranked by a figure
        return replace(last, limit=1) if work.rank == "oldest" and narrow and last.descending is not None else None
    if not (several or work.parts or work.splits or work.rank or work.counted):
        return None
    return replace(
        last,
        counted=last.counted or work.counted or bool(work.splits and not last.measure),
        parts=_joined(last.parts, tuple(work.parts), narrow=narrow),
        splits=tuple(work.splits) or last.splits,
        order=work.order or last.order,
        descending=last.descending if work.descending is None else work.descending,
        limit=work.limit or last.limit,
    )


def _another_document(last: Composition, tokens: Sequence[Token]) -> bool:
    """Whether a document is named in a talk of something else: a question of its own, and no restriction of that."""
    named = {c.entity for token in tokens for c in token.records if c.entity in DOCUMENTS and c.by_number}
    return bool(named - set(last.ids()) - {last.entity})


def _moved(last: Composition, tokens: Sequence[Token]) -> Composition | None:
    """The last question about the span before or after: "and the month before that"."""
    unit = next((name for name in _UNITS if tokens and tokens[0].is_sign(name)), None)
    time = next((part for part in last.parts if part.role == "time"), None)
    words = {token.text.casefold() for token in tokens[1:]}
    if unit is None or time is None or len(words) != 1 or not words <= words_for("before") | words_for("after"):
        return None
    step = -1 if words <= words_for("before") else 1
    conditions = tuple(_by_one(condition, unit, step) for condition in time.conditions)
    if None in conditions:
        return None
    kept = tuple(part for part in last.parts if part is not time)
    return replace(last, parts=(*kept, replace(time, conditions=tuple(c for c in conditions if c))))


def _by_one(condition: Condition, unit: str, step: int) -> Condition | None:
    if not isinstance(condition, Compare) or not isinstance(condition.value, date):
        return None
    return replace(condition, value=condition.value + step * _UNITS[unit])


def _corrected(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """Without what is taken back: "September, not October"."""
    for n, token in enumerate(tokens):
        after = tokens[n + 1] if n + 1 < len(tokens) else None
        if n and after and token.is_sign("not") and tokens[n - 1].span and after.span:
            return (*tokens[:n], *tokens[n + 2 :])
    return tuple(tokens)


def resized(state: State, tokens: Sequence[Token]) -> Composition | None:
    """The last ranking with another number of places: "make it five", "top 10 instead"."""
    last = state.composition
    sizes = [token.amount for token in tokens if token.amount]
    others = [token for token in tokens if not token.amount and not token.is_sign("best", "highest")]
    if last is None or last.limit is None or last.descending is None or others or len(sizes) != 1:
        return None
    (size,) = sizes
    whole = size.bare and size.number == int(size.number) and 0 < size.number <= MOST_RANKED
    return replace(last, limit=int(size.number)) if whole else None


def turned(state: State, tokens: Sequence[Token], asker: Asker) -> Composition | None:
    """Another measure or kind of records, of what was asked about before: "and the order value?"."""
    last = state.composition
    if last is None:
        return None
    for n, token in enumerate(tokens):
        for target in _targets(token):
            work = Work(tokens, asker, load_vocabulary())
            work.take(n)
            shape(work, target)
            order(work, target)
            attach(work, target)
            if not any(True for _ in work.open()) and not work.doubtful and not _loses(last, target, work):
                return _about_the_same(last, target, work)
    return None


def _loses(last: Composition, target: Target, work: Work) -> bool:
    """Whether it would no longer be about a record that was asked about: reserved stock is of no order."""
    said = {part.about for part in work.parts}
    named = (part.about for part in last.parts if part.role == "record" and part.about not in PLACES)
    return any(entity not in said and way(target.entity, entity) is None for entity in named)


def _about_the_same(last: Composition, target: Target, work: Work) -> Composition:
    parts = tuple(work.parts)
    said = {part.about for part in parts}
    kept = tuple(
        part
        for part in last.parts
        if part.role == "record" and part.about not in said and way(target.entity, part.about)
    )
    return Composition(
        measure=target.kpi.name if target.kpi else "", entity="" if target.kpi else target.entity,
        counted=work.counted, parts=(*kept, *parts), splits=tuple(work.splits), order=work.order,
        descending=work.descending, limit=work.limit,
    )  # fmt: skip


def added_up(state: State, tokens: Sequence[Token]) -> Composition | None:
    """One figure over several places: those named, else those of the last questions of this kind, as many as said. The
    tokens are nothing but places and how many; None for anything else."""
    named = {c.entity: c for token in tokens for c in token.records if c.entity in PLACES and len(token.records) == 1}
    count = [token.amount.number for token in tokens if token.amount]
    if any(not (token.amount or (token.records and token.records[0].entity in PLACES)) for token in tokens):
        return None
    told = [c.id for token in tokens for c in token.records if c.entity == "site"]
    asked = list(dict.fromkeys(told or _sites(state)))
    several = len(state.references.get("site", ())) > 1
    sites = tuple(asked[: int(count[0])] if count and not (told or several) else asked)
    measure = _total_of(state)
    if measure is None or len(sites) < 2 or set(named) - {"site"} or (count and len(sites) != count[0]):
        return None
    kept = {entity: ids for entity, ids in state.references.items() if entity not in PLACES}
    parts = [Part(role="record", about=entity, ids=ids) for entity, ids in (*kept.items(), ("site", sites))]
    return Composition(measure=measure, parts=tuple(parts))


def _sites(state: State) -> Sequence[int]:
    """The sites of the last question, or, where it was about one, of the last questions in turn."""
    last = state.references.get("site", ())
    if len(last) != 1:
        return last
    each = [alike.references.get("site", ()) for alike in _alike(state)]
    return [ids[0] for ids in takewhile(lambda ids: len(ids) == 1, each)]


def _alike(state: State) -> Iterator[State]:
    """The last states of one kind that differ in their place alone, newest first."""
    kept = {entity: ids for entity, ids in state.references.items() if entity not in PLACES}
    for each in (state, *state.earlier):
        if each.kind != state.kind or {e: ids for e, ids in each.references.items() if e not in PLACES} != kept:
            return
        yield each


def _total_of(state: State) -> str | None:
    """The measure that adds up what the last question was about: the one asked for, or the one that a kind's records
    are counted by."""
    last, counted = state.composition, load_vocabulary().counted_as
    if last is not None:
        parted = any(part.role != "record" for part in last.parts)
        return None if parted else last.measure or counted.get(last.entity)
    kind = load_kinds().get(state.kind)
    read = [str(body.get("entity")) for body in kind.steps.values()] if kind and "item" in state.references else []
    return next((counted[name] for entity in read if (name := _SUMMED.get(entity, entity)) in counted), None)


def replaced(state: State, tokens: Sequence[Token]) -> Plan | NoPlan | None:
    """The last question of a kind about other records: the tokens are nothing but names of them."""
    if not tokens:
        return None
    kind = load_kinds().get(state.kind)
    if kind is None:
        return _same_fields(state, tokens)
    found: dict[str, tuple[int, ...]] = {}
    slips: list[ReadAs] = []
    for n, token in enumerate(tokens):
        if token.reference is None:
            if any(_is_hint(token, other) for other in (*tokens[n - 1 : n], *tokens[n + 1 : n + 2])):
                continue
            return None
        fitting = [c for c in token.reference.candidates if c.entity in kind.references or c.entity in state.references]
        best = [c for c in fitting if (c.doubt, c.strength) == (fitting[0].doubt, fitting[0].strength)]
        if len(best) != 1 or best[0].doubt is Doubt.GUESS:
            return None
        slips += _read_as(token, best[0])
        found[best[0].entity] = (*found.get(best[0].entity, ()), best[0].id)
    references = {**_besides(state.references, found), **found}
    if any(required not in references for required in kind.required):
        return None
    return replace(make_plan(kind, references, period=state.period, wanted=state.wanted), read_as=tuple(slips))


def about(state: State, key: Key) -> Plan | None:
    """The last question about one other record; None where it was of another sort."""
    entity, ident = key
    if state.attributes:
        return attributes_plan(Asked(entity=entity, ids=(ident,), attributes=state.attributes))
    kind = load_kinds().get(state.kind)
    if kind is None or entity not in kind.references:
        return None
    return make_plan(kind, {**state.references, entity: (ident,)}, period=state.period, wanted=state.wanted)


def _same_fields(state: State, tokens: Sequence[Token]) -> Plan | None:
    """The fields asked for before, of other records of that kind."""
    entity = next(iter(state.references), "")
    named = [(t, c) for t in tokens for c in t.records if c.entity == entity and c.doubt is not Doubt.GUESS]
    doubted = any(c.doubt for _, c in named) and len(named) > 1
    if not state.attributes or len(named) != len(tokens) or doubted:
        return None
    ids = tuple(dict.fromkeys(candidate.id for _, candidate in named))
    plan = attributes_plan(Asked(entity=entity, ids=ids, attributes=state.attributes))
    return replace(plan, read_as=tuple(slip for token, c in named for slip in _read_as(token, c)))


def _read_as(token: Token, candidate: Candidate) -> tuple[ReadAs, ...]:
    """That a name was typed with a slip, to be said."""
    if candidate.doubt is not Doubt.SLIP:
        return ()
    return (ReadAs(typed=token.text, entity=candidate.entity, id=candidate.id, label=candidate.label),)


def _besides(references: Mapping[str, tuple[int, ...]], found: Collection[str]) -> dict[str, tuple[int, ...]]:
    """What stays: a site takes the place of a region, and a region that of a site."""
    places = any(entity in PLACES for entity in found)
    return {name: ids for name, ids in references.items() if not (places and name in PLACES)}


def _is_hint(token: Token, other: Token) -> bool:
    return any(token.noun(candidate.entity) for candidate in other.records)


def _target(last: Composition) -> Target:
    if last.measure:
        kpi = load_kpis()[last.measure]
        return Target(entity=kpi.entity, kpi=kpi, noun=kpi.subject[-1] if kpi.subject else "")
    return Target(entity=last.entity)


def _targets(token: Token) -> Iterator[Target]:
    for measure in token.all_of(Measure):
        kpi = load_kpis()[measure.name]
        yield Target(entity=kpi.entity, kpi=kpi, noun=kpi.subject[-1] if kpi.subject else "")
    for noun in token.all_of(Noun):
        yield Target(entity=noun.entity)


def _without_nouns(tokens: Sequence[Token], target: Target) -> tuple[tuple[Token, ...], bool]:
    """Without words for the records that it is about anyway."""
    rest = tuple(t for t in tokens if not (t.noun(target.entity) or (target.noun and t.noun(target.noun))))
    return rest, len(rest) < len(tokens)


def _joined(last: Sequence[Part], new: Sequence[Part], *, narrow: bool) -> tuple[Part, ...]:
    place = next((part for part in new if _is_place(part)), None)
    if place and any(_is_place(inner) for part in last for inner in part.inner):
        last, new = [_moved_to(place, part) for part in last], [part for part in new if part is not place]
    kept = [part for part in last if not any(_replaces(other, part, narrow=narrow) for other in new)]
    return (*kept, *(part for part in new if part not in kept))


def _is_place(part: Part) -> bool:
    return part.role == "record" and part.about in PLACES


def _elsewhere(last: Composition, tokens: Sequence[Token]) -> Composition | None:
    """The last question with the one place of the fragment for that of the records behind those asked for."""
    named = [token.records[0] for token in tokens if len(token.records) == 1 and token.records[0].entity in PLACES]
    behind = any(_is_place(inner) for part in last.parts for inner in part.inner)
    if not behind or len(named) != 1 or len(tokens) != 1:
        return None
    place = Part(role="record", about=named[0].entity, ids=(named[0].id,))
    return replace(last, parts=tuple(_moved_to(place, part) for part in last.parts))


def _behind(last: Composition, tokens: Sequence[Token]) -> Composition | None:
    """The last question with a value of the records behind those asked for: "only the payment ones", of orders on
    hold."""
    words = [{word.entity: word for word in token.all_of(CodeWord)} for token in tokens]
    part = next((p for p in last.parts if p.role == "with" and words and all(p.about in w for w in words)), None)
    if part is None or any(last.entity in each for each in words):
        return None
    codes = [each[part.about] for each in words]
    named = [Part(role="code", about=w.path[-1], conditions=(Compare(w.path, Is.EQUAL, w.code),)) for w in codes]
    said = [replace(p, text=load_titles().word(w.code)) for p, w in zip(named, codes, strict=True)]
    kept = [p for p in part.inner if p.about not in {each.about for each in said}]
    return replace(last, parts=tuple(replace(p, inner=(*kept, *said)) if p is part else p for p in last.parts))


def _moved_to(place: Part, part: Part) -> Part:
    """A part with another place for the records behind it: "and in Dallas" of "orders on hold in Chicago"."""
    return replace(part, inner=tuple(place if _is_place(inner) else inner for inner in part.inner))


def _fields(part: Part) -> set[Path]:
    """The fields whose values a part says."""
    return {condition.path for condition in part.conditions if isinstance(condition, Compare)}


def _replaces(new: Part, old: Part, *, narrow: bool) -> bool:
    if {new.role, old.role} == _STATES:
        return not narrow and not _fields(new).isdisjoint(_fields(old))
    if new.role != old.role:
        return False
    match new.role:
        case "record":
            return new.about == old.about or (new.about in PLACES and old.about in PLACES)
        case "segment" | "code":
            led = {field for fields in load_vocabulary().led.values() for field in fields}
            return not narrow and (new.about in led) == (old.about in led)
        case "time":
            return True
        case _:
            return new.about == old.about
