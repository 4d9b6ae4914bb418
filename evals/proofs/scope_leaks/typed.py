"""Cases that are typed: a text about some record or none, and what a right answer has to tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from copilot.domain.evidence import Evidence, Value
from copilot.domain.json import Json
from copilot.domain.plan import NoPlan, Plan
from copilot.understanding.kinds import load_kinds
from evals.proofs.expected import SCALED, Fact, key_facts, load_expectations, permitted, plain, said, stock_facts, wire
from evals.proofs.oracle import Row
from evals.proofs.scope_leaks.sight import HIDDEN, MISSING, PERMITTED, Sight
from evals.proofs.walk import Walk

_FAMILIES = {"point": 40, "field": 14, "count": 18, "latest": 6, "top": 4, "near": 10, "bad": 8}
_HOW = {PERMITTED: 0.5, HIDDEN: 0.38, MISSING: 0.12}
_PARTNERS = ("customer", "supplier")
_STRANGERS = ("Quandil Hydraulics", "Obervelt Armaturen", "Tessamine Freight", "Bramhurst Castings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came back: the verdict, every fact as (field, value), what was offered to choose from."""

    verdict: str
    reason: str | None
    facts: frozenset[Fact]
    choices: tuple[str, ...] = ()
    names: str = ""
    """A text in which the records that were understood are named."""

    def holds(self, value: Json) -> bool:
        """Whether a value is told, as whatever field."""
        return any(told == value for _, told in self.facts)


Right = Callable[[Told], str | None]
"""What is wrong with what came back; None where it is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A text, how the record that it is about stands to who asks, and what is right; None where it is not permitted."""

    family: str
    how: str
    text: str
    right: Right | None = None
    kind: str = ""
    references: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])


@cache
def wordings() -> Mapping[str, Any]:
    """What people type."""
    return yaml.safe_load((files("evals.proofs.scope_leaks") / "wordings.yaml").read_text())


