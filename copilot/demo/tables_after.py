"""What follows an order as records: shipments, invoices, returns, cases, notes."""

from __future__ import annotations

from collections.abc import Iterator

from copilot.demo import names
from copilot.demo.billing import Invoice, part_net, shipment_net, with_tax
from copilot.demo.carriage import TrackingEvent
from copilot.demo.draws import NEVER, dice
from copilot.demo.fulfilment import Content, Shipment, contents
from copilot.demo.places import CHANNELS, REGIONS, SITES
from copilot.demo.service import Case, Note, Return
from copilot.demo.tables import Table, Values, latest, money, passed
from copilot.demo.worktime import day, instant
from copilot.demo.world import TRACKING_SINCE, DemoWorld, Life

Tracked = tuple[Shipment, int, TrackingEvent]
Billed = tuple[Invoice, Life]
Paid = tuple[Invoice, Life, int]
"""(invoice, life, place of the payment)"""


def _shipments(world: DemoWorld, since: int) -> Iterator[Shipment]:
    return (shipment for life in world.lives(since) for shipment in life.fulfilment.shipments)


def _contents(world: DemoWorld, since: int) -> Iterator[Content]:
    return (content for life in world.lives(since) for content in contents(life.fulfilment, world.now))


def _tracked(world: DemoWorld, since: int) -> Iterator[Tracked]:
    start = world.journal(TRACKING_SINCE)
    for shipment in _shipments(world, since):
        if shipment.carriage is None or not start <= shipment.shipped <= world.now:
            continue
        for place, event in enumerate(shipment.carriage.events, 1):
            if event[0] <= world.now:
                yield shipment, place, event


def _recipients(world: DemoWorld, since: int) -> Iterator[Shipment]:
    start = world.journal(TRACKING_SINCE)
    return (shipment for shipment in _shipments(world, since) if start <= shipment.shipped <= world.now)


def _shipment(world: DemoWorld, row: Shipment) -> Values:
    ride = row.carriage if row.shipped <= world.now else None
    known_day = row.planned_day if row.created == row.order.confirmed or row.ready <= world.now else 0
    return {
        "number": row.number,
        "order": row.order.number,
        "site": SITES[row.site].code,
        "status": row.status(world.now),
        "carrier": ride.carrier.name if ride else None,
        "tracking_number": ride.tracking if ride else None,
        "planned_date": day(known_day) if known_day else None,
        "shipped_at": passed(world, row.shipped),
        "expected_delivery": day(ride.expected) if ride else None,
        "delivered_at": passed(world, ride.delivered) if ride else None,
        "proof_of_delivery": _proof(world, row),
    }


def _proof(world: DemoWorld, row: Shipment) -> str | None:
    ride = row.carriage
    if ride is None or row.shipped > world.now or not ride.carrier.prefix:
        return None
    if ride.refused <= world.now:
        return "refused"
    return "signed" if ride.signed <= world.now else "pending"


def _content(_world: DemoWorld, row: Content) -> Values:
    line = row.line
    return {
        "shipment": row.shipment.number,
        "line": line.key,
        "item": line.item.number,
        "quantity": row.units // line.factor,
        "unit": line.unit,
        "lot": row.lot,
    }


def _recipient(world: DemoWorld, row: Shipment) -> Values:
    address = row.order.customer.addresses[1]
    signed = row.carriage.signed if row.carriage else NEVER
    signer = names.person(dice(row.order.luck, "signs"), row.order.region)
    return {
        "shipment": row.number,
        "signed_by": signer if signed <= world.now else None,
        "street": address.street,
        "postal_code": address.postal_code,
        "city": address.city,
        "country": address.country,
    }


def _recipient_changed(world: DemoWorld, row: Shipment) -> int:
    return latest(world, row.shipped, row.carriage.signed if row.carriage else NEVER)


def _invoices(world: DemoWorld, since: int) -> Iterator[Billed]:
    return ((invoice, life) for life in world.lives(since) for invoice in life.invoices)


def _payments(world: DemoWorld, since: int) -> Iterator[Paid]:
    for invoice, life in _invoices(world, since):
        for place, (moment, _) in enumerate(invoice.payments):
            if moment <= world.now:
                yield invoice, life, place


def _invoice(world: DemoWorld, row: Billed) -> Values:
    invoice, _ = row
    clock = world.clocks[invoice.shipment.site]
    return {
        "number": invoice.number,
        "customer": invoice.order.customer.number,
        "order": invoice.order.number,
        "kind": invoice.kind,
        "status": invoice.status(world.now),
        "invoice_date": day(invoice.day),
        "due_date": day(invoice.due),
        "paid_date": day(clock.day_of(invoice.paid)) if invoice.paid <= world.now else None,
    }


def invoice_net(world: DemoWorld, row: Billed) -> int:
    """The net value of an invoice or credit note in cents."""
    invoice, life = row
    if invoice.credited is not None:
        line, units = invoice.credited
        return part_net(world.masters.prices, line, 0, units)
    return shipment_net(world.masters.prices, life.fulfilment, invoice.shipment)


def _invoice_amount(world: DemoWorld, row: Billed) -> Values:
    invoice, _ = row
    net = invoice_net(world, row)
    total = with_tax(net, invoice.order.region)
    return {
        "invoice": invoice.number,
        "net": money(net),
        "total": money(total),
        "open": money(invoice.open_of(total, world.now)),
        "currency": REGIONS[invoice.order.region].currency,
    }


