"""What a question's steps would find for somebody who sees everything, or for one actor: the oracle's own reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from copilot.understanding.kinds import Kind
from evals.proofs.oracle import Actor, Row, World

_LIMIT = 100
_VIA = "via"
_TOLD: Mapping[str, Any] = {"line": [1], "lot": ["L1"], "role": ["purchasing", "sales"]}
"""What the copilot's own wording of a kind names where it tells more than records."""
References = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """The entity of one step and the rows it found."""

    entity: str
    rows: tuple[Row, ...]
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """Walks a kind's steps over the owner's rows; with an actor, over those that they may see."""

    world: World
    kind: Kind
    references: References
    actor: Actor | None = None

    def steps(self) -> dict[str, Found]:
        """Step name -> what it finds, in order."""
        found: dict[str, Found] = {}
        resolved: dict[str, Any] = {**_TOLD, **self.references} if self.kind.told else dict(self.references)
        self._lead(resolved, found)
        for name, body in self.kind.steps.items():
            if "entity" in body:
                found[name] = self._find(body["entity"], body, resolved, found)
        return found

    def _lead(self, resolved: dict[str, Any], found: dict[str, Found]) -> None:
        for entity, path in self.kind.through.items():
            if entity in self.references and entity not in self.kind.references:
                target, _, name = path.rpartition(".")
                where = {name: f"${entity}"} if target else {"id": f"${entity}"}
                found[_VIA] = self._find(target or entity, {"where": where}, resolved, found)
                resolved[target or self.kind.required[0]] = f"{_VIA}.{'id' if target else name}"

    def _find(
        self, entity: str, body: Mapping[str, Any], resolved: Mapping[str, Any], found: Mapping[str, Found]
    ) -> Found:
        wanted = [(self._column(entity, name), value) for name, value in body["where"].items()]
        tests = [(column, self._values(value, resolved, found)) for column, value in wanted]
        tests = [(column, values) for column, values in tests if values is not None]
        if not tests or any(not values for _, values in tests):
            return Found(entity, ())
        (first, values), *rest = tests
        rows = [
            row
            for row in self.world.where(entity, first, values)
            if all(row[column] in wanted for column, wanted in rest)
        ]
        seen = [row for row in rows if self.actor is None or self.actor.sees(row)]
        refused = self.actor is not None and self._refused(self.actor, entity, body, resolved, found)
        return Found(entity, tuple(self._ordered(entity, seen, body)[: body.get("limit", _LIMIT)]), refused)

    def _refused(
        self,
        actor: Actor,
        entity: str,
        body: Mapping[str, Any],
        resolved: Mapping[str, Any],
        found: Mapping[str, Found],
    ) -> bool:
        """Whether the actor may not read the class of an entity, or not where a record is that the step refers to."""
        record_class = self.world.model[entity].record_class
        about = [
            row for name, value in body["where"].items() for row in self._about(entity, name, value, resolved, found)
        ]
        return record_class not in actor.all_classes or any(
            not actor.sees({**row, "record_class": record_class}) for row in about
        )

    def _about(
        self, entity: str, name: str, value: Any, resolved: Mapping[str, Any], found: Mapping[str, Found]
    ) -> Sequence[Row]:
        """The records that a condition refers to."""
        if isinstance(value, str) and value.startswith("$"):
            value = resolved.get(value[1:])
        if isinstance(value, str) and "." in value:
            step, _, field = value.partition(".")
            at = found.get(step, Found("", ()))
            return [row for row in at.rows if row[self._column(at.entity, field)] is not None]
        to = None if name == "id" else self.world.model[entity].fields[name].to
        return [*self.world.where(to, "id", value or ())] if to else []

    def _values(self, value: Any, resolved: Mapping[str, Any], found: Mapping[str, Found]) -> Sequence[Any] | None:
        """What a column may be; None where the condition falls away."""
        if isinstance(value, str) and value.startswith("$"):
            value = resolved.get(value[1:])
            if value is None:
                return None
        if isinstance(value, list | tuple):
            each = cast("Sequence[Any]", value)
            return [one for part in each for one in (self._found(part, found) if _is_path(part) else [part])]
        if value == "missing":
            return [None]
        return self._found(value, found) if _is_path(value) else [value]

    def _found(self, path: str, found: Mapping[str, Found]) -> list[Any]:
        """The values of a field over what an earlier step found."""
        step, _, name = path.partition(".")
        at = found.get(step, Found("", ()))
        column = self._column(at.entity, name) if at.rows else name
        return [row[column] for row in at.rows if row[column] is not None]

    def _column(self, entity: str, name: str) -> str:
        return "id" if name == "id" else self.world.model[entity].fields[name].column

    def _ordered(self, entity: str, rows: Iterable[Row], body: Mapping[str, Any]) -> list[Row]:
        ordered = sorted(rows, key=lambda row: row["id"])
        for term in reversed(body.get("order", ())):
            column = self._column(entity, term.removeprefix("-"))
            there = [row for row in ordered if row[column] is not None]
            there.sort(key=lambda row: row[column], reverse=term.startswith("-"))
            ordered = [*there, *(row for row in ordered if row[column] is None)]
        return ordered


def _is_path(value: Any) -> bool:
    """Whether it names a field of a step."""
    return isinstance(value, str) and "." in value
