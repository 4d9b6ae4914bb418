"""A random small distributor as raw records, and the ways in which it changes from one sync to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from connectors.base import SourceRecord, Value

ENTITIES = (
    "region", "channel", "site", "customer", "item", "item_alias", "customer_item", "supplier", "supplier_item",
    "supplier_item_price", "sales_order", "sales_order_line", "sales_line_price", "order_hold", "purchase_order",
    "purchase_line", "receipt", "receipt_line", "stock",
)  # fmt: skip
_DAY = date(2026, 10, 1)
_STATUSES = ("confirmed", "partly_shipped", "shipped", "cancelled")
Place = tuple[str, str]
"""(entity, key)"""


@dataclass
class Shop:
    """What the source holds. `name` keeps the keys and numbers of two shops apart."""

    random: Random
    name: str
    at: datetime
    records: dict[Place, SourceRecord] = field(default_factory=dict[Place, SourceRecord])
    gone: dict[Place, SourceRecord] = field(default_factory=dict[Place, SourceRecord])
    _count: int = 0

    def put(self, entity: str, labels: Mapping[str, str] | None = None, **values: Value) -> str:
        """A new record; returns its key."""
        self._count += 1
        key = f"{self.name}-{entity[:2]}{self._count}"
        self._keep(SourceRecord(entity=entity, company="", key=key, changed_at=self.at, values=values,
                                labels=labels or {}))  # fmt: skip
        return key

    def change(self, place: Place, labels: Mapping[str, str] | None = None, **values: Value) -> None:
        """Another version of a record, changed now."""
        old = self.records[place]
        self._keep(replace(old, changed_at=self.at, values={**old.values, **values}, labels=labels or old.labels))

    def drop(self, place: Place) -> None:
        """Take a record away; what refers to it stays, as careless sources have it."""
        self.gone[place] = self.records.pop(place)

    def bring_back(self, place: Place) -> None:
        """A record that was gone is there again, under its old key."""
        self._keep(replace(self.gone.pop(place), changed_at=self.at))

    def keys(self, entity: str) -> list[str]:
        """The keys of one entity."""
        return [key for name, key in self.records if name == entity]

    def any(self, entity: str) -> str:
        """One of them."""
        return self.random.choice(self.keys(entity))

    def _keep(self, record: SourceRecord) -> None:
        self.records[record.entity, record.key] = record


def make_shop(random: Random, name: str, at: datetime) -> Shop:
    """Two regions, three sites, some hundred and fifty records with every kind of label rule among them."""
    shop = Shop(random, name, at)
    regions = [shop.put("region", code=f"{name}{code}", name=f"Region {code}") for code in ("US", "DE")]
    shop.put("channel", code=f"{name}WEB", name="Web")
    for region in (*regions, regions[0]):
        shop.put("site", code=f"{name}S{len(shop.records)}", name="Warehouse", region=region, time_zone="UTC")
    for _ in range(6):
        new_customer(shop)
    for _ in range(9):
        new_item(shop)
    for _ in range(3):
        new_supplier(shop)
    for _ in range(14):
        new_order(shop)
    for _ in range(5):
        new_purchase(shop)
    for item in shop.keys("item"):
        for site in shop.keys("site")[: shop.random.randint(0, 3)]:
            shop.put("stock", item=item, site=site, on_hand=quantity(shop), unit="ea")
    return shop


def quantity(shop: Shop) -> Decimal:
    """Some quantity, with decimals now and then."""
    return Decimal(shop.random.randint(0, 9_000)) / shop.random.choice((1, 1, 10, 1000))


def day(shop: Shop) -> date:
    """Some day."""
    return _DAY + timedelta(days=shop.random.randint(0, 80))


def hints(shop: Shop) -> dict[str, str]:
    """A region or all of them, a channel or all of them."""
    return {"region": shop.random.choice([*shop.keys("region"), "*"]),
            "channel": shop.random.choice([*shop.keys("channel"), "*"])}  # fmt: skip


def new_customer(shop: Shop) -> None:
    """A customer."""
    shop.put("customer", hints(shop), number=f"{shop.name}C{len(shop.records)}", name=f"Müller & Söhne {shop.name}")


def new_item(shop: Shop) -> None:
    """An item with another number and a customer's own."""
    labels = {"region": hints(shop)["region"]}
    number = f"{shop.name}I{len(shop.records)}"
    item = shop.put("item", labels, number=number, name=f"Valve, {number}", base_unit="ea", lot_tracked=True)
    if shop.random.random() < 0.6:
        shop.put("item_alias", item=item, kind="old_number", value=f"O{number}")
    if shop.random.random() < 0.6:
        shop.put("customer_item", item=item, customer=shop.any("customer"), part_number=f"P{number}")


