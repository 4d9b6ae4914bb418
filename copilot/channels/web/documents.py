"""The card of an order: its time line, its lines and its shipments, out of an answer's sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypedDict

from copilot.channels.carriers import tracking_link
from copilot.channels.web.printed import named, of_entity, printed_date, web_link
from copilot.domain.answer import Source

State = Literal["done", "late", "open", "partly"]


class Moment(TypedDict):
    """One point of the time line; `date` is as printed."""

    label: str
    date: str | None
    state: State
    note: str | None


class Line(TypedDict):
    """One line, everything as printed."""

    item: str
    ordered: str | None
    moved: str | None
    open: str | None
    promised: str | None
    actual: str | None
    late: str | None
    """What the line's delay measure says, such as "3 working days late"."""


class Shipment(TypedDict):
    """One shipment; `tracking_link` leads to the carrier."""

    number: str
    status: str | None
    carrier: str | None
    tracking: str | None
    tracking_link: str | None
    dates: list[tuple[str, str]]
    link: str | None


class DocumentCard(TypedDict):
    """A sales order or a purchase order."""

    title: str
    number: str
    link: str | None
    party: str | None
    status: str | None
    late: str | None
    holds: list[str]
    details: list[tuple[str, str]]
    moments: list[Moment]
    moved_label: str
    lines: list[Line]
    shipments: list[Shipment]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How one kind of document is laid out, in the words of its fields."""

    title: str
    party: str
    line: str
    details: tuple[str, ...]
    moved: str
    moved_label: str
    moved_date: str
    delay: str
    """The measure that says whether the document is late."""


_KINDS: Mapping[str, _Kind] = {
    "sales_order": _Kind(
        title="Order",
        party="customer",
        line="sales_order_line",
        details=("customer's PO number", "ship-from site", "requested date"),
        moved="shipped quantity",
        moved_label="Shipped",
        moved_date="shipped date",
        delay="order_delay",
    ),
    "purchase_order": _Kind(
        title="Purchase order",
        party="supplier",
        line="purchase_line",
        details=("supplier reference", "receiving site"),
        moved="received quantity",
        moved_label="Received",
        moved_date="received date",
        delay="purchase_delay",
    ),
}


def document_card(sources: tuple[Source, ...]) -> DocumentCard | None:
    """The card for the one order an answer is about; None where it is about none or several.

    An order that only stands beside the question's subject (the order of an invoice, say) comes with no lines and no
    shipments, and gets no card; nor does one purchase among several orders at risk.
    """
    for entity, kind in _KINDS.items():
        orders = of_entity(sources, entity)
        if len(orders) > 1:
            return None
        lines, shipments = of_entity(sources, kind.line), shipment_cards(sources)
        if len(orders) == 1 and (lines or shipments or orders[0].step == "order"):
            return _card(orders[0], kind, lines, shipments, sources)
    return None


def shipment_cards(sources: tuple[Source, ...]) -> list[Shipment]:
    """Every shipment of an answer."""
    return [_shipment(source) for source in of_entity(sources, "shipment")]


def _card(
    order: Source, kind: _Kind, lines: Sequence[Source], shipments: list[Shipment], sources: tuple[Source, ...]
) -> DocumentCard:
    details = [(name, value) for name in kind.details if (value := named(order.fields, name))]
    return DocumentCard(
        title=kind.title,
        number=named(order.fields, "number") or order.key,
        link=web_link(order.link),
        party=named(order.fields, kind.party),
        status=named(order.fields, "status"),
        late=_lateness(sources, kind),
        holds=[f"on hold: {reason}" for hold in _active_holds(sources) if (reason := named(hold.fields, "reason"))],
        details=details,
        moments=_moments(order, kind, sources),
        moved_label=kind.moved_label,
        lines=[_line(line, kind, sources) for line in lines],
        shipments=shipments,
    )


def _lateness(sources: tuple[Source, ...], kind: _Kind) -> str | None:
    """What the document's delay measure says, in its site's calendar; the card judges nothing late by itself."""
    delays = of_entity(sources, kind.delay)
    return (named(delays[0].fields, "state") or "overdue") if delays else None


def _active_holds(sources: tuple[Source, ...]) -> list[Source]:
    return [hold for hold in of_entity(sources, "order_hold") if named(hold.fields, "released at") is None]


def _moments(order: Source, kind: _Kind, sources: tuple[Source, ...]) -> list[Moment]:
    ordered = named(order.fields, "order date")
    promised, moved = named(order.fields, "promised date"), named(order.fields, kind.moved_date)
    late = _lateness(sources, kind)
    moments = [
        _moment("Ordered", ordered, "done" if ordered else "open"),
        _promise(promised, late),
        _moment(kind.moved_label, moved, _moved_state(order, moved, late)),
    ]
    if kind.line == "sales_order_line":
        moments.append(_delivery(of_entity(sources, "shipment"), order))
    return moments


def _promise(promised: str | None, lateness: str | None) -> Moment:
    overdue = lateness == "overdue"
    return _moment("Promised", promised, "late" if overdue else "open", lateness if overdue else None)


def _moment(label: str, day: str | None, state: State, note: str | None = None) -> Moment:
    return Moment(label=label, date=day, state=state, note=note)


def _moved_state(order: Source, moved: str | None, late: str | None) -> State:
    if "partly" in (named(order.fields, "status") or "").casefold():
        return "partly"
    if moved is None:
        return "open"
    return "late" if late and late != "overdue" else "done"


def _delivery(shipments: Sequence[Source], order: Source) -> Moment:
    arrived = [day for source in shipments if (day := named(source.fields, "delivered at"))]
    if not arrived:
        return _moment("Delivered", None, "open")
    last = max(arrived, key=lambda text: printed_date(text) or date.min)
    if len(arrived) < len(shipments):
        return _moment("Delivered", last, "partly", f"{len(arrived)} of {len(shipments)} shipments")
    partly = "partly" in (named(order.fields, "status") or "").casefold()
    return _moment("Delivered", last, "partly" if partly else "done", "the rest is open" if partly else None)


def _line(line: Source, kind: _Kind, sources: tuple[Source, ...]) -> Line:
    item = named(line.fields, "item") or line.title
    promised, actual = named(line.fields, "promised date"), named(line.fields, kind.moved_date)
    return Line(
        item=item,
        ordered=named(line.fields, "ordered quantity"),
        moved=named(line.fields, kind.moved),
        open=named(line.fields, "open quantity"),
        promised=promised,
        actual=actual or named(line.fields, "status"),
        late=_line_lateness(line, sources) if kind.delay == "order_delay" else None,
    )


def _line_lateness(line: Source, sources: tuple[Source, ...]) -> str | None:
    number = named(line.fields, "line number")
    for delay in of_entity(sources, "line_delay"):
        if number is not None and named(delay.fields, "line number") == number:
            days = named(delay.fields, "days late")
            return f"{days} late" if days else "late"
    return None


def _shipment(source: Source) -> Shipment:
    fields = source.fields
    carrier, tracking = named(fields, "carrier"), named(fields, "tracking number")
    names = ("planned date", "shipped at", "expected delivery", "delivered at", "proof of delivery")
    return Shipment(
        number=named(fields, "number") or source.key,
        status=named(fields, "status"),
        carrier=carrier,
        tracking=tracking,
        tracking_link=tracking_link(carrier, tracking),
        dates=[(name, value) for name in names if (value := named(fields, name))],
        link=web_link(source.link),
    )
