"""Gives each token of a question its place as a restriction of what is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copilot.domain.composition import Part
from copilot.domain.query import Condition, Linked
from copilot.semantic.conditions import load_segments
from copilot.semantic.kpis import load_kpis
from copilot.semantic.titles import load_titles
from copilot.semantic.ways import Link, Way, way
from copilot.understanding.compose.limits import SIGNS, counted_at, currencies, limits, relations
from copilot.understanding.compose.named import codes, measured, records, segments
from copilot.understanding.compose.reader import OFFERS, Target, Work, counts
from copilot.understanding.compose.tokens import Token
from copilot.understanding.compose.when import times
from copilot.understanding.vocabulary import CodeWord, Measure, Noun, NumberWord, Segment

_PLACES = ("site", "region", "channel")


def attach(work: Work, target: Target) -> None:
    """Give a place to every token that restricts the target; what is left over has none."""
    clause = _clause(work, target)
    _restrict(work, target)
    if clause:
        clause.close(work, target)


def _restrict(work: Work, target: Target) -> None:
    relations(work, target)
    limits(work, target)
    currencies(work, target)
    times(work, target)
    records(work, target)
    segments(work, target)
    measured(work, target)
    codes(work, target)


@dataclass(slots=True)
class _Clause:
    """Records that stand behind those asked for: "with late orders in Chicago", "on backorder in Dallas"."""

    work: Work
    inner: Target
    own: tuple[Part, ...]
    negated: bool
    state: _State | None = None
    """The named part that says what other records there are; None where a noun does."""

    def close(self, work: Work, target: Target) -> None:
        """Take also what stands before it and restricts nothing else, and make it a part of the question."""
        self.work.first = work.first
        _restrict(self.work, self.inner)
        work.doubtful = work.doubtful or self.work.doubtful
        inner = (*self.own, *self._restricting(work, target))
        text = self.state.text if self.state else ""
        work.parts.append(Part(role="with", about=self.inner.entity, negated=self.negated, inner=inner, text=text))
        if self.state:
            work.parts += self.state.besides(self.work.parts)

    def _restricting(self, work: Work, target: Target) -> Iterator[Part]:
        """What restricts the other records; beside a named part alone, what those asked for belong to restricts them:
        "orders of Meyer with nothing shipped" are Meyer's, whatever has shipped of whom."""
        for part in self.work.parts:
            if self.state and part.role == "record" and part.about not in _PLACES and way(target.entity, part.about):
                work.parts.append(part)
            else:
                yield part


def _clause(work: Work, target: Target) -> _Clause | None:
    """The first clause, with what follows it."""
    if target.kpi is not None:
        return None
    for n, _ in list(work.open()):
        figure = _linked_number(work, n, target)
        found = figure or _linked_segment(work, n, target) or _linked_noun(work, n, target)
        if found is None:
            continue
        inner, own, begin, negated, *state = found
        clause = _Clause(work.within(begin), inner, own, negated, *state)
        if figure is None:  # which takes its place beside what it is compared with
            clause.work.take(n)
        _restrict(clause.work, inner)
        return clause
    return None


