"""The policy in effect at a place: what takes effect of what the layers say, and that nothing gets past a guardrail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.policy.check import check
from copilot.policy.documents import PolicySet
from copilot.policy.effective import Effective, effective
from copilot.policy.findings import Known
from copilot.policy.reading import baseline, read_texts
from copilot.policy.sections import SECTIONS
from copilot.policy.values import Keep
from tests.unit.policies import NOW, TOP, document, policy

_HOURS = timedelta(hours=1)


def _at(*documents: str, region: str | None = "SG", site: str | None = None, at: datetime = NOW) -> Effective:
    return effective(policy(*documents), region, site, None, at=at)


def _fresh(*documents: str, name: str = "stock", **where: Any) -> tuple[float, str, str]:
    decided = _at(*documents, **where).fresh_for(name)
    return decided.value / _HOURS, str(decided.place), decided.rule


def _sg(hours: float, more: str = "") -> str:
    return document("region SG", f"fresh_for:\n  sg_stock: {{classes: [stock], hours: {hours}{more}}}")


ALLOWED = document("enterprise", TOP, "may_loosen: [{rule: fresh_stock, within: {hours: 8}}]")


def test_a_lower_layer_tightens_where_it_holds_and_nowhere_else() -> None:
    texts = document("enterprise", TOP), _sg(2)
    assert _fresh(*texts) == (2, "region SG", "sg_stock")
    assert _fresh(*texts, region="DE") == (4, "enterprise", "fresh_stock")
    assert _fresh(*texts, name="item") == (24, "enterprise", "fresh_default")


def test_a_loosening_that_nobody_allows_has_no_effect() -> None:
    assert _fresh(document("enterprise", TOP), _sg(6)) == (4, "enterprise", "fresh_stock")


@pytest.mark.parametrize(("hours", "holds"), [(6, 6), (8, 8), (8.5, 4), (24, 4)])
def test_a_loosening_that_is_allowed_holds_within_its_bound(hours: float, holds: float) -> None:
    assert _fresh(ALLOWED, _sg(hours))[0] == holds


def test_what_a_layer_tightens_binds_the_one_below_it_unless_it_allows_more_again() -> None:
    site = document("site TUA", "fresh_for:\n  tua: {classes: [stock], hours: 3}")
    assert _fresh(ALLOWED, _sg(2), site, site="TUA") == (2, "region SG", "sg_stock")
    again = document(
        "region SG",
        "may_loosen: [{rule: sg_stock, within: {hours: 100}}]\nfresh_for:\n  sg_stock: {classes: [stock], hours: 2}",
    )
    assert _fresh(ALLOWED, again, site, site="TUA") == (3, "site TUA", "tua")
    wide = document("site TUA", "fresh_for:\n  tua: {classes: [stock], hours: 9}")
    assert _fresh(ALLOWED, again, wide, site="TUA") == (2, "region SG", "sg_stock")  # never past the enterprise's 8


def test_a_default_below_tightens_what_is_named_above_and_never_loosens_it() -> None:
    top = document("enterprise", TOP)
    for hours, stock, item in ((12, 4, 12), (2, 2, 2)):
        region = document("region SG", f'fresh_for:\n  sg: {{classes: ["*"], hours: {hours}}}')
        assert _fresh(top, region)[0] == stock
        assert _fresh(top, region, name="item")[0] == item


def test_an_exception_holds_to_the_end_of_its_day_and_then_no_longer() -> None:
    texts = ALLOWED, _sg(2, ", exception: {why: the system is replaced, until: 2026-06-15, hours: 7}")
    assert _fresh(*texts)[0] == 7
    assert _fresh(*texts, at=datetime(2026, 6, 15, 23, 59, tzinfo=UTC))[0] == 7
    assert _fresh(*texts, at=datetime(2026, 6, 16, tzinfo=UTC))[0] == 2


def test_an_exception_without_a_value_ends_the_rule() -> None:
    texts = document("enterprise", TOP), _sg(2, ", exception: {why: a stocktaking, until: 2026-06-15}")
    assert _fresh(*texts)[0] == 2
    assert _fresh(*texts, at=NOW + timedelta(days=1)) == (4, "enterprise", "fresh_stock")


def test_an_exception_of_a_lower_layer_may_no_more_than_its_rules() -> None:
    texts = (
        document("enterprise", TOP),
        _sg(2, ", exception: {why: the system is replaced, until: 2026-12-31, hours: 7}"),
    )
    assert _fresh(*texts) == (4, "enterprise", "fresh_stock")


def test_access_is_decided_class_by_class() -> None:
    region = document("region SG", "access:\n  sg: {role: planner, without: [item_cost], also: [purchasing]}")
    here = _at(document("enterprise", TOP), region)
    read = {name: here.may_read("planner", name) for name in ("item", "item_cost", "purchasing", "credit")}
    assert {name: decided.value for name, decided in read.items()} == {
        "item": True, "item_cost": False, "purchasing": False, "credit": False,
    }  # fmt: skip
    assert (str(read["item_cost"].place), read["item_cost"].rule) == ("region SG", "sg")
    assert [said.outcome for said in read["purchasing"].trail] == ["holds", "refused"]


def test_a_whole_list_below_takes_away_what_it_does_not_name() -> None:
    region = document("region SG", "access:\n  sg: {role: planner, classes: [stock]}")
    here = _at(document("enterprise", TOP), region)
    assert [name for name in ("item", "stock", "item_cost") if here.may_read("planner", name).value] == ["stock"]


def test_a_class_is_given_below_only_by_the_name_of_the_rule_and_within_its_bound() -> None:
    top = document("enterprise", TOP, "may_loosen: [{rule: planner_reads, within: {classes: [purchasing]}}]")
    region = document("region SG", "access:\n  sg: {role: planner, also: [purchasing, credit]}")
    here = _at(top, region)
    assert here.may_read("planner", "purchasing").value
    assert not here.may_read("planner", "credit").value
    assert not here.may_read("buyer", "stock").value


def test_nothing_said_is_closed() -> None:
    here = _at(document("enterprise", "fresh_for:\n  a: {classes: [stock], hours: 4}"))
    assert not here.may_read("planner", "item").value
    assert here.accounts("planner").value == "own"
    assert here.fresh_for("item").value == timedelta(0)
    assert here.masking("contact", "models").value == "hidden"
    assert not here.template("order_status").value
    assert here.residency("item").value == frozenset()
    assert here.approval("buy", "EUR").value.required(1) is None
    assert here.autonomy("buy").value == "approve"
    assert here.duty("policy").value.approve == frozenset()


def test_what_the_enterprise_is_silent_about_no_layer_below_opens() -> None:
    region = document(
        "region SG",
        "access:\n  sg: {role: planner, classes: [item]}\nautonomy:\n  acts: {actions: [buy], autonomy: automatic}",
    )
    here = _at(document("enterprise", "fresh_for:\n  a: {classes: [stock], hours: 4}"), region)
    assert not here.may_read("planner", "item").value
    assert here.autonomy("buy").value == "approve"
    assert not effective(policy(region), "SG", None, None, at=NOW).may_read("planner", "item").value


def test_of_two_documents_for_one_place_the_tightest_holds_and_neither_where_there_is_none() -> None:
    top = document(
        "enterprise", TOP, "governs:\n  g: {figure: on_hand, order: [erp, wms]}", "may_loosen: [g, fresh_stock]"
    )
    one = document(
        "region SG", "fresh_for:\n  a: {classes: [stock], hours: 7}\ngoverns:\n  x: {figure: on_hand, order: [wms]}"
    )
    two = document(
        "region SG", "fresh_for:\n  b: {classes: [stock], hours: 3}\ngoverns:\n  y: {figure: on_hand, order: [files]}"
    )
    for texts in permutations((top, one, two)):
        here = _at(*texts)
        assert here.fresh_for("stock").rule == "b"
        assert here.governs("on_hand").value == ("erp", "wms")
        assert [said.outcome for said in here.governs("on_hand").trail] == ["holds", "unclear", "unclear"]


LADDER = "{from: 0, to: 5000, approvals: 0}, {from: 5000, approvals: 1, by: [buyer, planner]}"


def _approval(name: str, steps: str, per: str = "{party: supplier, days: 30}", more: str = "") -> str:
    return f"approval:\n  {name}: {{action: buy, currencies: [EUR], per: {per}, steps: [{steps}]{more}}}"


def _steps(first: int, then: int, approvals: int, by: str) -> str:
    return f"{{from: 0, to: {first}, approvals: 0}}, {{from: {then}, approvals: {approvals}, by: [{by}]}}"


@pytest.mark.parametrize(
    ("steps", "per", "holds"),
    [
        (_steps(2000, 2000, 1, "buyer"), "{party: supplier, days: 30}", "sg"),
        (_steps(9000, 9000, 1, "buyer"), "{party: supplier, days: 30}", "eu"),
        (LADDER, "{party: supplier, days: 60}", "sg"),
        (LADDER, "{party: supplier, days: 7}", "eu"),
        (LADDER, "{party: customer, days: 60}", "eu"),
        (LADDER, "action", "eu"),
        (_steps(5000, 5000, 1, "governance_officer"), "{party: supplier, days: 30}", "eu"),
        (_steps(5000, 5000, 2, "buyer"), "{party: supplier, days: 30}", "sg"),
        (_steps(5000, 6000, 1, "buyer"), "{party: supplier, days: 30}", "sg"),  # nobody may from 5,000 to 6,000
    ],
)
def test_a_lower_threshold_is_tighter_at_every_amount(steps: str, per: str, holds: str) -> None:
    top, region = (
        document("enterprise", TOP, _approval("eu", LADDER)),
        document("region SG", _approval("sg", steps, per)),
    )
    assert _at(top, region).approval("buy", "EUR").rule == holds


def test_approvals_go_by_tier_country_and_risk_and_the_narrowest_rule_holds() -> None:
    always = "action: buy, currencies: [EUR], per: {party: supplier, days: 30}"
    more = f"""
        approval:
          any: {{{always}, steps: [{{from: 0, approvals: 0}}]}}
          risky: {{{always}, risks: [high], steps: [{{from: 0, approvals: 2, by: [buyer]}}]}}
          risky_a: {{{always}, risks: [high], tiers: [a], steps: [{{from: 0, approvals: 1, by: [buyer]}}]}}
    """
    here = _at(document("enterprise", TOP, more))
    assert here.approval("buy", "EUR", tier="b", country="DE").rule == "any"
    assert here.approval("buy", "EUR", tier="b", risk="high").rule == "risky"
    assert here.approval("buy", "EUR", tier="a", country="NO", risk="high").rule == "risky_a"
    assert here.approval("buy", "USD").value.required(1) is None


@pytest.mark.parametrize(
    ("section", "tighter", "looser"),
    [
        ("accounts", "own", "any"),
        ("masking", "token", "partly"),
        ("masking", "hidden", "token"),
        ("retention", Keep(least=400, most=800), Keep(least=365, most=1000)),
        ("retention", Keep(least=0, most=800), Keep(least=0)),
        ("residency", frozenset({"SG"}), frozenset({"SG", "DE"})),
        ("residency", frozenset({"SG"}), frozenset({"*"})),
        ("vendors", frozenset[str](), frozenset({"openai"})),
        ("vendors", frozenset({"openai"}), frozenset({"*"})),
        ("autonomy", "approve", "recommend"),
        ("autonomy", "recommend", "automatic"),
        ("templates", False, True),
    ],
)
def test_which_of_two_values_is_tighter(section: str, tighter: Any, looser: Any) -> None:
    no_looser = SECTIONS[section].no_looser
    assert no_looser(tighter, looser)
    assert not no_looser(looser, tighter)
    assert no_looser(tighter, tighter)


def test_keeping_longer_is_neither_tighter_nor_looser_than_keeping_shorter() -> None:
    no_looser = SECTIONS["retention"].no_looser
    short, long = Keep(least=10, most=20), Keep(least=30, most=40)
    assert not no_looser(short, long)
    assert not no_looser(long, short)


def test_which_source_governs_changes_only_where_it_is_allowed_by_name() -> None:
    governs = "governs:\n  g: {figure: on_hand, order: [erp, wms]}"
    region = document("region SG", "governs:\n  sg: {figure: on_hand, order: [wms, erp]}")
    assert _at(document("enterprise", TOP, governs), region).governs("on_hand").rule == "g"
    assert _at(document("enterprise", TOP, governs, "may_loosen: [g]"), region).governs("on_hand").rule == "sg"


# -- whatever is drawn

_CLASSES, _ROLES = ("stock", "item", "credit"), ("planner", "buyer")
_NAMES = st.sampled_from(["one", "two", "three"])
_PLACES = st.sampled_from(["region SG", "site TUA", "channel WEB"])


@st.composite
def _sections(draw: st.DrawFn, layer: str) -> str:
    """A few rules of several sections, some with exceptions, some of which may be loosened."""
    lines: list[str] = []
    names: dict[str, str] = {}
    kinds: dict[str, Any] = {
        "fresh_for": st.builds(
            "classes: [{}], hours: {}".format, st.sampled_from([*_CLASSES, '"*"']), st.integers(1, 9)
        ),
        "access": st.builds(
            "role: {}, {}: [{}]".format,
            st.sampled_from(_ROLES),
            st.sampled_from(["classes", "without", "also"]),
            st.sampled_from(_CLASSES),
        ),
        "residency": st.builds(
            "classes: [{}], places: [{}]".format,
            st.sampled_from([*_CLASSES, '"*"']),
            st.sampled_from(["SG", "DE", "SG, DE", '"*"', ""]),
        ),
        "autonomy": st.builds(
            "actions: [buy], autonomy: {}".format, st.sampled_from(["automatic", "recommend", "approve"])
        ),
        "retention": st.builds(
            "classes: [stock], least_days: {}, most_days: {}".format, st.integers(0, 4), st.integers(4, 8)
        ),
        "approval": st.builds(
            "action: buy, currencies: [EUR], per: {}, steps: [{{from: 0, to: {}, approvals: 0}},"
            " {{from: {}, approvals: {}, by: [buyer]}}]".format,
            st.sampled_from(["action", "{party: supplier, days: 30}", "{party: supplier, days: 60}"]),
            st.integers(1, 4),
            st.integers(1, 4),
            st.integers(1, 2),
        ),
    }
    for section, bodies in kinds.items():
        rules = draw(st.dictionaries(_NAMES.map(f"{section}_{layer}_{{}}".format), bodies, max_size=2))
        lines += [f"{section}:"] if rules else []
        for name, body in rules.items():
            ends = draw(st.sampled_from(["", "", ", exception: {why: because, until: 2026-06-20}"]))
            lines.append(f"  {name}: {{{body}{ends}}}")
            names[name] = section
    bounds = {
        "fresh_for": ["{hours: 4}", "{hours: 7}"],
        "access": ["{classes: [item]}", "{classes: [item, credit]}"],
        "residency": ["{places: [SG]}", "{places: [SG, DE]}"],
        "autonomy": ["{autonomy: recommend}", "{autonomy: automatic}"],
        "retention": ["{least_days: 0, most_days: 6}", "{least_days: 2, most_days: 8}"],
    }
    allowed: list[str] = []
    for name in draw(st.lists(st.sampled_from(sorted(names)), unique=True)) if names else []:
        bound = draw(st.sampled_from(["", *bounds.get(names[name], [])]))
        allowed.append(f"  - {{rule: {name}, within: {bound}}}" if bound else f"  - {name}")
    lines += ["may_loosen:", *allowed] if allowed else []
    return "\n".join(lines) if names else f"fresh_for:\n  filler_{layer}: {{classes: [filler], hours: 1}}"


@st.composite
def _policies(draw: st.DrawFn) -> tuple[str, ...]:
    top = document("enterprise", draw(_sections("top")))
    places = draw(st.lists(_PLACES, max_size=4))
    return top, *(document(place, draw(_sections(f"low{number}"))) for number, place in enumerate(places))


@settings(max_examples=60, deadline=None)
@given(_policies())
def test_no_lower_layer_ends_looser_than_it_is_allowed(texts: tuple[str, ...]) -> None:
    """Each layer against the one above it, by the documents as they were written."""
    whole = policy(*texts)
    spots = [(None, None, None), ("SG", None, None), ("SG", "TUA", None), ("SG", "TUA", "WEB")]
    for moment in (NOW, NOW + timedelta(days=30)):
        layers = [effective(whole, *spot, at=moment) for spot in spots]
        for section, key, last in layers[-1].decisions():
            for upper, lower in (*pairwise(layers), *((layers[0], each) for each in layers[1:])):
                above, below = upper.tables[section.name].find(key), lower.tables[section.name].find(key)
                if section.no_looser(below.value, above.value):
                    continue
                assert below.rule != above.rule
                assert _allowed_above(whole, section.name, key, above, below.value)
            assert last.value in [section.closed, *(said.value for said in last.trail)]


def _allowed_above(whole: PolicySet, section: str, key: tuple[str, ...], above: Any, value: Any) -> bool:
    """Whether each document above that allows the deciding rule allows this value of it."""
    if above.place is None:
        return False
    allowed = [
        each
        for document in whole.at(above.place)
        if (rule := document.rule(above.rule)) and rule.section == section
        for each in [document.allowance(above.rule)]
    ]
    for each in allowed:
        if each is None:
            return False
        if each.bounds is not None:
            held = [
                bound
                for name, bound in each.bounds.items()
                if all(a in (b, "*") for a, b in zip(name, key, strict=True))
            ]
            if not held or not any(SECTIONS[section].no_looser(value, bound) for bound in held):
                return False
    return bool(allowed)


@settings(max_examples=30, deadline=None)
@given(_policies(), st.randoms())
def test_the_order_of_documents_means_nothing(texts: tuple[str, ...], order: Any) -> None:
    shuffled = [*texts]
    order.shuffle(shuffled)
    one, other = policy(*texts), policy(*shuffled)
    first, second = (effective(each, "SG", "TUA", "WEB", at=NOW) for each in (one, other))
    assert [*first.decisions()] == [*second.decisions()]
    assert first.version == second.version


@settings(max_examples=30, deadline=None)
@given(_policies())
def test_with_no_allowance_nothing_below_is_ever_looser_than_the_enterprise(texts: tuple[str, ...]) -> None:
    bare = policy(*(text.partition("may_loosen:")[0] for text in texts))
    top = effective(bare, None, None, None, at=NOW)
    for section, key, decided in effective(bare, "SG", "TUA", "WEB", at=NOW).decisions():
        assert section.no_looser(decided.value, top.tables[section.name].find(key).value)


@settings(max_examples=20, deadline=None)
@given(_policies())
def test_the_check_names_everything_that_has_no_effect(texts: tuple[str, ...]) -> None:
    found = check(policy(*texts), Known(), (), at=NOW)
    named = {(finding.place, finding.rule) for finding in found if finding.kind in ("loosened", "conflict")}
    for *_, decided in effective(policy(*texts), "SG", "TUA", "WEB", at=NOW).decisions():
        without = {(said.place, said.rule) for said in decided.trail if said.outcome in ("refused", "unclear")}
        assert without <= named


def test_a_lookup_costs_microseconds() -> None:
    here = effective(baseline(), "SG", "TUA", "WEB", at=NOW)
    began = perf_counter()
    for _ in range(10_000):
        here.fresh_for("stock")
    assert (perf_counter() - began) / 10_000 < 2e-3


def test_reading_twice_gives_the_same() -> None:
    texts = {"a.yaml": ALLOWED, "b.yaml": _sg(2)}
    assert read_texts(texts) == read_texts(texts)
