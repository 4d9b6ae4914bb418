"""Builds records, measures and evidence for tests, typed as the semantic model types them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from copilot.domain.evidence import Evidence, FieldType, Raw, Record, Value
from copilot.domain.quantity import to_scaled
from copilot.retrieval.calendar import Calendar
from copilot.retrieval.measures import Context
from copilot.semantic.measures import load_measures
from copilot.semantic.model import load_model

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
        key: _value(
            field.type, fields.get(key), fields.get(field.unit_field or "") if field.unit_field else field.unit
        )
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
    *, complete: bool = True, calendars: Mapping[int, Calendar] | None = None, now: datetime = NOW
) -> Context:
    """Two systems, of which the ERP governs, and one site open from Monday to Friday."""
    week = {SITE: Calendar("UTC", "12345", frozenset())}
    return Context(now=now, calendars=calendars or week, source_order=["ERP", "WMS"], complete=complete)


def scaled(number: Decimal | int | str) -> int:
    """A figure as stored."""
    return to_scaled(number)


def day(text: str) -> date:
    """A date written 2026-11-18."""
    return date.fromisoformat(text)


def _value(kind: FieldType, given: Any, unit: Any) -> Value:
    raw: Raw = to_scaled(given) if kind in _SCALED and given is not None else given
    return Value(kind, raw, unit)


def _record(
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
        site_id=site, time_zone=time_zone, values=values, changed_at=None, confirmed_at=confirmed_at, inputs=inputs,
    )  # fmt: skip
