"""What was used of models, kept so that all programs over one database share the budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from copilot.domain.allowance import Allowance, Spending
from copilot.domain.clock import Clock
from copilot.errors import BudgetError
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role


class ModelUse:
    """Sets parts of allowances aside before a model is asked, and corrects them after."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, allowances: Sequence[Allowance], tokens: int, micros: int) -> Spending:
        """Set so much aside of each, or of none. Raises BudgetError where one has less left today."""
        spending = Spending(
            day=self._clock().date(), allowances=tuple(sorted(allowances, key=_order)), tokens=tokens, micros=micros
        )
        async with self._database.connection(Role.STATE) as connection, connection.transaction():
            for each in spending.allowances:  # always in the same order: two that wait for each other would wait on
                values = _values(spending, each) | {"most_tokens": each.tokens, "most_micros": each.micros}
                cursor = await connection.execute(query("take_allowance"), values) if _fits(each, spending) else None
                if cursor is None or await cursor.fetchone() is None:
                    raise BudgetError(
                        f"the budget of today for {each.per} {each.name!r} has less than {tokens} tokens left"
                    )
        return spending

    async def settle(self, spending: Spending, tokens: int, micros: int) -> None:
        """Say what was used of what was set aside."""
        async with self._database.connection(Role.STATE) as connection, connection.transaction():
            for each in spending.allowances:
                values = _values(spending, each) | {
                    "tokens": tokens - spending.tokens,
                    "micros": micros - spending.micros,
                }
                await connection.execute(query("settle_allowance"), values)

    async def used(self, allowance: Allowance) -> tuple[int, int]:
        """Tokens and millionths of the currency that are used of one today, or set aside."""
        values = {"day": self._clock().date(), "per": allowance.per, "name": allowance.name}
        async with self._database.statement(Role.STATE) as connection:
            row = await (await connection.execute(query("used_allowance"), values)).fetchone()
        return (row["tokens"], row["micros"]) if row else (0, 0)

    async def forget(self, before: date) -> None:
        """Forget what was used on the days before one."""
        async with self._database.statement(Role.STATE) as connection:
            await connection.execute(query("drop_model_use"), {"before": before})


def _order(allowance: Allowance) -> tuple[str, str]:
    return allowance.per, allowance.name


def _fits(allowance: Allowance, spending: Spending) -> bool:
    """Whether it would fit on a day of which nothing is used yet, which no row says."""
    return allowance.covers(spending.tokens, spending.micros)


def _values(spending: Spending, allowance: Allowance) -> dict[str, object]:
    return {
        "day": spending.day, "per": allowance.per, "name": allowance.name,
        "tokens": spending.tokens, "micros": spending.micros,
    }  # fmt: skip
