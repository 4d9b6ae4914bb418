"""The templates that were submitted here, and the changes of what is in force: rows that are only ever added."""

from __future__ import annotations

import json
from typing import Any, cast

from psycopg.rows import DictRow

from copilot.domain.prompts import PromptChange, PromptText
from copilot.errors import PromptNotInForceError, UnapprovedTemplateError
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role


class Prompts:
    """Reads as whoever answers questions, and adds as the governor, who can do nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> DictRow | None:
        """The change that came last, as stored; None where there never was one."""
        async with self._database.statement(Role.APP) as connection:
            return await (await connection.execute(query("prompt_head"))).fetchone()

    async def changes(self) -> tuple[PromptChange, ...]:
        """All changes, the oldest first."""
        async with self._database.statement(Role.APP) as connection:
            rows = await (await connection.execute(query("prompt_changes"))).fetchall()
        return tuple(map(change_of, rows))

    async def texts(self) -> tuple[PromptText, ...]:
        """Every text that was submitted here, by id and version."""
        async with self._database.statement(Role.APP) as connection:
            rows = await (await connection.execute(query("prompt_texts"))).fetchall()
        return tuple(map(text_of, rows))

    async def add(self, text: PromptText) -> None:
        """Add the next version. Raises UnapprovedTemplateError where another took its number."""
        values = {
            "id": text.id, "version": text.version, "sha256": text.sha256, "author": text.author, "why": text.why,
            "text": text.text.decode(), "submitted_at": text.submitted_at, "signature": text.signature,
        }  # fmt: skip
        async with self._database.connection(Role.GOVERNOR) as connection:
            added = await (await connection.execute(query("put_prompt_text"), values)).fetchone()
        if added is None:
            told = f"another version {text.version} of {text.id!r} was submitted meanwhile; submit yours again"
            raise UnapprovedTemplateError(told)

    async def bring_into_force(self, change: PromptChange) -> None:
        """Add the next change. Raises UnapprovedTemplateError where another came first."""
        values = {
            "sequence": change.sequence, "kind": change.kind, "id": change.id, "version": change.version,
            "sha256": change.sha256, "author": change.author, "approver": change.approver, "why": change.why,
            "until": change.until, "label": change.label, "roles": json.dumps(list(change.roles)),
            "share": change.share, "suite": change.suite, "signed_at": change.signed_at, "previous": change.previous,
            "signature": change.signature,
        }  # fmt: skip
        async with self._database.connection(Role.GOVERNOR) as connection:
            added = await (await connection.execute(query("put_prompt_change"), values)).fetchone()
        if added is None:
            raise UnapprovedTemplateError("another template changed meanwhile; look at it, and sign again")


def text_of(row: DictRow) -> PromptText:
    """A submitted template as stored."""
    values: dict[str, Any] = row | {"text": row["text"].encode()}
    return PromptText(**values)


def change_of(row: DictRow) -> PromptChange:
    """A change as stored. Raises PromptNotInForceError for one that nothing here has written."""
    values: dict[str, Any] = row | {"roles": _roles(row["roles"])}
    return PromptChange(**values)


def _roles(text: str) -> tuple[str, ...]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    names = cast("list[Any]", found) if isinstance(found, list) else [None]
    if not all(isinstance(name, str) for name in names):
        raise PromptNotInForceError(f"the roles {text[:80]!r} of a change of templates can't be read")
    return tuple(map(str, names))
