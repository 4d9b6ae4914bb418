"""Steps of question kinds that are about all that a person may see, or about all at a place, in a time to come.

late: {list: sales_order, where: {is: [late]}, at: [site, customer], order: [promised_date], limit: 3}
                                   records of an entity; `where` as segments.yaml has it, `at` what narrows it where the
                                   question names such a record
late_count: {count: sales_order, noun: open order, where: {is: [late]}, at: [site, customer]}
                                   how many there are of them, whatever a list shows; `noun` is what they are counted in
due: {list: …, during: promised_date}
                                   with a date in the time asked about
low: {list: availability, lasts: days_of_supply}
                                   with less days than the time asked about has from today on
lacking: {survey: short_line, reads: [sales_order_line, atp_bucket], limit: 5}
                                   what a named statement finds, as records of that measure
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from copilot.domain.plan import Figures, Listing, Period, Step, Survey
from copilot.domain.quantity import SCALE
from copilot.domain.query import Compare, Condition, Figure, Function, Is, Order, Query
from copilot.errors import ModelDefinitionError
from copilot.semantic.conditions import conditions
from copilot.semantic.definitions import RECORD_COUNT
from copilot.semantic.model import load_model
from copilot.semantic.ways import way
from copilot.understanding.time.spans import zone_of

_KINDS = ("list", "count", "survey")
_FEW = 3
References = Mapping[str, tuple[int, ...]]


def is_scoped(body: Mapping[str, Any]) -> bool:
    """Whether a step is one of these."""
    return any(key in body for key in _KINDS)


def make_scoped(name: str, body: Mapping[str, Any], references: References, period: Period | None) -> Step:
    """One step from its YAML. Raises ModelDefinitionError for one that can't be narrowed down as it says."""
    if "survey" in body:
        since, until = days_of(period)
        return Survey(
            name=name, measure=body["survey"], reads=tuple(body["reads"]), since=since, until=until,
            sites=references.get("site", ()), regions=references.get("region", ()),
            customers=references.get("customer", ()), limit=body.get("limit", _FEW),
        )  # fmt: skip
    entity = str(body["list"] if "list" in body else body["count"])
    where = tuple(_where(entity, body, references, period))
    if "count" in body:
        figure = Figure(name="count", function=Function.COUNT)
        noun = str(body.get("noun") or load_model()[entity].title)
        query = Query(entity=entity, where=where, figures=(figure,))
        return Figures(name=name, query=query, measure=RECORD_COUNT, title=noun, noun=noun, unit=noun)
    order = tuple(Order(tuple(by.removeprefix("-").split(".")), by.startswith("-")) for by in body.get("order", ()))
    query = Query(entity=entity, where=where, order=order, limit=body.get("limit", _FEW))
    return Listing(name=name, query=query, probe=True)


def days_of(period: Period | None) -> tuple[date, date]:
    """The first day of a time to come and the first one behind it. Raises ModelDefinitionError without such a time."""
    if period is None or period.since is None or period.until is None:
        raise ModelDefinitionError("a step about a time to come needs one with a beginning and an end")
    zone = zone_of(period.time_zone)
    return period.since.astimezone(zone).date(), period.until.astimezone(zone).date()


def _where(entity: str, body: Mapping[str, Any], references: References, period: Period | None) -> Iterator[Condition]:
    yield from conditions(entity, body.get("where", {}))
    if "during" in body:
        since, until = days_of(period)
        path = tuple(str(body["during"]).split("."))
        yield Compare(path, Is.AT_LEAST, since)
        yield Compare(path, Is.LESS, until)
    if "lasts" in body:
        since, until = days_of(period)
        yield Compare(tuple(str(body["lasts"]).split(".")), Is.LESS, (until - since) // timedelta(days=1) * SCALE)
    for named in body.get("at", ()):
        found = way(entity, named)
        if found is None:
            raise ModelDefinitionError(f"there is no way from {entity!r} to {named!r}")
        if named in references:
            yield found.condition(references[named])
