"""What a permitted question must be answered with, out of the owner's rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from copilot.domain.json import Json
from copilot.semantic.model import Field, SemanticModel
from evals.proofs.oracle import Row, read_baseline
from evals.proofs.walk import Found

SCALED = ("quantity", "amount", "ratio", "days")
Fact = tuple[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Steps that must find something, steps that must be allowed, and (step, field) pairs that must be facts."""

    needs: tuple[str, ...]
    reads: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


@cache
def load_expectations() -> Mapping[str, Expectation]:
    """Kind -> what its answers must hold."""
    body: dict[str, dict[str, list[str]]] = yaml.safe_load((files("evals.proofs") / "expected.yaml").read_text())
    return {
        kind: Expectation(
            needs=tuple(entry["needs"]),
            reads=tuple(entry.get("reads", ())),
            facts=tuple((step, name) for step, _, name in (fact.partition(".") for fact in entry["facts"])),
        )
        for kind, entry in body.items()
    }


def permitted(expectation: Expectation, steps: Mapping[str, Found]) -> bool:
    """Whether somebody for whom the steps find this should get an answer."""
    return all(steps[name].rows for name in expectation.needs) and not any(
        steps[name].refused for name in expectation.reads
    )


def key_facts(expectation: Expectation, steps: Mapping[str, Found], model: SemanticModel) -> Iterator[Fact]:
    """The facts that must be there, as (field, value) in the wire form."""
    for step, name in expectation.facts:
        found = steps[step]
        for row in found.rows:
            value = wire(model[found.entity].fields[name], row)
            if value is not None and value != "":
                yield name, value


def stock_facts(steps: Mapping[str, Found], purposes: Mapping[int, str]) -> Iterator[Fact]:
    """The total on hand of an item: per site as the system has it whose kind the policy names first, of two of a kind
    the one added first. Nothing where units differ."""
    order = read_baseline()["stock_governed_by"]["on_hand"]
    counted = [row for row in steps["stock"].rows if row["on_hand"] is not None]
    governing: dict[int, tuple[int, int]] = {}
    for row in counted:
        rank = order.index(purposes[row["source_id"]]), row["source_id"]
        governing[row["site_id"]] = min(rank, governing.get(row["site_id"], rank))
    rows = [row for row in counted if row["source_id"] == governing[row["site_id"]][1]]
    if len({row["unit"] for row in rows}) == 1:
        yield "on_hand", plain(sum(row["on_hand"] for row in rows))


def said(answer: Mapping[str, Json]) -> set[Fact]:
    """(field, value) of every fact of an answer in its wire form."""
    facts: Any = answer["facts"]
    return {(str(fact["ref"]).partition(".")[2], fact["value"]) for fact in facts}


def missing(wanted: Sequence[Fact], answer: Mapping[str, Json]) -> list[Fact]:
    """The facts that an answer lacks."""
    there = said(answer)
    return [fact for fact in wanted if fact not in there]


def wire(spec: Field, row: Row) -> Json:
    """A stored value as a fact carries it."""
    value = row[spec.column]
    if value is None or (spec.unit_field and row[spec.unit_field] is None):
        return None
    if spec.type in SCALED:
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value


def plain(scaled: int) -> str:
    """A scaled integer as exact decimal text without needless zeros."""
    text = format(Decimal(scaled) / 1_000_000, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
