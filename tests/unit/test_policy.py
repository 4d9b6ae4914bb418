"""The baseline policy, and the scope that a person's grants come to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from copilot.domain.principal import Grant, Principal
from copilot.domain.scope import EMPTY_SCOPE, Scope
from copilot.policy.policy import load_policy, scope_for
from copilot.policy.reading import baseline
from copilot.semantic.model import load_model

POLICY = load_policy()


def _grant(role: str = "planner", **labels: frozenset[int] | None) -> Grant:
    everywhere: dict[str, frozenset[int] | None] = {"regions": None, "sites": None, "channels": None, "accounts": None}
    return Grant(role=role, **{**everywhere, **labels})


def _scope(*grants: Grant) -> Scope:
    return scope_for(Principal(subject="x", name="X", home_region=None, grants=grants), POLICY)


def test_every_class_of_the_policy_is_one_of_the_model() -> None:
    known = load_model().classes
    assert frozenset().union(*map(POLICY.classes_of, POLICY.roles)) <= known
    assert set(POLICY.everywhere.fresh_for) - {"default"} <= known


@pytest.mark.parametrize(
    ("record_class", "readers"),
    [
        ("item_cost", {"planner", "buyer", "finance", "executive"}),
        ("purchase_price", {"buyer", "finance", "executive"}),
        ("supplier_terms", {"buyer", "finance", "executive"}),
        ("credit", {"finance", "executive"}),
        ("sales_price", {"customer_service", "sales", "finance", "executive", "customer_contact"}),
        ("invoice_amount", {"customer_service", "sales", "finance", "executive", "customer_contact"}),
        ("contact", {"customer_service", "sales", "finance"}),
        ("address", {"customer_service", "sales", "warehouse", "customer_contact"}),
        ("free_text", {"customer_service"}),
    ],
)
def test_a_sensitive_class_is_read_by_those_who_need_it_and_nobody_else(record_class: str, readers: set[str]) -> None:
    assert {role for role in POLICY.roles if record_class in POLICY.classes_of(role)} == readers


@pytest.mark.parametrize("role", ["auditor", "administrator", "governance_officer", "nobody", ""])
def test_roles_without_business_and_unknown_roles_read_no_record(role: str) -> None:
    scope = _scope(_grant(role))
    assert not scope
    assert scope.classes == frozenset()


def test_nobody_without_a_grant_reads_anything() -> None:
    assert _scope() == EMPTY_SCOPE


def test_a_grant_held_to_classes_reads_what_both_it_and_the_role_name() -> None:
    held = Grant(
        role="warehouse", regions=None, sites=None, channels=None, accounts=None, classes=frozenset({"stock", "credit"})
    )
    assert _scope(held).classes == {"stock"}


def test_a_scope_has_the_classes_of_the_role_and_the_labels_of_the_grant() -> None:
    grant = _grant("planner", regions=frozenset({1}), sites=frozenset(), channels=None, accounts=frozenset({4}))
    (reach,) = _scope(grant).reaches
    assert reach.classes == POLICY.classes_of("planner")
    assert (reach.regions, reach.sites, reach.channels, reach.accounts) == (
        frozenset({1}), frozenset(), None, frozenset({4}),
    )  # fmt: skip


def test_two_grants_never_widen_each_other() -> None:
    scope = _scope(_grant("customer_service", regions=frozenset({3})), _grant("planner", regions=frozenset({2})))
    de, us = (2, 7, 1, 40), (3, 7, 1, 40)
    seen = {(name, at) for name in ("item_cost", "sales_price", "sales") for at in (de, us) if scope.sees(name, at)}
    assert seen == {("item_cost", de), ("sales_price", us), ("sales", de), ("sales", us)}
    assert not scope.sees("sales", (1, 7, 1, 40))
    assert not scope.allows("credit")


@pytest.mark.parametrize("other", ["auditor", "nobody"])
def test_a_grant_without_business_adds_nothing(other: str) -> None:
    grant = _grant("buyer", sites=frozenset({4}))
    assert _scope(_grant(other), grant) == _scope(grant)


def test_the_order_of_grants_does_not_matter() -> None:
    first, second = _grant("finance", regions=frozenset({1})), _grant("warehouse", sites=frozenset({2}))
    assert _scope(first, second) == _scope(second, first, second)


def test_a_class_without_a_limit_of_its_own_is_fresh_for_the_default() -> None:
    assert POLICY.fresh_limit("stock") == timedelta(hours=4)
    assert POLICY.fresh_limit("reference") == POLICY.fresh_limit("no such class") == timedelta(hours=24)


def test_roles_are_named_once_in_the_order_granted() -> None:
    person = Principal(
        subject="x", name="X", home_region=1, grants=(_grant("buyer"), _grant("planner"), _grant("buyer"))
    )
    assert person.roles == ("buyer", "planner")


@pytest.mark.parametrize("role", ["sales", "customer_contact"])
def test_a_role_of_own_accounts_reads_nothing_by_a_grant_that_names_none(role: str) -> None:
    assert _scope(_grant(role)) == EMPTY_SCOPE
    assert {reach.accounts for reach in _scope(_grant(role, accounts=frozenset())).reaches} == {frozenset()}
    assert _scope(_grant(role, accounts=frozenset({4}))).classes == POLICY.classes_of(role)


@pytest.mark.parametrize(
    "hidden",
    ["price_list", "stock", "item_cost", "purchasing", "purchase_price", "supplier", "supplier_contact",
     "supplier_terms", "supplier_rate", "credit", "contact", "case", "free_text"],
)  # fmt: skip
def test_a_customer_contact_reads_nothing_of_others_and_nothing_internal(hidden: str) -> None:
    assert hidden not in POLICY.classes_of("customer_contact")


def test_an_executive_reads_figures_and_neither_contacts_nor_words() -> None:
    assert POLICY.classes_of("executive") == load_model().classes - {
        "contact", "address", "supplier_contact", "free_text",
    }  # fmt: skip


def test_the_shipped_policy_is_the_same_at_every_moment() -> None:
    assert [rule.name for document in baseline().documents for rule in document.rules if rule.exempt] == []
    assert POLICY.version == "baseline-7"
