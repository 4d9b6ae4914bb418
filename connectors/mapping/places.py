"""Where in a mapping file a column is named, for complaints about it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.mapping.expressions import columns_of
from connectors.mapping.spec import MappedEntity


def column_places(part: MappedEntity, place: str) -> Iterator[tuple[str, str]]:
    """(column, place in the file) for every naming of a column, joined ones as `alias.column`."""
    yield from ((name, f"{place}.key") for name in part.key)
    yield from ((name, f"{place}.changed") for name in part.changed)
    for condition in part.where:
        yield from ((name, f"{place}.where") for name in columns_of(condition.value))
    for join in part.joins:
        for theirs, ours in join.on.items():
            yield f"{join.alias}.{theirs}", f"{place}.join.{join.alias}.on"
            yield ours, f"{place}.join.{join.alias}.on"
    for kind, values in (("fields", part.fields), ("labels", part.labels)):
        for name, value in values.items():
            yield from ((column, f"{place}.{kind}.{name}") for column in columns_of(value))
    yield from ((column, f"{place}.company") for column in columns_of(part.company))
