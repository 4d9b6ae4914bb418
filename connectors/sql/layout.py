"""A mapped part held against the database: the tables and columns it names, and the selects made of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from connectors.mapping.keys import split
from connectors.mapping.places import column_places
from connectors.mapping.rows import RowMapper, split_column
from connectors.mapping.spec import Complaint
from connectors.sql.columns import TableColumn, equal, kind_of, moment_in_utc, readable, selected, since, storable

_KEYS_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTable:
    """A table of the database and its columns by name."""

    schema: str | None
    name: str
    columns: Mapping[str, TableColumn]

    def column(self, name: str) -> TableColumn | None:
        """The column of this name; in another case where that is the only one."""
        if name in self.columns:
            return self.columns[name]
        alike = _alike(list(self.columns), name)
        return self.columns[alike[0]] if len(alike) == 1 else None


class Layout:
    """One part of an entity over found tables."""

    def __init__(self, mapper: RowMapper, tables: Mapping[str, FoundTable], dialect: str) -> None:
        self._mapper = mapper
        self._entity = mapper.entity
        self._tables = tables
        self._dialect = dialect
        self._aliases = frozenset(tables) - {""}
        self._clauses = {alias: _clause(alias, table) for alias, table in tables.items()}

    def everything(self) -> Select:
        """All rows with all columns needed."""
        return self._named(self._mapper.names)

    def identities(self) -> Select:
        """All rows with only what tells which records there are."""
        return self._named(self._mapper.identifying)

    def labels(self, names: Sequence[str]) -> Select:
        """The different values of some columns."""
        found = self._named(names)
        return Select(statement=found.statement.distinct(), names=found.names, utc=found.utc)

    def changed_since(self, lower: datetime, zone: ZoneInfo) -> Select:
        """The rows of which one of the change times is not before `lower`, or all are empty."""
        whole = self.everything()
        held: list[sa.ColumnElement[bool]] = []
        columns = [self._column(name) for name in self._entity.changed]
        for clause, column in columns:
            condition = since(selected(clause, column.kind, self._dialect), column.kind, lower, zone, self._dialect)
            if condition is None:
                return whole
            held.append(condition)
        empty = sa.and_(*(clause.is_(None) for clause, _ in columns))
        return whole.where(sa.or_(*held, empty))

    def with_keys(self, keys: Sequence[str], *, trimmed: bool = False) -> list[Select]:
        """The rows that these keys stand for; a few more where the database compares more loosely."""
        wanted = [found for key in keys if (found := self._understood(key, trimmed=trimmed)) is not None]
        whole = self.everything()
        portions = [wanted[start : start + _KEYS_AT_ONCE] for start in range(0, len(wanted), _KEYS_AT_ONCE)]
        return [whole.where(sa.or_(*portion)) for portion in portions]

    def table(self, alias: str) -> FoundTable:
        """The table found for an alias, "" for the part's own."""
        return self._tables[alias]

    @property
    def by_key(self) -> bool:
        """Whether rows can be asked for by key; not where a key column is a moment, say."""
        return all(readable(self._column(name)[1].kind) for name in self._entity.key)

    @property
    def padded(self) -> bool:
        """Whether a key column may hold spaces at its end, which keys have not."""
        return any(self._column(name)[1].kind in {"text", "anything"} for name in self._entity.key)

    def _understood(self, key: str, *, trimmed: bool) -> sa.ColumnElement[bool] | None:
        """That a row has this key; None where none can."""
        if not key.startswith(self._entity.prefix) or not storable(key):
            return None
        columns = [self._column(name) for name in self._entity.key]
        values = split(key.removeprefix(self._entity.prefix), len(columns))
        if values is None:
            return None
        pairs = zip(columns, values, strict=True)
        conditions = [equal(clause, column.kind, value, trimmed=trimmed) for (clause, column), value in pairs]
        told = [condition for condition in conditions if condition is not None]
        return sa.and_(*told) if len(told) == len(conditions) else None

    def _column(self, name: str) -> tuple[sa.ColumnElement[Any], TableColumn]:
        alias, bare = split_column(name, self._aliases)
        column = self._tables[alias].column(bare)
        assert column is not None  # noqa: S101 -- found() has seen to it
        return self._clauses[alias].c[column.name], column

    def _named(self, names: Sequence[str]) -> Select:
        columns = [self._column(name) for name in names]
        asked = [selected(clause, column.kind, self._dialect) for clause, column in columns]
        statement = sa.select(*(each.label(f"c{n}") for n, each in enumerate(asked))).select_from(self._joined(names))
        utc = tuple(name for name, (_, column) in zip(names, columns, strict=True) if column.kind == "utc")
        return Select(statement=statement, names=tuple(names), utc=utc)

    def _joined(self, names: Sequence[str]) -> sa.FromClause:
        """The table with those joined to it that the names are of."""
        used = {split_column(name, self._aliases)[0] for name in names}
        joined: sa.FromClause = self._clauses[""]
        for join in self._entity.joins:
            if join.alias not in used:
                continue
            pairs = [
                self._column(f"{join.alias}.{theirs}")[0] == self._column(ours)[0] for theirs, ours in join.on.items()
            ]
            joined = joined.outerjoin(self._clauses[join.alias], sa.and_(*pairs))
        return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A statement, what its columns are called in a row of the mapping, and which of them are UTC without saying so."""

    statement: sa.Select[Any]
    names: tuple[str, ...]
    utc: tuple[str, ...]

    def where(self, condition: sa.ColumnElement[bool]) -> Select:
        """The same with a condition."""
        return Select(statement=self.statement.where(condition), names=self.names, utc=self.utc)

    def row(self, values: Sequence[object]) -> dict[str, object]:
        """A row of the mapping."""
        found = dict(zip(self.names, values, strict=True))
        for name in self.utc:
            found[name] = moment_in_utc(found[name])
        return found


def lay_out(
    connection: sa.Connection, mapper: RowMapper, place: str = ""
) -> tuple[Layout | None, tuple[Complaint, ...]]:
    """The part over the database, or everything it names that is not there."""
    inspector = sa.inspect(connection)
    entity = mapper.entity
    named = {"": entity.table or "", **{join.alias: join.table for join in entity.joins}}
    tables: dict[str, FoundTable] = {}
    complaints: list[Complaint] = []
    for alias, name in named.items():
        where = f"{place}.join.{alias}.from" if alias else f"{place}.from"
        table = find_table(inspector, name)
        if table is None:
            complaints.append(Complaint(place=where, message=_no_table(inspector, name)))
            continue
        tables[alias] = table
        complaints += _missing(table, name, alias, mapper, place)
    if complaints:
        return None, tuple(complaints)
    return Layout(mapper, tables, connection.dialect.name), ()


def _missing(table: FoundTable, name: str, alias: str, mapper: RowMapper, place: str) -> list[Complaint]:
    """A complaint for each place where a column that the table lacks is named."""
    entity = mapper.entity
    strange = {column for column in mapper.columns[alias] if table.column(column) is None}
    return [
        Complaint(place=where, message=_no_column(table, name, bare))
        for column, where in column_places(entity, place)
        for of, bare in [split_column(column, frozenset(join.alias for join in entity.joins))]
        if of == alias and bare in strange
    ]


def find_table(inspector: sa.Inspector, name: str) -> FoundTable | None:
    """The table or view of this name, `schema.table` or bare; None where there is none that this user may see."""
    schema, dot, bare = name.rpartition(".")
    for where, what in ((None, name), (schema, bare)) if dot else ((None, name),):
        if _askable(inspector, where) and inspector.has_table(what, schema=where):
            return _described(inspector, where, what)
    return _in_another_case(inspector, schema if dot else None, bare)


def _in_another_case(inspector: sa.Inspector, schema: str | None, name: str) -> FoundTable | None:
    """The only table that is called so but for capitals."""
    schemas = [None] if schema is None else _alike(inspector.get_schema_names(), schema)
    found = [(where, known) for where in schemas for known in _alike(_names(inspector, where), name)]
    return _described(inspector, *found[0]) if len(found) == 1 else None


def _alike(names: Sequence[str], name: str) -> list[str]:
    return [known for known in names if known.casefold() == name.casefold()]


def _described(inspector: sa.Inspector, schema: str | None, name: str) -> FoundTable | None:
    try:
        columns = inspector.get_columns(name, schema=schema)
    except NoSuchTableError:
        return None
    dialect = inspector.dialect.name
    return FoundTable(
        schema=schema,
        name=name,
        columns={
            str(column["name"]): TableColumn(
                name=column["name"], kind=kind_of(column["type"], dialect), type=column["type"]
            )
            for column in columns
        },
    )


def _names(inspector: sa.Inspector, schema: str | None) -> list[str]:
    if not _askable(inspector, schema):
        return []
    return [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]


def _askable(inspector: sa.Inspector, schema: str | None) -> bool:
    """SQLite takes a question about a schema it has not for an error."""
    return schema is None or inspector.dialect.name != "sqlite" or schema in inspector.get_schema_names()


def _clause(alias: str, table: FoundTable) -> sa.FromClause:
    names = [column.name for column in table.columns.values()]
    return bare_table(table.schema, table.name, names).alias(f"j_{alias}" if alias else "t")


def bare_table(schema: str | None, name: str, columns: Sequence[str]) -> sa.TableClause:
    """A table whose columns have no type, so that values come as the driver gives them: a type's own reading of a
    malformed one would end the whole pass."""
    held: list[sa.ColumnClause[Any]] = [sa.column(column) for column in columns]
    return sa.table(name, *held, schema=schema)


def _no_table(inspector: sa.Inspector, name: str) -> str:
    schema, dot, bare = name.rpartition(".")
    known = _names(inspector, schema if dot else None)
    near = difflib.get_close_matches(bare, known, n=1, cutoff=0.6)
    hint = f"; there is {f'{schema}.{near[0]}' if dot else near[0]!r}" if near else ""
    return f"the database has no table {name!r}, or this user may not see it{hint}"


def _no_column(table: FoundTable, name: str, column: str) -> str:
    near = difflib.get_close_matches(column, list(table.columns), n=1, cutoff=0.6)
    hint = f"there is {near[0]!r}" if near else f"it has {', '.join(sorted(table.columns)[:30])}"
    return f"the table {name!r} has no column {column!r}; {hint}"