@dataclass(frozen=True)
class Typing:
    """Draws such cases for one person."""

    sight: Sight

    def case(self, draw: Random) -> Typed:
        """One case."""
        family = draw.choices([*_FAMILIES], [*_FAMILIES.values()])[0]
        ways: Mapping[str, Callable[[Random], Typed | None]] = {
            "point": self.point, "field": self._field, "count": self._count, "latest": self._latest, "top": self._top,
            "near": self._near, "bad": self._bad,
        }  # fmt: skip
        return ways[family](draw) or self.point(draw)

    def point(self, draw: Random, wanted: Mapping[str, float] = _HOW, entity: str = "") -> Typed:
        """A record by its number or name."""
        entries = [each for each in wordings()["point"] if entity in ("", each["entity"])]
        entry = draw.choice(entries)
        how, row, name = self._named(entry["entity"], draw, wanted)
        references = {entry["entity"]: (int(row["id"]),)} if row else {}
        right = (
            self._tells(entry["kind"], references) if how == PERMITTED and self._alone(entry["entity"], name) else None
        )
        return Typed(
            family="point", how=how, text=draw.choice(entry["say"]).replace("{}", name), right=right,
            kind=entry["kind"], references=references,
        )  # fmt: skip

    def value(self, entity: str, name: str, row: Row | None) -> Right | None:
        """A field of a record has to be told; None where this person may not, or there is nothing to tell."""
        value = wire(self.sight.world.model[entity].fields[name], row) if row and self.sight.sees(row) else None
        if value in (None, ""):
            return None
        return lambda told: None if told.holds(value) else f"{value!r} is not told"

    def _field(self, draw: Random) -> Typed:
        entry = draw.choice(wordings()["field"])
        how, row, name = self._named(entry["entity"], draw, _HOW)
        alone = how == PERMITTED and self._alone(entry["entity"], name)
        alone = alone and all((row or {})[code] in those for code, those in entry.get("where", {}).items())
        right = self.value(entry["entity"], entry["field"], row) if alone else None
        return Typed(family="field", how=how, text=draw.choice(entry["say"]).replace("{}", name), right=right)

    def _count(self, draw: Random) -> Typed:
        """How many there are, of all or of those of one record."""
        entry = draw.choice(wordings()["count"])
        of = draw.choice([each for each in entry if each not in ("entity", "where")])
        rows, how, name = self._of(entry["entity"], of, draw)
        count = sum(all(row[code] in those for code, those in entry["where"].items()) for row in rows)
        may = how == PERMITTED and self._reads(entry["entity"])

        def right(told: Told) -> str | None:
            if not count:
                return None if told.verdict != "declined" or told.reason == "not_found" else f"declined: {told.reason}"
            return None if told.holds(count) else f"{count} is not told"

        text = draw.choice(entry[of]).replace("{}", name)
        return Typed(family="count", how=how, text=text, right=right if may else None)

    def _latest(self, draw: Random) -> Typed:
        """The newest records of one."""
        entry, most = draw.choice(wordings()["latest"]), draw.choice((2, 3, 5))
        rows, how, name = self._of(entry["entity"], entry["of"], draw)
        dated = sorted((row for row in rows if row[entry["date"]]), key=lambda row: row[entry["date"]], reverse=True)
        first = dated[:most]
        may_be = {row["number"] for row in dated if first and row[entry["date"]] >= first[-1][entry["date"]]}

        def right(told: Told) -> str | None:
            numbers = {str(value) for key, value in told.facts if key == "number"} & {row["number"] for row in rows}
            return None if len(numbers) == len(first) and numbers <= may_be else f"told are {sorted(numbers)}"

        text = draw.choice(entry["say"]).replace("{n}", str(most)).replace("{}", name)
        may = how == PERMITTED and bool(first) and self._reads(entry["entity"])
        return Typed(family="latest", how=how, text=text, right=right if may else None)

    def _top(self, draw: Random) -> Typed:
        """Who has most."""
        entry, most = draw.choice(wordings()["top"]), draw.choice((1, 3, 5))
        rows = self.sight.visible(entry["entity"])
        by = self.sight.world.model[entry["entity"]].fields[entry["by"]]
        rows = [row for row in rows if self.sight.sees(self.sight.world.rows[entry["by"]][row[by.column]])]
        counts = Counter(row[by.column] for row in rows)
        must = sorted(counts.values(), reverse=True)[:most]

        def right(told: Told) -> str | None:
            lacking = [count for count in must if not told.holds(count)]
            return f"{lacking} are not told" if lacking else None

        text = draw.choice(entry["say"]).replace("{n}", str(most))
        may = bool(must) and self._reads(entry["entity"])
        return Typed(family="top", how=PERMITTED, text=text, right=right if may else None)

    def _near(self, draw: Random) -> Typed:
        """A name with a slip in it: read as the name, or the name is offered."""
        entity = draw.choice([*wordings()["near"]])
        how, _, name = self._named(entity, draw, {PERMITTED: 0.4, HIDDEN: 0.6})
        text = draw.choice(wordings()["near"][entity]).replace("{}", slipped(name, draw))

        def right(told: Told) -> str | None:
            offered = any(name in choice for choice in told.choices)
            return (
                None if offered or told.holds(name) or name in told.names else f"{name!r} is neither told nor offered"
            )

        may = how == PERMITTED and self._alone(entity, name)
        return Typed(family="near", how=how, text=text, right=right if may else None)

    def _bad(self, draw: Random) -> Typed:
        entity = draw.choice(("sales_order", "invoice", "purchase_order", "customer", "service_case"))
        how, _, name = self._named(entity, draw, {PERMITTED: 0.3, HIDDEN: 0.7})
        return Typed(family="bad", how=how, text=draw.choice(wordings()["bad"]).replace("{}", name))

    def _named(self, entity: str, draw: Random, wanted: Mapping[str, float]) -> tuple[str, Row | None, str]:
        """How a record stands to this person, its row, and what it is called."""
        how, _, row = self.sight.drawn(entity, draw, wanted)
        called = called_by(entity)
        if row is not None and row[called]:
            return how, row, str(row[called])
        rows = [*self.sight.world.rows[entity].values()]
        return MISSING, None, self._invented(str(draw.choice(rows)[called]), draw) if rows else "X-1"

    def _invented(self, like: str, draw: Random) -> str:
        """A number or name that never was."""
        if not any(letter.isdigit() for letter in like):
            return draw.choice(_STRANGERS)
        for _ in range(100):
            text = "".join(draw.choice("0123456789") if letter.isdigit() else letter for letter in like)
            if text.upper().replace("-", "") not in self.sight.world.keys:
                return text
        return like + "9999"

    def _alone(self, entity: str, name: str) -> bool:
        """Whether the name is that of one record that this person may see, and of no other: nor is it that of a
        supplier who buys as well, of whom it would be asked which is meant."""
        alike = _PARTNERS if entity in _PARTNERS else (entity,)
        rows = (row for each in alike for row in self.sight.world.where(each, called_by(each), [name]))
        return sum(self.sight.sees(row) for row in rows) == 1

    def _of(self, entity: str, of: str, draw: Random) -> tuple[Sequence[Row], str, str]:
        """The visible rows of all, or of those that a record is of; how that stands, and what it is called."""
        if of == "all":
            return self.sight.visible(entity), PERMITTED, ""
        how, row, name = self._named(of, draw, _HOW)
        if row is None:
            return (), how, name
        how = how if self._alone(of, name) or how != PERMITTED else HIDDEN
        if of == "region":
            return [each for each in self.sight.visible(entity) if each["label_region"] == row["id"]], how, name
        rows = self.sight.world.where(entity, "label_account" if of == "customer" else f"{of}_id", [row["id"]])
        return [each for each in rows if self.sight.sees(each)], how, name

    def _reads(self, entity: str) -> bool:
        return self.sight.world.model[entity].record_class in self.sight.actor.all_classes

    def _tells(self, kind: str, references: Mapping[str, tuple[int, ...]]) -> Right | None:
        """The key facts of a kind; None where this person may not have them."""
        steps = Walk(self.sight.world, load_kinds()[kind], references, self.sight.actor).steps()
        if not permitted(load_expectations()[kind], steps):
            return None
        wanted = [*key_facts(load_expectations()[kind], steps, self.sight.world.model)]
        wanted += stock_facts(steps, self.sight.world.purposes) if kind == "item_stock" else []

        def right(told: Told) -> str | None:
            lacking = [fact for fact in wanted if fact not in told.facts]
            if told.verdict == "declined" and told.reason != "wrong_premise":
                return f"declined: {told.reason}"
            return f"lacks {lacking[:3]}" if lacking else None

        return right


