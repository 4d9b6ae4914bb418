"""A check's two conditions in SQL, composed from the semantic model and quality.sql; the row is `t`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from psycopg import sql
from psycopg.sql import Composable, Composed

from copilot.ingest.quality.checks import Check, load_checks, parent_of
from copilot.ingest.statements import COMMA, business
from copilot.semantic.model import SemanticModel
from copilot.store.queries import query

_HORIZON = timedelta(days=5 * 365)
_ZONES = timedelta(days=1)
"""It is tomorrow already somewhere."""
_AND, _OR = sql.SQL(" and "), sql.SQL(" or ")


def parameters(source: int, now: datetime) -> Mapping[str, object]:
    """What the conditions compare with, `now` being the injected time."""
    return {
        "source": source,
        "horizon": (now + _HORIZON).date(),
        "tomorrow": (now + _ZONES).date(),
        "currencies": list(load_checks().currencies),
    }


def figures(model: SemanticModel, checks: Sequence[Check]) -> Composed:
    """The columns r0, f0, r1, f1, …: rows looked at and rows failing, in the order of the checks."""
    return COMMA.join(
        query("quality_figures").format(
            scope=scope(check),
            fault=fault(model, check),
            rows=sql.Identifier(f"r{place}"),
            failing=sql.Identifier(f"f{place}"),
        )
        for place, check in enumerate(checks)
    )


def scope(check: Check) -> Composable:
    """Which rows the check looks at."""
    return sql.SQL("({})").format(_AND.join(_scopes(check)))


def fault(model: SemanticModel, check: Check) -> Composable:
    """Which of them fail it; null is no fault."""
    return sql.SQL("({})").format(_FAULTS[check.kind](model, check))


def _scopes(check: Check) -> Iterator[Composable]:
    filled = [check.given] if check.given else []
    if check.kind != "missing" and check.field:
        filled += [check.field, *check.plus, *check.minus]
    yield sql.SQL("true")
    yield from (sql.SQL("{} is not null").format(_of(name)) for name in filled)
    for name, codes in check.when.items():
        yield sql.SQL("{} = any({})").format(_of(name), sql.Literal(list(codes)))
    for name, codes in check.unless.items():
        yield sql.SQL("coalesce({}, '') <> all({})").format(_of(name), sql.Literal(list(codes)))


def _missing(model: SemanticModel, check: Check) -> Composable:
    field = model[check.entity].fields[str(check.field)]
    name = "quality_missing_text" if field.type in ("text", "ident", "code") else "quality_missing"
    return query(name).format(field=sql.Identifier("t", field.column))


def _duplicate(_: SemanticModel, check: Check) -> Composable:
    return query("quality_duplicate").format(
        field=_of(check.field), column=sql.Identifier(str(check.field)), table=business(check.entity)
    )


def _impossible_date(model: SemanticModel, check: Check) -> Composable:
    day = _day(model, check, str(check.field))
    parts = [query("quality_impossible_date").format(day=day)]
    if check.past:
        parts.append(query("quality_in_future").format(day=day))
    if check.not_before:
        parts.append(query("quality_before").format(day=day, other=_day(model, check, check.not_before)))
    return _OR.join(parts)


def _day(model: SemanticModel, check: Check, name: str) -> Composable:
    if model[check.entity].fields[name].type == "date":
        return _of(name)
    return query("quality_day").format(field=_of(name))


def _negative(_: SemanticModel, check: Check) -> Composable:
    return query("quality_negative").format(field=_of(check.field))


def _unknown_code(_: SemanticModel, check: Check) -> Composable:
    if check.codes == "currency":
        return query("quality_unknown_currency").format(field=_of(check.field))
    return query("quality_unknown_unit").format(field=_of(check.field), item=sql.Identifier("t", "item_id"))


def _orphan(model: SemanticModel, check: Check) -> Composable:
    lines = str(check.lines)
    parent = sql.Identifier(parent_of(model, lines)[0].column)
    return query("quality_orphan").format(parent=parent, lines=business(lines))


def _sum(model: SemanticModel, check: Check) -> Composable:
    if check.lines is not None:
        return _sum_of_lines(model, check, check.lines)
    parts = sql.SQL(" + ").join(map(_of, check.plus))
    for name in check.minus:
        parts = sql.SQL("{} - {}").format(parts, _of(name))
    return query("quality_sum").format(total=_of(check.field), parts=parts)


def _sum_of_lines(model: SemanticModel, check: Check, prices: str) -> Composable:
    line, lines = parent_of(model, prices)
    return query("quality_sum_of_lines").format(
        table=business(check.entity),
        parent=sql.Identifier(parent_of(model, check.entity)[0].column),
        column=sql.Identifier(str(check.field)),
        prices=business(prices),
        line=sql.Identifier(line.column),
        lines=business(lines),
        line_parent=sql.Identifier(parent_of(model, lines)[0].column),
    )


def _of(name: str | None) -> sql.Identifier:
    return sql.Identifier("t", str(name))


_FAULTS = {
    "missing": _missing,
    "duplicate": _duplicate,
    "impossible_date": _impossible_date,
    "negative": _negative,
    "unknown_code": _unknown_code,
    "orphan": _orphan,
    "sum": _sum,
}
