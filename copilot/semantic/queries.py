"""Turns queries over the semantic model into SQL with bound parameters over the policy-guarded tables.

Every record that a path or a link leads to stands behind its own row policy: one that the scope does not hold is as
good as not recorded, and fulfils no condition but UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, LiteralString, cast

from psycopg import sql

from copilot.domain.quantity import SCALE
from copilot.domain.query import (
    AnyOf,
    Bucket,
    Compare,
    Condition,
    Figure,
    Function,
    Group,
    Is,
    Linked,
    Order,
    Path,
    Query,
    Relate,
)
from copilot.semantic.computed import Expression
from copilot.semantic.model import SemanticModel
from copilot.semantic.paths import leaf_of

_HOW: Mapping[Is, LiteralString] = {
    Is.EQUAL: "{} = {}",
    Is.NOT_EQUAL: "{} <> {}",
    Is.LESS: "{} < {}",
    Is.AT_MOST: "{} <= {}",
    Is.MORE: "{} > {}",
    Is.AT_LEAST: "{} >= {}",
    Is.IN: "{} = any ({})",
    Is.NOT_IN: "{} <> all ({})",
}
SCALED = ("quantity", "amount", "ratio", "days")
"""Types whose values are stored scaled."""
_ROOT = "r"
_PLACE: LiteralString = (
    "left join unnest(%(place_sites)s::bigint[], %(place_zones)s::text[], %(place_todays)s::date[],"
    " %(place_weekdays)s::text[], %(place_closed)s::text[])"
    " as {place} (id, zone, today, weekdays, closed) on {place}.id = {record}.label_site"
)
_FIRST_OF_EACH = sql.SQL("select * from ({}) as told where place <= {} order by {}, place")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement, its parameters, and the entities it reads. It also wants the parameters of `place_parameters`.

    A list gives `id`; figures give `g0`, `g1`… per group, `u0`… per unit, `n` (records), `confirmed` (the oldest), and
    per figure number i: `f{i}`, for a mean or a spread `f{i}_n`, `f{i}_sum` and `f{i}_squares`, for a share `f{i}_of`.
    """

    statement: sql.Composed
    parameters: Mapping[str, Any]
    entities: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site as statements take it: time zone, today there, ISO weekdays of work ("12345") and closed days."""

    zone: str
    today: date
    weekdays: str
    closed: frozenset[date]


def place_parameters(places: Mapping[int, Place], today: date) -> dict[str, Any]:
    """The sites in scope, and today where a record is of none of them, as every statement takes it."""
    return {
        "place_sites": list(places),
        "place_zones": [place.zone for place in places.values()],
        "place_todays": [place.today for place in places.values()],
        "place_weekdays": [place.weekdays for place in places.values()],
        "place_closed": [",".join(map(str, sorted(place.closed))) for place in places.values()],
        "today": today,
    }


def compile_list(model: SemanticModel, query: Query) -> Compiled:
    """The ids of the records of a query, in order; one more than its limit where there are more."""
    root = _Root(model, query.entity, _ROOT, _Bound())
    where = root.all_of(query.where)
    order = [_ordered(root.value(order.by), order) for order in query.order]
    order.append(sql.SQL("{}.id").format(sql.Identifier(root.alias)))
    statement = sql.SQL("select {}.id from {} where {} order by {} limit {}").format(
        sql.Identifier(root.alias), root.tables(), where, sql.SQL(", ").join(order), root.bound.of(query.limit + 1)
    )
    return root.compiled(statement)


def compile_figures(model: SemanticModel, query: Query) -> Compiled:
    """The figures of a query by its groups and units, in order; one row more than its limit where there are more, of
    every unit where these are `apart`."""
    root = _Root(model, query.entity, _ROOT, _Bound())
    groups = [root.group(group) for group in query.groups] + [root.value(path) for path in unit_paths(model, query)]
    names = [f"g{i}" for i in range(len(query.groups))] + [f"u{i}" for i in range(len(groups) - len(query.groups))]
    figures = [root.figure(figure) for figure in query.figures]
    columns = [
        *(sql.SQL("{} as {}").format(value, sql.Identifier(name)) for name, value in zip(names, groups, strict=True)),
        sql.SQL("count(*) as n, min({}.confirmed_at) as confirmed").format(sql.Identifier(root.alias)),
        *(column for i, figure in enumerate(figures) for column in figure.columns(f"f{i}")),
    ]
    where = root.all_of(query.where)
    places = {figure.name: made.sort for figure, made in zip(query.figures, figures, strict=True)}
    order = [_ordered(places[o.by[0]] if o.by[0] in places else root.value(o.by), o) for o in query.order]
    order += [sql.SQL("{} nulls last").format(group) for group in groups]
    values = {figure.name: made.value for figure, made in zip(query.figures, figures, strict=True)}
    having = [sql.SQL(_HOW[h.how]).format(values[h.figure], root.bound.of(h.value)) for h in query.having]
    units = groups[len(query.groups) :] if query.apart else ()
    if units:
        columns.append(_place_within(units, order))
    grouped = sql.SQL("select {} from {} where {}{}{}").format(
        sql.SQL(", ").join(columns),
        root.tables(),
        where,
        sql.SQL(" group by {}").format(sql.SQL(", ").join(groups)) if groups else sql.SQL(""),
        sql.SQL(" having {}").format(sql.SQL(" and ").join(having)) if having else sql.SQL(""),
    )
    most = root.bound.of(query.limit + 1)
    if units:
        by = sql.SQL(", ").join(sql.Identifier(name) for name in names[len(query.groups) :])
        return root.compiled(_FIRST_OF_EACH.format(grouped, most, by))
    ordered = sql.SQL(" order by {}").format(sql.SQL(", ").join(order)) if groups else sql.SQL("")
    return root.compiled(sql.SQL("{}{} limit {}").format(grouped, ordered, most))


def _place_within(units: Sequence[sql.Composable], order: Sequence[sql.Composable]) -> sql.Composed:
    """The place of a group among those of its unit."""
    by, within = sql.SQL(", ").join(units), sql.SQL(", ").join(order)
    return sql.SQL("row_number() over (partition by {} order by {}) as place").format(by, within)


def unit_paths(model: SemanticModel, query: Query) -> tuple[Path, ...]:
    """The fields whose values tell figures apart whatever the groups are: units and currencies of what is added up."""
    leaves = [leaf_of(model, query.entity, figure.path) for figure in query.figures if figure.path]
    return tuple(dict.fromkeys(leaf.unit_path for leaf in leaves if leaf.unit_path))


def entities_of(model: SemanticModel, query: Query) -> frozenset[str]:
    """Every entity that a query reads."""
    return (compile_figures if query.figures else compile_list)(model, query).entities


def _ordered(value: sql.Composable, order: Order) -> sql.Composed:
    return sql.SQL("{} desc nulls last" if order.descending else "{} asc nulls last").format(value)


@dataclass(slots=True)
class _Bound:
    """The values that a statement is bound to, and the aliases it has given."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    aliases: int = 0
    entities: set[str] = field(default_factory=set[str])

    def of(self, value: Any) -> sql.Placeholder:
        """A placeholder for a value."""
        name = f"v{len(self.values)}"
        self.values[name] = list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
        return sql.Placeholder(name)

    def alias(self) -> str:
        """A name that no other table of the statement has."""
        self.aliases += 1
        return f"t{self.aliases}"


