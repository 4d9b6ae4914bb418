"""`policy explain` and `policy diff`: the outcome, the deciding layer and rule, and what tightened or loosened."""

from __future__ import annotations

from datetime import timedelta

import pytest

from copilot.errors import PolicyError
from copilot.policy.diff import diff
from copilot.policy.explain import Held, Holder, explain
from copilot.policy.findings import Known
from tests.unit.policies import NOW, TOP, document, policy

KNOWN = Known(
    classes=frozenset({"item", "stock", "item_cost", "credit"}),
    regions=frozenset({"SG", "DE"}),
    sites={"TUA": "SG", "HAM": "DE"},
    channels=frozenset({"WEB"}),
)
MORE = """
    accounts:
      all_accounts: {roles: [planner, buyer], accounts: any}
    governs:
      on_hand_governed: {figure: on_hand, order: [wms, erp]}
    approval:
      buys:
        {action: buy, currencies: [EUR], per: {party: supplier, days: 30}, steps: [
          {from: 0, to: 5000, approvals: 0}, {from: 5000, approvals: 1, by: [buyer]}]}
    masking:
      tokens: {classes: [item], audiences: [models], shown: token}
"""
SG = document(
    "region SG",
    """
    access:
      sg_planner: {role: planner, without: [item_cost], also: [credit]}
    fresh_for:
      sg_stock: {classes: [stock], hours: 2, exception: {why: the WMS is replaced, until: 2026-06-30, hours: 3}}
    """,
)
POLICY = policy(document("enterprise", TOP, MORE), SG)
PLANNER = Holder(subject="anna", grants=(Held(role="planner"),))

_REFUSED = "that loosens what stands above without being allowed by name, so it has no effect"
_NO_ACCOUNTS = "the role reads the records of certain customers, and the grant names none"
_LADDER = "in 30 days with one supplier: from 0 no approval, from 5,000 1 approval by buyer"


def _told(what: str, person: Holder = PLANNER) -> list[str]:
    return [sentence for each in explain(POLICY, person, what, KNOWN, at=NOW) for sentence in each.sentences()]


@pytest.mark.parametrize(
    ("what", "sentences"),
    [
        ("item_cost in DE", [
            "anna may read item_cost at region DE, as planner.",
            "Decided by the rule planner_reads of enterprise.",
            "enterprise, planner_reads: may be read.",
        ]),
        ("item_cost in SG", [
            "anna may not read item_cost at region SG, as planner.",
            "Decided by the rule sg_planner of region SG.",
            "enterprise, planner_reads: may be read.",
            "region SG, sg_planner: may not be read.",
        ]),
        ("credit at tua", [
            "anna may not read credit at region SG, site TUA, as planner.",
            "Decided by the rule planner_reads of enterprise.",
            "enterprise, planner_reads: may not be read for all that it does not name.",
            f"region SG, sg_planner: may be read; {_REFUSED}.",
        ]),
        ("fresh_for stock at TUA", [
            "fresh_for of stock at region SG, site TUA: 3 hours.",
            "Decided by the rule sg_stock of region SG.",
            "enterprise, fresh_stock: 4 hours.",
            "region SG, sg_stock: 3 hours.",
            "region SG, sg_stock is an exception until 2026-06-30: the WMS is replaced.",
        ]),
        ("fresh_for item", [
            "fresh_for of item at enterprise: 24 hours.",
            "Decided by the rule fresh_default of enterprise.",
            "enterprise, fresh_default: 24 hours for all that it does not name.",
        ]),
        ("on_hand via WEB", [
            "governs of on_hand at channel WEB: wms before erp.",
            "Decided by the rule on_hand_governed of enterprise.",
            "enterprise, on_hand_governed: wms before erp.",
        ]),
        ("masking item models", [
            "masking of item models at enterprise: replaced by a token.",
            "Decided by the rule tokens of enterprise.",
            "enterprise, tokens: replaced by a token.",
        ]),
        ("masking item customers", ["masking of item customers at enterprise: hidden.", "No rule says anything."]),
        ("buy 7,000 eur in SG", [
            "autonomy of buy at region SG: recommended, and done by a person.",
            "Decided by the rule acts of enterprise.",
            "enterprise, acts: recommended, and done by a person.",
            "approval of buy at region SG: 7,000 EUR: 1 approval by buyer, of the sum in 30 days with one supplier.",
            "Decided by the rule buys of enterprise.",
            f"enterprise, buys: {_LADDER} for all that it does not name.",
        ]),
        ("policy", [
            "duties of policy at enterprise: authored by administrator, approved by governance_officer.",
            "Decided by the rule policy_changes of enterprise.",
            "enterprise, policy_changes: authored by administrator, approved by governance_officer.",
        ]),
    ],
)  # fmt: skip
def test_the_outcome_the_deciding_rule_and_every_layer_are_said(what: str, sentences: list[str]) -> None:
    assert _told(what) == sentences


@pytest.mark.parametrize(
    ("person", "first"),
    [
        (Holder(subject="eve", grants=()), "eve may not read stock at region SG: no grant counts."),
        (
            Holder(subject="eve", grants=(Held(role="nobody"),)),
            "eve may not read stock at region SG, as nobody.",
        ),
        (
            Holder(subject="eve", grants=(Held(role="planner", regions=frozenset({"DE"})),)),
            "eve may not read stock at region SG, as planner: the grant is for region DE only.",
        ),
        (
            Holder(subject="eve", grants=(Held(role="planner", sites=frozenset({"TUA"})),)),
            "eve may read stock at region SG, as planner, within the grant: site TUA.",
        ),
    ],
)
def test_a_person_reads_by_the_grants_that_count(person: Holder, first: str) -> None:
    assert _told("stock in SG", person)[0] == first


