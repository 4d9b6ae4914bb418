"""Draws random queries over the whole semantic model, with values that stand in the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from copilot.domain.query import (
    AnyOf,
    Bucket,
    Compare,
    Condition,
    Figure,
    Function,
    Group,
    Having,
    Is,
    Linked,
    Order,
    Path,
    Query,
    Relate,
)
from evals.proofs.plans.evaluate import Evaluator
from evals.proofs.plans.touching import computed_yaml, definition, model_yaml

_DEPTH = 2
_CROWD = 200
"""How many records there may be for each of those that two are linked by: every stock move at a site with every other
is asked for by no question, and takes minutes."""
_ORDERED = ("date", "instant", "quantity", "amount", "ratio", "days", "count", "ident", "code")
_MEASURED = ("quantity", "amount", "ratio", "days", "count")
_LABELS = ("@region", "@site", "@channel", "@account")
_CALENDAR = ("date", "instant")


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws for one actor, so that conditions are about what they see."""

    random: Random
    evaluator: Evaluator

    def query(self) -> Query:
        """One query: half of them lists, half of them figures."""
        seen = [name for name in model_yaml() if self.evaluator.rows(name)]
        entity = self.random.choice(seen if self.random.random() < 0.97 else list(model_yaml()))
        where = tuple(self._condition(entity, 1) for _ in range(self.random.choice((0, 1, 1, 2, 3))))
        compared = self._periods(entity) if self.random.random() < 0.15 else None
        where = (*where, *(compared[0] if compared else ()))
        limit = self.random.choice((1, 5, 20, 50))
        if self.random.random() < 0.5:
            order = tuple(
                Order(self._path(entity, _ORDERED), self.random.random() < 0.5)
                for _ in range(self.random.randint(0, 2))
            )
            return Query(entity=entity, where=where, order=order, limit=limit)
        figures = tuple(self._figure(entity, f"figure{n}") for n in range(self.random.randint(1, 3)))
        groups = tuple(self._group(entity) for _ in range(self.random.choice((0, 1, 1, 2))))
        groups = (*groups[:1], compared[1]) if compared else groups
        sortable = [f for f in figures if f.function is not Function.SPREAD]
        order = ()
        if groups and sortable and self.random.random() < 0.7:
            order = (Order((self.random.choice(sortable).name,), self.random.random() < 0.5),)
        return Query(
            entity=entity, where=where, figures=figures, groups=groups, having=tuple(self._having(figures, groups)),
            order=order, limit=limit, apart=self.random.random() < 0.3,
        )  # fmt: skip

    def _periods(self, entity: str) -> tuple[tuple[Condition, ...], Group] | None:
        """Spans of one unit of the calendar, with gaps between them, and the figures told apart by that unit."""
        paths = self._paths(entity, _CALENDAR, 1)
        path = self.random.choice(paths) if paths else ("id",)
        found = [value.date() if isinstance(value, datetime) else value for value in self._values(entity, path)]
        days = sorted({day for day in found if isinstance(day, date)})
        if len(days) < 2:
            return None
        length = timedelta(days=self.random.choice((1, 7, 31, 92, 366)))
        spans = [(day, day + length) for day in self.random.sample(days, min(len(days), self.random.randint(2, 4)))]
        spans.sort()
        gaps = [(end, start) for (_, end), (start, _) in pairwise(spans) if end < start]
        apart = (AnyOf((Compare(path, Is.LESS, end), Compare(path, Is.AT_LEAST, start))) for end, start in gaps)
        bounds = (Compare(path, Is.AT_LEAST, spans[0][0]), Compare(path, Is.LESS, spans[-1][1]))
        return (*bounds, *apart), Group(path, self.random.choice(list(Bucket)))

    def _having(self, figures: Sequence[Figure], groups: Sequence[Group]) -> Iterator[Having]:
        """Figures that are whole numbers or shares: what a spread comes to is rounded, and none is compared with it."""
        kinds = (Function.COUNT, Function.SHARE, Function.RATE)
        for figure in figures if groups and self.random.random() < 0.5 else ():
            if figure.function in kinds:
                value = self.random.choice((0, 1, 2, 5) if figure.function is Function.COUNT else (0, 250_000, 900_000))
                yield Having(figure.name, self.random.choice((Is.MORE, Is.AT_LEAST, Is.LESS, Is.AT_MOST)), value)

    def _condition(self, entity: str, depth: int) -> Condition:
        draw = self.random.random()
        if depth and draw < 0.15 and (link := self._link(entity, depth)):
            return link
        if depth and draw < 0.22:
            return AnyOf(tuple(self._condition(entity, 0) for _ in range(2)))
        if draw < 0.32 and (related := self._relate(entity)):
            return related
        return self._compare(entity)

    def _compare(self, entity: str) -> Compare:
        path = self._path(entity, (*_ORDERED, "flag", "text", "ref"))
        kind = definition(entity, path)[1]["type"]
        values = self._values(entity, path)
        if not values or self.random.random() < 0.1:
            return Compare(path, self.random.choice((Is.KNOWN, Is.UNKNOWN)))
        if kind in ("flag", "text", "ref"):
            return self._among(path, values)
        how = self.random.choice((Is.EQUAL, Is.NOT_EQUAL, Is.LESS, Is.AT_MOST, Is.MORE, Is.AT_LEAST, Is.IN, Is.NOT_IN))
        if how in (Is.IN, Is.NOT_IN):
            return self._among(path, values)
        value = self.random.choice(values)
        if isinstance(value, datetime) and self.random.random() < 0.6:
            value = value.date()
        return Compare(path, how, value)

    def _among(self, path: Path, values: Sequence[Any]) -> Compare:
        if self.random.random() < 0.5:
            return Compare(path, self.random.choice((Is.EQUAL, Is.NOT_EQUAL)), self.random.choice(values))
        some = tuple(self.random.sample(list(values), min(len(values), self.random.randint(1, 4))))
        return Compare(path, self.random.choice((Is.IN, Is.NOT_IN)), some)

    def _relate(self, entity: str) -> Relate | None:
        dates = self._paths(entity, _CALENDAR, 1)
        if len(dates) < 2:
            return None
        left, right = self.random.sample(dates, 2)
        how = self.random.choice((Is.EQUAL, Is.LESS, Is.AT_MOST, Is.MORE, Is.AT_LEAST))
        return Relate(left, how, right, self.random.choice((0, 0, 1, 3, -2)))

    def _link(self, entity: str, depth: int) -> Linked | None:
        own = [(name, s["to"]) for name, s in model_yaml()[entity]["fields"].items() if s["type"] == "ref"]
        far = self.random.choice(own) if own and self.random.random() < 0.3 else None
        entity, at = (far[1], (far[0],)) if far else (entity, ())
        links = [
            (child, name)
            for child, body in model_yaml().items()
            for name, spec in body["fields"].items()
            if spec["type"] == "ref" and spec["to"] == entity and self.evaluator.rows(child)
        ]
        if not links:
            return None
        child, by = self.random.choice(links)
        if far and len(self.evaluator.rows(child)) > _CROWD * len(self.evaluator.rows(entity)):
            return None
        where = tuple(self._condition(child, depth - 1) for _ in range(self.random.randint(0, 2)))
        return Linked(child, by, where, none=self.random.random() < 0.4, at=at)

    def _figure(self, entity: str, name: str) -> Figure:
        function = self.random.choice(list(Function))
        where = (self._condition(entity, 1),) if self.random.random() < 0.4 or function is Function.SHARE else ()
        if function in (Function.COUNT, Function.SHARE):
            return Figure(name=name, function=function, where=where)
        wanted = (*_MEASURED, "date") if function in (Function.LEAST, Function.MOST) else _MEASURED
        paths = self._paths(entity, wanted, 1)
        if not paths:
            return Figure(name=name, function=Function.COUNT, where=where)
        over = self.random.choice(paths) if function is Function.RATE else None
        return Figure(name=name, function=function, path=self.random.choice(paths), over=over, where=where)

    def _group(self, entity: str) -> Group:
        path = self._path(entity, ("code", "flag", "ref", "date", "instant", "ident"))
        bucketed = definition(entity, path)[1]["type"] in _CALENDAR
        return Group(path, self.random.choice(list(Bucket)) if bucketed else None)

    def _values(self, entity: str, path: Path) -> list[Any]:
        """Some values that stand there."""
        rows = list(self.evaluator.rows(entity).values())
        found = [self.evaluator.value(entity, row, path) for row in self.random.sample(rows, min(len(rows), 12))]
        return sorted({value for value in found if value is not None and value != ""}, key=str)

    def _path(self, entity: str, types: Sequence[str]) -> Path:
        return self.random.choice(self._paths(entity, types, self.random.choice((0, 0, 1, _DEPTH))) or [("id",)])

    def _paths(self, entity: str, types: Sequence[str], depth: int) -> list[Path]:
        """Every path to a field of one of the types, over at most so many references."""
        fields = {**model_yaml()[entity]["fields"], **computed_yaml().get(entity, {})}
        found: list[Path] = [(name,) for name, spec in fields.items() if spec["type"] in types]
        found += [(name,) for name in _LABELS if "ref" in types] + [("today",)] * ("date" in types)
        if depth:
            for name, spec in model_yaml()[entity]["fields"].items():
                if spec["type"] == "ref":
                    found += [(name, *rest) for rest in self._paths(spec["to"], types, depth - 1)]
        return found
