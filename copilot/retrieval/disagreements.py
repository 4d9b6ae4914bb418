"""Lists where the systems disagree about stock, over all the items that a scope reaches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from copilot.domain.claims import Outline
from copilot.domain.evidence import Evidence, Record
from copilot.domain.plan import Computation, Filter, Operator, Plan, RecordQuery, StepField
from copilot.domain.scope import Scope
from copilot.errors import DatabaseError, SourceConfigError
from copilot.store.pool import Database
from copilot.store.queries import query

MEASURES = ("stock_difference", "stock_incomparable", "stock_absent")
_ITEMS = 200
"""Items read at a time."""
_ROWS = 100_000
"""Records of stock that these may have."""

Find = Callable[[Plan], Awaitable[Evidence]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two systems that say different things of an item at a site: `record` is one of MEASURES."""

    item: Record
    site: Record
    record: Record


async def disagreements(
    database: Database, scope: Scope, find: Find, *, site: str | None = None
) -> AsyncGenerator[Disagreement]:
    """Every disagreement in scope by item and site, at one site where its code is given.

    Raises SourceConfigError for a code that no site in scope has.
    """
    async with database.scoped_transaction(scope) as connection:
        place = None
        if site is not None:
            row = await (await connection.execute(query("site_by_code"), {"code": site})).fetchone()
            if row is None:
                raise SourceConfigError(f"there is no site {site!r} among those you may see")
            place = row["id"]
        rows = await (await connection.execute(query("stock_in_question"), {"site": place})).fetchall()
    items = [row["item_id"] for row in rows]
    for start in range(0, len(items), _ITEMS):
        evidence = await find(_plan(tuple(items[start : start + _ITEMS]), place))
        if evidence.truncated:
            raise DatabaseError(f"{_ITEMS} items have more than {_ROWS} records of stock, which can't be compared")
        for each in _found(evidence):
            yield each


def _plan(items: tuple[int, ...], site: int | None) -> Plan:
    """What of these items is compared, with what it takes to name it."""
    of_items, there = Filter("item", Operator.IN, items), Filter("site", Operator.EQUAL, site)
    stock = (of_items,) if site is None else (of_items, there)
    queries = (
        RecordQuery(name="items", entity="item", where=(Filter("id", Operator.IN, items),), limit=_ITEMS),
        RecordQuery(name="stock", entity="stock", where=stock, limit=_ROWS),
        RecordQuery(name="units", entity="item_unit", where=(of_items,), limit=_ROWS),
        RecordQuery(
            name="sites", entity="site", where=(Filter("id", Operator.IN, StepField("stock", "site")),), limit=_ROWS
        ),
    )
    computed = tuple(Computation(name=name, measure=name, inputs=("stock", "units")) for name in MEASURES)
    return Plan(kind="stock_disagreements", references={}, steps=(*queries, *computed), outline=Outline(groups=()))


def _found(evidence: Evidence) -> Iterator[Disagreement]:
    items = {record.row_id: record for record in evidence.get("items")}
    sites = {record.row_id: record for record in evidence.get("sites")}
    found = [record for name in MEASURES for record in evidence.get(name)]
    named = ((items.get(_id(each, "item")), sites.get(_id(each, "site")), each) for each in found)
    known = [Disagreement(item=item, site=site, record=each) for item, site, each in named if item and site]
    yield from sorted(known, key=lambda each: (str(each.item.raw("number")), str(each.site.raw("code"))))


def _id(record: Record, field: str) -> int:
    value = record.raw(field)
    return value if isinstance(value, int) else 0
