"""Evaluates queries over rows in memory, one by one. It reads the model's YAML by itself and shares no code with the
compiler but the query's own nouns."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from itertools import groupby
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

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
from evals.proofs.oracle import LABEL_COLUMNS, Actor, Row, World
from evals.proofs.plans.touching import computed_yaml, definition, model_yaml, touched, touched_classes
from evals.proofs.workdays import days_late

_T = TypeVar("_T")
_SCALED = ("quantity", "amount", "ratio", "days")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One row of figures as the product is to give it."""

    groups: tuple[Any, ...]
    units: tuple[Any, ...]
    records: int
    figures: Mapping[str, Any]


@dataclass
class Evaluator:
    """Everything that one actor may see, and the moment.

    Of `classes` that a query reads together, the grants of somebody with several may reach differently far: then a row
    of one of them counts only where this actor could see a row of each of the others too, so that nothing is taken for
    missing which is only hidden. Where it is what day is known from all that the actor sees.
    """

    world: World
    actor: Actor
    now: datetime
    classes: frozenset[str] = frozenset()
    _rows: dict[str, dict[int, Row]] = field(default_factory=dict[str, dict[int, Row]])
    _children: dict[tuple[str, str], dict[Any, list[Row]]] = field(default_factory=dict[Any, Any])
    _last: Evaluator | None = None
    _around: Evaluator | None = None

    def reading(self, query: Query) -> Evaluator:
        """The evaluator of one query: this one, where the actor has one grant."""
        if not self.actor.further:
            return self
        classes = touched_classes(query)
        if self._last is None or self._last.classes != classes:
            self._last = replace(self, classes=classes, _rows={}, _children={}, _last=None, _around=self)
        return self._last

    def ids(self, query: Query) -> list[int]:
        """The ids of a list in order."""
        found = self._found(query)
        found.sort(key=lambda row: row["id"])
        for order in reversed(query.order):
            found = _sorted(found, [self.value(query.entity, row, order.by) for row in found], order)
        return [row["id"] for row in found[: query.limit + 1]]

    def figures(self, query: Query) -> list[Told]:
        """The figures by group in order."""
        units = _units(query)
        keyed = [(self._key(query, row, units), row) for row in self._found(query)]
        keyed.sort(key=lambda pair: [_last(value) for value in pair[0]])
        told: list[Told] = []
        for key, each in groupby(keyed, key=lambda pair: pair[0]):
            rows = [row for _, row in each]
            told.append(self._told(query, key, rows))
        if not keyed and not query.groups and not units:
            told.append(self._told(query, (), []))
        for having in query.having:
            told = [row for row in told if self._kept(query, having, row.figures[having.figure])]
        for order in reversed(query.order):
            told = _sorted(told, [row.figures[order.by[0]] for row in told], order)
        return [replace(row, figures=dict(self._shown(query, row.figures))) for row in _most(query, told)]

    def _kept(self, query: Query, having: Having, exact: Any) -> bool:
        figure = next(each for each in query.figures if each.name == having.figure)
        if exact is None:
            return False
        return _compared(exact * (_MILLION if self._scales(query, figure) else 1), having.how, having.value)

    @staticmethod
    def _scales(query: Query, figure: Figure) -> bool:
        if figure.function in (Function.SHARE, Function.RATE):
            return True
        stored = bool(figure.path) and definition(query.entity, figure.path or ())[1]["type"] in _SCALED
        return figure.function in (Function.MEAN, Function.SPREAD) and not stored

    def _shown(self, query: Query, exact: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Figures as they are told: what is no whole number scaled by a million and rounded."""
        for figure in query.figures:
            value = exact[figure.name]
            path = figure.path or ()
            whole = figure.function not in (Function.SHARE, Function.RATE) and (
                not path or definition(query.entity, path)[1]["type"] in _SCALED
            )
            if value is None or figure.function in (Function.COUNT, Function.SUM, Function.LEAST, Function.MOST):
                yield figure.name, value
            elif isinstance(value, Decimal):
                scaled = value * (1 if whole else _MILLION)
                yield figure.name, int(scaled.to_integral_value(ROUND_HALF_EVEN))
            else:
                yield figure.name, round(value * (1 if whole else _MILLION))

    def value(self, entity: str, row: Row, path: Path) -> Any:
        """The value of a path from a row; None where a record on the way is not there for this actor."""
        here: Row | None = row
        for step in path[:-1]:
            target = model_yaml()[entity]["fields"][step]["to"]
            here = self.rows(target).get(here[f"{step}_id"] or 0) if here else None
            entity = target
        if here is None:
            return None
        if path[-1] == "today":
            return self.now.astimezone(self._zone(here)).date()
        if path[-1].startswith("@"):
            return here[f"label_{path[-1][1:]}"] or None
        if path[-1] in computed_yaml().get(entity, {}):
            return self._computed(entity, here, computed_yaml()[entity][path[-1]])
        spec = {"type": "count"} if path[-1] == "id" else model_yaml()[entity]["fields"][path[-1]]
        return here[f"{path[-1]}_id" if spec["type"] == "ref" else path[-1]]

    def rows(self, entity: str) -> dict[int, Row]:
        """What the actor sees of an entity."""
        if entity not in self._rows:
            judged: dict[tuple[Any, ...], bool] = {}
            rows = self.world.rows[entity].items()
            self._rows[entity] = {i: row for i, row in rows if self._sees(row, judged)}
        return self._rows[entity]

    def _sees(self, row: Row, judged: dict[tuple[Any, ...], bool]) -> bool:
        """Whether a row counts; rows of the same class and labels are judged once."""
        key = (row["record_class"], *(row[column] for column in LABEL_COLUMNS))
        if key not in judged:
            beside = self.classes if row["record_class"] in self.classes else {row["record_class"]}
            judged[key] = all(self.actor.sees({**row, "record_class": name}) for name in beside)
        return judged[key]

    def among(self, entity: str, rows: Sequence[Row]) -> Evaluator:
        """The same, as if these were all the records of an entity; what is known of the other entities is shared."""
        found = Evaluator(world=self.world, actor=self.actor, now=self.now, classes=self.classes)
        found._rows = {**self._rows, entity: {row["id"]: row for row in rows}}
        return found

    def _found(self, query: Query) -> list[Row]:
        return [row for row in self.rows(query.entity).values() if self._all(query.entity, row, query.where)]

    def _key(self, query: Query, row: Row, units: Sequence[Path]) -> tuple[Any, ...]:
        groups = tuple(self._group(query.entity, row, group) for group in query.groups)
        return (*groups, *(self.value(query.entity, row, unit) for unit in units))

    def _group(self, entity: str, row: Row, group: Group) -> Any:
        if group.bucket is None:
            return self.value(entity, row, group.path)
        day = self._day(entity, row, group.path)
        if day is None:
            return None
        match group.bucket:
            case Bucket.DAY:
                return day
            case Bucket.WEEK:
                return day - timedelta(days=day.isoweekday() - 1)
            case Bucket.MONTH:
                return day.replace(day=1)
            case Bucket.QUARTER:
                return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
            case Bucket.YEAR:
                return day.replace(month=1, day=1)

    def _told(self, query: Query, key: tuple[Any, ...], rows: Sequence[Row]) -> Told:
        count = len(query.groups)
        figures = {figure.name: self._figure(query.entity, rows, figure) for figure in query.figures}
        return Told(groups=key[:count], units=key[count:], records=len(rows), figures=figures)

    def _figure(self, entity: str, rows: Sequence[Row], figure: Figure) -> Any:
        chosen = [row for row in rows if self._all(entity, row, figure.where)]
        if figure.function is Function.COUNT:
            return len(chosen)
        if figure.function is Function.SHARE:
            return Fraction(len(chosen), len(rows)) if rows else None
        path = figure.path or ()
        if figure.function is Function.RATE:
            pairs = [(self.value(entity, row, path), self.value(entity, row, figure.over or ())) for row in chosen]
            both = [pair for pair in pairs if None not in pair]
            whole = sum(pair[1] for pair in both)
            return Fraction(sum(pair[0] for pair in both), whole) if whole else None
        values = [v for row in chosen if (v := self.value(entity, row, path)) is not None]
        if not values:
            return None
        match figure.function:
            case Function.SUM:
                return sum(values)
            case Function.LEAST:
                return min(values)
            case Function.MOST:
                return max(values)
            case _:
                return _mean_or_spread(values, figure.function)

    def _all(self, entity: str, row: Row, conditions: Sequence[Condition]) -> bool:
        return all(self._holds(entity, row, condition) for condition in conditions)

    def _holds(self, entity: str, row: Row, condition: Condition) -> bool:
        match condition:
            case Compare(path, Is.KNOWN, _):
                return self.value(entity, row, path) is not None
            case Compare(path, Is.UNKNOWN, _):
                return self.value(entity, row, path) is None
            case Compare(path, how, value):
                plain = isinstance(value, date) and not isinstance(value, datetime)
                left = self._day(entity, row, path) if plain else self.value(entity, row, path)
                return left is not None and _compared(left, how, value)
            case Relate(path, how, other, days):
                left, right = self._day(entity, row, path), self._day(entity, row, other)
                return left is not None and right is not None and _compared(left, how, right + timedelta(days=days))
            case AnyOf(conditions):
                return any(self._holds(entity, row, each) for each in conditions)
            case Linked(child, by, where, none, at):
                named = self.value(entity, row, (*at, "id"))
                linked = () if named is None else self._linked(child, by).get(named, ())
                return any(self._all(child, each, where) for each in linked) is not none

    def _linked(self, child: str, by: str) -> dict[Any, list[Row]]:
        if (child, by) not in self._children:
            found = self._children[child, by] = {}
            for row in self.rows(child).values():
                found.setdefault(row[f"{by}_id"], []).append(row)
        return self._children[child, by]

    def _day(self, entity: str, row: Row, path: Path) -> Any:
        value = self.value(entity, row, path)
        if isinstance(value, datetime):
            last: Row | None = row
            for step in path[:-1]:
                target = model_yaml()[entity]["fields"][step]["to"]
                last = self.rows(target).get(last[f"{step}_id"] or 0) if last else None
                entity = target
            return value.astimezone(self._zone(last)).date()
        return value

    def _site(self, row: Row | None) -> Row | None:
        return (self._around or self).rows("site").get(row["label_site"]) if row else None

    def _zone(self, row: Row | None) -> ZoneInfo:
        site = self._site(row)
        return ZoneInfo(str(site["time_zone"] or "UTC") if site else "UTC")

    def _computed(self, entity: str, row: Row, body: Any) -> Any:
        """An expression as the YAML has it, of a row."""
        if isinstance(body, str):
            return self.value(entity, row, tuple(body.split(".")))
        ((name, given),) = ((k, v) for k, v in body.items() if k not in ("type", "title", "unit"))
        if name == "today":
            return self.now.astimezone(self._zone(row)).date()
        given_parts = cast("list[Any]", given) if isinstance(given, list) else [given]
        if name == "number_of":
            return self._number_of(row, *given_parts)
        parts = [self._computed(entity, row, each) for each in given_parts]
        if name == "first_of" or any(part is None for part in parts):
            return next((part for part in parts if part is not None), None) if name == "first_of" else None
        match name:
            case "days":
                return (parts[1] - parts[0]).days
            case "minus":
                return parts[0] - parts[1]
            case "days_late":
                return self._late(row, parts[0], parts[1])
            case _:
                return parts[0].astimezone(self._zone(row)).date()

    def _number_of(self, row: Row, child: str, by: str, *apart: str) -> int:
        """How many records name this one, or how many different values those have in a field."""
        rows = self._linked(child, by).get(row["id"], [])
        return len({self.value(child, each, apart) for each in rows} - {None}) if apart else len(rows)

    def _late(self, row: Row, promised: date, done: date) -> int:
        """Working days in the site's calendar from a promise to what was done."""
        site = self._site(row)
        closures = (self._around or self).rows("site_closure").values()
        closed = {row["day"] for row in closures if site and row["site_id"] == site["id"]}
        return days_late(site, closed, promised, done)


def _most(query: Query, told: Sequence[Told]) -> Iterator[Told]:
    """One more than the limit, of all or of every unit."""
    kinds = {row.units for row in told} if query.apart else set[tuple[Any, ...]]()
    for units in sorted(kinds, key=lambda each: [_last(value) for value in each]):
        yield from [row for row in told if row.units == units][: query.limit + 1]
    if not query.apart:
        yield from told[: query.limit + 1]


def _sorted(rows: Sequence[_T], values: Sequence[Any], order: Order) -> list[_T]:
    """By a value each, those without one last; equals stay in their order, reversed or not."""
    places = [place for place, value in enumerate(values) if value is not None]
    places.sort(key=lambda place: values[place], reverse=order.descending)
    return [rows[place] for place in (*places, *(place for place, value in enumerate(values) if value is None))]


def _units(query: Query) -> list[Path]:
    found: list[Path] = []
    for figure in query.figures:
        if figure.path:
            _, spec = definition(query.entity, figure.path)
            unit = (*figure.path[:-1], str(spec.get("unit") or spec.get("currency")))
            if spec["type"] in ("quantity", "amount") and unit not in found:
                found.append(unit)
    return found


def _compared(left: Any, how: Is, value: Any) -> bool:
    match how:
        case Is.EQUAL:
            return left == value
        case Is.NOT_EQUAL:
            return left != value
        case Is.LESS:
            return left < value
        case Is.AT_MOST:
            return left <= value
        case Is.MORE:
            return left > value
        case Is.AT_LEAST:
            return left >= value
        case Is.IN:
            return left in value
        case _:
            return left not in value


def _mean_or_spread(values: Sequence[int], function: Function) -> Fraction | Decimal | None:
    if function is Function.MEAN:
        return statistics.mean(Fraction(value) for value in values)
    if len(values) < 2:
        return None
    exact = statistics.variance([Fraction(value) for value in values])
    with localcontext(prec=60):
        return (Decimal(exact.numerator) / Decimal(exact.denominator)).sqrt()


def _last(value: Any) -> tuple[bool, Any]:
    """Orders values with what is not there at the end."""
    return value is None, value if value is not None else 0


def apart(query: Query, evaluator: Evaluator) -> bool:
    """Whether the classes of a query reach differently far for an actor, so that some of its rows do not count."""
    entities = set(touched(query))
    reading = evaluator.reading(query)
    return any(len(reading.rows(entity)) < len(evaluator.rows(entity)) for entity in entities)
