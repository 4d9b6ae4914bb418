"""What one person sees of the company, put together once: the rows that are theirs, and those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from evals.proofs.oracle import Actor, Row, World, kind_of

_FAR = 9_000_000_000
PERMITTED, HIDDEN, MISSING = "permitted", "hidden", "missing"


@dataclass(repr=False)
class Sight:
    """An actor and the world, with the rows of an entity told apart."""

    world: World
    actor: Actor
    _kinds: dict[tuple[Any, ...], bool] = field(default_factory=dict[Any, bool])
    _apart: dict[str, tuple[list[Row], list[Row]]] = field(default_factory=dict[str, Any])

    def sees(self, row: Row) -> bool:
        """Whether the row is theirs to see; each combination of class and labels is judged once."""
        kind = kind_of(row)
        if kind not in self._kinds:
            self._kinds[kind] = self.actor.sees(row)
        return self._kinds[kind]

    def sees_all(self, row: Row, classes: Iterable[str]) -> bool:
        """Whether rows of all these classes with the labels of this one are theirs to see."""
        return all(self.sees({**row, "record_class": name}) for name in classes)

    def visible(self, entity: str) -> Sequence[Row]:
        """The rows they may see."""
        return self._told_apart(entity)[0]

    def hidden(self, entity: str) -> Sequence[Row]:
        """The rows they may not see."""
        return self._told_apart(entity)[1]

    def drawn(self, entity: str, draw: Random, wanted: Mapping[str, float]) -> tuple[str, int, Row | None]:
        """How a record stands to this person, its id and its row; none is there of one that is missing."""
        how = draw.choices([*wanted], [*wanted.values()])[0]
        rows = {PERMITTED: self.visible(entity), HIDDEN: self.hidden(entity)}.get(how, ())
        if how != MISSING and not rows:
            how = HIDDEN if how == PERMITTED else PERMITTED
            rows = self.visible(entity) if how == PERMITTED else self.hidden(entity)
        if not rows:
            return MISSING, _FAR + draw.randrange(1_000), None
        row = draw.choice(rows)
        return how, int(row["id"]), row

    def _told_apart(self, entity: str) -> tuple[list[Row], list[Row]]:
        if entity not in self._apart:
            both: tuple[list[Row], list[Row]] = ([], [])
            for row in self.world.rows[entity].values():
                both[0 if self.sees(row) else 1].append(row)
            self._apart[entity] = both
        return self._apart[entity]
