"""What a customer pays for an item today, from which quantity on another price holds, and the rules that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from copilot.domain.evidence import Raw, Record
from copilot.domain.plan import Wanted
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
    if not context.complete or not _asked(context, items, customers):
        return
    offer = _Offer(items[0], price_lists, list_prices)
    quote = _Quote.of(context.today(customers[0]), items[0], contracts, rules, offer)
    found = quote.price(SCALE)
    if found:
        values, used = found
        yield figures({**values, "unit": items[0].raw("base_unit")}, items[0], (customers[0], *used))


def price_break(
    context: Context, items: Records, customers: Records, contracts: Records, assigned: Records,
    price_lists: Records, rules: Records, list_prices: Records,
) -> Iterator[Figures]:  # fmt: skip
    """The quantities from which another price holds than for one unit, each with that price, smallest first.

    Nothing where customer_price has none, where a contract sets the price whatever the quantity, where one of the
    prices can't be told, or where a rule counts in another unit than the item's own.
    """
    del assigned
    if not context.complete or not _asked(context, items, customers):
        return
    offer = _Offer(items[0], price_lists, list_prices)
    quote = _Quote.of(context.today(customers[0]), items[0], contracts, rules, offer)
    base, steps = items[0].raw("base_unit"), quote.steps()
    prices = [(at, quote.price(at)) for at in (SCALE, *steps)]
    if quote.contracts or any(found is None for _, found in prices) or not quote.counted_in(base):
        return
    before: _Found | None = None
    for at, found in prices:
        if found and before and _price(found) != _price(before):
            values, used = found
            broken: dict[str, Raw] = {**values, "from_quantity": at, "unit": base}
            yield figures(broken, items[0], (customers[0], *used))
        before = found


def price_at(
    context: Context, items: Records, customers: Records, contracts: Records,
    price_lists: Records, rules: Records, list_prices: Records, units: Records,
) -> Iterator[Figures]:  # fmt: skip
    """The price for the quantity that the question names, in the item's own units; without a price where that can't be
    told, nothing where the question names no quantity."""
    if context.wanted is None or context.wanted.quantity is None or not _asked(context, items, customers):
        return
    asked = _in_base(context.wanted, items[0], units)
    offer = _Offer(items[0], price_lists, list_prices)
    quote = _Quote.of(context.today(customers[0]), items[0], contracts, rules, offer)
    countable = quote.contracts or quote.counted_in(items[0].raw("base_unit"))
    found = quote.price(asked[0]) if asked and context.complete and countable else None
    if asked and found:
        values, used = found
        told: dict[str, Raw] = {**values, "quantity": asked[0], "unit": items[0].raw("base_unit")}
        told["total"] = (_price(found) * asked[0] + SCALE // 2) // SCALE
        yield figures(told, items[0], (customers[0], *asked[1], *used))
        return
    said = context.wanted.units[0] if context.wanted.units else items[0].raw("base_unit")
    yield figures({"quantity": context.wanted.quantity, "unit": said}, items[0], (customers[0],))


def _in_base(wanted: Wanted, item: Record, units: Records) -> tuple[int, Records] | None:
    """A quantity in the item's base unit, which is meant where none is said; None where the item has no such unit."""
    quantity, base = wanted.quantity or 0, str(item.raw("base_unit") or "")
    if not wanted.units or base.casefold() in wanted.units:
        return quantity, ()
    sizes = [u for u in units if u.raw("item") == item.row_id and str(u.raw("unit") or "").casefold() in wanted.units]
    if len({u.raw("base_quantity") for u in sizes}) != 1 or number_of(sizes[0], "base_quantity") <= 0:
        return None
    return round(quantity * number_of(sizes[0], "base_quantity") / SCALE), sizes[:1]


def price_option(
    context: Context, items: Records, customers: Records, contracts: Records, assigned: Records,
    price_lists: Records, rules: Records, list_prices: Records,
) -> Iterator[Figures]:  # fmt: skip
    """Every contract and rule in force that covers the item and has a price, and the list price, in the order in which
    they count; the first of them for one unit is what customer_price says."""
    del assigned
    if not context.complete or not _asked(context, items, customers):
        return
    offer = _Offer(items[0], price_lists, list_prices)
    quote = _Quote.of(context.today(customers[0]), items[0], contracts, rules, offer)
    ranked = sorted(quote.rules, key=lambda rule: (-_nearness(rule, items[0]), number_of(rule, "minimum_quantity")))
    found = [*map(_by_contract, quote.contracts), *map(offer.by_rule, ranked), offer.by_list()]
    sources = [*quote.contracts, *ranked, None]
    for option, source in zip(found, sources, strict=True):
        if option:
            values, used = option
            terms: dict[str, Raw] = {name: source.raw(name) for name in ("starts", "ends")} if source else {}
            least = number_of(source, "minimum_quantity") if source and source.entity == "price_rule" else 0
            terms["from_quantity"] = least if least > SCALE else None
            yield figures({**values, **terms, "unit": items[0].raw("base_unit")}, items[0], (customers[0], *used))


def _asked(context: Context, items: Records, customers: Records) -> bool:
    """Whether there is an item and a customer, and the question is about today: what a price will be is not told.
    A fraction of nothing in particular ("why do they pay 12.80?") is no quantity."""
    wanted = context.wanted
    plain = wanted is None or (wanted.day is None and (bool(wanted.units) or not (wanted.quantity or 0) % SCALE))
    return bool(items and customers) and plain


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quote:
    """What may set a customer's price for an item on a day: the contracts and rules in force, and the list price."""

    item: Record
    contracts: Records
    rules: Records
    offer: _Offer

    @classmethod
    def of(cls, today: date, item: Record, contracts: Records, rules: Records, offer: _Offer) -> _Quote:
        """Of all contracts and rules those that count today."""
        return cls(
            item=item,
            contracts=[c for c in contracts if _in_force(c, today) and c.raw("price") is not None],
            rules=[rule for rule in rules if _in_force(rule, today) and _nearness(rule, item)],
            offer=offer,
        )

    def price(self, quantity: int) -> _Found | None:
        """The price per base unit for so many of them; None where it can't be told."""
        if self.contracts:
            return _lowest([_by_contract(contract) for contract in self.contracts])
        valid = [rule for rule in self.rules if number_of(rule, "minimum_quantity") <= quantity]
        nearest = max((_nearness(rule, self.item) for rule in valid), default=0)
        if not valid:
            return self.offer.by_list()
        return _lowest([self.offer.by_rule(rule) for rule in valid if _nearness(rule, self.item) == nearest])

    def steps(self) -> list[int]:
        """The quantities from which further rules hold."""
        least = {number_of(rule, "minimum_quantity") for rule in self.rules}
        return sorted(quantity for quantity in least if quantity > SCALE)

    def counted_in(self, unit: Raw) -> bool:
        """Whether the quantities of all rules are in a unit."""
        stepped = [rule for rule in self.rules if number_of(rule, "minimum_quantity") > SCALE]
        return all(rule.raw("unit") in (None, unit) for rule in stepped)


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
