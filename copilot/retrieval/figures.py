"""Runs queries over the semantic model in the scoped transaction of a question: lists of ids, and figures by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

from copilot.domain.evidence import Raw
from copilot.domain.quantity import SCALE
from copilot.domain.query import Figure, Function, Query
from copilot.domain.scope import Scope
from copilot.retrieval.calendar import Calendar, read_calendars
from copilot.semantic.model import SemanticModel
from copilot.semantic.paths import leaf_of
from copilot.semantic.queries import SCALED, Compiled, Place, compile_figures, compile_list, place_parameters
from copilot.store.pool import Connection, together


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """The figures of one group. Shares, means and spreads are scaled by a million, as are sums of what is stored so."""

    groups: tuple[Raw, ...]
    units: tuple[Raw, ...]
    records: int
    confirmed: datetime | None
    """When the record confirmed longest ago was."""
    figures: Mapping[str, Raw]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What queries are run with: the scope, the calendars of the sites in it, and the moment."""

    scope: Scope
    calendars: Mapping[int, Calendar]
    now: datetime

    def parameters(self) -> dict[str, Any]:
        """Where it is what day."""
        places = {
            site: Place(
                zone=calendar.time_zone, today=calendar.today(self.now), weekdays=calendar.working_days,
                closed=calendar.closures,
            )
            for site, calendar in self.calendars.items()
        }  # fmt: skip
        return place_parameters(places, self.now.astimezone(UTC).date())


async def read_setting(connection: Connection, scope: Scope, now: datetime) -> Setting:
    """What queries are run with in this transaction."""
    return Setting(scope=scope, calendars=await read_calendars(connection), now=now)


def allowed(model: SemanticModel, compiled: Compiled, scope: Scope) -> bool:
    """Whether a scope holds the classes of everything that a query reads, all of them somewhere."""
    classes = classes_of(model, compiled)
    return all(map(scope.together(classes).allows, classes))


def classes_of(model: SemanticModel, compiled: Compiled) -> frozenset[str]:
    """The record classes that a query reads."""
    return frozenset(model[entity].record_class for entity in compiled.entities)


def classes_read(model: SemanticModel, query: Query) -> frozenset[str]:
    """The record classes that the figures of a query are worked out from."""
    return classes_of(model, compile_figures(model, query))


async def find_ids(
    connection: Connection, model: SemanticModel, query: Query, setting: Setting
) -> tuple[int, ...] | None:
    """The ids of the records, one more than the limit where there are more; None where the scope does not allow it."""
    compiled = compile_list(model, query)
    if not allowed(model, compiled, setting.scope):
        return None
    return tuple(row["id"] for row in await _rows(connection, model, compiled, setting))


async def find_figures(
    connection: Connection, model: SemanticModel, query: Query, setting: Setting
) -> tuple[FigureRow, ...] | None:
    """The figures by group, one more than the limit where there are more; None where the scope does not allow it."""
    compiled = compile_figures(model, query)
    if not allowed(model, compiled, setting.scope):
        return None
    return tuple(_row(model, query, row) for row in await _rows(connection, model, compiled, setting))


async def _rows(
    connection: Connection, model: SemanticModel, compiled: Compiled, setting: Setting
) -> list[dict[str, Any]]:
    async with together(connection, setting.scope, classes_of(model, compiled)):
        cursor = await connection.execute(compiled.statement, {**compiled.parameters, **setting.parameters()})
        return await cursor.fetchall()


def _row(model: SemanticModel, query: Query, row: Mapping[str, Any]) -> FigureRow:
    units = [name for name in row if name.startswith("u")]
    return FigureRow(
        groups=tuple(row[f"g{i}"] for i in range(len(query.groups))),
        units=tuple(row[name] for name in units),
        records=row["n"],
        confirmed=row["confirmed"],
        figures={figure.name: _figure(model, query, figure, row, f"f{i}") for i, figure in enumerate(query.figures)},
    )


def _figure(model: SemanticModel, query: Query, figure: Figure, row: Mapping[str, Any], name: str) -> Raw:
    match figure.function:
        case Function.COUNT:
            return row[name]
        case Function.SHARE | Function.RATE:
            of = int(row[f"{name}_of"] or 0)
            return round(Fraction(int(row[name]) * SCALE, of)) if of else None
        case Function.SUM:
            return None if row[name] is None else int(row[name])
        case Function.LEAST | Function.MOST:
            return row[name]
        case Function.MEAN | Function.SPREAD:
            leaf = leaf_of(model, query.entity, figure.path or ())
            scale = 1 if leaf.type in SCALED else SCALE
            count, total, squares = row[f"{name}_n"], int(row[f"{name}_sum"] or 0), int(row[f"{name}_squares"] or 0)
            return (
                _mean(count, total, scale)
                if figure.function is Function.MEAN
                else _spread(count, total, squares, scale)
            )


def _mean(count: int, total: int, scale: int) -> int | None:
    return round(Fraction(total * scale, count)) if count else None


def _spread(count: int, total: int, squares: int, scale: int) -> int | None:
    """The sample standard deviation: the root of (sum of squares - sum² / n) / (n - 1)."""
    if count < 2:
        return None
    variance = Fraction(count * squares - total * total, count * (count - 1))
    with localcontext(prec=60):
        root = (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt() * scale
        return int(root.to_integral_value(ROUND_HALF_EVEN))
