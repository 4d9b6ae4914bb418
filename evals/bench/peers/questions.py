"""What all three are asked, and the SQL with the whole truth about it: the peers' model is given it, the judge too.

Every column is a text, so that both peers show their model the same. Quantities and amounts are kept as millionths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

EACH = 2
_US: LiteralString = "label_region = (select id from biz.region where code = 'US')"
_ONE: LiteralString = "select ''"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A question about some of the records that `of` names, put in for `{}`; `truth` is its SQL, `$` being the name.

    `said` are the words of the question with their terms, where the rules alone don't understand it.
    """

    who: str
    ask: str
    truth: LiteralString
    of: LiteralString = _ONE
    said: tuple[tuple[str, str], ...] = ()


KINDS: tuple[Kind, ...] = (
    Kind(
        who="rep.us", ask="order status {}",
        of="select number from biz.sales_order where {us} and status = 'delivered'",
        truth="""
            select o.number as order_number, c.name as customer, o.status, o.order_date::text as ordered,
                   o.promised_date::text as promised, o.shipped_date::text as shipped, h.number as shipment,
                   h.status as shipment_status,
                   to_char(h.delivered_at at time zone s.time_zone, 'YYYY-MM-DD HH24:MI') as arrived
              from biz.sales_order o join biz.customer c on c.id = o.customer_id
              join biz.site s on s.id = o.site_id left join biz.shipment h on h.order_id = o.id
             where o.number = $ order by h.number
        """,
    ),
    Kind(
        who="rep.us", ask="lines of order {}",
        of="""
            select number from biz.sales_order o where {us} and status = 'confirmed'
               and not exists (select from biz.order_hold h where h.order_id = o.id)
        """,
        truth="""
            select o.number as order_number, c.name as customer, o.status, l.line_number::text as line, i.name as item,
                   trim_scale(l.ordered_quantity / 1e6)::text as ordered,
                   trim_scale(l.shipped_quantity / 1e6)::text as shipped,
                   trim_scale(l.open_quantity / 1e6)::text as open, l.unit, l.promised_date::text as promised,
                   count(*) over ()::text as lines,
                   (count(*) filter (where l.open_quantity > 0) over ())::text as open_lines
              from biz.sales_order o join biz.customer c on c.id = o.customer_id
              join biz.sales_order_line l on l.order_id = o.id join biz.item i on i.id = l.item_id
             where o.number = $ order by l.line_number
        """,
    ),
    Kind(
        who="rep.us", ask="invoice {}", of="select number from biz.invoice where {us}",
        truth="""
            select v.number as invoice, c.name as customer, v.status, v.invoice_date::text as invoiced,
                   v.due_date::text as due, v.paid_date::text as paid,
                   to_char(a.total / 1e6, 'FM999999990.00') as total,
                   to_char(a.open / 1e6, 'FM999999990.00') as open, a.currency
              from biz.invoice v join biz.customer c on c.id = v.customer_id
              join biz.invoice_amount a on a.invoice_id = v.id
             where v.number = $
        """,
    ),
    Kind(
        who="planner", ask="stock of {}",
        of="""
            select i.number from biz.item i join biz.availability a on a.item_id = i.id
             where not exists (select from biz.purchase_line l where l.item_id = i.id and l.open_quantity > 0)
             group by i.number having bool_and(a.agrees) and sum(a.in_transit) = 0
        """,
        truth="""
            select i.name as item, s.name as site, trim_scale(a.available / 1e6)::text as available,
                   trim_scale(a.on_hand / 1e6)::text as on_hand, trim_scale(a.reserved / 1e6)::text as reserved,
                   trim_scale(a.in_transit / 1e6)::text as in_transit, a.unit,
                   trim_scale(sum(a.available) over () / 1e6)::text as available_in_all,
                   trim_scale(sum(a.on_hand) over () / 1e6)::text as on_hand_in_all,
                   trim_scale(sum(a.reserved) over () / 1e6)::text as reserved_in_all
              from biz.item i join biz.availability a on a.item_id = i.id join biz.site s on s.id = a.site_id
             where i.number = $ order by s.name
        """,
    ),
    Kind(
        who="planner", ask="substitutes for {}",
        of="select i.number from biz.item i join biz.item_substitute s on s.item_id = i.id",
        truth="""
            select i.name as item, o.name as substitute, b.approved::text as approved,
                   trim_scale(sum(a.available) / 1e6)::text as available, a.unit
              from biz.item i join biz.item_substitute b on b.item_id = i.id join biz.item o on o.id = b.substitute_id
              join biz.availability a on a.item_id = o.id
             where i.number = $ group by i.name, o.name, b.approved, b.rank, a.unit order by b.rank
        """,
    ),
    Kind(
        who="buyer", ask="status of purchase order {}",
        of="select number from biz.purchase_order where status = 'confirmed' and promised_date > '2026-11-20'",
        truth="""
            select p.number as purchase_order, v.name as supplier, p.status, p.order_date::text as ordered,
                   p.promised_date::text as promised, t.name as site, l.line_number::text as line, i.name as item,
                   trim_scale(l.ordered_quantity / 1e6)::text as quantity,
                   trim_scale(l.received_quantity / 1e6)::text as arrived,
                   trim_scale(l.open_quantity / 1e6)::text as open, l.unit, l.promised_date::text as line_promised
              from biz.purchase_order p join biz.supplier v on v.id = p.supplier_id join biz.site t on t.id = p.site_id
              join biz.purchase_line l on l.purchase_order_id = p.id join biz.item i on i.id = l.item_id
             where p.number = $ order by l.line_number
        """,
    ),
    Kind(
        who="planner", ask="transfer {}", of="select number from biz.transfer where status = 'received'",
        truth="""
            select t.number as transfer, f.name as from_site, s.name as to_site, t.status,
                   to_char(t.received_at at time zone s.time_zone, 'YYYY-MM-DD HH24:MI') as arrived, i.name as item,
                   trim_scale(l.quantity / 1e6)::text as quantity, l.unit
              from biz.transfer t join biz.site f on f.id = t.from_site_id join biz.site s on s.id = t.to_site_id
              join biz.transfer_line l on l.transfer_id = t.id join biz.item i on i.id = l.item_id
             where t.number = $
        """,
    ),
    Kind(
        who="planner", ask="total on hand of {}",
        of="select i.number from biz.item i join biz.availability a on a.item_id = i.id",
        truth="""
            select i.name as item, trim_scale(sum(k.on_hand) / 1e6)::text as on_hand, k.unit
              from biz.item i join biz.availability k on k.item_id = i.id
             where i.number = $ group by i.name, k.unit
        """,
    ),
    Kind(
        who="planner", ask="how many items are there in category {}", of="select category from biz.item",
        truth="select count(*)::text as items, category from biz.item where category = $ group by category",
    ),
    Kind(
        who="planner", ask="how many customers are there",
        truth="select count(*)::text as customers from biz.customer",
    ),
    Kind(
        who="planner", ask="how many open orders are there",
        truth="""
            select count(*)::text as open_orders from biz.sales_order where status in ('confirmed', 'partly_shipped')
        """,
    ),
    Kind(
        who="planner", ask="how many quotations are open",
        truth="select count(*)::text as quotations from biz.sales_order where status = 'quotation'",
    ),
    Kind(
        who="planner", ask="how many transfers are in transit",
        truth="select count(*)::text as transfers from biz.transfer where status = 'in_transit'",
    ),
    Kind(
        who="planner", ask="how many orders were placed in October 2026",
        truth="""
            select count(*)::text as orders_placed from biz.sales_order
             where order_date between '2026-10-01' and '2026-10-31' and status not in ('quotation', 'cancelled')
        """,
    ),
    Kind(
        who="finance", ask="how many invoices are overdue",
        truth="""
            select count(*)::text as overdue_invoices from biz.invoice
             where status in ('open', 'partly_paid') and kind = 'invoice' and due_date < '2026-11-20'
        """,
    ),
    Kind(
        who="planner", ask="how many orders are on hold, asking for a friend",
        said=(
            ("how many", ""), ("orders", "sales_order"), ("are", ""), ("on hold", "sales_order.is.on_hold"),
            ("asking for a friend", "aside"),
        ),
        truth="""
            select count(distinct o.id)::text as orders_on_hold
              from biz.sales_order o join biz.order_hold h on h.order_id = o.id where h.released_at is null
        """,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: its SQL, the names of its columns and the rows that it has now."""

    who: str
    text: str
    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    said: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> Mapping[str, Any]:
        """As the scripted model is told."""
        return {"text": self.text, "sql": self.sql, "columns": self.columns, "rows": self.rows, "said": self.said}


def asked_of(admin: psycopg.Connection[Any]) -> Sequence[Asked]:
    """The questions with their truth, always the same ones. Raises RuntimeError for one that has none."""
    return [each for kind in KINDS for each in _of_kind(admin, kind)]


def _of_kind(admin: psycopg.Connection[Any], kind: Kind) -> Iterator[Asked]:
    names = sql.SQL("select name from ({}) as r (name) group by name order by md5(name) limit {}")
    for (name,) in admin.execute(names.format(sql.SQL(kind.of).format(us=sql.SQL(_US)), sql.Literal(EACH))).fetchall():
        statement = sql.SQL(kind.truth.replace("$", "{}")).format(*[sql.Literal(name)] * kind.truth.count("$"))
        text = " ".join(statement.as_string(admin).split())
        cursor = admin.execute(statement)
        rows = tuple(cursor.fetchall())
        if not rows:
            raise RuntimeError(f"nothing is true about {name!r}: {text}")
        columns = tuple(column.name for column in cursor.description or ())
        yield Asked(who=kind.who, text=kind.ask.replace("{}", name), sql=text, columns=columns, rows=rows,
                    said=kind.said)  # fmt: skip
