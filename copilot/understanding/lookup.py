"""What one message looks up: the transaction of who asks, and what has been found in it so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from psycopg.rows import DictRow

from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.store.queries import query

_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The scoped transaction that one message is understood in.

    It sees one state of the records, so that nothing has to be asked of it twice: a message is heard several times, and
    by two planners. Never to be kept longer than the transaction: the next one may be another asker's.
    """

    connection: Connection
    model: SemanticModel
    now: datetime
    _found: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any], repr=False, compare=False)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[_T]]) -> _T:
        """What `make` gives; made once for a key."""
        if key not in self._found:
            self._found[key] = await make()
        return self._found[key]

    async def known(
        self, kind: str, keys: Collection[_K], find: Callable[[Collection[_K]], Awaitable[Mapping[_K, _T]]]
    ) -> Mapping[_K, _T]:
        """What `find` finds for the keys, each looked for once; without those that it finds nothing for."""
        new = [key for key in keys if (kind, key) not in self._found]
        if new:
            found = await find(new)
            self._found.update({(kind, key): found.get(key) for key in new})
        return {key: value for key in keys if (value := self._found[kind, key]) is not None}

    async def rows(self, name: str, **asked: str | int | Iterable[str | int]) -> Sequence[DictRow]:
        """The rows of a named statement; in what order it is asked for several values does not matter."""
        values = {key: each if isinstance(each, str | int) else sorted(each) for key, each in asked.items()}
        frozen = tuple((key, tuple(each) if isinstance(each, list) else each) for key, each in values.items())
        return await self.once((name, frozen), lambda: self.run(name, values))

    async def run(self, name: str, values: Mapping[str, object]) -> Sequence[DictRow]:
        """The rows of a named statement, whether they were asked for before or not."""
        # Planning costs more than running here: the few statements of a message are prepared at once.
        return await (await self.connection.execute(query(name), values, prepare=True)).fetchall()