def new_supplier(shop: Shop) -> None:
    """A supplier with what it delivers and for how much."""
    region = {"region": shop.random.choice([*shop.keys("region"), "*"])}
    supplier = shop.put("supplier", region, number=f"{shop.name}V{len(shop.records)}", name="Oak Works")
    for item in shop.random.sample(shop.keys("item"), 4):
        offer = shop.put("supplier_item", hints(shop), supplier=supplier, item=item, lead_time=Decimal("2.5"))
        shop.put("supplier_item_price", supplier_item=offer, price=quantity(shop), currency="EUR")


def new_order(shop: Shop) -> None:
    """An order of a few lines, some of which leave from another site."""
    order = shop.put(
        "sales_order", {"channel": shop.random.choice([*shop.keys("channel"), "*"])}, customer=shop.any("customer"),
        number=f"{shop.name}O{len(shop.records)}", site=shop.any("site"), status="confirmed", promised_date=day(shop),
    )  # fmt: skip
    for number in range(shop.random.randint(1, 5)):
        site = shop.random.choice([None, shop.any("site")])
        line = shop.put("sales_order_line", order=order, item=shop.any("item"), line_number=number + 1, site=site,
                        ordered_quantity=quantity(shop), unit="ea", status="open")  # fmt: skip
        shop.put("sales_line_price", line=line, unit_price=quantity(shop), currency="USD")
    if shop.random.random() < 0.2:
        shop.put("order_hold", order=order, reason="credit", placed_at=shop.at)


def new_purchase(shop: Shop) -> None:
    """A purchase order, some of it received."""
    order = shop.put("purchase_order", number=f"{shop.name}P{len(shop.records)}", supplier=shop.any("supplier"),
                     site=shop.any("site"), status="sent", order_date=day(shop))  # fmt: skip
    receipt = shop.put("receipt", number=f"{shop.name}R{len(shop.records)}", purchase_order=order, status="received")
    for number in range(shop.random.randint(1, 3)):
        item = shop.any("item")
        line = shop.put("purchase_line", purchase_order=order, item=item, line_number=number + 1,
                        ordered_quantity=quantity(shop), unit="ea", status="open")  # fmt: skip
        known = shop.random.choice([line, None])
        shop.put("receipt_line", receipt=receipt, purchase_line=known, item=item, quantity=quantity(shop), unit="ea")


def day_passes(shop: Shop, times: int) -> None:
    """So many random changes, deletions included."""
    for _ in range(times):
        if shop.random.random() < 0.3:
            shop.random.choice((new_order, new_order, new_purchase, new_item, new_customer))(shop)
        else:
            _CHANGES[shop.random.randrange(len(_CHANGES))](shop)


def _status(shop: Shop) -> None:
    shop.change(("sales_order", shop.any("sales_order")), status=shop.random.choice(_STATUSES), promised_date=day(shop))


def _count_again(shop: Shop) -> None:
    if shop.keys("stock"):
        shop.change(("stock", shop.any("stock")), on_hand=quantity(shop))


def _move_line(shop: Shop) -> None:
    shop.change(("sales_order_line", shop.any("sales_order_line")), order=shop.any("sales_order"))


def _move_order(shop: Shop) -> None:
    shop.change(("sales_order", shop.any("sales_order")), site=shop.any("site"), customer=shop.any("customer"))


def _relabel(shop: Shop) -> None:
    shop.change(("customer", shop.any("customer")), hints(shop))


def _move_site(shop: Shop) -> None:
    shop.change(("site", shop.any("site")), region=shop.any("region"))


def _rename(shop: Shop) -> None:
    shop.change(("item", shop.any("item")), name=f"Renamed {shop.random.randint(1, 99)}", gtin=None)


def _drop_order(shop: Shop) -> None:
    """An order with all that belongs to it, or by itself."""
    key = shop.any("sales_order")
    if shop.random.random() < 0.7:
        for place in list(_below(shop, {("sales_order", key)})):
            shop.drop(place)
    shop.drop(("sales_order", key))


def _drop_one(shop: Shop) -> None:
    entity = shop.random.choice(("item", "customer", "supplier_item", "sales_order_line", "stock", "purchase_order",
                                 "purchase_line"))  # fmt: skip
    if len(shop.keys(entity)) > 2:
        shop.drop((entity, shop.any(entity)))


def _bring_back(shop: Shop) -> None:
    if shop.gone:
        shop.bring_back(shop.random.choice(list(shop.gone)))


_CHANGES = (
    _status, _status, _count_again, _count_again, _move_line, _move_order, _relabel, _move_site, _rename, _drop_order,
    _drop_one, _bring_back,
)  # fmt: skip
_UP = {"order": "sales_order", "line": "sales_order_line"}


def _below(shop: Shop, tops: set[Place]) -> Iterator[Place]:
    for place, record in shop.records.items():
        ups = {(entity, record.values.get(name)) for name, entity in _UP.items()}
        if ups & tops and place not in tops:
            yield place
            yield from _below(shop, {place})
