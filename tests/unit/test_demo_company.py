"""The demo company holds together: references, labels, sums, dates and stock, at several moments."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from connectors.base import SourceRecord
from copilot.demo.catalogue import gtin13
from copilot.demo.connector import DemoErp, DemoWms
from copilot.demo.people import PEOPLE
from copilot.demo.showcase import showcase_of
from copilot.demo.world import DemoWorld
from copilot.semantic.model import load_model

NOW = datetime(2026, 11, 10, 12, 34, tzinfo=UTC)
LONG, SHORT = date(2024, 11, 1), date(2026, 6, 1)
MOMENTS = tuple(NOW + timedelta(hours=hours) for hours in (0, 3, 5 * 24 + 7))
Rows = dict[str, dict[str, Any]]


@cache
def world(moment: datetime = NOW, epoch: date = SHORT) -> DemoWorld:
    return DemoWorld(seed=7, epoch=epoch, now=moment)


@cache
def records(
    entity: str, moment: datetime = NOW, epoch: date = SHORT, kind: Callable[..., Any] = DemoErp
) -> tuple[Any, ...]:
    return tuple(kind(world(moment, epoch)).records(entity))


def rows(entity: str, moment: datetime = NOW, epoch: date = SHORT, kind: Callable[..., Any] = DemoErp) -> Rows:
    return {record.key: dict(record.values) for record in records(entity, moment, epoch, kind)}


def grouped(rows: Rows, field: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.values():
        found[row[field]].append(row)
    return found


def test_the_company_is_as_large_as_promised() -> None:
    big = world(NOW, LONG)
    assert sum(len(order.lines) for order in big.orders()) >= 50_000
    masters = big.masters
    assert len(masters.items) >= 2_000
    assert len(masters.customers) >= 500
    assert len(masters.suppliers) >= 100
    assert [len(rows(name)) for name in ("region", "site", "channel")] == [3, 8, 4]


@pytest.mark.parametrize("kind", [DemoErp, DemoWms])
def test_every_entity_and_field_is_the_models(kind: Callable[..., Any]) -> None:
    model, source = load_model(), kind(world())
    if kind is DemoErp:
        assert set(source.entities) == {name for name, entity in model.entities.items() if not entity.derived}
    for name in source.entities:
        fields = model[name].fields
        for record in records(name, kind=kind):
            assert set(record.values) <= set(fields)
            for field, value in record.values.items():
                assert value is None or _fits(fields[field].type, fields[field].codes, value), (name, field, value)


def _fits(kind: str, codes: tuple[str, ...], value: object) -> bool:
    match kind:
        case "date":
            return isinstance(value, date) and not isinstance(value, datetime)
        case "instant":
            return isinstance(value, datetime) and value.tzinfo is UTC
        case "flag":
            return isinstance(value, bool)
        case "count":
            return isinstance(value, int) and not isinstance(value, bool)
        case "quantity" | "amount" | "ratio" | "days":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "code":
            return isinstance(value, str) and (not codes or value in codes)
        case _:
            return isinstance(value, str) and bool(value.strip())


@pytest.mark.parametrize("kind", [DemoErp, DemoWms])
def test_every_reference_resolves_and_comes_after_what_it_names(kind: Callable[..., Any]) -> None:
    model, source = load_model(), kind(world())
    keys = {name: {record.key for record in records(name, kind=kind)} for name in source.entities}
    seen: set[str] = set()
    for name in source.entities:
        seen.add(name)
        assert len(keys[name]) == len(records(name, kind=kind)), f"{name} has a key twice"
        for field in model[name].refs():
            for record in records(name, kind=kind):
                value = record.values.get(field.name)
                if value is not None:
                    assert field.to in seen, (name, field.name)
                    assert value in keys[str(field.to)], (name, record.key, field.name, value)
                else:
                    assert not field.required or kind is DemoWms


def test_every_label_hint_resolves() -> None:
    model = load_model()
    for name in DemoErp(world()).entities:
        for label, rule in model[name].labels.own.items():
            if rule not in ("hint", "hint?"):
                continue
            known = set(rows(label)) | ({"*"} if rule == "hint?" else set())
            assert all(record.labels.get(label) in known for record in records(name)), (name, label)


def test_required_fields_are_filled() -> None:
    model = load_model()
    for name in DemoErp(world()).entities:
        needed = [field.name for field in model[name].fields.values() if field.required]
        assert all(record.values[field] is not None for record in records(name) for field in needed), name


def test_gtins_have_valid_check_digits() -> None:
    assert gtin13("400638133393") == "4006381333931"
    for row in rows("item").values():
        digits = [int(digit) for digit in row["gtin"]]
        assert len(digits) == 13
        assert sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0
    assert len({row["gtin"] for row in rows("item").values()}) == len(rows("item"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_sums_agree(moment: datetime) -> None:
    nets: Counter[str] = Counter()
    prices = rows("sales_line_price", moment)
    for key, line in rows("sales_order_line", moment).items():
        price = prices[key]
        gross = price["unit_price"] * line["ordered_quantity"] * (1 - price["discount"])
        assert abs(gross - price["net"]) <= Decimal("0.005")
        nets[line["order"]] += price["net"]
    amounts = rows("sales_order_amount", moment)
    assert {key: row["net"] for key, row in amounts.items()} == nets
    assert all(row["net"] + row["tax"] == row["total"] for row in amounts.values())


@pytest.mark.parametrize("moment", MOMENTS)
def test_invoices_add_up_to_the_order_and_payments_to_what_is_not_open(moment: datetime) -> None:
    invoices, amounts = rows("invoice", moment), rows("invoice_amount", moment)
    paid: Counter[str] = Counter()
    for payment in rows("payment", moment).values():
        paid[payment["invoice"]] += payment["amount"]
    billed: Counter[str] = Counter()
    for key, invoice in invoices.items():
        amount = amounts[key]
        assert amount["open"] + paid[key] == amount["total"]
        assert (invoice["status"] == "paid") == (amount["open"] == 0) or amount["total"] == 0
        assert invoice["due_date"] >= invoice["invoice_date"]
        billed[invoice["order"]] += amount["net"] if invoice["kind"] == "invoice" else 0
    orders = rows("sales_order_amount", moment)
    for key, order in rows("sales_order", moment).items():
        whole = order["status"] in ("shipped", "delivered")
        assert billed[key] == orders[key]["net"] if whole else billed[key] <= orders[key]["net"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("document", "line", "by"),
    [
        ("sales_order", "sales_order_line", "order"),
        ("shipment", "shipment_line", "shipment"),
        ("purchase_order", "purchase_line", "purchase_order"),
        ("receipt", "receipt_line", "receipt"),
        ("return_order", "return_line", "return_order"),
        ("transfer", "transfer_line", "transfer"),
    ],
)
def test_every_document_has_lines(moment: datetime, document: str, line: str, by: str) -> None:
    assert {row[by] for row in rows(line, moment).values()} == set(rows(document, moment))


@pytest.mark.parametrize("moment", MOMENTS)
def test_line_quantities_and_status_agree(moment: datetime) -> None:
    shipped: Counter[str] = Counter()
    to_ship: Counter[str] = Counter()
    shipments = rows("shipment", moment)
    for part in rows("shipment_line", moment).values():
        assert part["quantity"] > 0
        counted = to_ship if shipments[part["shipment"]]["shipped_at"] is None else shipped
        counted[part["line"]] += part["quantity"]
    for key, line in rows("sales_order_line", moment).items():
        assert line["shipped_quantity"] == shipped[key] <= line["ordered_quantity"]
        assert shipped[key] + to_ship[key] in {0, line["ordered_quantity"]}
        assert line["ordered_quantity"] > 0
        if line["status"] == "cancelled":
            assert line["open_quantity"] == line["reserved_quantity"] == 0
            continue
        assert line["open_quantity"] == line["ordered_quantity"] - line["shipped_quantity"]
        assert 0 <= line["reserved_quantity"] <= line["open_quantity"]
        assert (line["status"] == "shipped") == (line["open_quantity"] == 0) == (line["shipped_date"] is not None)
        if line["status"] == "backordered":
            assert line["reserved_quantity"] < line["ordered_quantity"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_order_status_follows_its_lines_and_shipments(moment: datetime) -> None:
    lines = grouped(rows("sales_order_line", moment), "order")
    shipments = grouped(rows("shipment", moment), "order")
    for key, order in rows("sales_order", moment).items():
        states = {line["status"] for line in lines[key]}
        journeys = {shipment["status"] for shipment in shipments[key]}
        match order["status"]:
            case "delivered":
                assert (states, journeys) == ({"shipped"}, {"delivered"})
            case "shipped":
                assert states == {"shipped"}
                assert journeys <= {"shipped", "in_transit", "exception", "delivered"}
                assert journeys != {"delivered"}
            case "partly_shipped":
                assert states & {"shipped", "partly_shipped"}
                assert states != {"shipped"}
            case "cancelled":
                assert states == {"cancelled"}
            case _:
                assert states <= {"open", "backordered"}
        assert (order["shipped_date"] is not None) == (order["status"] in ("shipped", "delivered"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_dates_never_contradict(moment: datetime) -> None:
    orders = rows("sales_order", moment)
    for order in orders.values():
        assert order["requested_date"] >= order["order_date"]
        assert order["promised_date"] is None or order["promised_date"] >= order["requested_date"]
        assert order["shipped_date"] is None or order["shipped_date"] >= order["order_date"]
    clocks, sites = world(moment).clocks, list(rows("site"))
    for shipment in rows("shipment", moment).values():
        steps = [shipment[name] for name in ("shipped_at", "delivered_at") if shipment[name] is not None]
        assert steps == sorted(steps)
        assert all(step <= moment for step in steps)
        if shipment["shipped_at"] is not None:
            clock = clocks[sites.index(shipment["site"])]
            left = clock.day_of(int(shipment["shipped_at"].timestamp()))
            assert clock.is_working(left)
            assert left >= orders[shipment["order"]]["order_date"].toordinal()
            assert shipment["expected_delivery"].toordinal() > left
        assert shipment["delivered_at"] is None or shipment["shipped_at"] is not None


@pytest.mark.parametrize("moment", MOMENTS[:1])
def test_tracking_tells_the_shipments_story(moment: datetime) -> None:
    shipments = rows("shipment", moment, LONG)
    for key, events in grouped(rows("tracking_event", moment, LONG), "shipment").items():
        shipment = shipments[key]
        times = [event["happened_at"] for event in events]
        assert times == sorted(times)
        assert shipment["shipped_at"] <= times[0]
        delivered = [event for event in events if event["event"] == "delivered"]
        assert [event["happened_at"] for event in delivered] == [
            shipment["delivered_at"] for _ in delivered if shipment["delivered_at"]
        ]
        assert bool(delivered) == (shipment["status"] == "delivered")
        assert (shipment["proof_of_delivery"] == "signed") <= bool(delivered)


@pytest.mark.parametrize("moment", MOMENTS)
def test_purchase_quantities_dates_and_status_agree(moment: datetime) -> None:
    received: Counter[str] = Counter()
    receipts = rows("receipt", moment)
    for line in rows("receipt_line", moment).values():
        if receipts[line["receipt"]]["status"] == "received":
            assert 0 <= line["rejected_quantity"] <= line["quantity"]
            received[line["purchase_line"]] += line["quantity"]
        else:
            assert line["quantity"] > 0
            assert line["rejected_quantity"] is line["lot"] is None
    orders = rows("purchase_order", moment)
    for key, line in rows("purchase_line", moment).items():
        assert line["received_quantity"] == received[key] <= line["ordered_quantity"]
        ended = line["status"] == "cancelled"
        assert line["open_quantity"] == (0 if ended else line["ordered_quantity"] - received[key])
        assert (line["status"] == "received") == (received[key] == line["ordered_quantity"])
        if orders[line["purchase_order"]]["status"] == "received":
            assert line["status"] == "received"
    for order in orders.values():
        assert order["promised_date"] > order["order_date"]
        assert order["received_date"] is None or order["received_date"] > order["order_date"]


@pytest.mark.parametrize(("moment", "epoch"), [*((moment, SHORT) for moment in MOMENTS), (NOW, LONG)])
def test_stock_is_what_is_reserved_and_what_is_free(moment: datetime, epoch: date) -> None:
    reserved: Counter[tuple[str, str, str | None]] = Counter()
    by_line: Counter[str] = Counter()
    for row in rows("reservation", moment, epoch).values():
        assert row["quantity"] > 0
        reserved[row["item"], row["site"], row["lot"]] += row["quantity"]
        by_line[row["line"]] += row["quantity"]
    for row in rows("stock", moment, epoch).values():
        assert row["reserved"] == reserved.pop((row["item"], row["site"], row["lot"]), 0)
        assert row["available"] == row["on_hand"] - row["reserved"] >= 0
        assert row["in_transit"] >= 0
    assert not reserved
    if epoch == SHORT:
        box = {row["item"]: row["base_quantity"] for row in rows("item_unit").values() if row["unit"] == "box"}
        for key, line in rows("sales_order_line", moment).items():
            factor = box[line["item"]] if line["unit"] == "box" else 1
            assert by_line[key] == line["reserved_quantity"] * factor


@pytest.mark.parametrize("moment", MOMENTS[::2])
def test_the_journal_adds_up_to_the_stock_and_never_below_zero(moment: datetime) -> None:
    moves = sorted(rows("stock_move", moment, LONG).values(), key=lambda move: move["moved_at"])
    balance: Counter[tuple[str, str, str | None]] = Counter()
    lowest: Counter[tuple[str, str, str | None]] = Counter()
    for move in sorted(moves, key=lambda move: (move["moved_at"], -move["quantity"])):
        key = (move["item"], move["site"], move["lot"])
        balance[key] += move["quantity"]
        lowest[key] = min(lowest[key], balance[key])
    assert not any(lowest.values())
    on_hand = {(r["item"], r["site"], r["lot"]): r["on_hand"] for r in rows("stock", moment, LONG).values()}
    assert on_hand == {key: balance[key] for key in on_hand}
    assert len(moves) <= 150_000


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_warehouse_system_differs_exactly_where_planted(moment: datetime) -> None:
    numbers = {key: row["number"] for key, row in rows("item", kind=DemoWms).items()}
    codes = {key: row["code"] for key, row in rows("site", kind=DemoWms).items()}
    counted = {
        (numbers[row["item"]], codes[row["site"]], row["lot"]): row["on_hand"]
        for row in rows("stock", moment, kind=DemoWms).values()
    }
    booked = {(row["item"], row["site"], row["lot"]): row["on_hand"] for row in rows("stock", moment).values()}
    assert counted.keys() == booked.keys()
    differing = {key: (booked[key], counted[key]) for key in booked if booked[key] != counted[key]}
    assert differing == world(moment).planted_disagreements()
    assert 0.01 <= len(differing) / len(booked) <= 0.02
    assert min(counted.values()) >= 0


@pytest.mark.parametrize("moment", MOMENTS)
def test_open_work_exists_in_every_state(moment: datetime) -> None:
    orders, today = rows("sales_order", moment), moment.date()
    states = Counter(order["status"] for order in orders.values())
    assert set(states) == {"quotation", "confirmed", "partly_shipped", "shipped", "delivered", "cancelled"}
    waiting = [order for order in orders.values() if order["status"] in ("confirmed", "partly_shipped")]
    assert sum(order["promised_date"] < today for order in waiting) > 5
    assert sum(today <= order["promised_date"] <= today + timedelta(days=14) for order in waiting) > 50
    assert Counter(s["status"] for s in rows("shipment", moment).values()).keys() >= {
        "planned", "waiting", "shipped", "in_transit", "delivered", "exception", "cancelled",
    }  # fmt: skip
    assert any(line["status"] == "backordered" for line in rows("sales_order_line", moment).values())
    assert any(hold["released_at"] is None for hold in rows("order_hold", moment).values())
    assert {"open", "partly_paid", "paid"} <= {row["status"] for row in rows("invoice", moment).values()}
    assert {"sent", "confirmed", "received"} <= {row["status"] for row in rows("purchase_order", moment).values()}
    assert "in_transit" in {row["status"] for row in rows("transfer", moment).values()}


def test_a_backordered_line_is_short_at_its_warehouse_and_goods_are_coming() -> None:
    short = [line for line in rows("sales_order_line").values() if line["status"] == "backordered"]
    free: Counter[tuple[str, str]] = Counter()
    for row in rows("stock").values():
        free[row["item"], row["site"]] += row["available"]
    needed = Counter[tuple[str, str]]()
    for line in short:
        needed[line["item"], line["site"]] += line["open_quantity"]
    box = {row["item"]: row["base_quantity"] for row in rows("item_unit").values() if row["unit"] == "box"}
    assert all(free[key] < quantity * box.get(key[0], 1) for key, quantity in needed.items())


def test_orders_are_numbered_without_gaps_over_all_regions() -> None:
    numbers = [int(key.removeprefix("SO-")) for key in rows("sales_order")]
    assert numbers == list(range(10_001, 10_001 + len(numbers)))
    assert {record.company for record in records("sales_order")} == {"US", "DE", "SG"}


def test_demand_grows_and_has_seasons() -> None:
    months = Counter(date.fromordinal(order.day).replace(day=1) for order in world(NOW, LONG).orders())
    assert months[date(2026, 3, 1)] > months[date(2025, 3, 1)]
    assert months[date(2026, 3, 1)] > months[date(2026, 8, 1)]


def test_some_names_are_alike_and_nobody_can_be_reached() -> None:
    names = [row["name"] for row in rows("customer").values()]
    assert sum(name.startswith("Meyer ") for name in names) == 3
    assert sum(name.startswith("Acme ") for name in names) == 2
    assert len({name for name in names if any(letter in name for letter in "äöüß")}) > 20
    for record in (*records("customer_contact"), *records("supplier_contact")):
        assert str(record.values["email"]).endswith(".example")
        assert str(record.values["phone"]).startswith(("+1 555 01", "+49 30 23125 ", "+65 5550 01"))


def test_hostile_notes_are_there_as_data() -> None:
    bodies = [str(record.values["body"]) for record in records("customer_note", NOW, LONG)]
    hostile = [body for body in bodies if "IGNORE ALL PREVIOUS" in body or "maintenance mode" in body]
    assert 0 < len(hostile) < len(bodies) / 10


def test_the_people_are_the_issues_and_their_labels_exist() -> None:
    assert [user.subject for user in PEOPLE] == [
        "rep.us", "rep.de", "planner", "buyer", "warehouse.sg", "finance", "auditor", "admin",
        "officer",
    ]  # fmt: skip
    for user in PEOPLE:
        assert set(user.regions or ()) | {user.home_region} <= set(rows("region"))
        assert set(user.sites or ()) <= set(rows("site"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_showcase_finds_everything_it_names(moment: datetime) -> None:
    shown = showcase_of(world(moment))
    wanted = {
        "backordered_overdue_us", "on_hold_de", "in_transit", "delivered_with_proof", "item_at_many_sites",
        "disputed_item", "late_supplier", "overdue_invoice", "busy_customer", "customer_po", "late_purchase_order",
    }  # fmt: skip
    assert wanted <= set(shown)
    order = rows("sales_order", moment)[shown["backordered_overdue_us"]]
    assert order["promised_date"] < moment.date()
    assert order["site"] in {"CHI", "DAL", "RNO", "ATL"}
    invoice = rows("invoice", moment)[shown["overdue_invoice"]]
    assert invoice["status"] == "open"
    assert invoice["due_date"] < moment.date()
    assert rows("sales_order", moment)[shown["delivered_with_proof"]]["customer"] in rows("customer")


def _all(entities: tuple[str, ...]) -> Iterator[SourceRecord]:
    return (record for entity in entities for record in records(entity))


def test_nothing_lies_in_the_future() -> None:
    moment = datetime.fromtimestamp(world().now, UTC)
    for record in _all(DemoErp(world()).entities):
        assert record.changed_at is not None
        assert record.changed_at <= moment
        for field, value in record.values.items():
            if isinstance(value, datetime):
                assert value <= moment, (record.entity, record.key, field)
