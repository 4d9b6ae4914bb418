"""Looks a database over: everything the mapping names that is not there, what may not be read, and the labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from connectors.base import LabelOption, SourceInfo, Unreadable
from connectors.errors import MappingError, SourceAccessDeniedError
from connectors.mapping.expressions import columns_of
from connectors.mapping.rows import RowMapper
from connectors.mapping.spec import Complaint, SourceMapping
from connectors.sql.database import Database
from connectors.sql.layout import Layout, lay_out
from connectors.sql.uniqueness import doubles

Mappers = Mapping[str, Sequence[RowMapper]]
_SHARED = "*"
_MOST_LABELS = 10_000
_NAMES = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "mssql": "SQL Server", "oracle": "Oracle"}


async def look(system: str, mapping: SourceMapping, database: Database, mappers: Mappers) -> SourceInfo:
    """What the source says about itself. Raises MappingError with everything named that the database lacks."""
    version = await database.run(f"reaching {system}", _version)
    unreadable: list[Unreadable] = []
    complaints: list[Complaint] = []
    labels: dict[tuple[str, str], LabelOption] = {}
    for place, mapper in _placed(mapping, mappers):
        try:
            found, wrong = await database.run(
                f"looking at {mapper.entity.table} of {system}", lambda held, m=mapper, p=place: _inspected(held, m, p)
            )
        except SourceAccessDeniedError as error:
            unreadable.append(Unreadable(entity=mapper.entity.entity, reason=str(error)))
            continue
        complaints += wrong
        labels |= {(option.kind, option.key): option for option in found}
    if complaints:
        raise MappingError(tuple(complaints))
    return SourceInfo(
        system=system,
        version=version,
        labels=tuple(labels[at] for at in sorted(labels)),
        unreadable=tuple(unreadable),
    )


def _placed(mapping: SourceMapping, mappers: Mappers) -> Iterator[tuple[str, RowMapper]]:
    """Each part with its place in the file."""
    for entity in dict.fromkeys(part.entity for part in mapping.entities):
        parts = mappers[entity]
        for index, mapper in enumerate(parts):
            yield f"entities.{entity}[{index}]" if len(parts) > 1 else f"entities.{entity}", mapper


def _inspected(
    connection: sa.Connection, mapper: RowMapper, place: str
) -> tuple[list[LabelOption], tuple[Complaint, ...]]:
    if mapper.entity.table is None:
        return list(_options(mapper, mapper.entity.rows)), ()
    layout, complaints = lay_out(connection, mapper, place)
    if layout is None:
        return [], complaints
    connection.execute(layout.everything().statement.limit(1)).fetchall()
    return list(_options(mapper, _rows(connection, layout, mapper))), tuple(doubles(connection, layout, mapper, place))


def _rows(connection: sa.Connection, layout: Layout, mapper: RowMapper) -> list[dict[str, object]]:
    """The different values of the columns that labels are made of."""
    entity = mapper.entity
    columns = dict.fromkeys(name for made in (*entity.labels.values(), entity.company) for name in columns_of(made))
    if not columns:
        return [{}]
    select = layout.labels(list(columns))
    return [select.row(row) for row in connection.execute(select.statement.limit(_MOST_LABELS))]


def _options(mapper: RowMapper, rows: Sequence[Mapping[str, object]]) -> Iterator[LabelOption]:
    for row in rows:
        named = {**mapper.labels(row), "company": mapper.company(row)}
        for kind, key in named.items():
            if key and key != _SHARED:
                yield LabelOption(kind=kind, key=key, name=key)


def _version(connection: sa.Connection) -> str:
    dialect = connection.dialect
    name = "MariaDB" if getattr(dialect, "is_mariadb", False) else _NAMES.get(dialect.name, "SQLite")
    numbers = [str(part) for part in dialect.server_version_info or () if isinstance(part, int)]
    return f"{name} {'.'.join(numbers)}".strip()
