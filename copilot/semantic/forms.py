"""How a language prints values, read from its forms.yaml. The printer and the verifier each use it with code of their
own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from copilot.errors import ModelDefinitionError
from copilot.semantic.language import in_force, per_language


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """The forms of one language; forms.yaml says what each is."""

    thousands: str
    decimal: str
    percent: str
    yes: str
    no: str
    months: tuple[str, ...]
    day_form: str
    instant_form: str
    spans: Mapping[str, str]
    plural: str
    nouns: Mapping[str, tuple[str, str]]
    subjects: Mapping[str, tuple[str, str]]
    part_of: str
    said: Mapping[str, str]
    """What is said of where an answer comes from, by name."""
    number_words: tuple[str, ...]
    leaning: tuple[str, ...]
    """Words by which a sentence begins that speaks of what was said before it."""
    day_words: tuple[str, ...]
    claiming: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Words that need something behind them: the part of the file -> group of words -> the words."""

    def counted_as(self, noun: str) -> tuple[str, str]:
        """What one of a thing is called, and several."""
        return self.nouns.get(noun) or (noun, self.plural.format(noun))

    def day(self, day: date) -> str:
        """A day as it is written."""
        return self.day_form.format(day=day.day, month=self.months[day.month - 1], year=day.year)


CLAIMING = ("states", "comparisons", "ranks", "quantities", "causes", "times")
"""The parts of the file with words that need something behind them."""
_SAID = ("former", "formula", "several_systems", "company", "and", "from", "until")


@per_language
def load_forms() -> Forms:
    """The forms of the language in force. Raises ModelDefinitionError naming what is not well formed."""
    return read_forms(in_force().read("forms.yaml"))


def read_forms(body: Mapping[str, Any]) -> Forms:
    """The forms as a file holds them. Raises ModelDefinitionError naming what is not well formed."""
    try:
        return Forms(
            thousands=body["thousands"], decimal=body["decimal"], percent=body["percent"], yes=body["yes"],
            no=body["no"], months=tuple(body["months"]), day_form=body["date"],
            instant_form=body["instant"],
            spans=body["spans"], plural=body["plural"],
            nouns={noun: (one, several) for noun, (one, several) in body["nouns"].items()},
            subjects={name: (head, within) for name, (head, within) in body["subjects"].items()},
            part_of=body["part_of"], said={name: body[name] for name in _SAID},
            number_words=tuple(body["number_words"]), leaning=tuple(body["leaning"]),
            day_words=tuple(body["day_words"]),
            claiming={
                part: {group: tuple(phrases) for group, phrases in body[part].items()} for part in CLAIMING
            },
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelDefinitionError(f"the forms of values are not well formed: {error!r}") from error
