"""Lets a PostgreSQL connection hand on dates that Python has no value for, such as infinity, as text.

The driver would end the whole pass with an error; as text the record is set aside.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.pq import Format

_TYPES = ("date", "timestamp", "timestamptz", "time", "timetz", "interval")


def read_any_date(connection: Any) -> None:
    """Registers the loaders on one connection."""
    for name in _TYPES:
        oid = connection.adapters.types[name].oid
        usual = connection.adapters.get_loader(oid, Format.TEXT)
        connection.adapters.register_loader(oid, _tolerant(usual))


def _tolerant(usual: Any) -> type[Loader]:
    class Tolerant(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._usual = usual(oid, context)

        def load(self, data: Any) -> Any:
            try:
                return self._usual.load(data)
            except (psycopg.DataError, ValueError, OverflowError):
                return bytes(data).decode("utf-8", "replace")

    return Tolerant
