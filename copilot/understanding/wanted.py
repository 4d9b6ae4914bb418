"""How much of something a question wants, and by which day to come: "40 boxes by Friday"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from copilot.domain.plan import Wanted
from copilot.domain.quantity import to_scaled
from copilot.understanding.amount_words import load_amount_words
from copilot.understanding.amounts import AmountMention, UnclearAmount, find_amounts, unclear_amounts
from copilot.understanding.time.calendar import FiscalCalendar
from copilot.understanding.time.language import load_time_words
from copilot.understanding.time.spans import Span, Unclear, find_spans, zone_of
from copilot.understanding.words import Word

_CALENDAR = FiscalCalendar()
Positions = frozenset[int]


@dataclass(frozen=True, slots=True)
class Refused:
    """The words that can't be taken as a quantity or a day."""

    positions: Positions


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMention:
    """The amounts and days that a question names."""

    amounts: tuple[AmountMention, ...] = ()
    unclear: tuple[UnclearAmount, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def day_positions(self) -> Positions:
        """The words of the days."""
        return frozenset(p for span in self.spans for p in span.positions)

    @property
    def positions(self) -> Positions:
        """The words of all of it."""
        return self.beside(()) | self.day_positions

    def beside(self, named: Iterable[Positions]) -> Positions:
        """The words of the amounts that are no part of a longer name, such as the "3 m" of a desk."""
        those = list(named)
        return frozenset(p for each in self._free(those) for p in each.positions)

    def without_none(self, said: Positions) -> WantedMention:
        """Without the nothing that phrases already understood speak of: "it is at zero" wants no zero of it."""
        return replace(self, amounts=tuple(a for a in self.amounts if a.number or not a.positions < said))

    def is_now(self, now: datetime) -> bool:
        """Whether no day but today is named."""
        today = now.date()
        days = [span.resolve(today, now, "UTC", _CALENDAR, ahead=True) for span in self.spans]
        return all(each == (today, today + timedelta(days=1)) for each in days)

    def alone(self) -> Wanted | None:
        """The one amount of a message that names nothing else; None for a long number, which may be anybody's, too."""
        plain = not (self.spans or self.unclear) and len(self.amounts) == 1
        amount = self.amounts[0] if plain else None
        if amount is None or amount.currency or amount.time or amount.percent or amount.number <= 0:
            return None
        return _wanted(amount) if amount.unit or len(amount.text) <= _DIGITS_OF_A_QUANTITY else None

    def resolve(self, named: Iterable[Positions], now: datetime, zone: str) -> Wanted | Refused:
        """What is wanted, days being those of a zone; else the words that say no such thing."""
        those = list(named)
        amounts = self._free(those)
        unclear = [each for each in self.unclear if not any(each.positions < name for name in those)]
        if unclear or len(amounts) > 1 or any(a.currency or a.time or a.percent or a.number <= 0 for a in amounts):
            return Refused(frozenset(p for each in (*unclear, *amounts) for p in each.positions))
        wanted = _wanted(amounts[0]) if amounts else Wanted()
        if len(self.spans) > 1 or wanted is None:
            return Refused(self.positions)
        return self._by(wanted, now, zone) if self.spans else wanted

    def _by(self, wanted: Wanted, now: datetime, zone: str) -> Wanted | Refused:
        """With the last day of the time named: what is wanted within a week is wanted by its end."""
        today = now.astimezone(zone_of(zone)).date()
        days = self.spans[0].resolve(today, now, zone, _CALENDAR, ahead=True)
        if isinstance(days, Unclear) or days[1] is None or days[1] <= today or self.spans[0].kind == "before":
            return Refused(self.day_positions)
        last = days[1] - timedelta(days=1)
        return Wanted(quantity=wanted.quantity, units=wanted.units, day=last)

    def _free(self, named: Sequence[Positions]) -> list[AmountMention]:
        free = [a for a in self.amounts if not a.positions & self.day_positions]
        return [a for a in free if not any(a.positions < name for name in named)]


_DIGITS_OF_A_NUMBER = 8
_DIGITS_OF_A_QUANTITY = 4
NOTHING_WANTED = WantedMention()


def find_wanted(words: Sequence[Word]) -> WantedMention:
    """The amounts and days that the words name."""
    language = load_amount_words()
    spans = tuple(span for span in find_spans(words, load_time_words()) if not (span.weak and span.kind == "year"))
    taken = frozenset(p for span in spans for p in span.positions)
    return WantedMention(
        amounts=tuple(each for each in find_amounts(words, language) if not _is_number(each)),
        unclear=tuple(each for each in unclear_amounts(words, language) if not each.positions & taken),
        spans=spans,
    )


def _is_number(amount: AmountMention) -> bool:
    """Whether bare digits are so many that they number something, as a GTIN does, rather than count pieces."""
    return amount.bare and amount.text.isdigit() and len(amount.text) >= _DIGITS_OF_A_NUMBER


def _wanted(amount: AmountMention) -> Wanted | None:
    """An amount with every code that its unit may be written as, our own word first; None for one too large."""
    codes = load_amount_words().unit_codes.get(amount.unit, frozenset[str]()) if amount.unit else ()
    others = sorted({code.casefold() for code in codes} - {amount.unit})
    units = (amount.unit, *others) if amount.unit else ()
    try:
        return Wanted(quantity=to_scaled(amount.number), units=units)
    except ValueError:
        return None