_Found = tuple[Target, tuple[Part, ...], int, bool] | tuple[Target, tuple[Part, ...], int, bool, "_State"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A named part that says what other records there are, and what else holds for those asked for."""

    entity: str
    name: str
    others: tuple[Condition, ...]

    @property
    def text(self) -> str:
        """Its bare name."""
        return load_titles().segment(self.entity, self.name)

    def besides(self, within: Sequence[Part]) -> Iterator[Part]:
        """What holds besides: what there is not, is not at the same place. It says no more than the part itself."""
        plain = tuple(other for other in self.others if not isinstance(other, Linked))
        if plain:
            yield Part(role="segment", about=self.name, conditions=plain)
        places = tuple(part for part in within if part.role == "record" and part.about in _PLACES)
        for other in self.others:
            if isinstance(other, Linked):
                inner = (Part(role="segment", about=self.name, conditions=other.where), *places)
                yield Part(role="with", about=other.entity, negated=other.none, inner=inner)


def _linked_segment(work: Work, number: int, target: Target) -> _Found | None:
    """A named part of the records asked for that says what other records there are, or are not."""
    for word in work.tokens[number].all_of(Segment):
        if word.entity != target.entity:
            continue
        conditions = load_segments()[word.entity][word.name]
        links = [each for each in conditions if isinstance(each, Linked) and _by_itself(target, each)]
        if not links or len(links) < sum(isinstance(each, Linked) for each in conditions):
            continue
        link = next((each for each in links if not each.none), links[-1])
        others = tuple(each for each in conditions if each is not link)
        state = _State(entity=word.entity, name=word.name, others=others)
        own = (Part(role="segment", about=word.name, conditions=link.where, text=state.text),)
        return Target(entity=link.entity), own, number, link.none, state
    return None


def _by_itself(target: Target, link: Linked) -> bool:
    """Whether it is by that link alone that such records belong to those asked for."""
    return way(target.entity, link.entity) == Way((Link(link.entity, link.by),), ("id",))


def _linked_noun(work: Work, number: int, target: Target) -> _Found | None:
    if number < work.target_at:
        return None
    for inner in _clause_targets(work.tokens[number], work.asker.region):
        found = way(target.entity, inner.entity)
        if found is None or not found.links or found.path != ("id",):
            continue
        begin = _clause_start(work, number, inner)
        negated = begin > 0 and begin - 1 not in work.used and work.tokens[begin - 1].is_sign("not", "none_of")
        if negated:
            work.take(begin - 1)
        kpi = inner.kpi
        own = (
            (Part(role="segment", about=kpi.name, conditions=(*kpi.where, *kpi.figure.where), text=kpi.title),)
            if kpi
            else tuple(_usual_part(work, begin, inner))
        )
        return inner, own, begin, negated
    return None


def _usual_part(work: Work, begin: int, inner: Target) -> Iterator[Part]:
    """What "on hold" means where nothing is said: a hold that still stands."""
    name = work.vocabulary.usual_segments.get(inner.entity)
    parts = [part for token in work.tokens[begin:] for part in token.all_of(Segment) if part.entity == inner.entity]
    if name and not parts:
        yield Part(role="segment", about=name, conditions=load_segments()[inner.entity][name], text=name)


def _linked_number(work: Work, number: int, target: Target) -> _Found | None:
    """A figure of records behind those asked for, beside what it is compared with: "items below 20 available"."""
    token = work.tokens[number]
    compared = number - 2 >= 0 and work.tokens[number - 2].is_sign(*SIGNS) and work.tokens[number - 1].amount
    compared = compared and not counted_at(work, number - 1)  # "more than 2 open orders"
    led = number + 2 < len(work.tokens) and work.tokens[number + 1].is_sign(*SIGNS) and work.tokens[number + 2].amount
    for word in token.all_of(NumberWord) if compared or led else ():
        found = way(target.entity, word.entity)
        if found and found.links and found.path == ("id",) and (word.entity in OFFERS or _one_site(work)):
            return Target(entity=word.entity), (), number - 2 if compared else number, False
    return None


def _one_site(work: Work) -> bool:
    """Whether a figure at sites is asked of one of them: that of one item is there, and none over all of them."""
    sites = [token for token in work.tokens if any(c.entity == "site" for c in token.records)]
    return len(sites) == 1


def _clause_targets(token: Token, region: str) -> Iterator[Target]:
    for measure in token.all_of(Measure):
        kpi = load_kpis(region)[measure.name]
        if counts(kpi):
            yield Target(entity=kpi.entity, kpi=kpi)
    for noun in token.all_of(Noun):
        yield Target(entity=noun.entity)


def _clause_start(work: Work, number: int, inner: Target) -> int:
    """The first of the words right before a noun that restrict it."""
    begin = number
    while begin and begin - 1 not in work.used and begin - 1 >= work.first:
        words = work.tokens[begin - 1].meanings
        if not any(isinstance(w, Segment | CodeWord) and w.entity == inner.entity for w in words):
            break
        begin -= 1
    return begin