def test_a_role_of_own_accounts_needs_a_grant_that_names_them() -> None:
    own = policy(document("enterprise", TOP, "accounts:\n  a: {roles: [buyer], accounts: any}"))
    bare, named = (Holder(subject="eve", grants=(Held(role="planner", own=own),)) for own in (False, True))
    told = [explain(own, person, "stock", KNOWN, at=NOW)[0].outcome for person in (bare, named)]
    assert told == [
        f"eve may not read stock at enterprise, as planner: {_NO_ACCOUNTS}.",
        "eve may read stock at enterprise, as planner, within the grant: of the customers that the grant names.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("", "asks for nothing"),
        ("nonsense", "the policy knows no 'nonsense'"),
        ("stock in PARIS", "there is no place 'PARIS'"),
        ("stock in", "names no place"),
        ("stock in SG in DE", "are two places of one kind"),
        ("stock please", "is not understood"),
        ("fresh_for stock item", "fresh_for is asked for by class"),
        ("buy lots EUR", "is no amount"),
        ("buy -5 EUR", "is no amount"),
    ],
)
def test_what_is_not_known_is_named(what: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        _told(what)


def _changes(before: str, after: str, place: str = "region SG") -> list[str]:
    top = document("enterprise", TOP, MORE, "may_loosen: [{rule: fresh_stock, within: {hours: 8}}]")
    old, new = (policy(top, document(place, text)) for text in (before, after))
    return [str(change) for change in diff(old, new, at=NOW)]


_BOTH_WAYS = (
    "region SG, fresh_for, a: changed, tightened and loosened: item 24 hours -> 6 hours; stock 3 hours -> 6 hours"
)
_STOCK = "fresh_for:\n  a: {classes: [stock], hours: 3}"


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (_STOCK, _STOCK, []),
        (_STOCK, "fresh_for:\n  a: {classes: [stock], hours: 2}",
         ["region SG, fresh_for, a: changed, tightened: stock 3 hours -> 2 hours"]),
        (_STOCK, "fresh_for:\n  a: {classes: [stock], hours: 6}",
         ["region SG, fresh_for, a: changed, loosened: stock 3 hours -> 6 hours"]),
        (_STOCK, "fresh_for:\n  b: {classes: [stock], hours: 3}",
         ["region SG, fresh_for, a: removed, none", "region SG, fresh_for, b: added, none"]),
        (_STOCK, "fresh_for:\n  a: {classes: [stock, item], hours: 6}",
         [_BOTH_WAYS]),
        (_STOCK, "fresh_for:\n  a: {classes: [stock], hours: 3, exception: {why: a move, until: 2026-07-01, hours: 7}}",
         ["region SG, fresh_for, a: changed, loosened: stock 3 hours -> 7 hours"]),
        (_STOCK, _STOCK + "\nautonomy:\n  x: {actions: [buy], autonomy: automatic}",
         ["region SG, autonomy, x: added, none"]),
        (_STOCK, _STOCK + "\naccess:\n  x: {role: planner, without: [item]}",
         ["region SG, access, x: added, tightened: planner item may be read -> may not be read"]),
        (_STOCK + "\naccess:\n  x: {role: planner, without: [item]}", _STOCK,
         ["region SG, access, x: removed, loosened: planner item may not be read -> may be read"]),
        (_STOCK, _STOCK + "\nmay_loosen: [a]",
         ["region SG, fresh_for, a: allowance, loosened: may be loosened not at all -> without a bound"]),
        (_STOCK + "\nmay_loosen: [a]", _STOCK + "\nmay_loosen: [{rule: a, within: {hours: 4}}]",
         ["region SG, fresh_for, a: allowance, tightened: may be loosened without a bound -> within {'hours': 4}"]),
        (_STOCK + "\nmay_loosen: [{rule: a, within: {hours: 5}}]",
         _STOCK + "\nmay_loosen: [{rule: a, within: {hours: 6}}]",
         ["region SG, fresh_for, a: allowance, loosened: may be loosened within {'hours': 5} -> within {'hours': 6}"]),
    ],
)  # fmt: skip
def test_changes_are_told_by_rule_with_their_effect(before: str, after: str, changes: list[str]) -> None:
    assert _changes(before, after) == changes


def test_an_exception_that_is_over_later_is_told_by_what_holds_then_too() -> None:
    old = policy(document("enterprise", TOP), document("region SG", "fresh_for:\n  a: {classes: [stock], hours: 2}"))
    ends = "exception: {why: a stocktaking, until: 2026-07-01}"
    new = policy(
        document("enterprise", TOP), document("region SG", f"fresh_for:\n  a: {{classes: [stock], hours: 2, {ends}}}")
    )
    assert [change.effect for change in diff(old, new, at=NOW)] == ["loosened"]
    assert [change.effect for change in diff(old, new, at=NOW + timedelta(days=60))] == ["loosened"]


def test_another_order_of_sources_is_neither_tighter_nor_looser() -> None:
    new = policy(document("enterprise", TOP, MORE.replace("[wms, erp]", "[erp, wms]")), SG)
    assert [str(change) for change in diff(POLICY, new, at=NOW)] == [
        "enterprise, governs, on_hand_governed: changed, altered: on_hand wms before erp -> erp before wms"
    ]
