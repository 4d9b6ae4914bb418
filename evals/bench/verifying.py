"""What reading a draft costs, and how that grows with the evidence: an order with ever more lines, each line told."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from time import process_time

from copilot.answering.draft import Claim, Draft, Templates, render
from copilot.answering.verify import verify
from copilot.domain.evidence import Evidence, Record, Value
from copilot.domain.plan import Plan
from copilot.semantic.measures import load_measures
from copilot.semantic.model import load_model
from copilot.understanding.kinds import load_kinds, make_plan
from evals.bench.figure import Figure, middle
from prompts.template import load_approved

_SIZES = (10, 100, 1_000, 10_000)
_USUAL, _MOST_MS = _SIZES[0], 2.0
"""Lines of a usual order, and what reading its answer may take."""
_WARM_UP, _ROUNDS = 2, 7
_EXPONENT = 1.1
_NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
_ORDER, _CUSTOMER = 1, 2
_SCALE = 1_000_000


@dataclass(frozen=True, slots=True)
class _Read:
    """A draft with what it is read against."""

    draft: Draft
    evidence: Evidence
    plan: Plan
    templates: Templates

    def seconds(self) -> float:
        """The processor's seconds that reading it takes, which waits for nothing. Raises RuntimeError for a finding:
        all of it is true."""
        begun = process_time()
        findings = verify(self.draft, self.evidence, self.plan, self.templates)
        seconds = process_time() - begun
        if findings:
            raise RuntimeError(f"a true draft of {len(self.draft.claims)} claims was rejected: {findings[0]}")
        return seconds


async def measure_verifying(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """The median for each size, read in turns, the first of them a usual answer; and the exponent of the growth from
    the smallest to the largest, of the quickest rounds: those that the rest of the machine disturbed least."""
    templates = load_approved()
    reads = [_lines_told(size, templates) for size in _SIZES]
    times: list[list[float]] = [[] for _ in reads]
    for number in range(_WARM_UP + _ROUNDS):
        say(f"round {number + 1} of {_WARM_UP + _ROUNDS}")
        for read, taken in zip(reads, times, strict=True):
            seconds = read.seconds()
            if number >= _WARM_UP:
                taken.append(seconds)
    for size, read, taken in zip(_SIZES, reads, times, strict=True):
        name = f"reading {len(read.draft.claims):,} claims against {len(read.evidence.by_id()):,} records"
        goal = _MOST_MS if size == _USUAL else None
        yield Figure(name=name, value=middle(taken) * 1000, unit="ms", goal=goal)
    exponent = math.log(min(times[-1]) / min(times[0])) / math.log(_SIZES[-1] / _SIZES[0])
    name = f"reading a draft, growth over {_SIZES[-1] // _SIZES[0]:,} times the lines"
    yield Figure(name=name, value=exponent, unit="exponent", goal=_EXPONENT)


def _lines_told(size: int, templates: Templates) -> _Read:
    """An order of so many lines of as many items, and what is said of each."""
    order = _record("sales_order", "S1", _ORDER, number="SO-1", status="confirmed", customer=_CUSTOMER)
    customer = _record("customer", "S2", _CUSTOMER, name="Summit Supply")
    items = [_record("item", f"S{n + 3}", n, name=f"Part {n}", number=f"P-{n}") for n in range(size)]
    lines = [_line(n, f"S{n + 3 + size}") for n in range(size)]
    count = _count(size)
    evidence = Evidence(steps={
        "order": (order,), "customer": (customer,), "lines": (*lines,), "items": (*items,), "count": (count,),
    })  # fmt: skip
    made = [
        render(templates["order_lines_headline"], {"order": order, "customer": customer, "count": count}),
        *(
            render(templates["line_open_promised"], {"line": line, "item": item})
            for line, item in zip(lines, items, strict=True)
        ),
    ]
    claims: list[Claim] = [claim for claim in made if claim]
    plan = make_plan(load_kinds()["order_lines"], {"sales_order": (_ORDER,)})
    return _Read(Draft(claims=(*claims,), complete=True), evidence, plan, templates)


def _line(number: int, ref: str) -> Record:
    told = _record(
        "sales_order_line", ref, number, order=_ORDER, item=number, line_number=number + 1, status="open",
        promised_date=date(2026, 11, 23) + timedelta(days=number % 28),
    )  # fmt: skip
    quantity, none = Value("quantity", (number + 1) * _SCALE, "pcs"), Value("quantity", 0, "pcs")
    values = {"ordered_quantity": quantity, "shipped_quantity": none, "open_quantity": quantity}
    return replace(told, values={**told.values, **values})


def _count(lines: int) -> Record:
    fields = load_measures()["line_count"].fields
    values = {"lines": lines, "open_lines": lines, "complete": True}
    told = {name: Value(spec.type, values.get(name), spec.unit) for name, spec in fields.items()}
    return replace(_record("sales_order", "M1", 0), kind="measure", entity="line_count", values=told, inputs=("S1",))


def _record(entity: str, ref: str, row: int, **fields: str | int | date) -> Record:
    values = {name: Value(spec.type, fields.get(name)) for name, spec in load_model()[entity].fields.items()}
    return Record(
        id=ref, kind="record", entity=entity, row_id=row, system="ERP", company="1", key=f"{entity}/{row}",
        version=_NOW, time_zone="UTC", values=values, changed_at=None, confirmed_at=_NOW,
    )  # fmt: skip
