"""What a customer pays for one base unit of an item today, and the rule that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from copilot.domain.evidence import Raw, Record
from copilot.domain.quantity import SCALE
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, number_of


def customer_price(
    context: Context, items: Records, customers: Records, contracts: Records, assigned: Records,
    price_lists: Records, rules: Records, list_prices: Records,
) -> Iterator[Figures]:  # fmt: skip
    """Contract, else the lowest price by the nearest rules, else the list price.

    Nothing where that can't be told for sure: the rules were cut off, a nearest rule has a formula of the source's own
    or starts from a list price in another currency or unit, or prices stand in several currencies.
    """
    del assigned
    if not context.complete or not items or not customers:
        return
    offer = _Offer(items[0], price_lists, list_prices)
    today = context.today(customers[0])
    valid = [rule for rule in rules if _in_force(rule, today) and _from_one(rule) and _nearness(rule, items[0])]
    nearest = max((_nearness(rule, items[0]) for rule in valid), default=0)
    in_force = [c for c in contracts if _in_force(c, today) and c.raw("price") is not None]
    if in_force:
        found = _lowest([_by_contract(contract) for contract in in_force])
    elif valid:
        found = _lowest([offer.by_rule(rule) for rule in valid if _nearness(rule, items[0]) == nearest])
    else:
        found = offer.by_list()
    if found:
        values, used = found
        yield figures({**values, "unit": items[0].raw("base_unit")}, items[0], (customers[0], *used))


_Found = tuple[Mapping[str, Raw], tuple[Record, ...]]


def _lowest(found: Sequence[_Found | None]) -> _Found | None:
    """The lowest of prices in one currency; None where one could not be computed or currencies differ."""
    known = [each for each in found if each is not None]
    if len(known) != len(found) or len({values["currency"] for values, _ in known}) != 1:
        return None
    return min(known, key=_price)


def _price(found: _Found) -> int:
    price = found[0]["price"]
    return price if isinstance(price, int) else 0


def _by_contract(contract: Record) -> _Found:
    values = {
        "price": contract.raw("price"),
        "currency": contract.raw("currency"),
        "basis": "contract",
        "rule": contract.raw("number"),
    }
    return values, (contract,)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What rules start from: the item, the customer's price lists and the item's list prices."""

    item: Record
    price_lists: Records
    list_prices: Records

    def by_rule(self, rule: Record) -> _Found | None:
        """The price by a rule; None where it can't be computed."""
        chosen = next((each for each in self.price_lists if each.row_id == rule.raw("price_list")), None)
        named: dict[str, Raw] = {"rule": rule.raw("label"), "price_list": chosen.raw("name") if chosen else None}
        used = (rule, chosen) if chosen else (rule,)
        if rule.raw("kind") == "fixed" and rule.raw("price") is not None:
            return {**named, "price": rule.raw("price"), "currency": rule.raw("currency"), "basis": "fixed_rule"}, used
        listed = self._listed(chosen.raw("currency") if chosen else None)
        if rule.raw("kind") != "discount" or rule.raw("discount") is None or listed is None:
            return None
        full = number_of(listed, "price")
        figures_of = {
            "price": (full * (SCALE - number_of(rule, "discount")) + SCALE // 2) // SCALE,
            "list_price": full,
            "discount": rule.raw("discount"),
            "currency": listed.raw("currency"),
            "basis": "discount_rule",
        }
        return {**named, **figures_of}, (*used, listed)

    def by_list(self) -> _Found | None:
        """The list price in the currency of the customer's price list."""
        listed = self._listed(self.price_lists[0].raw("currency") if self.price_lists else None)
        if listed is None:
            return None
        return {"price": listed.raw("price"), "currency": listed.raw("currency"), "basis": "list_price"}, (listed,)

    def _listed(self, currency: Raw) -> Record | None:
        """The list price per base unit in a currency; where none is named, the only one there is."""
        per_base = [p for p in self.list_prices if p.raw("unit") in (None, self.item.raw("base_unit"))]
        found = [each for each in per_base if currency is None or each.raw("currency") == currency]
        return found[0] if len(found) == 1 else None


def _nearness(rule: Record, item: Record) -> int:
    """How near a rule is to an item: 3 names it, 2 its category or one above, 1 everything, 0 does not cover it."""
    if rule.raw("item") is not None:
        return 3 if rule.raw("item") == item.row_id else 0
    category, own = rule.raw("category"), str(item.raw("category") or "")
    if not category:
        return 1
    return 2 if own == category or own.startswith(f"{category} / ") else 0


def _in_force(record: Record, today: date) -> bool:
    starts, ends = day_of(record, "starts"), day_of(record, "ends")
    return (starts is None or starts <= today) and (ends is None or today <= ends)


def _from_one(rule: Record) -> bool:
    """Whether the rule holds from the first unit on."""
    return number_of(rule, "minimum_quantity") <= SCALE
