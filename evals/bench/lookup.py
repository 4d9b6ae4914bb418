"""A look-up as one of somebody: with the policy in force, who they are and what they were granted read anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg.rows import DictRow

from copilot.domain.question import SessionSubject
from copilot.policy.policy import scope_for
from copilot.wiring import Runtime
from evals.bench.figure import stopwatch


async def looked_up(
    runtime: Runtime, subject: str, statement: LiteralString, values: Mapping[str, Any]
) -> tuple[float, Sequence[DictRow]]:
    """The seconds that it took, and the rows that the person may see."""
    with stopwatch() as watch:
        line = await runtime.line()
        scope = scope_for(await line.authenticate(SessionSubject(subject)), line.policy)
        async with line.database.scoped_transaction(scope) as connection:
            rows = await (await connection.execute(statement, values)).fetchall()
    return watch.seconds, rows