def called_by(entity: str) -> str:
    """The field by which people call a record."""
    return {"customer": "name", "supplier": "name", "region": "name", "site": "name"}.get(entity, "number")


def slipped(name: str, draw: Random) -> str:
    """A name with two letters swapped, one left out or one typed twice, in its longest word."""
    word = max(name.split(), key=len)
    place = draw.randrange(1, max(2, len(word) - 1))
    forms = (
        word[:place] + word[place + 1 : place + 2] + word[place : place + 1] + word[place + 2 :],
        word[:place] + word[place + 1 :],
        word[:place] + word[place : place + 1] + word[place:],
    )
    return name.replace(word, draw.choice(forms), 1)


def told_by(answer: Mapping[str, Any]) -> Told:
    """What an answer in its wire form tells."""
    choices = tuple(f"{choice['label']} {choice['question']}" for choice in answer["choices"])
    return Told(
        verdict=answer["verdict"], reason=answer["reason"], facts=frozenset(said(answer)), choices=choices,
        names=str(answer["answer"]).replace("\\", ""),
    )  # fmt: skip


def told_of(plan: Plan | NoPlan | None, evidence: Evidence) -> Told:
    """What evidence would tell; what was not planned is declined."""
    if plan is None:
        return Told(verdict="declined", reason="no_access", facts=frozenset())
    if isinstance(plan, NoPlan):
        choices = tuple(f"{choice.label} {choice.question}" for choice in plan.choices)
        return Told(verdict="declined", reason=plan.reason, facts=frozenset(), choices=choices)
    names = " ".join((plan.understood, *(read.label for read in plan.read_as)))
    return Told(verdict="verified", reason=None, facts=frozenset(_facts(evidence)), names=names)


def _facts(evidence: Evidence) -> Iterator[Fact]:
    for records in evidence.steps.values():
        for record in records:
            for name, value in record.values.items():
                yield name, _wired(value)


def _wired(value: Value) -> Json:
    raw = value.raw
    if value.type in SCALED and isinstance(raw, int):
        return plain(raw)
    return raw if raw is None or isinstance(raw, str | int | bool) else raw.isoformat()
