"""The outline of an answer: which claims to make about which records, in order. Code renders them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Pick(StrEnum):
    """How a slot finds its record."""

    FIRST = "first"
    EACH = "each"
    BY = "by"
    WITH = "with"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Binds a slot to a record of a step.

    FIRST: the step's first record. EACH: one claim per record. BY: the record that another slot's `field` refers to.
    WITH: the record whose `field` refers to another slot's record.
    """

    slot: str
    step: str
    pick: Pick
    other: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSpec:
    """One claim of an outline. It is made only where every slot of its template finds a value.

    `conditions` maps "slot.field" to the codes it must have; `unless` and `needs` name steps that must have found
    nothing, or something. A claim that `declines` says that what the question takes for granted is not so: with it the
    whole answer is a decline.
    """

    claim: str
    bindings: tuple[Binding, ...]
    conditions: Mapping[str, tuple[str | int | bool | None, ...]] = field(
        default_factory=dict[str, tuple[str | int | bool | None, ...]]
    )
    unless: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    essential: bool = False
    declines: bool = False
    settles: bool = False
    """Whether it answers "when" without a day: what is cancelled has none."""


@dataclass(frozen=True, slots=True)
class ClaimGroup:
    """Claims of which, per record of EACH, the first that can be made is made."""

    specs: tuple[ClaimSpec, ...]
    with_each: tuple[ClaimSpec, ...] = ()
    """What each of those claims goes on to say of its record; each has to be said of one record at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The whole answer's claims. The answer is declined when an essential claim can't be made, or, with
    `any_is_enough`, when none can."""

    groups: tuple[ClaimGroup, ...]
    any_is_enough: bool = False
    dated: bool = False
    """Whether an answer that names no day is none."""
