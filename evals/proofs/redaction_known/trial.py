"""redaction-known: every value that comes from a column of the records is masked, in 100,000 texts in which it stands
in free forms; the company's own numbers are not; and unmasking gives back each text as it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

import psycopg

from copilot.domain.json import Json
from evals.company import Company, open_company, running
from evals.proofs.redaction_known.asides import ASIDES, aside
from evals.proofs.redaction_known.columns import (
    IDENTIFIERS,
    PEOPLE,
    PERSONAL,
    read_identifiers,
    read_values,
    unclassified,
    unread_lookups,
)
from evals.proofs.redaction_known.dress import DRESSES, PLAIN
from evals.proofs.redaction_known.harder import HARD, make_harder
from evals.proofs.redaction_known.judging import left_over, touched, uncovered
from evals.proofs.redaction_known.places import PLACES
from evals.proofs.redaction_known.round_trip import Conversation
from evals.proofs.redaction_known.texts import Author, Plant, Text, told
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial
from redaction.redactor import Redactor

_TEXTS, _SAMPLE_TEXTS = 100_000, 1_000
_NUMBERS, _SAMPLE_NUMBERS = 10_000, 300
_ASIDES, _SAMPLE_ASIDES = 2_000, 100
_EACH = 50
"""Texts that are tried together as one case."""
_MOST_MASKED = 0.005
"""Of the company's own numbers, so few may be masked."""
_NEARLY_ALL = 0.99
_MOST_SHOWN = 700
_FORMS: Mapping[str, Sequence[str]] = {
    "column": (*PERSONAL, PEOPLE),
    "way": (),
    "dress": (PLAIN, *DRESSES),
    "place": (*PLACES,),
    "number": IDENTIFIERS,
    "aside": (*ASIDES,),
}
"""What is told of: forms of each sort that are to be there, also where none was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionTrial:
    """The opened suite. Values are looked for with what is known of the records alone: what only looks like a name
    helps no recall. The company's own numbers are shown to the whole redactor."""

    author: Author
    redactor: Redactor
    setting: Setting
    columns: Sequence[str]
    """What is wrong with the columns that the proof knows of."""
    cases: Sequence[str]

    async def run(self, case: str) -> Result:
        """Some texts of one sort, or the columns."""
        await asyncio.sleep(0)  # nothing else here waits for anything: a run is to be stoppable all the same
        sort, _, number = case.partition(" ")
        if sort == "columns":
            return Result(case=case, failures=tuple(self.columns), counts={"columns": 1})
        numbers = range(int(number) * _EACH, (int(number) + 1) * _EACH)
        if sort == "numbers":
            return self._numbers(case, numbers)
        return self._asides(case, numbers) if sort == "asides" else self._texts(case, numbers)

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal needs every form and every column, nearly no number masked, and a redactor that knows nothing to
        fail."""
        planted, unknown = counts.get("planted", 0), counts.get("planted_for_none_known", 0)
        numbers, masked = counts.get("numbers", 0), counts.get("numbers_masked", 0)
        blind = counts.get("missed_where_none_known", 0) >= _NEARLY_ALL * unknown > 0
        every = all(counts.get(f"{what} {name} tried", 0) for what in ("column", "place") for name in _FORMS[what])
        texts = sum(case.startswith("texts ") for case in self.cases) * _EACH
        every = every and (self.setting.sample or texts >= self.author.values)
        met = blind and every and counts.get("columns", 0) == 1 and masked < _MOST_MASKED * numbers
        more: dict[str, Json] = {
            "recall": _share(planted - counts.get("missed", 0), planted),
            "values": self.author.values,
            "each_value_planted_at_least": texts // self.author.values,
            "identifiers_masked_share": _share(masked, numbers),
            "missed_share_where_none_known": _share(counts.get("missed_where_none_known", 0), unknown),
            **{"not looked for" if what == "aside" else f"by_{what}": _table(counts, what) for what in _FORMS},
        }
        return Finding(met=met, more=more)

    def _texts(self, case: str, numbers: range) -> Result:
        """Texts with values in them, a few of each conversation."""
        counts: Counter[str] = Counter()
        failures: list[str] = []
        known = replace(self.redactor, others=())
        for random, number, conversation in self._conversations(case, numbers):
            text = self.author.text(random, number)
            finds = known.find(text.text)
            masked = conversation.mask(text.text, finds)
            shown, left = [*uncovered(text, finds)], [*left_over(text, masked)]
            counts.update({"planted": len(text.plants), "missed": len(shown), "characters": len(text.text)})
            counts.update(f"{each} tried" for each in told(text))
            counts.update(f"{each} missed" for each in told(Text(text.text, tuple(shown))))
            failures += [self._told(number, "is not wholly masked", plant, text) for plant in shown]
            failures += [
                self._told(number, "is left over", plant, text, masked) for plant in left if plant not in shown
            ]
            failures += [f"seed {self.setting.seed}, text {number}: {each}" for each in conversation.wrong()]
            if number % _EACH == 0:
                blind = [*uncovered(text, replace(known, known=()).find(text.text))]
                counts.update({"planted_for_none_known": len(text.plants), "missed_where_none_known": len(blind)})
        return Result(case=case, failures=tuple(failures), counts=dict(counts), tried=len(numbers))

    def _numbers(self, case: str, numbers: range) -> Result:
        """Texts with nothing but the company's own numbers."""
        counts: Counter[str] = Counter()
        failures: list[str] = []
        misses: list[str] = []
        for random, number, conversation in self._conversations(case, numbers):
            text = self.author.identifiers(random)
            finds = self.redactor.find(text.text)
            conversation.mask(text.text, finds)
            wrong = [*touched(text, finds)]
            counts.update({"numbers": len(text.plants), "numbers_masked": len(wrong)})
            for end, plants in (("tried", text.plants), ("missed", wrong)):
                counts.update(f"number {each} {end}" for plant in plants for each in (plant.value.column, plant.way))
            misses += [self._told(number, "is masked", plant, text) for plant in wrong]
            failures += [f"seed {self.setting.seed}, numbers {number}: {each}" for each in conversation.wrong()]
        return Result(
            case=case, failures=tuple(failures), misses=tuple(misses), counts=dict(counts), tried=len(numbers)
        )

    def _asides(self, case: str, numbers: range) -> Result:
        """What is not looked for by design, and how much of it is masked all the same."""
        counts: Counter[str] = Counter()
        known = replace(self.redactor, others=())
        for random, number, _ in self._conversations(case, numbers):
            name = [*ASIDES][number % len(ASIDES)]
            text = aside(name, self.author, random)
            if text is not None:
                missed = any(uncovered(text, known.find(text.text)))
                counts.update({f"aside {name} tried": 1, f"aside {name} missed": int(missed)})
        return Result(case=case, counts=dict(counts), tried=len(numbers))

    def _conversations(self, case: str, numbers: range) -> Iterator[tuple[Random, int, Conversation]]:
        """What draws each text, its number, and the conversation that it is said in."""
        conversation = Conversation()
        for number in numbers:
            random = Random(f"{self.setting.seed} {case} {number}")
            if random.random() < 0.4:
                conversation = Conversation()
            yield random, number, conversation

    def _told(self, number: int, what: str, plant: Plant, text: Text, masked: str = "") -> str:
        begin = max(0, plant.begin - _MOST_SHOWN // 2)
        return (
            f"seed {self.setting.seed}, text {number}: {text.text[plant.begin : plant.end]!r} of {plant.value.column} "
            f"({plant.value.text!r}; {plant.way}; {plant.dress}; {plant.place}) {what} in "
            f"{text.text[begin : plant.end + _MOST_SHOWN // 2]!r}" + (f": {masked[:_MOST_SHOWN]!r}" if masked else "")
        )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _table(counts: Mapping[str, int], what: str) -> dict[str, Json]:
    """Each form of one sort: how many were tried, and the share that was found."""
    tried = {key[len(what) + 1 : -6] for key in counts if key.startswith(f"{what} ") and key.endswith(" tried")}
    names = sorted(tried.union(_FORMS[what]))
    return {name: _line(counts, f"{what} {name}") for name in names}


def _line(counts: Mapping[str, int], key: str) -> Json:
    tried, missed = counts.get(f"{key} tried", 0), counts.get(f"{key} missed", 0)
    return {"tried": tried, "found": _share(tried - missed, tried)}


def _cases(*, sample: bool) -> list[str]:
    sizes = {
        "texts": _SAMPLE_TEXTS if sample else _TEXTS,
        "numbers": _SAMPLE_NUMBERS if sample else _NUMBERS,
        "asides": _SAMPLE_ASIDES if sample else _ASIDES,
    }
    return ["columns", *(f"{sort} {number}" for sort, size in sizes.items() for number in range(size // _EACH))]


@asynccontextmanager
async def open_trial(company: Company, setting: Setting) -> AsyncGenerator[RedactionTrial]:
    """The suite over a copy of the company, with harder values in some of its rows."""
    with company.clone() as database:
        with psycopg.connect(company.dsn(database)) as admin:
            make_harder(admin)
            admin.commit()
            values, identifiers = read_values(admin), read_identifiers(admin)
            columns = [*unclassified(admin), *unread_lookups(admin)]
        async with running(company, database, company.home / f"redaction-{database}") as runtime:
            yield RedactionTrial(
                author=Author(values, identifiers, HARD, setting.seed),
                redactor=await runtime.asking.pseudonyms.company.redactor(),
                setting=setting,
                columns=columns,
                cases=_cases(sample=setting.sample),
            )


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_company() as company, open_trial(company, setting) as trial:
        yield trial


REDACTION_KNOWN = Suite(
    name="redaction-known",
    goal="every value that comes from a column of the records is masked in 100,000 texts, however it is written there; "
    "fewer than 0.5% of the company's own numbers are; unmasking gives back each text exactly",
    open=_open,
)
"""The suite."""
