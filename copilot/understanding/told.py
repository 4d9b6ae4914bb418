"""What a question tells beside the records it names: an amount, the unit it wants figures in, a line, a lot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from copilot.domain.plan import Period, Wanted
from copilot.domain.quantity import to_scaled
from copilot.understanding.amount_words import AmountWords, Phrase, load_amount_words
from copilot.understanding.amounts import AmountMention, find_amounts
from copilot.understanding.time.calendar import FiscalCalendar
from copilot.understanding.time.language import load_time_words
from copilot.understanding.time.spans import Span, Unclear, find_spans
from copilot.understanding.words import Word

Positions = frozenset[int]
AMOUNT, UNIT, LINE, LOT, DAYS, ROLE = "amount", "unit", "line", "lot", "days", "role"
TELLABLE = (AMOUNT, UNIT, LINE, LOT, DAYS, ROLE)
_CALENDAR = FiscalCalendar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told, each with the words that say it."""

    amounts: tuple[AmountMention, ...] = ()
    units: tuple[tuple[str, Positions], ...] = ()
    lines: tuple[tuple[int, Positions], ...] = ()
    lots: tuple[tuple[str, Positions], ...] = ()
    spans: tuple[Span, ...] = ()
    roles: tuple[tuple[tuple[str, ...], Positions], ...] = ()
    aside: Positions = field(default_factory=frozenset[int])

    @property
    def positions(self) -> Positions:
        """All the words of it."""
        told = (*(a.positions for a in self.amounts), *(at for _, at in (*self.units, *self.lines, *self.lots)))
        told = (*told, *(span.positions for span in self.spans), *(at for _, at in self.roles))
        return self.aside.union(*told)

    @property
    def anything(self) -> bool:
        """Whether anything is told at all."""
        those = (self.amounts, self.units, self.lines, self.lots, self.spans, self.roles, self.aside)
        return any(those)

    def fitting(self, wanted: Mapping[str, bool], named: Positions) -> Told | None:
        """What a kind takes account of (thing -> whether it must be told), without what is part of a name; None where
        something is missing or told more than once, or where an amount is to be in a unit that the kind does not know.
        """
        if not self.anything:
            return None if any(wanted.values()) else self
        if AMOUNT in wanted and UNIT not in wanted and any(not at & named for _, at in self.units):
            return None
        those = replace(
            self,
            amounts=tuple(a for a in self.amounts if AMOUNT in wanted and not a.positions & named),
            units=tuple(each for each in self.units if UNIT in wanted and not each[1] & named),
            lines=tuple(each for each in self.lines if LINE in wanted and not each[1] & named),
            lots=tuple(each for each in self.lots if LOT in wanted and not each[1] & named),
            spans=tuple(each for each in self.spans if DAYS in wanted and not each.positions & named),
            roles=tuple(each for each in self.roles if ROLE in wanted and not each[1] & named),
            aside=self.aside if UNIT in wanted else frozenset(),
        )
        found = {
            AMOUNT: len(those.amounts),
            UNIT: len({u for u, _ in those.units}),
            LINE: len(those.lines),
            LOT: len(those.lots),
            DAYS: len(those.spans),
            ROLE: len({codes for codes, _ in those.roles}),
        }
        missing = any(required and not found[thing] for thing, required in wanted.items())
        return None if missing or any(count > 1 for count in found.values()) else those

    def wanted(self) -> Wanted | None:
        """As a plan has it; None for an amount too large."""
        amount = self.amounts[0] if self.amounts else None
        try:
            quantity = to_scaled(amount.number) if amount else None
        except ValueError:
            return None
        return Wanted(
            quantity=quantity,
            units=_codes(amount.unit) if amount and amount.unit else (),
            into=_codes(self.units[0][0]) if self.units else (),
            line=self.lines[0][0] if self.lines else None,
            lot=self.lots[0][0] if self.lots else None,
            roles=self.roles[0][0] if self.roles else (),
        )

    def period(self, now: datetime, zone: str) -> Period | None:
        """The days named, which are ahead; None where none are, or no such days."""
        days = self.spans[0].moments(now, zone, _CALENDAR, ahead=True) if self.spans else None
        return (
            None if days is None or isinstance(days, Unclear) else Period(since=days[0], until=days[1], time_zone=zone)
        )


NOTHING_TOLD = Told()


