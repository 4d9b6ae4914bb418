"""The policy in effect at a spot: every document that holds there, joined from the top down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from copilot.policy.documents import Document, PolicySet, Rule
from copilot.policy.layers import ENTERPRISE, Place, Spot
from copilot.policy.sections import EVERY, SECTIONS, Key, Section
from copilot.policy.values import Duty, Keep, Ladder

T = TypeVar("T")
_UNBOUNDED: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Generic[T]):
    """What one layer said about a key, and what came of it.

    `outcome` is "holds", "loosened" (as a layer above allows), "refused" (a loosening that no layer above allows),
    "yields" (a default that would loosen what is named above) or "unclear" (documents of one place contradict each
    other); only after the first two the value is in effect, until a lower layer says more.
    """

    place: Place
    rule: str
    value: T
    outcome: str
    key: Key
    against: tuple[Place, str] | None = None
    """The place and the rule whose value it was held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Generic[T]):
    """A value with the place and the rule that decided it (None and "" where nobody says anything), and all that was
    said from the top down."""

    value: T
    place: Place | None = None
    rule: str = ""
    trail: tuple[Said[T], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What holds at a spot. A name that no rule knows gets what is said of all others, else what is closed."""

    spot: Spot
    at: datetime
    version: str
    tables: Mapping[str, Table]

    def may_read(self, role: str, record_class: str) -> Decided[bool]:
        """Whether a role reads a record class."""
        return self.tables["access"].find((role, record_class))

    def accounts(self, role: str) -> Decided[str]:
        """ "own" or "any": of which customers a role reads the records."""
        return self.tables["accounts"].find((role,))

    def fresh_for(self, record_class: str) -> Decided[timedelta]:
        """How old a record may be without being confirmed again."""
        return self.tables["fresh_for"].find((record_class,))

    def masking(self, record_class: str, audience: str) -> Decided[str]:
        """How much of a class an audience sees; one of `values.SHOWN`."""
        return self.tables["masking"].find((record_class, audience))

    def template(self, name: str) -> Decided[bool]:
        """Whether a template, once approved, may be used."""
        return self.tables["templates"].find((name,))

    def governs(self, figure: str) -> Decided[tuple[str, ...]]:
        """The kinds of systems of a figure of stock, the one that governs first."""
        return self.tables["governs"].find((figure,))

    def setting(self, name: str) -> Decided[Any]:
        """A setting: a set of purposes or a number of days."""
        return self.tables["settings"].find((name,))

    def retention(self, record_class: str) -> Decided[Keep]:
        """How long records are kept."""
        return self.tables["retention"].find((record_class,))

    def residency(self, record_class: str) -> Decided[frozenset[str]]:
        """The places in which the data may lie; "*": everywhere."""
        return self.tables["residency"].find((record_class,))

    def approval(
        self, action: str, currency: str, *, tier: str = EVERY, country: str = EVERY, risk: str = EVERY
    ) -> Decided[Ladder]:
        """The approvals that an action needs by its value; `Ladder.required` says which."""
        return self.tables["approval"].find((action, currency, tier, country, risk))

    def autonomy(self, action: str) -> Decided[str]:
        """What an agent may do by itself; one of `values.AUTONOMY`."""
        return self.tables["autonomy"].find((action,))

    def duty(self, change: str) -> Decided[Duty]:
        """Who may author and who may approve a kind of change."""
        return self.tables["duties"].find((change,))

    def decisions(self) -> Iterator[tuple[Section, Key, Decided[Any]]]:
        """Everything that is decided here, "*" standing for all that no rule names."""
        for name, table in self.tables.items():
            for key, decided in table.decided.items():
                yield SECTIONS[name], key, decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One section in effect: a decision for each key of names that rules know."""

    closed: Decided[Any]
    known: tuple[frozenset[str], ...]
    decided: Mapping[Key, Decided[Any]]

    def find(self, key: Key) -> Decided[Any]:
        """The decision for a key; names that no rule knows count as all others."""
        found = self.decided.get(key)
        if found is None:
            named = (part if part in known else EVERY for part, known in zip(key, self.known, strict=True))
            found = self.decided.get(tuple(named), self.closed)
        return found


def effective(
    policy: PolicySet, region: str | None, site: str | None, channel: str | None, *, at: datetime
) -> Effective:
    """What holds in a region, at a site and through a channel at a moment; None: in no particular one."""
    spot = Spot(region=region, site=site, channel=channel)
    levels = [(place, policy.at(place)) for place in spot.places()]
    version = PolicySet(documents=tuple(document for _, those in levels for document in those)).version
    return Effective(spot=spot, at=at, version=version, tables=_Tables(levels, at))


class _Tables(Mapping[str, Table]):
    """The sections by name, each joined when it is first asked for: a scope needs four of them at many spots."""

    def __init__(self, levels: Sequence[tuple[Place, Sequence[Document]]], at: datetime) -> None:
        self._levels, self._at = levels, at
        self._joined: dict[str, Table] = {}

    def __getitem__(self, name: str) -> Table:
        if name not in self._joined:
            self._joined[name] = _table(SECTIONS[name], self._levels, self._at)
        return self._joined[name]

    def __iter__(self) -> Iterator[str]:
        return iter(SECTIONS)

    def __len__(self) -> int:
        return len(SECTIONS)


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a rule says for a key, maybe one with "*" that holds for the key asked about."""

    key: Key
    rule: str
    value: Any

    def narrower(self, other: Key) -> bool:
        """Whether it names a part that the other leaves open, and leaves none open that the other names."""
        return self.key != other and all(part in (own, EVERY) for own, part in zip(self.key, other, strict=True))


_Sheet = Mapping[Key, _Statement]
_Level = tuple[Place, Sequence[tuple[Document, _Sheet]]]


def sheet(document: Document, section: str, at: datetime) -> Mapping[Key, str]:
    """Key -> the name of the rule that speaks for it in a document: of several for one key, the last."""
    return {key: said.rule for key, said in _sheet(document, section, at).items()}


def _sheet(document: Document, section: str, at: datetime) -> _Sheet:
    said: dict[Key, _Statement] = {}
    for rule in document.rules:
        if rule.section != section:
            continue
        statements = rule.at(at)
        if statements and _is_whole(rule):
            begin: Key = rule.whole or ()
            said = {key: each for key, each in said.items() if key[: len(begin)] != begin}
        for key, value in statements.items():
            said[key] = _Statement(key, rule.name, value)
    return said


def _is_whole(rule: Rule) -> bool:
    return rule.whole is not None


def _table(section: Section, places: Sequence[tuple[Place, Sequence[Document]]], at: datetime) -> Table:
    levels: list[_Level] = [
        (place, [(document, _sheet(document, section.name, at)) for document in documents])
        for place, documents in places
    ]
    keys = {key for _, sheets in levels for _, said in sheets for key in said} | set(_bounded(section, levels))
    known = tuple(frozenset(key[i] for key in keys) for i in range(len(section.parts)))
    asked = (
        sorted(names | {EVERY} if part in section.wild else names)
        for part, names in zip(section.parts, known, strict=True)
    )
    decided = {key: _decide(section, key, levels) for key in product(*asked)} if keys else {}
    return Table(closed=Decided(value=section.closed), known=known, decided=MappingProxyType(decided))


def _bounded(section: Section, levels: Sequence[_Level]) -> Iterator[Key]:
    """Keys that are named only in what may be loosened."""
    for _, sheets in levels:
        for document, _ in sheets:
            for allowance in document.allowances:
                rule = document.rule(allowance.rule)
                if rule is not None and rule.section == section.name:
                    yield from allowance.bounds or ()


def _decide(section: Section, key: Key, levels: Sequence[_Level]) -> Decided[Any]:
    value, current, ceiling = section.closed, None, _UNBOUNDED
    trail: list[Said[Any]] = []
    for place, sheets in levels:
        found, unclear = _strictest(section, key, sheets)
        trail += [
            Said(place=place, rule=each.rule, value=each.value, outcome="unclear", key=each.key) for each in unclear
        ]
        against = None if current is None else (current[0], current[1].rule)
        if found is not None:
            outcome = _outcome(section, found, value, None if current is None else current[1], ceiling)
            trail.append(
                Said(place=place, rule=found.rule, value=found.value, outcome=outcome, key=found.key, against=against)
            )
            if outcome in ("holds", "loosened"):
                value, current = found.value, (place, found)
                ceiling = _ceiling(section, key, found, sheets, ceiling)
        if place == ENTERPRISE and current is None:
            ceiling = value  # nobody above has said anything, and nobody below may open it
    where, rule = (None, "") if current is None else (current[0], current[1].rule)
    return Decided(value=value, place=where, rule=rule, trail=tuple(trail))


def _outcome(section: Section, found: _Statement, value: Any, current: _Statement | None, ceiling: Any) -> str:
    if ceiling is _UNBOUNDED and current is None:
        return "holds"  # the enterprise
    if section.no_looser(found.value, value):
        return "holds"
    if current is not None and current.narrower(found.key):
        return "yields"
    return "loosened" if ceiling is _UNBOUNDED or section.no_looser(found.value, ceiling) else "refused"


def _ceiling(
    section: Section, key: Key, found: _Statement, sheets: Sequence[tuple[Document, _Sheet]], above: Any
) -> Any:
    """The loosest value that the layers below may set."""
    allowances = [document.allowance(found.rule) for document, said in sheets if said.get(found.key) == found]
    if not allowances or any(each is None for each in allowances):
        return found.value
    ceiling = above
    for each in allowances:
        bound = _bound(each.bounds, key, found.value) if each and each.bounds is not None else _UNBOUNDED
        if bound is not _UNBOUNDED and (ceiling is _UNBOUNDED or section.no_looser(bound, ceiling)):
            ceiling = bound
        elif bound is not _UNBOUNDED and not section.no_looser(ceiling, bound):
            return found.value
    return ceiling if ceiling is _UNBOUNDED or section.no_looser(found.value, ceiling) else found.value


def _bound(bounds: Mapping[Key, Any], key: Key, value: Any) -> Any:
    """The bound of the narrowest key that holds; the rule's own value where none does."""
    held = next(_matches(bounds, key), None)
    return value if held is None else bounds[held]


def _strictest(
    section: Section, key: Key, sheets: Sequence[tuple[Document, _Sheet]]
) -> tuple[_Statement | None, Sequence[_Statement]]:
    """What the documents of one place say for a key; where they, or rules of one, contradict each other, the tightest.

    Nothing, and all of them as the second, where none is tighter than all others.
    """
    said = [each for _, statements in sheets for each in _narrowest(statements, key)]
    if len(said) < 2:
        return (said[0] if said else None), ()
    strictest = [each for each in said if all(section.no_looser(each.value, other.value) for other in said)]
    if not strictest:
        return None, sorted(said, key=lambda each: each.rule)
    return min(strictest, key=lambda each: (each.rule, each.key)), ()


def _narrowest(statements: _Sheet, key: Key) -> list[_Statement]:
    """The statements that hold for a key, less those than which another is narrower."""
    held = [statements[each] for each in _matches(statements, key)]
    return [each for each in held if not any(other.narrower(each.key) for other in held)]


def _matches(known: Mapping[Key, Any], key: Key) -> Iterator[Key]:
    """The keys that hold for one: itself and those with "*" in place of parts."""
    if key in known:
        yield key
    patterns = product(*(((part, EVERY) if part != EVERY else (EVERY,)) for part in key))
    yield from (each for each in patterns if each != key and each in known)
