"""What the warehouse system knows, under keys of its own."""

from __future__ import annotations

from collections.abc import Iterator

from copilot.demo.catalogue import Item
from copilot.demo.places import SITES, Site
from copilot.demo.stock import Move, StockRow, disagreement
from copilot.demo.tables import SHARED, Table, Values
from copilot.demo.tables_supply import move_values, moves
from copilot.demo.world import WMS_SINCE, DemoWorld


def item_key(item: Item) -> str:
    """The warehouse system's key of an item."""
    return f"SKU{item.index:05d}"


def site_key(site: int) -> str:
    """The warehouse system's key of a warehouse."""
    return f"W-{SITES[site].code}"


def _stock(world: DemoWorld, row: StockRow) -> Values:
    units = disagreement(world.seed, (row.item.index, row.site, row.lot), row.on_hand)
    return {
        "item": item_key(row.item),
        "site": site_key(row.site),
        "lot": row.lot,
        "on_hand": row.on_hand + units,
        "unit": row.item.unit,
    }


def _moves(world: DemoWorld, since: int) -> Iterator[Move]:
    """The warehouse system's journal begins when it was brought in, without opening balances."""
    start = world.journal(WMS_SINCE)
    if world.now >= start:
        yield from moves(world, max(start, since))


WAREHOUSE = (
    Table[Site](
        entity="site",
        rows=lambda _w, _s: SITES,
        key=lambda r: f"W-{r.code}",
        values=lambda _, r: {"code": r.code, "name": r.name},
    ),
    Table[Item](
        entity="item",
        rows=lambda w, _: w.masters.items,
        key=item_key,
        values=lambda _, r: {"number": r.number, "name": r.name, "base_unit": r.unit},
        labels=lambda _: SHARED,
    ),
    Table[StockRow](
        entity="stock",
        rows=lambda w, since: w.stock(since).values(),
        key=lambda r: f"{item_key(r.item)}/{r.site_code}/{r.lot or '-'}",
        values=_stock,
        changed=lambda _, r: r.changed,
    ),
    Table[Move](
        entity="stock_move",
        rows=_moves,
        key=lambda r: r.key,
        values=lambda _, r: move_values(item_key(r.item), site_key(r.site), r),
        changed=lambda _, r: r.moved,
    ),
)
"""The tables of the warehouse system."""
