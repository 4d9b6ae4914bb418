"""What tightening means, section by section.

Each function says whether a new value is no looser than an old one: a lower layer may always set such a value, and any
other only where the layer above allows it by the name of its rule. Values of which neither is no looser than the other
are both looser in part, so neither may take the other's place by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from copilot.policy.values import AUTONOMY, SHOWN, Duty, Keep, Ladder

EVERY = "*"
"""As a part of a key: whatever no rule names. Among places and vendors: every one."""
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of a policy.

    `parts` says what a key is made of, `wild` which parts may be "*", `closed` what holds where nobody says anything.
    """

    name: str
    parts: tuple[str, ...]
    no_looser: Callable[[Any, Any], bool]
    closed: Any
    wild: frozenset[str] = frozenset()
    ordered: bool = True


def _access(new: bool, old: bool) -> bool:  # noqa: FBT001 -- the two values of an order
    """A role that no longer reads a record class is tighter. Who is not named reads nothing."""
    return old or not new


def _accounts(new: str, old: str) -> bool:
    """`own` (only the customers of the grant) is tighter than `any`. A role of which nothing is said is held to own."""
    return new in ("own", old)


def _fresh_for(new: timedelta, old: timedelta) -> bool:
    """A shorter limit is tighter: a record is stale sooner, and an answer declined rather than old."""
    return new <= old


def _masking(new: str, old: str) -> bool:
    """More hidden is tighter: shown, partly (the last characters), token (the same word each time), hidden.

    A token tells more than nothing, since two of a kind can be seen to be the same, and less than a part of the value.
    """
    return SHOWN.index(new) >= SHOWN.index(old)


def _templates(new: bool, old: bool) -> bool:  # noqa: FBT001 -- the two values of an order
    """A template that may no longer be used is tighter: less can be said. Approval by hash comes before all this."""
    return old or not new


def _unordered(new: object, old: object) -> bool:
    """Which source governs, and how far ahead is promised, is no order: any other value is another truth.

    Two sites that differ here tell different stocks, so a lower layer needs to be allowed by name, in every case.
    """
    return new == old


def _retention(new: Keep, old: Keep) -> bool:
    """A narrower span is tighter, at both ends. Longer is neither: it serves the duty to keep, and burdens privacy.

    Keeping at least longer is tighter (nothing may be destroyed early), and so is keeping at most shorter (nothing may
    stay late). A lower layer that keeps beyond the upper end, or lets go before the lower one, loosens.
    """
    return new.least >= old.least and (old.most is None or (new.most is not None and new.most <= old.most))


def _fewer(new: frozenset[str], old: frozenset[str]) -> bool:
    """Fewer places in which the data may lie, or vendors whose models may be told of it, are tighter; "*" is every one,
    and none at all the tightest."""
    return EVERY in old or new <= old


def _approval(new: Ladder, old: Ladder) -> bool:
    """A lower threshold is tighter: at every amount as many approvals or more, of the same roles or fewer.

    A sum over a longer time is tighter than one over a shorter, and any sum than each action by itself; a sum per
    customer and one per supplier can't be compared. Where nobody may, nothing is tighter.
    """
    if old.party and (new.party != old.party or new.days < old.days):
        return False
    for amount in {*new.edges(), *old.edges()}:
        needed, before = new.required(amount), old.required(amount)
        if needed is not None and (before is None or not needed.no_looser(before)):
            return False
    return True


def _autonomy(new: str, old: str) -> bool:
    """`approve` is tighter than `recommend`, and that than `automatic`: more is left to people."""
    return AUTONOMY.index(new) >= AUTONOMY.index(old)


def _duties(new: Duty, old: Duty) -> bool:
    """Fewer roles that may author or approve a change are tighter; another role in their place is not."""
    return new.author <= old.author and new.approve <= old.approve


SECTIONS: Mapping[str, Section] = {
    section.name: section
    for section in (
        Section(name="access", parts=("role", "class"), wild=frozenset({"class"}), no_looser=_access, closed=False),
        Section(name="accounts", parts=("role",), no_looser=_accounts, closed="own"),
        Section(
            name="fresh_for", parts=("class",), wild=frozenset({"class"}), no_looser=_fresh_for, closed=timedelta(0)
        ),
        Section(
            name="masking", parts=("class", "audience"), wild=frozenset({"class"}), no_looser=_masking, closed="hidden"
        ),
        Section(
            name="templates", parts=("template",), wild=frozenset({"template"}), no_looser=_templates, closed=False
        ),
        Section(name="governs", parts=("figure",), no_looser=_unordered, closed=(), ordered=False),
        Section(name="settings", parts=("setting",), no_looser=_unordered, closed=None, ordered=False),
        Section(name="retention", parts=("class",), wild=frozenset({"class"}), no_looser=_retention, closed=Keep()),
        Section(
            name="residency", parts=("class",), wild=frozenset({"class"}), no_looser=_fewer, closed=frozenset[str]()
        ),
        Section(name="vendors", parts=("class",), wild=frozenset({"class"}), no_looser=_fewer, closed=frozenset[str]()),
        Section(
            name="approval",
            parts=("action", "currency", "tier", "country", "risk"),
            wild=frozenset({"tier", "country", "risk"}),
            no_looser=_approval,
            closed=Ladder(),
        ),
        Section(
            name="autonomy", parts=("action",), wild=frozenset({"action"}), no_looser=_autonomy, closed=AUTONOMY[-1]
        ),
        Section(name="duties", parts=("change",), no_looser=_duties, closed=Duty()),
    )
}
"""Section -> what its keys are and which way is tighter."""
