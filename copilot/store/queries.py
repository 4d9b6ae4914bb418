"""Loads the named SQL of this package: every statement lives in a .sql file, named and described."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

from psycopg import sql

from copilot.errors import DatabaseError

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def query(name: str) -> sql.SQL:
    """The statement called `name`. Raises DatabaseError when no file has one."""
    try:
        return sql.SQL(named_queries()[name])
    except KeyError:
        raise DatabaseError(f"there is no SQL statement named {name!r}") from None


@cache
def named_queries() -> dict[str, LiteralString]:
    """All statements by name, from copilot/store/sql/*.sql: text from our own package, hence literal."""
    found: dict[str, LiteralString] = {}
    for file in sorted((files("copilot.store") / "sql").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            parts = _NAME.split(file.read_text())
            found |= {
                name: cast(LiteralString, body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)
            }
    return found
