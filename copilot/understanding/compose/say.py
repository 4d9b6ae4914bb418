"""Says back what a composition asks for, in the words of a language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from copilot.domain.composition import Column, Composition, Part
from copilot.domain.query import Bucket, Function, Path
from copilot.semantic.forms import load_forms
from copilot.semantic.kpis import Kpi
from copilot.semantic.language import in_force, per_language
from copilot.semantic.model import SemanticModel
from copilot.semantic.paths import leaf_of
from copilot.semantic.titles import load_titles
from copilot.understanding.compose.part_words import PartWords
from copilot.understanding.compose.periods import AHEAD, lasts, told_apart
from copilot.understanding.compose.span_words import span_said
from copilot.understanding.time.calendar import Days
from copilot.understanding.vocabulary import Vocabulary

Labels = Mapping[tuple[str, int], str]
"""(entity, id) -> what a record is called."""
_BEHIND = ("record", "segment", "code", "with", "limit", "time")
"""In which order restrictions are said behind what is asked for."""


@per_language
def phrases() -> Mapping[str, Any]:
    """The phrases of the language in force."""
    return in_force().read("phrases.yaml")


class Saying:
    """Says one composition; with `today` also what is not over yet."""

    def __init__(
        self,
        model: SemanticModel,
        vocabulary: Vocabulary,
        composition: Composition,
        kpi: Kpi | None,
        labels: Labels,
        *,
        today: date | None = None,
    ) -> None:
        self._model, self._vocabulary = model, vocabulary
        self._composition, self._kpi, self._labels = composition, kpi, labels
        self._words, self._today = phrases(), today
        self._parts = PartWords(model, self._words, self.entity, kpi)

    @property
    def entity(self) -> str:
        """The entity of the rows."""
        return self._kpi.entity if self._kpi else self._composition.entity

    def title(self) -> str:
        """What heads the answer, with all that was counted in it: "Open sales orders of Meyer over 10k (USD) promised
        from 9 to 15 Nov 2026 by site"."""
        text = " ".join(self._phrase())
        values = [part.text for part in self._composition.parts if part.role == "limit" and part.about == "value"]
        text = self._words["beside"].join(part for part in (text, *values, self._ranked()) if part)
        return text[:1].upper() + text[1:]

    def understood(self) -> str:
        """The whole question in one line."""
        return "; ".join(self.told())

    def told(self) -> Iterator[str]:
        """What is asked for and everything that restricts it."""
        yield from (part for part in self._told() if part)

    def phrase(self) -> str:
        """The records meant, as they stand behind a "with"."""
        return " ".join(self._phrase())

    def rest(self) -> str:
        """What restricts them besides their first part, which is said otherwise."""
        return " ".join(text for part in self._composition.parts[1:] if (text := self._restriction(part)))

    def _phrase(self) -> Iterator[str]:
        """The records or the measure, every restriction, and what they are told apart by."""
        parts = self._said_once()
        yield self._named(parts)
        ordered = sorted(parts, key=lambda part: _BEHIND.index(part.role))
        yield from (text for part in ordered if (text := self._restriction(part)))
        yield from (self._words["by"].format(name) for name in self._splits())

    def _said_once(self) -> tuple[Part, ...]:
        """The parts but those that a limit says again: "overdue" beside "more than 30 days overdue"."""
        parts = self._composition.parts
        limits = [set(part.text.split()) for part in parts if part.role == "limit"]
        return tuple(
            part
            for part in parts
            if part.role != "segment" or not any(set(part.text.split()) <= limit for limit in limits)
        )

    def _named(self, parts: Iterable[Part]) -> str:
        """What is asked for, with the words that stand before it: "late sales orders"."""
        parts = tuple(parts)
        before = [text for part in parts if (text := self._parts.before(part))]
        return " ".join((*before, self._noun(parts)))

    def _noun(self, parts: Iterable[Part]) -> str:
        if self._kpi:
            return self._kpi.title
        several = load_forms().counted_as(self._model[self.entity].title)[1]
        return next((text for part in parts if (text := self._parts.instead(part))), several)

    def _restriction(self, part: Part) -> str:
        """What a part says behind what is asked for; nothing where it stands before it, or behind everything."""
        match part.role:
            case "record":
                return self._of(part)
            case "with":
                return self._with(part)
            case "time":
                return self._time(part)
            case "limit":
                return "" if part.about == "value" else part.text
            case _:
                return self._parts.behind(part)

    def _told(self) -> Iterator[str]:
        kpi = self._kpi
        if kpi:
            yield self._words["definition"].format(kpi.title, kpi.version, kpi.formula)
        else:
            said = self._named(self._composition.parts)
            yield self._words["count"].format(said) if self._composition.counted else said
        for part in self._composition.parts:
            if part.role == "time":
                yield self._dated(part)
            elif part.role == "limit":
                yield part.text
            elif kpi and (text := self._parts.before(part)):
                yield text
            else:
                yield self._restriction(part)
        yield ", ".join(self._words["by"].format(name) for name in self._splits())
        yield from (self._words["with"].format(self._column(column)) for column in self._composition.columns)
        yield self._order()

    def _with(self, part: Part) -> str:
        """Other records that there are; a named part that says so goes by its name, and what it implies by none."""
        inner = Composition(entity=part.about, parts=part.inner)
        said = Saying(self._model, self._vocabulary, inner, None, self._labels)
        if part.text:
            return " ".join(text for text in (self._parts.linked(part), said.rest()) if text)
        if part.inner and part.inner[0].role == "segment" and not part.inner[0].text:
            return ""
        return str(self._words["without" if part.negated else "with"].format(said.phrase()))

    def _of(self, part: Part) -> str:
        forms = self._words["not_of" if part.negated else "of"]
        names = self._words["and"].join(self._labels.get((part.about, ident), "?") for ident in part.ids)
        form = forms.get(f"{self.entity}.{part.about}") or forms.get(part.about, forms["other"])
        return str(form.format(names))

    def _splits(self) -> Iterator[str]:
        for split in self._composition.splits:
            if split.bucket:
                yield load_titles().word(split.bucket.value)
            elif split.entity:
                yield self._model[split.entity].title
            else:
                yield self._field(split.path)

    def _time(self, part: Part) -> str:
        """A time with what happened then, where that is not said yet and is no measure's own date; behind a time of
        another date it is said again."""
        path = tuple(part.about.split("."))
        said = self._words["and"].join(filter(None, map(self._span, told_apart(part.conditions, self._bucket(path)))))
        times = [each.about for each in self._composition.parts if each.role == "time"]
        first = part.about == times[0]
        if self._kpi and path == self._kpi.date and first:
            return said
        done = self._words["dates"].get(path[-1]) or self._field(path)
        told = first and done in self._noun(self._composition.parts).split()
        return f"{done} {said}" if said and not told else said

    def _span(self, days: Days) -> str:
        """One span of a time; one that is compared with others is said to be not over yet."""
        said = span_said(self._words["spans"], days)
        return self._words["so_far"].format(said) if self._unfinished(days) else said

    def _unfinished(self, days: Days) -> bool:
        """Whether it lasts still; what is counted by a date that may lie ahead is all there."""
        over = bool(self._kpi and self._kpi.figure.function not in (Function.COUNT, Function.SUM))
        paths = [tuple(part.about.split(".")) for part in self._composition.parts if part.role == "time"]
        divided = any(split.bucket for split in self._composition.splits)
        done = over or not any(path[-1] in AHEAD for path in paths)
        return bool(self._today and divided and done and lasts(days, self._today))

    def _bucket(self, path: Path) -> Bucket | None:
        """The unit that the figures are told apart by, where that is of the same date."""
        dated = self._kpi.date if self._kpi else self._vocabulary.usual_dates.get(self.entity)
        units = (split.bucket for split in self._composition.splits if split.bucket and (split.path or dated) == path)
        return next(units, None)

    def _dated(self, part: Part) -> str:
        """A time with the title of the date that it is of."""
        name = self._field(tuple(part.about.split(".")))
        spans = told_apart(part.conditions, None)
        return str(self._words["and"].join(self._dated_span(name, days) for days in spans))

    def _dated_span(self, name: str, days: Days) -> str:
        since, until = days
        last = until - timedelta(days=1) if until else None
        if since and last:
            form = "on" if since == last else "from_to"
            said = (since,) if since == last else (since, last)
        else:
            form, said = ("from", (since,)) if since else ("before", (last,))
        return str(self._words[form].format(name, *(load_forms().day(day) for day in said if day)))

    def _field(self, path: Path) -> str:
        return leaf_of(self._model, self.entity, path).title

    def _ranked(self) -> str:
        """In which order the first are meant, where an order was asked for."""
        composition = self._composition
        if composition.descending is None:
            return ""
        if not composition.order:
            return str(self._words["highest" if composition.descending else "lowest"]) if composition.splits else ""
        return str(self._ends()["ranked"].format(self._field(composition.order)))

    def _ends(self) -> Mapping[str, str]:
        """The words for the end that an order begins with, by what it is an order of."""
        composition = self._composition
        kind = leaf_of(self._model, self.entity, composition.order).type if composition.order else ""
        ends = self._words["ends"].get(kind, self._words["ends"]["other"])
        return ends["descending" if composition.descending else "ascending"]

    def _column(self, column: Column) -> str:
        return leaf_of(self._model, column.entity, column.path).title

    def _order(self) -> str:
        composition = self._composition
        if composition.descending is None:
            return ""
        told = [self._words["first"].format(composition.limit)] if composition.limit else []
        if composition.order:
            told.append(self._words["sorted"].format(self._field(composition.order)))
        told.append(self._ends()["end"])
        return ", ".join(told)
