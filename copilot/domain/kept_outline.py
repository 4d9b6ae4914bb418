"""A plan's outline as JSON and back: which claims were to be made, so that they can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.json import Json


def to_json(outline: Outline) -> list[Json]:
    """The outline as lists."""
    groups: list[Json] = [
        [[_spec(spec) for spec in group.specs], [_spec(spec) for spec in group.with_each]] for group in outline.groups
    ]
    return [groups, int(outline.any_is_enough), int(outline.dated)]


def from_json(told: Json) -> Outline:
    """What `to_json` told. Raises TypeError or ValueError for anything else."""
    groups, any_is_enough, dated = cast("list[Any]", told)
    return Outline(
        groups=tuple(ClaimGroup(tuple(map(_read, specs)), tuple(map(_read, each))) for specs, each in groups),
        any_is_enough=bool(any_is_enough),
        dated=bool(dated),
    )


def _spec(spec: ClaimSpec) -> list[Json]:
    bindings: list[Json] = [
        [b.slot, b.step, b.pick.value, b.other, b.field] if b.other or b.field else [b.slot, b.step, b.pick.value]
        for b in spec.bindings
    ]
    marks = spec.essential | spec.declines << 1 | spec.settles << 2
    told: list[Json] = [spec.claim, bindings, marks]
    if spec.conditions or spec.unless or spec.needs:
        conditions: dict[str, Json] = {place: [*codes] for place, codes in spec.conditions.items()}
        unless: list[Json] = [*spec.unless]
        needs: list[Json] = [*spec.needs]
        told += [conditions, unless, needs]
    return told


def _read(told: Sequence[Any]) -> ClaimSpec:
    return _spec_of(*told)


def _spec_of(
    claim: str, bindings: Any, marks: int, conditions: Mapping[str, Any] = MappingProxyType({}), unless: Any = (),
    needs: Any = (),
) -> ClaimSpec:  # fmt: skip
    return ClaimSpec(
        claim=claim,
        bindings=tuple(_binding(*each) for each in bindings),
        conditions={place: tuple(codes) for place, codes in conditions.items()},
        unless=tuple(unless), needs=tuple(needs),
        essential=bool(marks & 1), declines=bool(marks & 2), settles=bool(marks & 4),
    )  # fmt: skip


def _binding(slot: str, step: str, pick: str, other: str = "", field: str = "") -> Binding:
    return Binding(slot=slot, step=step, pick=Pick(pick), other=other, field=field)
