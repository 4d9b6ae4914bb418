"""The policy in effect at a spot: every document that holds there, joined from the top down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Final, Generic, TypeVar

from copilot.policy.documents import Document, PolicySet
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

    def vendors(self, record_class: str) -> Decided[frozenset[str]]:
        """The vendors whose models may be told of the data, whatever is masked in it; "*": every one."""
        return self.tables["vendors"].find((record_class,))

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
            for key, decided in table.decisions():
                yield SECTIONS[name], key, decided


class Table:
    """One section in effect; a key is decided when it is first asked for.

    Where the lowest place says nothing of a key, it is decided as above, and once for all places that say nothing.
    """

    def __init__(self, section: Section, levels: Sequence[_Level], above: Table | None) -> None:
        self.section, self.above = section, above
        self._levels = levels
        self._own = levels[-1][1] if levels else ()
        named = {key for _, said in self._own for key in said} | set(_bounded(section, self._own))
        parts = range(len(section.parts))
        before = above.known if above else tuple(frozenset[str]() for _ in parts)
        self.known: tuple[frozenset[str], ...] = tuple(before[i] | {key[i] for key in named} for i in parts)
        self._decided: dict[Key, Decided[Any]] = {}

    def find(self, key: Key) -> Decided[Any]:
        """The decision for a key; names that no rule knows count as all others."""
        named = tuple(part if part in known else EVERY for part, known in zip(key, self.known, strict=True))
        found = self._decided.get(named)
        if found is None:
            found = self._decided[named] = self._find(named)
        return found

    def decisions(self) -> Iterator[tuple[Key, Decided[Any]]]:
        """The decision for each key of names that rules know, "*" standing for all others, in order."""
        asked = (
            sorted(names | {EVERY} if part in self.section.wild else names)
            for part, names in zip(self.section.parts, self.known, strict=True)
        )
        yield from ((key, self.find(key)) for key in (product(*asked) if all(self.known) else ()))

    def _find(self, key: Key) -> Decided[Any]:
        unnamed = (part == EVERY and part not in known for part, known in zip(key, self.known, strict=True))
        wild = (name in self.section.wild for name in self.section.parts)
        if not all(self.known) or any(none and not open_ for none, open_ in zip(unnamed, wild, strict=True)):
            return Decided(value=self.section.closed)
        if self.above is not None and not any(True for _, said in self._own for _ in _matches(said, key)):
            return self.above.find(key)
        return _decide(self.section, key, self._levels)


class InEffect:
    """What holds at the spots of a policy at a moment; what several have in common is joined once."""

    def __init__(self, policy: PolicySet, *, at: datetime) -> None:
        self._policy, self._at = policy, at
        self._tables: dict[tuple[Place, ...], _Tables] = {}
        self._spots: dict[Spot, Effective] = {}

    def at(self, spot: Spot) -> Effective:
        """What holds at a spot."""
        if spot not in self._spots:
            places = tuple(spot.places())
            documents = tuple(document for place in places for document in self._policy.at(place))
            self._spots[spot] = Effective(
                spot=spot, at=self._at, version=PolicySet(documents=documents).version, tables=self._joined(places)
            )
        return self._spots[spot]

    def _joined(self, places: tuple[Place, ...]) -> _Tables:
        if places not in self._tables:
            *above, place = places
            upper = self._joined(tuple(above)) if above else None
            self._tables[places] = _Tables(place, self._policy.at(place), upper, self._at)
        return self._tables[places]


def effective(
    policy: PolicySet, region: str | None, site: str | None, channel: str | None, *, at: datetime
) -> Effective:
    """What holds in a region, at a site and through a channel at a moment; None: in no particular one."""
    return InEffect(policy, at=at).at(Spot(region=region, site=site, channel=channel))


class _Tables(Mapping[str, Table]):
    """The sections by name, each joined when it is first asked for: a scope needs four of them at many spots."""

    def __init__(self, place: Place, documents: Sequence[Document], above: _Tables | None, at: datetime) -> None:
        self._place, self._documents, self._above, self._at = place, documents, above, at
        self._joined: dict[str, Table] = {}
        self._said: dict[str, tuple[_Level, ...]] = {}

    def __getitem__(self, name: str) -> Table:
        if name not in self._joined:
            above = self._above[name] if self._above else None
            levels = self.levels(name)
            silent = self._above is not None and levels is self._above.levels(name)
            self._joined[name] = above if above and silent else Table(SECTIONS[name], levels, above)
        return self._joined[name]

    def __iter__(self) -> Iterator[str]:
        return iter(SECTIONS)

    def __len__(self) -> int:
        return len(SECTIONS)

    def levels(self, name: str) -> tuple[_Level, ...]:
        """What each place says in a section, from the top down; a place below the enterprise that says nothing is left
        out."""
        if name not in self._said:
            above = self._above.levels(name) if self._above else ()
            sheets = [(document, _sheet(document, name, self._at)) for document in self._documents]
            spoken = any(said for _, said in sheets) or self._above is None
            self._said[name] = (*above, (self._place, sheets)) if spoken else above
        return self._said[name]


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
    said: dict[str, dict[Key, _Statement]] = {}  # by the first part of their keys, which whole lists begin with
    for rule in (each for each in document.rules if each.section == section):
        statements = rule.at(at)
        if statements and rule.whole is not None:
            _take_back(said, rule.whole)
        for key, value in statements.items():
            said.setdefault(key[0], {})[key] = _Statement(key, rule.name, value)
    return {key: each for those in said.values() for key, each in those.items()}


def _take_back(said: dict[str, dict[Key, _Statement]], begin: Key) -> None:
    """Forget what was said for keys that begin so."""
    for first in [begin[0]] if begin else [*said]:
        kept = said.get(first, {})
        said[first] = {key: each for key, each in kept.items() if key[: len(begin)] != begin}


def _bounded(section: Section, sheets: Sequence[tuple[Document, _Sheet]]) -> Iterator[Key]:
    """Keys that are named only in what may be loosened."""
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
