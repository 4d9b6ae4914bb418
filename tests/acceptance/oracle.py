"""The truth about the demo company: read with plain SQL as the superuser, worked out and printed by code of its own."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from copilot.domain.answer import Answer, Verdict
from copilot.wiring import Runtime
from tests.company import NOW, Company, ask

MILLION = Decimal(1_000_000)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A late line and why, as it should be."""

    line: int
    item: str
    days: int
    promised: date
    cause: str
    missing: str | None = None
    on_hand: str | None = None
    supply: date | None = None
    hold: str | None = None


class Truth:
    """One database, read and, where a test plants something, changed as its superuser."""

    def __init__(self, dsn: str) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)

    def all(self, statement: LiteralString, **values: Any) -> list[Row]:
        return self.connection.execute(statement, values).fetchall()

    def one(self, statement: LiteralString, **values: Any) -> Row:
        rows = self.all(statement, **values)
        assert rows, f"the demo company has none: {statement}"
        return rows[0]

    def number(self, statement: LiteralString, **values: Any) -> Any:
        return next(iter(self.one(statement, **values).values()))

    def change(self, statement: LiteralString, **values: Any) -> None:
        """Change records; their history wants to know the moment."""
        with self.connection.transaction():
            self.connection.execute("select set_config('copilot.now', '2026-11-20T15:00:00Z', true)")
            self.connection.execute(statement, values)

    def days_late(self, site: int, promised: date, done: date) -> int:
        """Working days of a site after a promise, whose own day moves on to the next one of work."""
        place = self.one("select working_days from biz.site where id = %(site)s", site=site)
        closed = {
            row["day"] for row in self.all("select day from biz.site_closure where site_id = %(site)s", site=site)
        }

        def works(day: date) -> bool:
            return str(day.isoweekday()) in place["working_days"] and day not in closed

        kept = promised
        while not works(kept):
            kept += timedelta(days=1)
        return sum(works(kept + timedelta(days=n)) for n in range(1, (done - kept).days + 1))

    def today(self, site: int, now: datetime) -> date:
        zone = self.number("select time_zone from biz.site where id = %(site)s", site=site)
        return now.astimezone(ZoneInfo(zone)).date()

    def late_lines(self, order: int, now: datetime) -> Iterator[Late]:
        """The lines of an order that are late, each with the first cause that holds."""
        holds = self.all(
            "select reason from biz.order_hold where order_id = %(o)s and released_at is null order by placed_at",
            o=order,
        )
        for row in self.all(_LINES, order=order):
            done = row["shipped_date"] if row["status"] == "shipped" else self.today(row["site"], now)
            days = self.days_late(row["site"], row["promised"], done)
            if days:
                yield self._late(row, days, holds, now)

    def _late(self, row: Row, days: int, holds: Sequence[Row], now: datetime) -> Late:
        found = {"line": row["line_number"], "item": row["name"], "days": days, "promised": row["promised"]}
        if row["status"] == "shipped":
            return Late(**found, cause="shipped_late")
        if holds:
            return Late(**found, cause="on_hold", hold=holds[0]["reason"])
        if row["factor"] is None:
            return Late(**found, cause="unknown")
        held = self.number(_ON_HAND, item=row["item_id"], site=row["site"])
        needed = row["open_quantity"] * row["factor"] // 1_000_000
        if needed <= held:
            return Late(**found, cause="in_stock_not_shipped", on_hand=quantity(held, row["base_unit"]))
        due = self.number(_DUE, item=row["item_id"], site=row["site"], today=self.today(row["site"], now))
        missing = quantity(needed - held, row["base_unit"])
        return Late(**found, cause="short_with_supply" if due else "short_of_stock", missing=missing, supply=due)

    def price(self, customer: int, item: int, today: date) -> Row:
        """What a customer pays for one base unit: basis, price, currency, rule, price_list, list_price, discount."""
        contracts = self.all(_CONTRACT, customer=customer, item=item, today=today)
        if contracts:
            return {**contracts[0], "basis": "contract"}
        rules = self.all(_RULE, customer=customer, item=item, today=today)
        if rules:
            return rules[0]
        return {**self.one(_LIST, customer=customer, item=item), "basis": "list"}


_LINES: LiteralString = """
    select l.*, i.name, i.base_unit, coalesce(l.site_id, o.site_id) as site,
           coalesce(l.promised_date, o.promised_date) as promised,
           case when l.unit = i.base_unit then 1000000 else u.base_quantity end as factor
      from biz.sales_order_line l
      join biz.sales_order o on o.id = l.order_id
      join biz.item i on i.id = l.item_id
      left join biz.item_unit u on u.item_id = l.item_id and u.unit = l.unit and u.base_unit = i.base_unit
     where l.order_id = %(order)s and l.status <> 'cancelled' and o.status not in ('quotation', 'cancelled')
       and coalesce(l.promised_date, o.promised_date) is not null
     order by l.line_number"""
_ON_HAND: LiteralString = """
    select coalesce(sum(on_hand), 0)::bigint from biz.stock s
     where item_id = %(item)s and site_id = %(site)s
       and source_id = (select t.source_id from biz.stock t join core.source o on o.id = t.source_id
                         where t.item_id = %(item)s and t.site_id = %(site)s
                         order by o.purpose = 'wms' desc, o.id limit 1)"""
_DUE: LiteralString = """
    select min(p.promised_date) from biz.purchase_line p join biz.purchase_order o on o.id = p.purchase_order_id
     where p.item_id = %(item)s and o.site_id = %(site)s and p.promised_date >= %(today)s
       and p.status in ('open', 'partly_received') and o.status in ('sent', 'confirmed', 'partly_received')"""