def _payment(world: DemoWorld, row: Paid) -> Values:
    invoice, life, place = row
    moment, _ = invoice.payments[place]
    total = with_tax(invoice_net(world, (invoice, life)), invoice.order.region)
    before = invoice.payments[place - 1][0] if place else 0
    return {
        "invoice": invoice.number,
        "paid_date": day(world.clocks[invoice.shipment.site].day_of(moment)),
        "amount": money(invoice.open_of(total, before) - invoice.open_of(total, moment)),
        "currency": REGIONS[invoice.order.region].currency,
        "reference": f"PAY-{invoice.shipment.digits}{place + 1}",
    }


def _returns(world: DemoWorld, since: int) -> Iterator[Return]:
    return (life.back for life in world.lives(since) if life.back is not None)


def _return(world: DemoWorld, row: Return) -> Values:
    return {
        "number": row.number,
        "order": row.order.number,
        "site": SITES[row.shipment.site].code,
        "status": row.status(world.now),
        "reason": row.reason,
        "requested_date": day(world.clocks[row.shipment.site].day_of(row.requested)),
        "received_at": passed(world, row.received),
    }


def _return_line(_: DemoWorld, row: Return) -> Values:
    return {
        "return_order": row.number,
        "line": row.line.key,
        "item": row.line.item.number,
        "quantity": row.units // row.line.factor,
        "unit": row.line.unit,
    }


def _cases(world: DemoWorld, since: int) -> Iterator[Case]:
    return (life.case for life in world.lives(since) if life.case is not None)


def _case(world: DemoWorld, row: Case) -> Values:
    return {
        "number": row.number,
        "customer": row.order.customer.number,
        "order": row.order.number,
        "status": row.status(world.now),
        "priority": row.priority,
        "opened_at": instant(row.opened),
        "closed_at": passed(world, row.closed),
    }


def _notes(world: DemoWorld, since: int) -> Iterator[Note]:
    return (note for life in world.lives(since) for note in life.notes)


def _note(_: DemoWorld, row: Note) -> Values:
    return {
        "customer": row.order.customer.number,
        "order": row.order.number,
        "service_case": row.case.number if row.case else None,
        "written_at": instant(row.written),
        "author": row.author,
        "body": row.body,
    }


SHIPPING = (
    Table[Shipment](
        entity="shipment",
        rows=_shipments,
        key=lambda r: r.number,
        values=_shipment,
        changed=lambda w, r: r.changed(w.now),
        company=lambda r: r.order.company,
        drop=1,
    ),
    Table[Content](
        entity="shipment_line",
        rows=_contents,
        key=lambda r: f"SL-{r.shipment.order.n}/{r.line.position}.{r.portion}",
        values=_content,
        changed=lambda _, r: r.changed,
        company=lambda r: r.shipment.order.company,
        drop=0,
    ),
    Table[Tracked](
        entity="tracking_event",
        rows=_tracked,
        key=lambda r: f"{r[0].number}/{r[1]}",
        values=lambda _, r: {
            "shipment": r[0].number,
            "happened_at": instant(r[2][0]),
            "event": r[2][1],
            "place": r[2][2],
        },
        changed=lambda _, r: r[2][0],
        company=lambda r: r[0].order.company,
        drop=1,
    ),
    Table[Shipment](
        entity="shipment_recipient",
        rows=_recipients,
        key=lambda r: r.number,
        values=_recipient,
        changed=_recipient_changed,
        company=lambda r: r.order.company,
        drop=1,
    ),
)
"""The tables of shipments."""
BILLING = (
    Table[Billed](
        entity="invoice",
        rows=_invoices,
        key=lambda r: r[0].number,
        values=_invoice,
        changed=lambda w, r: r[0].changed(w.now),
        company=lambda r: r[0].order.company,
        labels=lambda r: {"region": r[0].order.company, "channel": CHANNELS[r[0].order.channel].code},
        drop=1,
    ),
    Table[Billed](
        entity="invoice_amount",
        rows=_invoices,
        key=lambda r: r[0].number,
        values=_invoice_amount,
        changed=lambda w, r: r[0].changed(w.now),
        company=lambda r: r[0].order.company,
        drop=1,
    ),
    Table[Paid](
        entity="payment",
        rows=_payments,
        key=lambda r: f"{r[0].number}/{r[2] + 1}",
        values=_payment,
        changed=lambda _, r: r[0].payments[r[2]][0],
        company=lambda r: r[0].order.company,
        drop=1,
    ),
)
"""The tables of invoices."""
SERVICE = (
    Table[Return](
        entity="return_order",
        rows=_returns,
        key=lambda r: r.number,
        values=_return,
        changed=lambda w, r: r.changed(w.now),
        company=lambda r: r.order.company,
        drop=1,
    ),
    Table[Return](
        entity="return_line",
        rows=_returns,
        key=lambda r: f"{r.number}/1",
        values=_return_line,
        changed=lambda _, r: r.requested,
        company=lambda r: r.order.company,
        drop=1,
    ),
    Table[Case](
        entity="service_case",
        rows=_cases,
        key=lambda r: r.number,
        values=_case,
        changed=lambda w, r: r.changed(w.now),
        company=lambda r: r.order.company,
        drop=0,
    ),
    Table[Note](
        entity="customer_note",
        rows=_notes,
        key=lambda r: r.key,
        values=_note,
        changed=lambda _, r: r.written,
        company=lambda r: r.order.company,
        drop=0,
    ),
)
"""The tables of what goes wrong."""
