"""Turns record queries into SQL with bound parameters over the policy-guarded tables. Nobody supplies SQL text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import LiteralString

from psycopg import sql

from copilot.domain.plan import ACCOUNT, Operator, RecordQuery
from copilot.errors import ModelDefinitionError
from copilot.semantic.model import Entity

LINEAGE = (
    "id", "source_id", "company", "source_key", "changed_at", "confirmed_at", "valid_from", "label_region",
    "label_site", "label_channel", "label_account",
)  # fmt: skip
_COMPARISONS: Mapping[Operator, LiteralString] = {
    Operator.EQUAL: "{} = {}",
    Operator.IN: "{} = any ({})",
    Operator.LESS: "{} < {}",
    Operator.AT_MOST: "{} <= {}",
    Operator.MORE: "{} > {}",
    Operator.AT_LEAST: "{} >= {}",
    Operator.MISSING: "{} is null",
}
_STATEMENTS = 2_000
_Shape = tuple[tuple[str, Operator], ...]
"""Fields and how they are compared, in order."""


def column(entity: Entity, field: str) -> str:
    """The column behind a field, or `id`. Raises ModelDefinitionError for a field the entity does not have."""
    if field == "id":
        return "id"
    try:
        return entity.fields[field].column
    except KeyError:
        raise ModelDefinitionError(f"{entity.name!r} has no field {field!r}") from None


def select(entity: Entity, fields: Sequence[str]) -> sql.Composed:
    """Some fields, the source (`system`) and the place in it, of the records with the ids bound to `ids`."""
    names = ("id", "company", "source_key", *(column(entity, field) for field in fields))
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    system = sql.SQL("(select s.name from core.source s where s.id = source_id) as system")
    return sql.SQL("select {}, {} from {} where id = any (%(ids)s)").format(columns, system, _table(entity))


def select_labels(entity: Entity) -> sql.Composed:
    """The labels (region, site, channel, account) of the records with the ids bound to `ids`."""
    return sql.SQL(
        "select label_region, label_site, label_channel, label_account from {} where id = any (%(ids)s)"
    ).format(_table(entity))


def compile_query(entity: Entity, query: RecordQuery) -> bytes:
    """The statement of a record query; its parameters are named p0, p1, … in the order of `where`, and `limit`.

    One that reads versions from a moment on has the parameter `since` too. Queries that differ in their values alone
    have one statement, which is put together once.
    """
    shape = tuple((each.field, each.operator) for each in query.where)
    if query.versions:
        return _compile_versions(entity, shape, since=query.since is not None)
    return _compile(entity, shape, query.order)


@lru_cache(_STATEMENTS)
def _compile(entity: Entity, shape: _Shape, order: tuple[str, ...]) -> bytes:
    columns = (*LINEAGE, *(field.column for field in entity.fields.values()))
    statement = sql.SQL("select {} from {} where {}{} limit %(limit)s").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        _table(entity),
        sql.SQL(" and ").join(_condition(entity, *each, f"p{i}") for i, each in enumerate(shape)) or sql.SQL("true"),
        _order(entity, order),
    )
    return statement.as_bytes()


@lru_cache(_STATEMENTS)
def _compile_versions(entity: Entity, shape: _Shape, *, since: bool) -> bytes:
    """What stands and what stood, each table under its own row policy. A version that has stood since before `since`
    is no part of any change from then on."""
    columns = (*LINEAGE, "began_at", *(field.column for field in entity.fields.values()))
    where = sql.SQL(" and ").join(_version_condition(entity, *each, f"p{i}") for i, each in enumerate(shape))
    began = sql.SQL(" and valid_from >= %(since)s") if since else sql.SQL("")
    ended = sql.SQL(" and valid_to >= %(since)s") if since else sql.SQL("")
    statement = sql.SQL(
        "select * from (select {columns}, null::timestamptz as valid_to, false as removed from {standing}"
        " where {where}{began} union all"
        " select {columns}, valid_to, removed from {past} where {where}{ended}) as version"
        " order by id, valid_from, valid_to nulls last limit %(limit)s"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        standing=_table(entity),
        past=sql.Identifier("hist", entity.name),
        where=where,
        began=began,
        ended=ended,
    )
    return statement.as_bytes()


def _version_condition(entity: Entity, field: str, operator: Operator, parameter: str) -> sql.Composed:
    if field != ACCOUNT:
        return _condition(entity, field, operator, parameter)
    return sql.SQL("label_account = any ({})").format(sql.Placeholder(parameter))


def _table(entity: Entity) -> sql.Identifier:
    return sql.Identifier("biz", entity.name)


def _condition(entity: Entity, field: str, operator: Operator, parameter: str) -> sql.Composed:
    return sql.SQL(_COMPARISONS[operator]).format(sql.Identifier(column(entity, field)), sql.Placeholder(parameter))


def _order(entity: Entity, order: tuple[str, ...]) -> sql.Composable:
    """Ends with the id, so that the order is the same every time."""
    terms = [
        sql.SQL("{} desc nulls last" if name.startswith("-") else "{} asc nulls last").format(
            sql.Identifier(column(entity, name.removeprefix("-")))
        )
        for name in (*order, "id")
    ]
    return sql.SQL(" order by ") + sql.SQL(", ").join(terms)
