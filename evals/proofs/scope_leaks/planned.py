"""Cases that hand retrieval a plan as the planner makes them, about any record there is: also one that this person
could not have named, as a conversation from before a change of role, or a model that lies, would have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from copilot.domain.claims import Outline
from copilot.domain.evidence import Evidence
from copilot.domain.plan import Attribute, Figures, Listing, Plan, Step
from copilot.domain.query import Compare, Condition, Figure, Function, Group, Is, Order, Query
from copilot.semantic.model import Entity, Field
from copilot.understanding.compose.attributes import Asked, attributes_plan
from copilot.understanding.kinds import Kind, load_kinds, make_plan
from evals.company import NOW
from evals.proofs.cases import ways_to_ask
from evals.proofs.expected import load_expectations, permitted
from evals.proofs.oracle import Row
from evals.proofs.plans.evaluate import Evaluator
from evals.proofs.scope_leaks.sight import HIDDEN, MISSING, PERMITTED, Sight
from evals.proofs.walk import Found, Walk

_HOW = {PERMITTED: 0.45, HIDDEN: 0.45, MISSING: 0.1}
_FAMILIES = {"kind": 26, "field": 32, "list": 18, "figure": 24}
_SCALED = ("quantity", "amount")
_SORTED = ("date", "instant", "ident", "count", *_SCALED)
_MOST_ROWS = 600
"""Figures over all records are drawn of entities that have no more: the oracle reads them one by one."""
_SILENT = Outline(groups=())
Judge = Callable[[Evidence], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, how the record that it is about stands to this person, and what is wrong with evidence for it.

    `permitted` is whether there is anything to be told: else the right evidence is none."""

    what: str
    how: str
    plan: Plan
    permitted: bool
    wrong: Judge
    computes: bool = False
    """Whether it works out what the oracle does not, so that only the twin can tell."""


