"""What a customer pays for one base unit of an item today, and the rule that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from copilot.domain.evidence import Raw, Record
from copilot.domain.quantity import SCALE
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, number_of


def customer_price(
    context: Context, items: Records, customers: Records, contracts: Records, assigned: Records,
    price_lists: Records, rules: Records, list_prices: Records,
) -> Iterator[Figures]:  # fmt: skip
    """Contract, else the best fixed price, else the largest discount, else the list price.

    Nothing where the rules were cut off, where a rule with a formula of the source's own could apply, or where the
    list price is in another currency than the customer's price list.
    """
    del assigned
    if not context.complete or not items or not customers:
        return
    item, today = items[0], context.today(customers[0])
    valid = [rule for rule in rules if _in_force(rule, today) and _covers(rule, item) and _from_one(rule)]
    if any(rule.raw("kind") == "formula" for rule in valid):
        return
    found = (
        _by_contract([c for c in contracts if _in_force(c, today)])
        or _by_fixed(valid, price_lists)
        or _by_discount(valid, price_lists, list_prices)
        or _by_list(price_lists, list_prices)
    )
    if found:
        values, used = found
        yield figures({**values, "unit": item.raw("base_unit")}, item, (customers[0], *used))


_Found = tuple[Mapping[str, Raw], tuple[Record, ...]]


def _by_contract(contracts: Records) -> _Found | None:
    priced = [c for c in contracts if c.raw("price") is not None]
    if not priced:
        return None
    best = min(priced, key=lambda c: number_of(c, "price"))
    values = {
        "price": best.raw("price"),
        "currency": best.raw("currency"),
        "basis": "contract",
        "rule": best.raw("number"),
    }
    return values, (best,)


def _by_fixed(rules: Records, price_lists: Records) -> _Found | None:
    fixed = [rule for rule in rules if rule.raw("kind") == "fixed" and rule.raw("price") is not None]
    if not fixed:
        return None
    best = min(fixed, key=lambda rule: (rule.raw("item") is None, number_of(rule, "price")))
    chosen = _list_of(best, price_lists)
    values = {
        "price": best.raw("price"), "currency": best.raw("currency"), "basis": "fixed_rule",
        "rule": best.raw("label"), "price_list": chosen.raw("name") if chosen else None,
    }  # fmt: skip
    return values, tuple(r for r in (best, chosen) if r)


def _by_discount(rules: Records, price_lists: Records, list_prices: Records) -> _Found | None:
    discounts = [rule for rule in rules if rule.raw("kind") == "discount" and rule.raw("discount") is not None]
    if not discounts:
        return None
    best = max(discounts, key=lambda rule: (_nearness(rule), number_of(rule, "discount")))
    chosen = _list_of(best, price_lists)
    listed = _in_currency(list_prices, chosen.raw("currency") if chosen else None)
    if listed is None:
        return None
    full = number_of(listed, "price")
    price = (full * (SCALE - number_of(best, "discount")) + SCALE // 2) // SCALE
    values = {
        "price": price, "list_price": full, "discount": best.raw("discount"), "currency": listed.raw("currency"),
        "basis": "discount_rule", "rule": best.raw("label"), "price_list": chosen.raw("name") if chosen else None,
    }  # fmt: skip
    return values, tuple(r for r in (best, chosen, listed) if r)


def _by_list(price_lists: Records, list_prices: Records) -> _Found | None:
    listed = _in_currency(list_prices, price_lists[0].raw("currency") if price_lists else None)
    if listed is None:
        return None
    return {"price": listed.raw("price"), "currency": listed.raw("currency"), "basis": "list_price"}, (listed,)


def _nearness(rule: Record) -> int:
    """A rule for the item comes before one for its category, and that before one for everything."""
    return 2 if rule.raw("item") is not None else 1 if rule.raw("category") else 0


def _in_force(record: Record, today: date) -> bool:
    starts, ends = day_of(record, "starts"), day_of(record, "ends")
    return (starts is None or starts <= today) and (ends is None or today <= ends)


def _covers(rule: Record, item: Record) -> bool:
    if rule.raw("item") is not None:
        return rule.raw("item") == item.row_id
    return not rule.raw("category") or rule.raw("category") == item.raw("category")


def _from_one(rule: Record) -> bool:
    """Whether the rule holds from the first unit on."""
    return number_of(rule, "minimum_quantity") <= SCALE


def _list_of(rule: Record, price_lists: Records) -> Record | None:
    return next((each for each in price_lists if each.row_id == rule.raw("price_list")), None)


def _in_currency(list_prices: Records, currency: Raw) -> Record | None:
    """The list price in a currency; where none is named, the only one there is."""
    found = [each for each in list_prices if currency is None or each.raw("currency") == currency]
    return found[0] if len(found) == 1 else None
