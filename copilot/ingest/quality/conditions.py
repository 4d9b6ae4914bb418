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
_CENT = 10_000
"""An amount is scaled by a million; a difference of 0.01 is rounding."""
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


def fault_placed(model: SemanticModel, check: Check) -> Composable:
    """Which of the rows in `placed`, new or changed, fail it."""
    return sql.SQL("({})").format(_duplicate_placed(check)) if check.kind == "duplicate" else fault(model, check)


def figures_placed(model: SemanticModel, checks: Sequence[Check]) -> Composed:
    """The columns r0, f0, r1, f1, …: of the rows in `placed`, those looked at and those failing, in the order of the
    checks."""
    return COMMA.join(
        query("quality_figures").format(
            scope=scope(check),
            fault=fault_placed(model, check),
            rows=sql.Identifier(f"r{place}"),
            failing=sql.Identifier(f"f{place}"),
        )
        for place, check in enumerate(checks)
    )


def by_place(model: SemanticModel, checks: Sequence[Check]) -> Composed:
    """A scan of the source's rows of one entity: per place `rows`, `flawed` (those that fail a check) and, in the order
    of the checks, r0, f0 (rows looked at and failing) and, where that is not the same, h0: what may be published."""
    conditions = [each for place, check in enumerate(checks) for each in _conditions(model, place, check)]
    names = [name for place, check in enumerate(checks) for name in _names(place, check)]
    return query("quality_scan").format(
        table=business(checks[0].entity),
        conditions=COMMA.join(conditions),
        any=_OR.join(sql.Identifier(_names(place, check)[-1]) for place, check in enumerate(checks)),
        figures=COMMA.join(query("quality_count").format(holds=sql.Identifier(name)) for name in names),
    )


def _conditions(model: SemanticModel, place: int, check: Check) -> Iterator[Composable]:
    names = {"looked_at": sql.Identifier(f"r{place}"), "failed": sql.Identifier(f"f{place}")}
    yield query("quality_condition").format(scope=scope(check), fault=fault(model, check), **names)
    if check.kind == "duplicate":
        here = query("quality_duplicate_here").format(
            field=_of(check.field), column=sql.Identifier(str(check.field)), table=business(check.entity)
        )
        yield query("quality_condition_here").format(scope=scope(check), fault=here, failed=sql.Identifier(f"h{place}"))


def _names(place: int, check: Check) -> tuple[str, ...]:
    """The columns of one check; the last one holds the failing rows that may be published."""
    return (f"r{place}", f"f{place}", *((f"h{place}",) if check.kind == "duplicate" else ()))


def scope(check: Check) -> Composable:
    """Which rows the check looks at."""
    return sql.SQL("({})").format(_AND.join(_scopes(check)))


def fault(model: SemanticModel, check: Check) -> Composable:
    """Which of them fail it; null is no fault."""
    return sql.SQL("({})").format(_FAULTS[check.kind](model, check))


def _scopes(check: Check) -> Iterator[Composable]:
    filled = [check.given] if check.given else []
    if check.kind == "unresolved":
        yield _named(check)
    elif check.kind != "missing" and check.field:
        filled += [check.field, *check.plus, *check.minus]
    yield sql.SQL("true")
    yield from (sql.SQL("{} is not null").format(_of(name)) for name in filled)
    for name, codes in check.when.items():
        yield sql.SQL("{} = any({})").format(_of(name), sql.Literal(list(codes)))
    for name, codes in check.unless.items():
        yield sql.SQL("coalesce({}, '') <> all({})").format(_of(name), sql.Literal(list(codes)))


def _named(check: Check) -> Composable:
    """Whether the source names a record in the field at all."""
    return sql.SQL("({} is not null or {})").format(sql.Identifier("t", f"{check.field}_id"), _waiting(check))


def _waiting(check: Check) -> Composable:
    return query("quality_waiting").format(entity=sql.Literal(check.entity), field=sql.Literal(check.field))


def _missing(model: SemanticModel, check: Check) -> Composable:
    field = model[check.entity].fields[str(check.field)]
    name = "quality_missing_text" if field.type in ("text", "ident", "code") else "quality_missing"
    return query(name).format(field=sql.Identifier("t", field.column))


def _duplicate(_: SemanticModel, check: Check) -> Composable:
    return query("quality_duplicate").format(
        field=_of(check.field), column=sql.Identifier(str(check.field)), table=business(check.entity)
    )


def _duplicate_placed(check: Check) -> Composable:
    """Given twice once the rows in `placed` are written."""
    column = sql.Identifier(str(check.field))
    return query("quality_duplicate_placed").format(field=_of(check.field), column=column, table=business(check.entity))


def _unresolved(model: SemanticModel, check: Check) -> Composable:
    field = model[check.entity].fields[str(check.field)]
    return query("quality_unresolved").format(
        waiting=_waiting(check), field=sql.Identifier("t", field.column), target=business(str(field.to))
    )


def _exceeds(_: SemanticModel, check: Check) -> Composable:
    return query("quality_exceeds").format(field=_of(check.field), parts=_parts(check))


def _unsettled(model: SemanticModel, check: Check) -> Composable:
    reference, parent = parent_of(model, check.entity)
    codes = (
        sql.SQL("p.{} = any({})").format(sql.Identifier(name), sql.Literal(list(codes)))
        for name, codes in check.parent.items()
    )
    return query("quality_unsettled").format(
        field=_of(check.field),
        reference=sql.Identifier("t", reference.column),
        parent=business(parent),
        codes=_AND.join(codes),
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
    if check.siblings is not None:
        return _sum_of_siblings(model, check, check.siblings)
    amount = model[check.entity].fields[str(check.field)].type == "amount"
    return query("quality_sum").format(
        total=_of(check.field), parts=_parts(check), rounding=sql.Literal(_CENT if amount else 0)
    )


def _parts(check: Check) -> Composable:
    parts = sql.SQL(" + ").join(map(_of, check.plus)) if check.plus else sql.SQL("0")
    for name in check.minus:
        parts = sql.SQL("{} - {}").format(parts, _of(name))
    return parts


def _sum_of_siblings(model: SemanticModel, check: Check, siblings: str) -> Composable:
    name, _, column = siblings.partition(".")
    return query("quality_sum_of_siblings").format(
        table=business(check.entity),
        total=_of(check.field),
        parts=_parts(check),
        reference=sql.Identifier("t", parent_of(model, check.entity)[0].column),
        parent=sql.Identifier(parent_of(model, name)[0].column),
        column=sql.Identifier(column),
        siblings=business(name),
    )


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
    "unresolved": _unresolved,
    "orphan": _orphan,
    "sum": _sum,
    "exceeds": _exceeds,
    "unsettled": _unsettled,
}
