"""Changes to the records of the demo company, as a merge would write them, between one publication and the next."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection, sql

_CHANGES: tuple[tuple[str, LiteralString], ...] = (
    ("stock", "set on_hand = on_hand + 3000000 where id %% 11 = %(n)s %% 11"),
    ("stock", "set reserved = null where id %% 37 = %(n)s %% 37"),
    ("stock", "set on_hand = null where id %% 211 = %(n)s %% 211"),
    ("stock", "set unit = (select min(unit) from biz.item_unit u where u.item_id = t.item_id) where id %% 29 = %(n)s"),
    ("stock", "set unit = 'heap' where id %% 101 = %(n)s %% 101"),
    ("item_unit", "set base_quantity = base_quantity * 2 where id %% 17 = %(n)s %% 17"),
    ("item", "set status = 'phase_out' where id %% 19 = %(n)s %% 19"),
    ("sales_order_line", "set open_quantity = open_quantity + 2000000, status = 'open' where id %% 31 = %(n)s %% 31"),
    ("sales_order_line", "set promised_date = %(day)s::date + (id %% 60)::int where id %% 23 = %(n)s %% 23"),
    ("sales_order_line", "set promised_date = null, requested_date = null where id %% 41 = %(n)s %% 41"),
    ("sales_order_line", "set reserved_quantity = null where id %% 13 = %(n)s %% 13"),
    ("sales_order_line", "set open_quantity = null where id %% 301 = %(n)s %% 301"),
    ("sales_order", "set status = 'confirmed' where id %% 9 = %(n)s %% 9"),
    ("sales_order", "set status = 'cancelled' where id %% 53 = %(n)s %% 53"),
    ("sales_order", "set site_id = (select id from biz.site order by id limit 1) where id %% 47 = %(n)s %% 47"),
    ("purchase_order", "set status = 'confirmed' where id %% 7 = %(n)s %% 7"),
    ("purchase_line", "set status = 'open', open_quantity = 5000000 where id %% 8 = %(n)s %% 8"),
    ("purchase_line", "set promised_date = %(day)s::date + (id %% 50)::int where id %% 5 = %(n)s %% 5"),
    ("purchase_line", "set promised_date = null where id %% 43 = %(n)s %% 43"),
    ("transfer", "set status = 'planned', expected_date = %(day)s::date + (id %% 9)::int where id %% 6 = %(n)s %% 6"),
    ("transfer", "set status = 'in_transit', expected_date = %(day)s::date + 4 where id %% 6 = (%(n)s + 1) %% 6"),
    ("transfer_line", "set received_quantity = 0 where id %% 3 = %(n)s %% 3"),
)  # fmt: skip
_REMOVALS: tuple[tuple[str, LiteralString], ...] = (
    ("stock", "where id %% 97 = %(n)s %% 97"),
    ("sales_order_line", "where id %% 83 = %(n)s %% 83"),
    ("purchase_line", "where id %% 61 = %(n)s %% 61"),
    ("reservation", "where id %% 5 = %(n)s %% 5"),
)


def change(admin: Connection[Any], number: int, now: datetime) -> int:
    """Make them, `number` saying to which rows; returns how many rows were changed. `admin` is the superuser."""
    admin.execute("select set_config('copilot.now', %s, true)", (now.isoformat(),))
    known = {"n": number, "now": now, "day": now.date()}
    changed = 0
    for table, body in _CHANGES:
        head = sql.SQL("update {} t ").format(sql.Identifier("biz", table))
        stamped = body.replace(" where id", ", valid_from = %(now)s where id", 1)
        changed += admin.execute(head + sql.SQL(stamped), known).rowcount
    for table, body in _REMOVALS:
        head = sql.SQL("delete from {} ").format(sql.Identifier("biz", table))
        changed += admin.execute(head + sql.SQL(body), known).rowcount
    return changed
