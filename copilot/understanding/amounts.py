"""Amounts and quantities that a question names: the exact number and what it is counted in, as far as it is said.

Nothing is guessed or converted: "about 40" and "a few" stay words of the question, 10.000 means what the region's
convention says, and where there is none it is unclear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from copilot.understanding.amount_words import AmountWords, Phrase, to_number
from copilot.understanding.words import Word

_FIGURE = re.compile(r"([^\W\d_]*[$€£¥]|[^\W\d_]{3})?([0-9][0-9.,]*)([^\W\d_]*|[$€£¥%])")
_MOST_DIGITS = 15
_Named = TypeVar("_Named")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountMention:
    """A number named in a question, and what it counts: money, a unit, a length of time, percent, or nothing said."""

    positions: frozenset[int]
    text: str
    number: Decimal
    currency: str | None = None
    unit: str | None = None
    """Our word for the unit; `AmountWords.same_unit` compares it with a source's code."""
    time: str | None = None
    """hour, day, working_day, week, month, quarter or year."""
    percent: bool = False
    money_scale: int = 1
    """What the unit would multiply if it were money: 1.5m."""

    @property
    def bare(self) -> bool:
        """Whether nothing is said of what it counts."""
        return not (self.currency or self.unit or self.time or self.percent)

    def as_money(self) -> AmountMention | None:
        """The same where only money can be meant, in the currency said or in none: "1.5m" is then a million and a
        half. None where it counts something else."""
        if self.money_scale > 1:
            return replace(self, number=self.number * self.money_scale, unit=None, money_scale=1)
        return self if self.currency or self.bare else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnclearAmount:
    """A number whose words don't say which one it is, or of what; and why."""

    positions: frozenset[int]
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How the asker's region writes numbers and what its bare "$" is; None: not known."""

    decimal_comma: bool | None = None
    currency: str | None = None


def find_amounts(
    words: Sequence[Word], language: AmountWords, convention: Convention | None = None
) -> tuple[AmountMention, ...]:
    """Every amount that is clear, in order; none shares a word with another."""
    return tuple(each for each in _all(words, language, convention) if isinstance(each, AmountMention))


def unclear_amounts(
    words: Sequence[Word], language: AmountWords, convention: Convention | None = None
) -> tuple[UnclearAmount, ...]:
    """What is an amount but may be several."""
    return tuple(each for each in _all(words, language, convention) if isinstance(each, UnclearAmount))


def _all(
    words: Sequence[Word], language: AmountWords, convention: Convention | None
) -> Iterator[AmountMention | UnclearAmount]:
    finder = _Finder(words, language, convention or Convention())
    at = 0
    while at < len(words):
        found = finder.at(at)
        if found:
            yield found
        at = max(found.positions) + 1 if found else at + 1


@dataclass(frozen=True, slots=True)
class _Said:
    """A number with what is glued to it, up to and without a word."""

    end: int
    number: Decimal | None
    before: str = ""
    behind: str = ""
    one: bool = False
    """Whether it is "a" or "one", which alone is no number."""