@dataclass(frozen=True, slots=True)
class _Aggregate:
    """The columns of one figure by their suffix, what it is ordered by, and whether that is to be scaled to be the
    figure as it is given."""

    parts: tuple[tuple[str, sql.Composable], ...]
    sort: sql.Composable
    scaled: bool = False

    @property
    def value(self) -> sql.Composable:
        """What is compared with."""
        return sql.SQL("({}) * {}").format(self.sort, sql.Literal(SCALE)) if self.scaled else self.sort

    def columns(self, name: str) -> Iterator[sql.Composed]:
        """The columns under the figure's name."""
        for suffix, value in self.parts:
            yield sql.SQL("{} as {}").format(value, sql.Identifier(name + suffix))


class _Root:
    """One entity in a `from`, and the tables that paths from it lead to."""

    def __init__(self, model: SemanticModel, entity: str, alias: str, bound: _Bound) -> None:
        self.alias, self.bound = alias, bound
        self._model, self._entity = model, model[entity]
        self._joined: dict[Path, str] = {(): alias}
        self._joins: list[sql.Composed] = []
        self._places: dict[Path, str] = {}
        bound.entities.add(entity)

    def compiled(self, statement: sql.Composed) -> Compiled:
        """The statement with all it is bound to."""
        return Compiled(statement, self.bound.values, frozenset(self.bound.entities))

    def tables(self) -> sql.Composed:
        """The tables as a `from` lists them; ask for it after everything else."""
        first = sql.SQL("{} as {}").format(_table(self._entity.name), sql.Identifier(self.alias))
        return sql.SQL(" ").join([first, *self._joins])

    def value(self, path: Path) -> sql.Composable:
        """The value of a field."""
        leaf = leaf_of(self._model, self._entity.name, path)
        if leaf.computed:
            made = self._computed(leaf.computed.expression, path[:-1])
            if len(path) == 1:
                return made
            record = self._column(path[:-1], "id")  # of a record that is not there, not even today is known
            return sql.SQL("case when {} is not null then {} end").format(record, made)
        column = self._column(path[:-1], leaf.column)
        return sql.SQL("nullif({}, 0)").format(column) if leaf.label else column

    def group(self, group: Group) -> sql.Composable:
        """What figures are told apart by."""
        if group.bucket is None:
            return self.value(group.path)
        day = self.day(group.path)
        unit: Mapping[Bucket, LiteralString] = {
            Bucket.DAY: "day", Bucket.WEEK: "week", Bucket.MONTH: "month", Bucket.QUARTER: "quarter",
            Bucket.YEAR: "year",
        }  # fmt: skip
        return sql.SQL("date_trunc({}, {}::timestamp)::date").format(sql.Literal(unit[group.bucket]), day)

    def day(self, path: Path) -> sql.Composable:
        """A date, or the date of a moment where its record belongs."""
        leaf = leaf_of(self._model, self._entity.name, path)
        value = self.value(path)
        return self._local_day(value, path[:-1]) if leaf.type == "instant" else value

    def all_of(self, conditions: Sequence[Condition]) -> sql.Composable:
        """That all conditions hold."""
        return sql.SQL(" and ").join([self._condition(each) for each in conditions] or [sql.SQL("true")])

    def figure(self, figure: Figure) -> _Aggregate:
        """The columns of a figure."""
        only = sql.SQL(" filter (where {})").format(self.all_of(figure.where)) if figure.where else sql.SQL("")
        count = sql.SQL("count(*){}").format(only)
        if figure.function is Function.COUNT:
            return _Aggregate((("", count),), count)
        if figure.function is Function.SHARE:
            share = sql.SQL("{}::numeric / nullif(count(*), 0)").format(count)
            return _Aggregate((("", count), ("_of", sql.SQL("count(*)"))), share, scaled=True)
        if figure.function is Function.RATE:
            return self._rate(figure)
        path = figure.path or ()
        stored_scaled = leaf_of(self._model, self._entity.name, path).type in SCALED
        return self._of_field(figure.function, self.value(path), only, scaled=not stored_scaled)

    def _rate(self, figure: Figure) -> _Aggregate:
        part, whole = self.value(figure.path or ()), self.value(figure.over or ())
        both = (sql.SQL("{} is not null and {} is not null").format(part, whole), self.all_of(figure.where))
        only = sql.SQL("filter (where {} and {})").format(*both)
        sums = [sql.SQL("sum({}) {}").format(value, only) for value in (part, whole)]
        rate = sql.SQL("{}::numeric / nullif({}, 0)").format(*sums)
        return _Aggregate((("", sums[0]), ("_of", sums[1])), rate, scaled=True)

    def _of_field(self, function: Function, value: sql.Composable, only: sql.Composable, *, scaled: bool) -> _Aggregate:
        def made(template: LiteralString) -> sql.Composed:
            return sql.SQL(template).format(value=value, only=only)

        match function:
            case Function.LEAST:
                return _Aggregate((("", made("min({value}){only}")),), made("min({value}){only}"))
            case Function.MOST:
                return _Aggregate((("", made("max({value}){only}")),), made("max({value}){only}"))
            case Function.SUM:
                return _Aggregate((("", made("sum({value}){only}")),), made("sum({value}){only}"))
            case _:
                parts = (
                    ("_n", made("count({value}){only}")),
                    ("_sum", made("sum({value}){only}")),
                    ("_squares", made("sum({value}::numeric * {value}){only}")),
                )
                spread = function is Function.SPREAD
                made_of = made("stddev_samp({value}){only}" if spread else "avg({value}){only}")
                return _Aggregate(parts, made_of, scaled=scaled)

    def _condition(self, condition: Condition) -> sql.Composable:
        match condition:
            case Compare(path, Is.KNOWN, _):
                return sql.SQL("{} is not null").format(self.value(path))
            case Compare(path, Is.UNKNOWN, _):
                return sql.SQL("{} is null").format(self.value(path))
            case Compare(path, how, value):
                days = isinstance(value, date) and not isinstance(value, datetime)
                left = self.day(path) if days else self.value(path)
                return sql.SQL(_HOW[how]).format(left, self.bound.of(value))
            case Relate(path, how, other, days):
                right = sql.SQL("{} + {}::int").format(self.day(other), self.bound.of(days))
                return sql.SQL(_HOW[how]).format(self.day(path), right)
            case AnyOf(conditions):
                any_of = sql.SQL(" or ").join([self._condition(each) for each in conditions] or [sql.SQL("false")])
                return sql.SQL("({})").format(any_of)
            case Linked():
                return self._linked(condition)

    def _linked(self, link: Linked) -> sql.Composable:
        child = _Root(self._model, link.entity, self.bound.alias(), self.bound)
        conditions = child.all_of(link.where)
        named = self.value((*link.at, "id"))
        there = sql.SQL("exists (select from {} where {} = {} and {})").format(
            child.tables(),
            sql.Identifier(child.alias, self._model[link.entity].fields[link.by].column),
            named,
            conditions,
        )
        return sql.SQL("not {}").format(there) if link.none else there

    def _computed(self, expression: Expression, prefix: Path) -> sql.Composable:
        """An expression of the record that `prefix` leads to."""
        if expression.operation == "path":
            return self.value((*prefix, *expression.path))
        if expression.operation == "today":
            return sql.SQL("coalesce({}.today, {}::date)").format(self._place(prefix), sql.Placeholder("today"))
        if expression.operation == "number_of":
            return self._number_of(expression.path, prefix)
        parts = [self._computed(part, prefix) for part in expression.parts]
        match expression.operation:
            case "first_of":
                return sql.SQL("coalesce({})").format(sql.SQL(", ").join(parts))
            case "days":
                return sql.SQL("({} - {})").format(parts[1], parts[0])
            case "minus":
                return sql.SQL("({} - {})").format(*parts)
            case "days_late":
                place = self._place(prefix)
                return sql.SQL(
                    "core.days_late({}, {}, coalesce({}.weekdays, '1234567'), coalesce({}.closed, ''))"
                ).format(*parts, place, place)
            case _:
                return self._local_day(parts[0], prefix)

    def _number_of(self, counted: Path, prefix: Path) -> sql.Composed:
        """How many records of another entity name this one."""
        entity, by, *apart = counted
        child = _Root(self._model, entity, self.bound.alias(), self.bound)
        what = sql.SQL("distinct {}").format(child.value(tuple(apart))) if apart else sql.SQL("*")
        return sql.SQL("(select count({}) from {} where {} = {})").format(
            what,
            child.tables(),
            sql.Identifier(child.alias, self._model[entity].fields[by].column),
            self._column(prefix, "id"),
        )

    def _local_day(self, moment: sql.Composable, prefix: Path) -> sql.Composed:
        return sql.SQL("({} at time zone coalesce({}.zone, 'UTC'))::date").format(moment, self._place(prefix))

    def _place(self, prefix: Path) -> sql.Identifier:
        """The time zone of the site, and today there, of the record that a run of references leads to."""
        if prefix not in self._places:
            record = self._join(prefix)
            alias = self._places[prefix] = self.bound.alias()
            self._joins.append(sql.SQL(_PLACE).format(place=sql.Identifier(alias), record=sql.Identifier(record)))
        return sql.Identifier(self._places[prefix])

    def _column(self, prefix: Path, column: str) -> sql.Identifier:
        return sql.Identifier(self._join(prefix), column)

    def _join(self, prefix: Path) -> str:
        """The alias of the record that a run of references leads to."""
        if prefix not in self._joined:
            before = self._join(prefix[:-1])
            reference = leaf_of(self._model, self._entity.name, prefix)
            alias = self._joined[prefix] = self.bound.alias()
            self.bound.entities.add(reference.to)
            self._joins.append(
                sql.SQL("left join {} as {} on {} = {}").format(
                    _table(reference.to),
                    sql.Identifier(alias),
                    sql.Identifier(alias, "id"),
                    sql.Identifier(before, reference.column),
                )
            )
        return self._joined[prefix]


def _table(entity: str) -> sql.Identifier:
    return sql.Identifier("biz", entity)
