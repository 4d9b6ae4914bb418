"""A customer's price: which rule wins, and when no price is given rather than a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain.evidence import Raw, Record, Value
from copilot.retrieval.measures import MEASURES, Context
from copilot.retrieval.run import _value
from copilot.semantic.measures import load_measures
from copilot.semantic.model import load_model
from tests.unit.records import context, day, record, scaled

ITEM = record("item", "S1", row=7, name="Desk", base_unit="pcs", category="Furniture")
CUSTOMER = record("customer", "S2", row=9, name="Acme")
LIST = record("price_list", "S3", row=3, name="DE list A", currency="EUR")
ASSIGNED = record("customer_price_list", "S4", row=4, customer=9, price_list=3)
LISTED = record("item_price", "S5", row=5, item=7, price=100, currency="EUR", unit="pcs")


def _contract(price: Any = 80, ref: str = "S10", **fields: Any) -> Record:
    usual = {"number": "K-1", "customer": 9, "item": 7, "price": price, "currency": "EUR"}
    return record("customer_contract", ref, row=10, **{**usual, **fields})


def _rule(kind: str, ref: str = "S20", row: int = 20, **fields: Any) -> Record:
    usual: dict[str, Any] = {"price_list": 3, "kind": kind, "label": ref, "currency": "EUR"}
    return record("price_rule", ref, row=row, **{**usual, **fields})


def _fixed(price: Any, ref: str = "S20", **fields: Any) -> Record:
    return _rule("fixed", ref, price=price, **{"item": 7, **fields})


def _discount(ratio: str, ref: str = "S30", **fields: Any) -> Record:
    return _rule("discount", ref, discount=ratio, **fields)


def _price(
    *rules: Record,
    contracts: Sequence[Record] = (),
    lists: Sequence[Record] = (LIST,),
    listed: Sequence[Record] = (LISTED,),
    item: Record = ITEM,
    with_context: Context | None = None,
) -> dict[str, Raw] | None:
    found = list(
        MEASURES["customer_price"](
            with_context or context(), [item], [CUSTOMER], contracts, [ASSIGNED], lists, rules, listed
        )
    )
    assert len(found) <= 1
    if not found:
        return None
    assert set(found[0].values) <= set(load_measures()["customer_price"].fields)
    assert {"S1", "S2"} <= set(found[0].inputs)
    return dict(found[0].values)


def _is(found: dict[str, Raw] | None, basis: str, price: Any, rule: str | None = None) -> bool:
    assert found is not None
    return (found["basis"], found["price"], found.get("rule")) == (basis, scaled(price), rule)


def test_a_contract_comes_before_every_rule() -> None:
    found = _price(_fixed(10), _discount("0.9"), contracts=[_contract(80)])
    assert _is(found, "contract", 80, "K-1")


def test_the_best_of_several_contracts_counts() -> None:
    assert _is(_price(contracts=[_contract(80), _contract(70, "S11", number="K-2")]), "contract", 70, "K-2")


def test_a_contract_without_a_price_is_a_commitment_and_no_price() -> None:
    assert _is(_price(contracts=[_contract(None)]), "list_price", 100)


def test_a_fixed_price_comes_before_a_discount() -> None:
    assert _is(_price(_discount("0.9"), _fixed(60)), "fixed_rule", 60, "S20")


def test_a_fixed_price_for_the_item_comes_before_a_lower_one_for_everything() -> None:
    everything = _fixed(10, "S21", item=None)
    assert _is(_price(everything, _fixed(60)), "fixed_rule", 60, "S20")


def test_the_lowest_of_several_fixed_prices_counts() -> None:
    assert _is(_price(_fixed(60), _fixed(55, "S21")), "fixed_rule", 55, "S21")


def test_a_discount_for_the_item_comes_before_one_for_everything() -> None:
    """As the definition says: the best fixed price for the item, else the discounts in order of nearness."""
    everything = _fixed(10, "S21", item=None)
    assert _is(_price(everything, _discount("0.1", item=7)), "discount_rule", 90, "S30")


def test_a_nearer_discount_comes_before_a_larger_one() -> None:
    everything, category = _discount("0.5", "S31"), _discount("0.3", "S32", category="Furniture")
    assert _is(_price(everything, category, _discount("0.1", item=7)), "discount_rule", 90, "S30")
    assert _is(_price(everything, category), "discount_rule", 70, "S32")
    assert _is(_price(everything), "discount_rule", 50, "S31")


def test_the_largest_of_equally_near_discounts_counts() -> None:
    assert _is(_price(_discount("0.1"), _discount("0.2", "S31")), "discount_rule", 80, "S31")


def test_a_discount_tells_the_list_price_and_the_list_it_is_from() -> None:
    found = _price(_discount("0.125"))
    assert found is not None
    assert found == {
        "price": scaled("87.5"), "list_price": scaled(100), "discount": scaled("0.125"), "currency": "EUR",
        "basis": "discount_rule", "rule": "S30", "price_list": "DE list A", "unit": "pcs",
    }  # fmt: skip


def test_without_a_rule_the_list_price_holds() -> None:
    assert _is(_price(), "list_price", 100)
    assert _price(listed=()) is None


@pytest.mark.parametrize(
    "rule",
    [
        _fixed(60, item=8),
        _discount("0.2", category="Lamps"),
        _fixed(60, starts=day("2026-11-19")),
        _fixed(60, ends=day("2026-11-17")),
        _fixed(60, minimum_quantity=2, unit="pcs"),
    ],
    ids=["other item", "other category", "not yet", "no longer", "from two on"],
)
def test_a_rule_that_does_not_hold_here_today_for_one_is_passed_over(rule: Record) -> None:
    assert _is(_price(rule), "list_price", 100)


@pytest.mark.parametrize(
    "fields",
    [
        {"starts": day("2026-11-18")},
        {"ends": day("2026-11-18")},
        {"starts": day("2026-01-01"), "ends": day("2026-12-31")},
        {"minimum_quantity": 1, "unit": "pcs"},
        {"minimum_quantity": 0, "unit": "pcs"},
    ],
)
def test_a_rule_holds_from_its_first_to_its_last_day_and_from_the_first_unit(fields: dict[str, Any]) -> None:
    assert _is(_price(_fixed(60, **fields)), "fixed_rule", 60, "S20")


def test_a_contract_that_has_ended_is_passed_over() -> None:
    assert _is(_price(contracts=[_contract(80, ends=day("2026-11-17"))]), "list_price", 100)
    assert _is(_price(contracts=[_contract(80, starts=day("2026-11-19"))]), "list_price", 100)


def test_a_formula_that_could_apply_means_no_price() -> None:
    assert _price(_rule("formula", "S40", item=7), _fixed(60)) is None


@pytest.mark.parametrize("where", [{"category": "Furniture"}, {}])
def test_a_formula_farther_away_than_the_items_own_price_does_not_matter(where: dict[str, Any]) -> None:
    assert _is(_price(_rule("formula", "S40", **where), _fixed(60)), "fixed_rule", 60, "S20")


@pytest.mark.parametrize("where", [{"item": 8}, {"category": "Lamps"}, {"ends": day("2026-11-01")}])
def test_a_formula_that_cannot_apply_changes_nothing(where: dict[str, Any]) -> None:
    assert _is(_price(_rule("formula", "S40", **where), _fixed(60)), "fixed_rule", 60, "S20")


def test_a_list_price_in_another_currency_gives_no_price() -> None:
    dollars = record("item_price", "S5", row=5, item=7, price=100, currency="USD", unit="pcs")
    assert _price(listed=[dollars]) is None
    assert _price(_discount("0.1"), listed=[dollars]) is None


def test_of_list_prices_in_several_currencies_the_customers_own_counts() -> None:
    dollars = record("item_price", "S6", row=6, item=7, price=120, currency="USD", unit="pcs")
    found = _price(listed=[dollars, LISTED])
    assert _is(found, "list_price", 100)
    assert _price(listed=[dollars, LISTED], lists=()) is None


@pytest.mark.parametrize("kind", ["fixed", "contract"])
def test_prices_in_two_currencies_are_not_compared(kind: str) -> None:
    """Seventy dollars are not simply less than eighty euros."""
    if kind == "fixed":
        found = _price(
            _fixed(80),
            _fixed(70, "S21", price_list=8, currency="USD"),
            lists=[LIST, record("price_list", "S8", row=8, name="US list", currency="USD")],
        )
    else:
        found = _price(contracts=[_contract(80), _contract(70, "S11", number="K-2", currency="USD")])
    assert found is None


def test_a_discount_that_cannot_be_computed_does_not_leave_the_list_price_as_the_whole_truth() -> None:
    """The customer has a rule; "no rule of theirs covers it" would be false."""
    other = record("price_list", "S8", row=8, name="US list", currency="USD")
    assert _price(_discount("0.2", price_list=8), lists=[LIST, other]) is None


def test_a_list_price_per_another_unit_is_not_the_price_of_one() -> None:
    dozen = record("item_price", "S5", row=5, item=7, price=1000, currency="EUR", unit="dozen")
    assert _price(listed=[dozen]) is None
    assert _price(_discount("0.1"), listed=[dozen]) is None


def test_a_minimum_quantity_survives_even_where_the_source_names_no_unit_for_it() -> None:
    """Odoo names none for rules over a category or everything; ten or more is still not one."""
    row = {"minimum_quantity": scaled(10), "unit": None}
    read = _value(load_model()["price_rule"], "minimum_quantity", row)
    rule = _discount("0.5")
    found = _price(replace(rule, values={**rule.values, "minimum_quantity": read}))
    assert found is None or _is(found, "list_price", 100)


def test_a_cut_list_of_rules_gives_no_price() -> None:
    assert _price(_fixed(60), with_context=context(complete=False)) is None


@given(st.integers(1, 10**12), st.integers(0, 1_000_000))
def test_a_discounted_price_is_within_half_a_millionth_of_the_exact_one(full: int, off: int) -> None:
    listed = record("item_price", "S5", row=5, item=7, price=None, currency="EUR", unit="pcs")
    listed = replace(listed, values={**listed.values, "price": Value("amount", full, "EUR")})
    rule = _discount("0")
    rule = replace(rule, values={**rule.values, "discount": Value("ratio", off)})
    found = _price(rule, listed=[listed])
    assert found is not None
    assert abs(2 * (int(str(found["price"])) * 1_000_000 - full * (1_000_000 - off))) <= 1_000_000