class _Finder:
    def __init__(self, words: Sequence[Word], language: AmountWords, convention: Convention) -> None:
        self._words, self._language, self._convention = words, language, convention
        self._texts = tuple(word.typed.lower() if word.has_digit or not word.folded else word.folded for word in words)

    def at(self, start: int) -> AmountMention | UnclearAmount | None:
        """The amount that begins at a word."""
        currency, first = self._currency(start)
        said = self._figure(first) or self._spelled(first)
        if said is None:
            return None
        said = self._scaled(said, money=bool(currency or said.before))
        mention = self._counted(start, said, currency)
        if isinstance(mention, UnclearAmount):
            return mention
        if mention.unit and (scale := self._money_scale(said, mention)):
            return replace(mention, money_scale=scale)
        return None if said.one and mention.bare else mention

    def _money_scale(self, said: _Said, mention: AmountMention) -> int | None:
        scales = self._language.money_scales
        return scales.get(said.behind or self._texts[max(mention.positions)])

    def _currency(self, at: int) -> tuple[tuple[str, ...], int]:
        """A currency that stands before its amount, and where the amount begins."""
        for end, meant in self._named(self._language.currencies, at):
            return meant, end
        return (), at

    def _figure(self, at: int) -> _Said | None:
        found = _FIGURE.fullmatch(self._texts[at]) if at < len(self._texts) else None
        if found is None or sum(character.isdigit() for character in found[2]) > _MOST_DIGITS:
            return None
        before, behind = found[1] or "", found[3] or ""
        if not self._known_before(before) or not self._known_behind(behind):
            return None
        comma = self._convention.decimal_comma
        decimal = self._language.decimal if comma is None else "," if comma else "."
        return _Said(at + 1, to_number(found[2], decimal, sure=comma is not None), before, behind)

    def _known_before(self, text: str) -> bool:
        return not text or text in self._language.signs or (text,) in self._language.currencies

    def _known_behind(self, text: str) -> bool:
        words = self._language
        return (
            not text or text == "%" or text in words.glued or text in words.signs
            or any((text,) in each for each in (words.units, words.currencies))
        )  # fmt: skip

    def _spelled(self, at: int) -> _Said | None:
        """A number in words: half a dozen, two hundred and fifty."""
        for end in self._phrases(self._language.half, at):
            for last, by in self._named(self._language.scales, end):
                return _Said(last, Decimal(by) / 2)
        if at < len(self._texts) and self._texts[at] in self._language.ones:
            return _Said(at + 1, Decimal(1), one=True)
        total, end = self._below_thousand(at)
        return None if end == at else _Said(end, Decimal(total))

    def _below_thousand(self, at: int) -> tuple[int, int]:
        total, end = 0, at
        while end < len(self._texts):
            number = self._number(end)
            by = self._language.scales.get((self._texts[end],))
            joined = total and total % 100 == 0 and self._texts[end] in self._language.joins
            if number is not None and (end == at or _follows(total, number)):
                total += number
            elif by == 100 and 0 < total < 10:
                total *= by
            elif not (joined and (following := self._number(end + 1)) is not None and _follows(total, following)):
                break
            end += 1
        return total, end

    def _number(self, at: int) -> int | None:
        """The number of one word: twenty, twenty-five."""
        if at >= len(self._texts):
            return None
        first, *rest = self._texts[at].split() or [""]
        numbers = self._language.numbers
        if len(rest) == 1 and first in numbers and rest[0] in numbers and _follows(numbers[first], numbers[rest[0]]):
            return numbers[first] + numbers[rest[0]]
        return None if rest else numbers.get(first)

    def _scaled(self, said: _Said, *, money: bool) -> _Said:
        """The number by the scales that follow it."""
        words = self._language
        if said.behind in words.glued:
            return replace(said, number=_times(said.number, words.glued[said.behind]), behind="")
        if said.behind in words.money_scales and (money or self._currency(said.end)[0]):
            return replace(said, number=_times(said.number, words.money_scales[said.behind]), behind="")
        while not said.behind and said.end < len(self._texts):
            by = words.scales.get((self._texts[said.end],)) or (
                words.money_scales.get(self._texts[said.end]) if money else None
            )
            if not by:
                break
            said = replace(said, end=said.end + 1, number=_times(said.number, by), one=False)
        return said

    def _counted(self, start: int, said: _Said, currency: tuple[str, ...]) -> AmountMention | UnclearAmount:
        """The number with what it is counted in."""
        language, end = self._language, said.end
        unit = time = None
        percent = said.behind == "%"
        meant = currency or language.signs.get(said.before) or language.currencies.get((said.before,), ())
        if said.behind and not percent:
            meant = meant or language.signs.get(said.behind) or language.currencies.get((said.behind,), ())
            unit = language.units.get((said.behind,))
        elif not said.behind and not meant:
            end, meant, unit, time, percent = self._behind(end)
        positions = frozenset(range(start, end))
        text = " ".join(self._words[position].typed for position in range(start, end))
        if said.number is None:
            reason = "its marks may part thousands or decimals"
            return UnclearAmount(positions=positions, text=text, reason=reason)
        if len(meant) > 1 and self._convention.currency not in meant:
            return UnclearAmount(positions=positions, text=text, reason="it may be " + " or ".join(meant))
        named = self._convention.currency if len(meant) > 1 else next(iter(meant), None)
        return AmountMention(
            positions=positions, text=text, number=said.number, currency=named, unit=unit, time=time, percent=percent
        )

    def _behind(self, at: int) -> tuple[int, tuple[str, ...], str | None, str | None, bool]:
        """What the words behind a number say that it counts, and where they end."""
        for end in self._phrases(self._language.percent, at):
            return end, (), None, None, True
        for end, meant in self._named(self._language.currencies, at):
            return end, meant, None, None, False
        for end, time in self._named(self._language.times, at):
            return end, (), None, time, False
        for end, unit in self._named(self._language.units, at):
            return end, (), unit, None, False
        return at, (), None, None, False

    def _phrases(self, phrases: Iterable[Phrase], at: int) -> Iterator[int]:
        return (at + len(phrase) for phrase in phrases if self._texts[at : at + len(phrase)] == phrase)

    def _named(self, phrases: Mapping[Phrase, _Named], at: int) -> list[tuple[int, _Named]]:
        found = [(end, meant) for phrase, meant in phrases.items() for end in self._phrases((phrase,), at)]
        return sorted(found, key=lambda each: -each[0])


def _follows(total: int, number: int) -> bool:
    """Whether a number goes on another: twenty five, two hundred fifty."""
    if total and total % 100 == 0:
        return 0 < number < 100
    return total % 10 == 0 and 20 <= total % 100 <= 90 and 0 < number < 10


def _times(number: Decimal | None, by: int) -> Decimal | None:
    return None if number is None else number * by