def find_told(words: Sequence[Word], *, dated: bool = False) -> Told:
    """What the words tell; days only where they are looked for."""
    language = load_amount_words()
    lots = tuple(_after(words, language.lots, _is_lot))
    lines = tuple((int(text.removeprefix("#")), at) for text, at in _after(words, language.lines, _is_line))
    aside = frozenset(p for at in _asides(words, language) for p in at)
    taken = aside.union(*(at for _, at in (*lots, *lines)))
    amounts = [a for a in _amounts(words, language) if not a.positions & taken]
    counted = taken.union(*(a.positions for a in amounts))
    units = tuple(_units(words, language, counted))
    spans = find_spans(words, load_time_words()) if dated else ()
    roles = tuple(_roles(words, language))
    return Told(amounts=tuple(amounts), units=units, lines=lines, lots=lots, spans=spans, roles=roles, aside=aside)


def _roles(words: Sequence[Word], language: AmountWords) -> Iterable[tuple[tuple[str, ...], Positions]]:
    """The roles of contacts, of overlapping phrases the longest."""
    folded = tuple(word.folded for word in words)
    at = 0
    while at < len(words):
        length, codes = max(
            ((len(p), codes) for p, codes in language.roles.items() if folded[at : at + len(p)] == p), default=(0, ())
        )
        if length:
            yield codes, frozenset(range(at, at + length))
        at += length or 1


def _codes(unit: str) -> tuple[str, ...]:
    """The codes that a unit may be written as, our own word first."""
    codes = load_amount_words().unit_codes.get(unit, frozenset[str]())
    return (unit, *sorted({code.casefold() for code in codes} - {unit}))


def _is_lot(word: Word) -> bool:
    return word.has_digit


def _is_line(word: Word) -> bool:
    return word.bare_number and len(word.typed) <= len("#000")


def _after(
    words: Sequence[Word], phrases: Iterable[Phrase], fits: Callable[[Word], bool]
) -> Iterable[tuple[str, Positions]]:
    """The words that stand right behind one of the phrases, and where both are."""
    folded = tuple(word.folded for word in words)
    taken: set[int] = set()
    for phrase in sorted(phrases, key=len, reverse=True):
        for start in range(len(words) - len(phrase)):
            at = range(start, start + len(phrase) + 1)
            if folded[start : start + len(phrase)] == phrase and fits(words[at[-1]]) and not taken.intersection(at):
                taken.update(at)
                yield words[at[-1]].typed, frozenset(at)


def _amounts(words: Sequence[Word], language: AmountWords) -> Iterable[AmountMention]:
    """Amounts counted in a unit: as they stand, with an adjective between ("a full pallet"), or one ("per box")."""
    found = find_amounts(words, language)
    yield from (a for a in found if a.unit and not (a.currency or a.time or a.percent))
    bare = {max(a.positions): a for a in found if a.bare}
    for unit, start, end in _unit_words(words, language):
        first = start
        while first and words[first - 1].folded in language.full:
            first -= 1
        before = words[first - 1].folded if first else ""
        at = frozenset(range(first - 1, end))
        if before in language.per or (first < start and before in language.ones):
            text = " ".join(words[p].typed for p in sorted(at))
            yield AmountMention(positions=at, text=text, number=Decimal(1), unit=unit)
        elif first < start and first - 1 in bare:
            yield replace(bare[first - 1], positions=bare[first - 1].positions | at, unit=unit)


def _unit_words(words: Sequence[Word], language: AmountWords) -> Iterable[tuple[str, int, int]]:
    """Every unit that is named: our word for it, where it begins, where it ends."""
    folded = tuple(word.folded for word in words)
    at = 0
    while at < len(words):
        found = [(len(p), u) for p, u in language.units.items() if folded[at : at + len(p)] == p]
        length, unit = max(found, default=(0, ""))
        if length and not (length == 1 and folded[at] in language.never):
            yield unit, at, at + length
        at += length or 1


def _units(words: Sequence[Word], language: AmountWords, counted: Positions) -> Iterable[tuple[str, Positions]]:
    """The units that figures are asked for in, with the adjectives before them."""
    for unit, start, end in _unit_words(words, language):
        if counted.intersection(range(start, end)):
            continue
        first = start
        while first and words[first - 1].folded in language.full:
            first -= 1
        before = words[first - 1].folded if first else ""
        if words[start].folded not in language.vague or before in language.into:
            yield unit, frozenset(range(first, end))


def _asides(words: Sequence[Word], language: AmountWords) -> Iterable[Positions]:
    """ "Boxes converted": units that are only said to have been converted."""
    folded = tuple(word.folded for word in words)
    for _, start, end in _unit_words(words, language):
        for phrase in language.aside:
            if folded[end : end + len(phrase)] == phrase:
                yield frozenset(range(start, end + len(phrase)))
