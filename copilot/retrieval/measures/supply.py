"""What comes in next, and which supplier of an item is best by the rules that measures.yaml states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from copilot.domain.evidence import Raw, Record
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, number_of

LEAST_RECEIPTS = 5
"""Receipts in the period below which a rate says too little to compare suppliers by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coming:
    """One delivery on its way: the document, its line, when and how much."""

    document: Record
    line: Record
    site: Raw
    due: date | None
    quantity: int


def next_supply(context: Context, supply: Records, orders: Records) -> Iterator[Figures]:
    """What is on order and not yet received, per purchase line, the next to come in front and what is overdue last."""
    known = {order.row_id: order for order in orders}
    coming = [
        _Coming(
            document=order,
            line=line,
            site=order.raw("site"),
            due=day_of(line, "promised_date") or day_of(order, "promised_date"),
            quantity=number_of(line, "open_quantity"),
        )
        for line in supply
        if (order := known.get(number_of(line, "purchase_order"))) and number_of(line, "open_quantity") > 0
    ]
    yield from _listed(context, coming, "purchase_order")


def next_transfer(context: Context, lines: Records, transfers: Records) -> Iterator[Figures]:
    """What is on its way from another site, per transfer line; as `next_supply`."""
    known = {transfer.row_id: transfer for transfer in transfers}
    coming = [
        _Coming(
            document=transfer,
            line=line,
            site=transfer.raw("to_site"),
            due=day_of(transfer, "expected_date"),
            quantity=number_of(line, "quantity") - number_of(line, "received_quantity"),
        )
        for line in lines
        if (transfer := known.get(number_of(line, "transfer")))
        and number_of(line, "quantity") > number_of(line, "received_quantity")
    ]
    yield from _listed(context, coming, "transfer")


def _listed(context: Context, coming: Sequence[_Coming], document: str) -> Iterator[Figures]:
    """Nothing where the list was cut: what comes first could be missing."""
    ahead = [each.due for each in coming if each.due and each.due >= context.today(each.document)]
    first = min(ahead, default=None)
    rank = {"next": 0, "later": 1, "undated": 2, "overdue": 3}
    states = [(_state(context, each, first), each) for each in coming]
    states.sort(key=lambda pair: (rank[pair[0]], pair[1].due or date.max, pair[1].document.row_id))
    for state, each in states if context.complete else ():
        late = context.calendar(each.document).days_late(each.due, context.today(each.document)) if each.due else 0
        values: dict[str, Raw] = {
            document: each.document.row_id, "site": each.site, "date": each.due, "quantity": each.quantity,
            "unit": each.line.raw("unit"), "state": state, "days_late": late or None,
        }  # fmt: skip
        if document == "purchase_order":
            values["supplier"] = each.document.raw("supplier")
        yield figures(values, each.line, (each.document,))


def _state(context: Context, each: _Coming, first: date | None) -> str:
    if each.due is None:
        return "undated"
    if each.due < context.today(each.document):
        return "overdue"
    return "next" if each.due == first else "later"


def best_supplier(
    context: Context, items: Records, offers: Records, suppliers: Records, rates: Records
) -> Iterator[Figures]:
    """The supplier of an item that comes first by on-time rate, then by measured and by quoted lead time; several where
    all three are the same, none where fewer than two have enough receipts to compare."""
    quoted = _quoted(offers, suppliers)
    measured = [r for r in rates if r.raw("supplier") in quoted and number_of(r, "receipts") >= LEAST_RECEIPTS]
    measured = [r for r in measured if r.raw("on_time_rate") is not None]
    if len(measured) < 2 or not items or not context.complete:
        return
    places = {r.id: _place(r, quoted) for r in measured}
    best = [r for r in measured if places[r.id] == min(places.values())]
    for rate in best:
        values: dict[str, Raw] = {
            "supplier": rate.raw("supplier"), "compared": len(measured), "alone": len(best) == 1,
            "on_time_rate": rate.raw("on_time_rate"), "lead_time_mean": rate.raw("lead_time_mean"),
        }  # fmt: skip
        yield figures(values, rate, (*measured, *offers))


def _quoted(offers: Records, suppliers: Records) -> Mapping[Raw, int]:
    """Active supplier -> the shortest lead time it quotes; beyond every other where it quotes none."""
    active = {s.row_id for s in suppliers if s.raw("status") in (None, "active")}
    found: dict[Raw, int] = {}
    for offer in offers:
        supplier, quoted = offer.raw("supplier"), offer.raw("lead_time")
        days = quoted if isinstance(quoted, int) else _NEVER
        if supplier in active:
            found[supplier] = min(days, found.get(supplier, _NEVER))
    return found


_NEVER = 2**62


def _place(rate: Record, quoted: Mapping[Raw, int]) -> tuple[int, int, int]:
    mean = rate.raw("lead_time_mean")
    return -number_of(rate, "on_time_rate"), mean if isinstance(mean, int) else _NEVER, quoted[rate.raw("supplier")]


def quickest_quote(context: Context, items: Records, offers: Records, suppliers: Records) -> Iterator[Figures]:
    """The supplier of an item with the shortest quoted lead time; nothing where two quote the same or only one does."""
    quoted = {supplier: days for supplier, days in _quoted(offers, suppliers).items() if days != _NEVER}
    if len(quoted) < 2 or not context.complete or not items:
        return
    first, second = sorted(quoted, key=lambda supplier: quoted[supplier])[:2]
    if quoted[first] < quoted[second]:
        yield figures({"supplier": first, "lead_time": quoted[first], "compared": len(quoted)}, items[0], offers)


def lowest_quote(
    context: Context, items: Records, offers: Records, suppliers: Records, prices: Records
) -> Iterator[Figures]:
    """The supplier of an item with the lowest price; only among two or more that quote in one currency and unit."""
    active = _quoted(offers, suppliers)
    of_offer = {offer.row_id: offer.raw("supplier") for offer in offers}
    known = [p for p in prices if of_offer.get(number_of(p, "supplier_item")) in active and p.raw("price") is not None]
    alike = {(p.raw("currency"), p.raw("unit")) for p in known}
    if len({of_offer[number_of(p, "supplier_item")] for p in known}) < 2 or len(alike) != 1 or not context.complete:
        return
    lowest = min(number_of(p, "price") for p in known)
    those = [p for p in known if p.raw("price") == lowest]
    if len({of_offer[number_of(p, "supplier_item")] for p in those}) == 1 and items:
        price = those[0]
        values: dict[str, Raw] = {
            "supplier": of_offer[number_of(price, "supplier_item")], "price": lowest,
            "currency": price.raw("currency"), "unit": price.raw("unit"),
        }  # fmt: skip
        yield figures(values, price, (*known, *offers))
