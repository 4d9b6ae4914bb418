"""What differs between two policies, rule by rule, and whether that tightens or loosens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from copilot.policy.check import moments
from copilot.policy.documents import Allowance, Document, PolicySet, Rule
from copilot.policy.effective import Effective, effective
from copilot.policy.layers import Place
from copilot.policy.sections import SECTIONS, Key
from copilot.policy.words import in_words


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A rule that was "added", "removed" or "changed" at a place, or what of it may be loosened ("allowance").

    `effect` is "tightened", "loosened", "tightened and loosened", "altered" where there is no order, or "none" where
    what holds stays the same. `details` names up to five keys with their values before and after.
    """

    place: Place
    section: str
    rule: str
    kind: str
    effect: str
    details: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The same as JSON."""
        return {**asdict(self), "place": str(self.place), "details": list(self.details)}

    def __str__(self) -> str:
        told = f": {'; '.join(self.details)}" if self.details else ""
        return f"{self.place}, {self.section}, {self.rule}: {self.kind}, {self.effect}{told}"


def diff(old: PolicySet, new: PolicySet, *, at: datetime) -> tuple[Change, ...]:
    """All changes, from the top down. Effects are those at the place of the rule, at the moment and after each
    exception; for a site without what its region says."""
    places = {document.place for policy in (old, new) for document in policy.documents}
    ordered = sorted(places, key=lambda place: (place.depth, place.code))
    return tuple(change for place in ordered for change in sorted(_at_place(place, old, new, at)))


def _at_place(place: Place, old: PolicySet, new: PolicySet, at: datetime) -> Iterator[Change]:
    before, after = _rules(old.at(place)), _rules(new.at(place))
    times = sorted({*moments(old, at), *moments(new, at)})
    both = [(_effective(old, place, moment), _effective(new, place, moment)) for moment in times]
    for section, name in sorted(before.keys() | after.keys()):
        was, now = before.get((section, name)), after.get((section, name))
        if was is None or now is None or was.body != now.body:
            kind = "added" if was is None else "removed" if now is None else "changed"
            effect, details = _effect(section, _keys(was) | _keys(now), both)
            yield Change(place, section, name, kind, effect, details)
    yield from _allowed(place, old, new)


def _rules(documents: tuple[Document, ...]) -> dict[tuple[str, str], Rule]:
    return {(rule.section, rule.name): rule for document in documents for rule in document.rules}


def _keys(rule: Rule | None) -> set[Key]:
    if rule is None:
        return set()
    temporary = rule.exempt.statements if rule.exempt else None
    return {*rule.statements, *(temporary or ())}


def _effective(policy: PolicySet, place: Place, at: datetime) -> Effective:
    codes: dict[str, str | None] = {"region": None, "site": None, "channel": None, place.layer: place.code}
    return effective(policy, codes["region"], codes["site"], codes["channel"], at=at)


def _effect(section: str, keys: set[Key], both: list[tuple[Effective, Effective]]) -> tuple[str, tuple[str, ...]]:
    found: set[str] = set()
    details: dict[str, None] = {}
    order = SECTIONS[section]
    for key in sorted(keys):
        for before, after in both:
            was, now = before.tables[section].find(key).value, after.tables[section].find(key).value
            if was == now:
                continue
            details[f"{' '.join(key)} {in_words(section, was)} -> {in_words(section, now)}"] = None
            tighter, looser = order.no_looser(now, was), order.no_looser(was, now)
            found |= _directions(tighter=tighter, looser=looser) if order.ordered else {"altered"}
    names = [name for name in ("tightened", "loosened", "altered") if name in found]
    return " and ".join(names) or "none", tuple(details)[:5]


def _directions(*, tighter: bool, looser: bool) -> set[str]:
    """Of two different values; those that can't be compared are both tighter and looser in part, two of the same
    strictness neither."""
    if tighter == looser:
        return set() if tighter else {"tightened", "loosened"}
    return {"tightened"} if tighter else {"loosened"}


def _allowed(place: Place, old: PolicySet, new: PolicySet) -> Iterator[Change]:
    before, after = _allowances(old.at(place)), _allowances(new.at(place))
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        section = next((rule.section for policy in (new, old) for (_, rule) in _named(policy, place, name)), "")
        details = (f"may be loosened {_within(was)} -> {_within(now)}",)
        yield Change(place, section, name, "allowance", _allowance_effect(section, was, now), details)


def _allowances(documents: tuple[Document, ...]) -> dict[str, Allowance]:
    return {each.rule: each for document in documents for each in document.allowances}


def _named(policy: PolicySet, place: Place, name: str) -> Iterator[tuple[Document, Rule]]:
    for document in policy.at(place):
        rule = document.rule(name)
        if rule is not None:
            yield document, rule


def _within(allowance: Allowance | None) -> str:
    if allowance is None:
        return "not at all"
    return "without a bound" if allowance.within is None else f"within {dict(allowance.within)}"


def _allowance_effect(section: str, was: Allowance | None, now: Allowance | None) -> str:
    """More that lower layers may do is looser, whether or not one of them does it yet."""
    if was is None or (now is not None and now.bounds is None):
        return "loosened"
    if now is None or was.bounds is None or not section:
        return "tightened"
    found: set[str] = set()
    no_looser: Any = SECTIONS[section].no_looser
    wider, narrower = (now.bounds or {}), was.bounds
    for key in wider.keys() | narrower.keys():
        if key not in narrower:
            found.add("loosened")
        elif key not in wider:
            found.add("tightened")
        elif wider[key] != narrower[key]:
            tighter, looser = no_looser(wider[key], narrower[key]), no_looser(narrower[key], wider[key])
            found |= _directions(tighter=tighter, looser=looser)
    return " and ".join(sorted(found, reverse=True)) or "none"
