"""Builds records, measures and evidence for tests, typed as the semantic model types them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from copilot.answering.decide import Decider, Staleness, age_record
from copilot.answering.draft import Claim, Draft
from copilot.answering.verify import Finding
from copilot.domain.answer import Answer, Fact
from copilot.domain.evidence import Evidence, FieldType, Raw, Record, Value
from copilot.domain.plan import Choice, NoPlan, Plan, ReadAs
from copilot.domain.quantity import to_scaled
from copilot.policy.policy import load_policy
from copilot.retrieval.calendar import Calendar
from copilot.retrieval.measures import Context
from copilot.semantic.measures import load_measures
from copilot.semantic.model import load_model
from copilot.understanding.kinds import load_kinds, make_plan
from prompts.template import ClaimTemplate, Slot

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
"""A Wednesday."""
SITE = 5
"""The site of every record that names no other; it works from Monday to Friday."""
_SCALED = ("quantity", "amount", "ratio", "days")


def record(
    entity: str,
    ref: str = "S1",
    *,
    row: int = 1,
    system: str = "ERP",
    label_site: int = SITE,
    time_zone: str = "UTC",
    confirmed_at: datetime = NOW,
    **fields: Any,
) -> Record:
    """One row of an entity; figures are given as people write them, units and currencies by their own fields."""
    spec = load_model()[entity].fields
    assert set(fields) <= set(spec), f"{entity} has no {set(fields) - set(spec)}"
    values = {
        name: _value(field.type, fields.get(name), fields.get(field.unit_field or "")) for name, field in spec.items()
    }
    return _record("record", entity, ref, row, system, label_site, time_zone, confirmed_at, values)


def measure(name: str, ref: str = "M1", *, inputs: Sequence[str] = (), time_zone: str = "UTC", **fields: Any) -> Record:
    """One computed record of a measure."""
    spec = load_measures()[name].fields
    assert set(fields) <= set(spec), f"{name} has no {set(fields) - set(spec)}"
    values = {
        key: _value(field.type, fields.get(key), fields.get(field.unit_field or "") if field.unit_field else field.unit)
        for key, field in spec.items()
    }
    return _record("measure", name, ref, 0, "ERP", SITE, time_zone, NOW, values, tuple(inputs))


def bare(*, time_zone: str = "UTC", ref: str = "S1", **values: Value) -> Record:
    """A record that holds just these values."""
    return _record("record", "item", ref, 1, "ERP", SITE, time_zone, NOW, values)


def evidence(
    *, truncated: Sequence[str] = (), refused: Sequence[str] = (), **steps: Record | Sequence[Record]
) -> Evidence:
    """What the steps found; one record may stand for a list of one."""
    found = {name: (those,) if isinstance(those, Record) else tuple(those) for name, those in steps.items()}
    return Evidence(steps=found, truncated=frozenset(truncated), refused=frozenset(refused))


def context(
    *,
    complete: bool = True,
    calendars: Mapping[int, Calendar] | None = None,
    now: datetime = NOW,
    keepers: Mapping[int, frozenset[str]] | None = None,
) -> Context:
    """An ERP, a warehouse system added after it, and one site open from Monday to Friday."""
    week = {SITE: Calendar("UTC", "12345", frozenset())}
    purposes = {"ERP": "erp", "WMS": "wms", "Shop": "commerce", "Old ERP": "erp"}
    return Context(
        now=now, policy=load_policy(), calendars=calendars or week, purposes=purposes, complete=complete,
        keepers=keepers or {},
    )  # fmt: skip


def own_words(claim: Claim) -> Mapping[str, ClaimTemplate]:
    """A template that says just what a claim says, as if two people had approved its words."""
    literals: list[str] = []
    rest = claim.text
    for fact in claim.facts:
        before, _, rest = rest.partition(fact.text) if fact.text else (rest, "", "")
        literals.append(before)
    records = {record: slot for slot, record in claim.slots.items()}
    refs = [fact.ref.partition(".") for fact in claim.facts]
    slots = tuple(Slot(records.get(record, record), field) for record, _, field in refs)
    return {claim.name: ClaimTemplate(claim.name, (*literals, rest), slots)}


def scaled(number: Decimal | int | str) -> int:
    """A figure as stored."""
    return to_scaled(number)


def day(text: str) -> date:
    """A date written 2026-11-18."""
    return date.fromisoformat(text)


def _value(kind: FieldType, given: Any, unit: Any) -> Value:
    raw: Raw = to_scaled(given) if kind in _SCALED and given is not None else given
    return Value(kind, raw, unit)


def _record(  # noqa: PLR0917 -- two callers, a line above
    kind: Any,
    entity: str,
    ref: str,
    row: int,
    system: str,
    site: int,
    time_zone: str,
    confirmed_at: datetime,
    values: Mapping[str, Value],
    inputs: tuple[str, ...] = (),
) -> Record:
    return Record(
        id=ref, kind=kind, entity=entity, row_id=row, system=system, company="1", key=f"{entity}/{row}", version=NOW,
        labels=(0, site, 0, 0), time_zone=time_zone, values=values, changed_at=None, confirmed_at=confirmed_at,
        inputs=inputs,
    )  # fmt: skip


def plan_for(kind: str = "order_status", *, echo: str = "S00024", unused: tuple[str, ...] = ()) -> Plan:
    """A plan of a shipped kind about records that nobody looks up."""
    known = load_kinds()[kind]
    return make_plan(known, dict.fromkeys(known.required, (1,)), echo=echo, unused=unused)


def every_decision(decider: Decider) -> list[Answer]:
    """One answer by each way that leads to one."""
    order = record("sales_order", number="S00024", status="confirmed")
    fact = Fact(ref="S1.number", value="S00024", unit=None, text="S00024")
    said = Claim(name="order_headline", text="Order S00024.", facts=(fact,))
    other = Claim(name="order_promised_open", text="Promised.", facts=(fact,))
    found, whole = evidence(order=order), Draft(claims=(said, other), complete=True)
    corrected = Draft(claims=(replace(said, declines=True),), complete=True)
    wrong = Finding("order_headline", "text_differs", "S1.number")
    both = (wrong, Finding("order_promised_open", "text_differs", "S1.number"))
    acme = evidence(
        order=order,
        customer=record("customer", "S2", row=9, number="C-1", name="Acme"),
        site=record("site", "S3", row=4, name="Reno"),
        supplier=record("supplier", "S5", row=6, name="Acme Ltd."),
    )
    slips = [
        ReadAs(typed="acmee", entity=e, id=i, label="Acme") for e, i in (("customer", 9), ("site", 4), ("item", 1))
    ]
    stale = Staleness(since=age_record(NOW, "Europe/Berlin"))
    return [
        decider.answer(plan_for(), found, whole, (), Staleness(), NOW),
        decider.answer(plan_for(unused=("perhaps",)), found, whole, (), Staleness(), NOW),
        decider.answer(plan_for(), found, whole, (), stale, NOW),
        *(decider.answer(replace(plan_for(), read_as=(slip,)), acme, whole, (), Staleness(), NOW) for slip in slips),
        decider.answer(plan_for(), found, whole, (), Staleness(changed=True), NOW),
        decider.answer(plan_for(), found, corrected, (), Staleness(), NOW),
        decider.answer(plan_for(), found, whole, (wrong,), Staleness(), NOW),
        decider.answer(plan_for(), found, whole, both, Staleness(), NOW),
        decider.answer(plan_for(), found, Draft(claims=(), complete=False), (), Staleness(), NOW),
        decider.answer(
            plan_for(),
            evidence(order=order, truncated=["order"]),
            Draft(claims=(), complete=False),
            (),
            Staleness(),
            NOW,
        ),
        *(
            decider.answer(asked, acme, Draft(claims=(), complete=False), (), Staleness(), NOW)
            for asked in (
                replace(plan_for(), references={entity: (row,)})
                for entity, row in (("sales_order", 1), ("customer", 9), ("supplier", 6), ("item", 7))
            )
        ),
        decider.answer(plan_for(echo=""), evidence(), Draft(claims=(), complete=False), (), Staleness(), NOW),
        *(
            decider.decline(NoPlan(reason="ambiguous", echo="acme", choices=choices), NOW)
            for choices in ((), (Choice(label="a", question="a"),), (Choice(label="a", question="a"),) * 2)
        ),
        decider.decline(NoPlan(reason="ambiguous"), NOW),
        decider.decline(NoPlan(reason="not_found", echo="S99999"), NOW),
        decider.decline(NoPlan(reason="not_found"), NOW),
        decider.decline(NoPlan(reason="unsupported", unknown_words=("weather",)), NOW),
        decider.decline(NoPlan(reason="unsupported"), NOW),
        decider.no_access(),
    ]
