"""Says back what a composition asks for, in the words of a language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from copilot.domain.composition import Composition, Part
from copilot.domain.query import Compare, Is, Path
from copilot.semantic.forms import load_forms
from copilot.semantic.kpis import Kpi
from copilot.semantic.language import in_force, per_language
from copilot.semantic.model import SemanticModel
from copilot.semantic.paths import leaf_of
from copilot.semantic.titles import load_titles
from copilot.understanding.vocabulary import Vocabulary

Labels = Mapping[tuple[str, int], str]
"""(entity, id) -> what a record is called."""


@per_language
def phrases() -> Mapping[str, Any]:
    """The phrases of the language in force."""
    return in_force().read("phrases.yaml")


class Saying:
    """Says one composition."""

    def __init__(
        self, model: SemanticModel, vocabulary: Vocabulary, composition: Composition, kpi: Kpi | None, labels: Labels
    ) -> None:
        self._model, self._vocabulary = model, vocabulary
        self._composition, self._kpi, self._labels = composition, kpi, labels
        self._words = phrases()

    @property
    def entity(self) -> str:
        """The entity of the rows."""
        return self._kpi.entity if self._kpi else self._composition.entity

    def title(self) -> str:
        """What heads the answer: "Open sales orders of Meyer", "late receipts by supplier"."""
        said = [part.text for part in self._composition.parts if part.role in ("segment", "code") and part.text]
        said.append(self._kpi.title if self._kpi else self._several())
        said += [self._with(part) for part in self._composition.parts if part.role == "with"]
        said += [self._of(part) for part in self._composition.parts if part.role == "record"]
        said += [self._words["by"].format(name) for name in self._splits()]
        text = " ".join(said)
        return text[:1].upper() + text[1:]

    def understood(self) -> str:
        """The whole question in one line."""
        return "; ".join(self.told())

    def told(self) -> Iterator[str]:
        """What is asked for and everything that restricts it."""
        yield from (part for part in self._told() if part)

    def _told(self) -> Iterator[str]:
        kpi = self._kpi
        if kpi:
            yield self._words["definition"].format(kpi.title, kpi.version, kpi.formula)
        else:
            said = " ".join(
                [
                    *(p.text for p in self._composition.parts if p.role in ("segment", "code") and p.text),
                    self._several(),
                ]
            )
            yield self._words["count"].format(said) if self._composition.counted else said
        for part in self._composition.parts:
            if part.role == "record":
                yield self._of(part)
            elif part.role == "with":
                yield self._with(part)
            elif part.role == "time":
                yield self._time(part)
            elif part.role == "limit" or (kpi and part.role in ("segment", "code")):
                yield part.text
        yield ", ".join(self._words["by"].format(name) for name in self._splits())
        yield self._order()

    def _several(self) -> str:
        return load_forms().counted_as(self._model[self.entity].title)[1]

    def _with(self, part: Part) -> str:
        inner = Composition(entity=part.about, parts=part.inner)
        said = Saying(self._model, self._vocabulary, inner, None, self._labels)
        return str(self._words["without" if part.negated else "with"].format(", ".join(said.told())))

    def _of(self, part: Part) -> str:
        forms = self._words["not_of" if part.negated else "of"]
        names = self._words["and"].join(self._labels.get((part.about, ident), "?") for ident in part.ids)
        return str(forms.get(part.about, forms["other"]).format(names))

    def _splits(self) -> Iterator[str]:
        for split in self._composition.splits:
            if split.bucket:
                yield load_titles().word(split.bucket.value)
            elif split.entity:
                yield self._model[split.entity].title
            else:
                yield self._field(split.path)

    def _time(self, part: Part) -> str:
        since, until = _bounds(part)
        name = self._field(tuple(part.about.split(".")))
        last = until - timedelta(days=1) if until else None
        if since and last:
            form = "on" if since == last else "from_to"
            said = (since,) if since == last else (since, last)
        else:
            form, said = ("from", (since,)) if since else ("before", (last,))
        return str(self._words[form].format(name, *(load_forms().day(day) for day in said if day)))

    def _field(self, path: Path) -> str:
        return leaf_of(self._model, self.entity, path).title

    def _order(self) -> str:
        composition = self._composition
        if composition.descending is None:
            return ""
        told = [self._words["first"].format(composition.limit)] if composition.limit else []
        if composition.order:
            told.append(self._words["sorted"].format(self._field(composition.order)))
        told.append(self._words["highest" if composition.descending else "lowest"])
        return ", ".join(told)


def _bounds(part: Part) -> tuple[date | None, date | None]:
    since = until = None
    for condition in part.conditions:
        if isinstance(condition, Compare) and isinstance(condition.value, date):
            if condition.how is Is.AT_LEAST:
                since = condition.value
            else:
                until = condition.value
    return since, until