_CONTRACT: LiteralString = """
    select price, currency, number as rule from biz.customer_contract
     where customer_id = %(customer)s and item_id = %(item)s and price is not null
       and %(today)s between coalesce(starts, %(today)s) and coalesce(ends, %(today)s)
     order by price limit 1"""
_RULE: LiteralString = """
    with covering as (
        select r.*, l.name as list_name, p.price as listed, p.currency as listed_in,
               case when r.item_id is not null then 3 when r.category is not null then 2 else 1 end as near
          from biz.customer_price_list c
          join biz.price_list l on l.id = c.price_list_id
          join biz.price_rule r on r.price_list_id = l.id
          join biz.item i on i.id = %(item)s
          left join biz.item_price p on p.item_id = i.id and p.currency = l.currency
         where c.customer_id = %(customer)s
           and coalesce(r.item_id, i.id) = i.id
           and (r.category is null or i.category = r.category or i.category like r.category || ' / %%')
           and coalesce(r.minimum_quantity, 0) <= 1000000
           and %(today)s between coalesce(r.starts, %(today)s) and coalesce(r.ends, %(today)s))
    select case kind when 'fixed' then price else round(listed * (1 - discount / 1e6))::bigint end as price,
           case kind when 'fixed' then currency else listed_in end as currency,
           case kind when 'fixed' then 'rule' else 'discount' end as basis,
           label as rule, list_name as price_list, listed as list_price, discount, near
      from covering order by near desc, 1 limit 1"""
_LIST: LiteralString = """
    select p.price, p.currency from biz.item_price p
     where p.item_id = %(item)s
       and p.currency = (select l.currency from biz.customer_price_list c
                           join biz.price_list l on l.id = c.price_list_id
                          where c.customer_id = %(customer)s)"""


def decimal(scaled: int, places: int = 0) -> str:
    """A scaled figure as people read it: thousands apart, at least so many places."""
    number = (Decimal(scaled) / MILLION).normalize()
    shown = max(places, -int(number.as_tuple().exponent))
    return f"{number:,.{shown}f}"


def quantity(scaled: int, unit: str) -> str:
    return f"{decimal(scaled)} {unit}"


def amount(scaled: int, currency: str) -> str:
    return f"{decimal(scaled, 2)} {currency}"


def percent(scaled: int) -> str:
    return f"{decimal(round(scaled, -3) * 100)}%"


def span(scaled: int) -> str:
    shown = decimal(round(scaled, -5))
    return f"{shown} day" if shown == "1" else f"{shown} days"


def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime, zone: str) -> str:
    local = value.astimezone(ZoneInfo(zone))
    return f"{day(local.date())}, {local:%H:%M %Z}"


def working(days: int) -> str:
    return f"{days} working day{'' if days == 1 else 's'}"


def words(code: str) -> str:
    return code.replace("_", " ")


def plain(answer: Answer) -> str:
    """The text without markdown, one sentence or list item after the other."""
    return re.sub(r"\\(.)", r"\1", answer.answer.replace("**", ""))


def items(answer: Answer) -> list[str]:
    """The list items of the text."""
    return [line[2:] for line in plain(answer).splitlines() if line.startswith("- ")]


def printed(answer: Answer, entity: str) -> list[dict[str, str]]:
    """Field -> printed text of what the answer says of each record or measure of one entity."""
    of = {source.id: {} for source in answer.sources if source.entity == entity}
    for fact in answer.facts:
        source, _, field = fact.ref.partition(".")
        if source in of:
            assert fact.text in plain(answer), fact
            of[source][field] = fact.text
    return [fields for fields in of.values() if fields]


def faults(answer: Answer, now: datetime) -> Iterator[str]:
    """What is wrong with any answer, whatever was asked."""
    sources = {source.id: source for source in answer.sources}
    for fact in answer.facts:
        source, _, field = fact.ref.partition(".")
        if source not in sources or not field or not fact.text:
            yield f"the fact {fact.ref} leads to no source or prints nothing"
    for source in answer.sources:
        aged = source.age_seconds == int((now - source.confirmed_at).total_seconds())
        if not (aged and source.key and source.system):
            yield f"the source {source.id} does not say where it is from and how old"
    if answer.verdict is not Verdict.DECLINED:
        rest = plain(answer)
        for text in sorted({fact.text for fact in answer.facts}, key=len, reverse=True):
            rest = rest.replace(text, "")
        if re.search(r"\d", rest):
            yield f"figures that are no facts: {rest!r}"
    elif answer.facts or answer.sources or not answer.next_steps or not answer.reason:
        yield "a declined answer holds facts, or says no reason and no next step"
    if not (answer.conversation and answer.audit_id and answer.engine == "rules"):
        yield "it is not on record"


def sound(answer: Answer, now: datetime, *verdicts: Verdict) -> Answer:
    """The answer, once nothing is wrong with it."""
    assert list(faults(answer, now)) == []
    assert not verdicts or answer.verdict in verdicts, (answer.verdict, answer.reason, answer.answer)
    return answer


async def verified(runtime: Runtime, subject: str, text: str) -> Answer:
    """The answer to a question that can be answered in full."""
    return sound(await ask(runtime, subject, text), NOW, Verdict.VERIFIED)


@contextmanager
def truth_of(company: Company, database: str) -> Generator[Truth]:
    """The truth about a file's copy of the company."""
    found = Truth(company.dsn(database))
    try:
        yield found
    finally:
        found.connection.close()