@dataclass(frozen=True)
class Planning:
    """Draws such cases for one person."""

    sight: Sight

    def case(self, draw: Random) -> Planned:
        """One case."""
        family = draw.choices([*_FAMILIES], [*_FAMILIES.values()])[0]
        made = {"kind": self._kind, "field": self._field, "list": self._list, "figure": self._figure}[family]
        return made(draw) or self._field(draw)

    def _kind(self, draw: Random) -> Planned | None:
        """All that a kind of question reads about a record."""
        kind = draw.choice(self._kinds)
        drawn = {entity: self.sight.drawn(entity, draw, _HOW) for entity in draw.choice(ways_to_ask(kind))}
        references = {entity: (ident,) for entity, (_, ident, _) in drawn.items()}
        ways = [how for how, _, _ in drawn.values()]
        how = next((each for each in (HIDDEN, MISSING) if each in ways), PERMITTED)
        steps = Walk(self.sight.world, kind, references, self.sight.actor).steps()
        may = how == PERMITTED and permitted(load_expectations()[kind.name], steps)

        def wrong(evidence: Evidence) -> Iterator[str]:
            for name, found in steps.items():
                yield from _unlike(name, found, evidence)

        computes = any("entity" not in body for body in kind.steps.values())
        return Planned(f"{kind.name} of {references}", how, make_plan(kind, references), may, wrong, computes)

    def _field(self, draw: Random) -> Planned:
        """A field of a record, or of the one beside it."""
        entity = self._entity(draw)
        how, ident, row = self.sight.drawn(entity.name, draw, _HOW)
        of, by = draw.choice([(entity, ""), *self._beside(entity.name)])
        fields = [each for each in of.fields.values() if each.type != "ref"]
        if not fields:
            return self._field(draw)
        field = draw.choice(fields)
        rows = [row] if row and not by else self.sight.world.where(of.name, f"{by}_id", [ident]) if by else []
        there = [each for each in rows if self.sight.sees(each)] if how == PERMITTED else []
        must = [each[field.column] for each in there if each[field.column] not in (None, "")]
        asked = Asked(
            entity=entity.name, ids=(ident,), attributes=(Attribute(entity=of.name, path=(field.name,), by=by),)
        )

        def wrong(evidence: Evidence) -> Iterator[str]:
            told = [record.raw("value") for record in evidence.get("told")]
            if sorted(map(str, told)) != sorted(map(str, must)):
                yield f"told are {told}, not {must}"

        what = f"{of.name}.{field.name} of {entity.name} {ident}"
        return Planned(what, how, attributes_plan(asked), bool(must), wrong)

    def _list(self, draw: Random) -> Planned | None:
        """Records that refer to one, or have a code, in an order."""
        narrowed = self._narrowed(draw)
        if narrowed is None:
            return None
        entity, where, rows, how = narrowed
        order = tuple(Order((field.name,), draw.random() < 0.5) for field in self._some(entity, _SORTED, draw))
        query = Query(entity=entity.name, where=where, order=order, limit=draw.choice((1, 3, 5, 20)))
        must = self._evaluator.among(entity.name, rows).ids(query)[: query.limit]

        def wrong(evidence: Evidence) -> Iterator[str]:
            found = [record.row_id for record in evidence.get("rows")]
            if found != must:
                yield f"listed are {found}, not {must}"

        return Planned(f"{query}", how, _plan(Listing(name="rows", query=query)), bool(must), wrong)

    def _figure(self, draw: Random) -> Planned | None:
        """A count, a sum or an extreme over records that refer to one or have a code, the first few groups of them."""
        narrowed = self._narrowed(draw)
        if narrowed is None:
            return None
        entity, where, rows, how = narrowed
        measured = self._some(entity, _SCALED, draw) if draw.random() < 0.6 else []
        function = draw.choice((Function.SUM, Function.MOST, Function.LEAST)) if measured else Function.COUNT
        figure = Figure(name="figure", function=function, path=(measured[0].name,) if measured else None)
        by = self._some(entity, ("code", "ref"), draw) if draw.random() < 0.6 else []
        query = Query(
            entity=entity.name, where=where, figures=(figure,), groups=tuple(Group((each.name,)) for each in by),
            order=(Order(("figure",), draw.random() < 0.7),) if by else (), limit=draw.choice((1, 3, 10)),
        )  # fmt: skip
        told = self._evaluator.among(entity.name, rows).figures(query)[: query.limit]
        must = [(row.figures["figure"], row.records) for row in told if by or row.records or measured]

        def wrong(evidence: Evidence) -> Iterator[str]:
            found = [(record.raw("value"), record.raw("records")) for record in evidence.get("rows")]
            if found != must:
                yield f"the figures are {found}, not {must}"

        step = Figures(name="rows", query=query, measure="record_count", title=entity.title, noun=entity.title)
        return Planned(f"{query}", how, _plan(step), bool(must), wrong)

    def _narrowed(self, draw: Random) -> tuple[Entity, tuple[Condition, ...], Sequence[Row], str] | None:
        """An entity, conditions, the rows that this person may see and that a reference leaves, and how that stands."""
        entity = self._entity(draw)
        refs = [field for field in entity.fields.values() if field.type == "ref"]
        codes = [field for field in entity.fields.values() if field.type == "code" and draw.random() < 0.4]
        where: list[Condition] = []
        rows, how = [*self.sight.world.rows[entity.name].values()], PERMITTED
        if refs and (draw.random() < 0.9 or len(rows) > _MOST_ROWS):
            field = draw.choice(refs)
            how, ident, _ = self.sight.drawn(str(field.to), draw, _HOW)
            rows = [*self.sight.world.where(entity.name, field.column, [ident])]
            where.append(Compare((field.name,), Is.EQUAL, ident))
        if len(rows) > _MOST_ROWS:
            return None
        if codes and rows:
            value = draw.choice(rows)[codes[0].column]
            where += [Compare((codes[0].name,), Is.EQUAL, value)] if value is not None else []
        return entity, tuple(where), [row for row in rows if self.sight.sees(row)], how

    def _entity(self, draw: Random) -> Entity:
        """Any entity, those that this person sees something of more often."""
        return self.sight.world.model[draw.choice(self._seen if self._seen and draw.random() < 0.8 else self._held)]

    @staticmethod
    def _some(entity: Entity, types: Sequence[str], draw: Random) -> list[Field]:
        """One field of these types, or none."""
        fields = [field for field in entity.fields.values() if field.type in types]
        return [draw.choice(fields)] if fields else []

    def _beside(self, entity: str) -> list[tuple[Entity, str]]:
        """The entities that stand beside one, with the field that names it."""
        found = (each for each in self.sight.world.model.entities.values() if each.beside == entity)
        return [(each, next(ref.name for ref in each.refs() if ref.to == entity)) for each in found]

    @cached_property
    def _held(self) -> list[str]:
        return [name for name, rows in self.sight.world.rows.items() if rows]

    @cached_property
    def _seen(self) -> list[str]:
        return [name for name in self._held if self.sight.visible(name)]

    @cached_property
    def _kinds(self) -> list[Kind]:
        """Kinds whose plan follows from the records named alone."""
        kinds = load_kinds().values()
        return [
            each for each in kinds if each.needs_record and not (each.told or each.quantity or each.ahead or each.time)
        ]

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(world=self.sight.world, actor=self.sight.actor, now=NOW)


def _unlike(name: str, found: Found, evidence: Evidence) -> Iterator[str]:
    """How a step differs from what the oracle finds in it."""
    must, got = [row["id"] for row in found.rows], [record.row_id for record in evidence.get(name)]
    if sorted(must) != sorted(got):
        yield f"step {name} found {sorted(got)[:9]} ({len(got)}), not {sorted(must)[:9]} ({len(must)})"


def _plan(step: Step) -> Plan:
    return Plan(kind="probe", references={}, steps=(step,), outline=_SILENT)
