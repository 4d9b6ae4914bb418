"""Every rule of the reader has a lie that it finds, and the truth that the lie is made from breaks none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from copilot.answering.draft import Claim, Draft, draft, render
from copilot.answering.verify import RULES, Rule, verify
from copilot.domain.answer import Fact
from copilot.domain.claims import ClaimGroup, ClaimSpec, Outline
from copilot.domain.evidence import Evidence, Record, Value
from copilot.domain.plan import Period, Plan
from prompts.template import load_approved, parse
from tests.unit.records import day, evidence, measure, own_words, plan_for, record

QUOTE = parse("quoted", "Case **{case.number}** says: “{note.body}”.")
TEMPLATES = {**load_approved(), "quoted": QUOTE}
ORDER = record(
    "sales_order", "S1", row=24, customer=9, site=5, number="S00024", status="confirmed",
    order_date=day("2026-11-02"), promised_date=day("2026-11-10"),
)  # fmt: skip
CUSTOMER = record("customer", "S2", row=9, name="Acme")
SITE = record("site", "S3", row=5, name="Reno")
DESK, LAMP = record("item", "S4", row=7, name="Large Desk"), record("item", "S5", row=8, name="Lamp")
HOLD = record("order_hold", "S6", row=3, order=24, reason="credit", placed_at=datetime(2026, 11, 12, tzinfo=UTC))
NOTE = record("customer_note", "S7", row=4, body="Call before 9, for 2 doors.")
LEADS_AWAY = record("customer_note", "S31", row=5, body="see www.example.com")
CASE = record("service_case", "S8", row=6, number="CASE-7", status="open")
PARCEL = record("shipment", "S9", row=11, order=24, number="WH/OUT/7", status="planned", planned_date=day("2026-11-20"))
DELAY = measure("order_delay", "M1", inputs=["S1"], state="overdue", promised_date=day("2026-11-10"), days_late=6)
LATE, LATER = (
    measure(
        "line_delay", ref, item=item, line_number=number, cause="short_of_stock", promised_date=day("2026-11-10"),
        days_late=6, missing=missing, unit="pcs",
    )
    for ref, item, number, missing in (("M2", 7, 1, 4), ("M3", 8, 2, 3))
)  # fmt: skip
FOUND = evidence(
    order=ORDER, customer=CUSTOMER, site=SITE, items=[DESK, LAMP], holds=[HOLD], shipments=[PARCEL], delay=DELAY,
    line_delays=[LATE, LATER], notes=[NOTE, LEADS_AWAY], cases=[CASE],
)  # fmt: skip
PLAN = plan_for("order_status")
TOLD = draft(PLAN.outline, FOUND, TEMPLATES)
OTHER = record(
    "sales_order", "S10", row=25, customer=9, number="S00025", status="confirmed", order_date=day("2026-11-03")
)
AMOUNT = record("sales_order_amount", "S11", order=24, currency="EUR", total="119")
GONE = replace(ORDER, values={**ORDER.values, "status": Value("code", "delivered")})
WITH_GONE = evidence(order=GONE, site=SITE)
WITH_AMOUNT = evidence(order=ORDER, customer=CUSTOMER, amount=AMOUNT)
WITH_OTHER = evidence(order=ORDER, customer=CUSTOMER, others=OTHER)
WITH_BOTH = evidence(order=[ORDER, OTHER], customer=CUSTOMER)
OPEN = evidence(customer=CUSTOMER, orders=[ORDER])
Lie = Callable[[], frozenset[str]]


def _rules(claims: tuple[Claim, ...], found: Evidence = FOUND, plan: Plan = PLAN) -> frozenset[str]:
    templates = {**TEMPLATES, **{name: each for c in claims if c.name == "said" for name, each in own_words(c).items()}}
    findings = verify(Draft(claims=claims, complete=True), found, plan, templates)
    return frozenset(finding.rule for finding in findings)


def _claim(name: str) -> Claim:
    return next(claim for claim in TOLD.claims if claim.name == name)


def _made(template: str, **slots: Record) -> Claim:
    claim = render(TEMPLATES[template], slots)
    assert claim is not None
    return claim


def _text(name: str, old: str, new: str) -> frozenset[str]:
    """The claim with other words in its text alone."""
    claim = _claim(name)
    assert old in claim.text
    return _rules((replace(claim, text=claim.text.replace(old, new)),))


def _fact(name: str, printed: str, **changed: object) -> frozenset[str]:
    """The claim with one fact changed, and its text with it."""
    claim = _claim(name)
    facts = tuple(replace(f, **changed) if f.ref == printed else f for f in claim.facts)  # pyright: ignore[reportArgumentType]
    assert facts != claim.facts
    text = claim.text
    for before, now in zip(claim.facts, facts, strict=True):
        text = text.replace(before.text, now.text)
    return _rules((replace(claim, text=text, facts=facts),))


def _said(words: str, *records: Record, spec: Mapping[str, object] | None = None) -> frozenset[str]:
    """A sentence that two people approved and that the outline asks for, whatever it says."""
    asked = ClaimSpec(claim="said", bindings=(), **(spec or {}))  # pyright: ignore[reportArgumentType]
    plan = replace(PLAN, outline=Outline(groups=(ClaimGroup((asked,)),)))
    claim = Claim(name="said", text=words, facts=(), slots={each.entity: each.id for each in records})
    return _rules((claim,), plan=plan) - {"not_asked"}


def _quote(words: str, marks: str = "“”", ref: str = "S7.body") -> frozenset[str]:
    facts = (
        Fact(ref="S8.number", value="CASE-7", unit=None, text="CASE-7"),
        Fact(ref=ref, value=words, unit=None, text=words, quoted=True),
    )
    text = f"Case **CASE-7** says: {marks[:1]}{words}{marks[1:]}."
    slots = {"case": "S8", "note": ref.partition(".")[0]}
    templates = {"quoted": parse("quoted", f"Case **{{case.number}}** says: {marks[:1]}{{note.body}}{marks[1:]}.")}
    claim = Claim(name="quoted", text=text, facts=facts, slots=slots)
    rules = frozenset(f.rule for f in verify(Draft(claims=(claim,), complete=True), FOUND, PLAN, templates))
    return rules - {"not_asked"}


def _period(since: datetime) -> frozenset[str]:
    """That nothing changed, told of a time from a moment on, where the question is about that from the 1st on."""
    period = Period(since=datetime(2026, 11, 1, tzinfo=UTC), until=datetime(2026, 11, 8, tzinfo=UTC))
    told = measure("history_period", since=since, until=period.until)
    claim = _made("nothing_changed_between", about=ORDER, period=told)
    return _rules((claim,), evidence(period=told, order=ORDER), replace(plan_for("order_changes"), period=period))


def _both_ways() -> frozenset[str]:
    """One promised date in one claim, another one in the next."""
    claim = _claim("order_promised_open")
    forged = replace(claim.facts[0], text="11 Nov 2026", value=date(2026, 11, 11))
    moved = replace(claim, text=claim.text.replace("10 Nov", "11 Nov"), facts=(forged, *claim.facts[1:]))
    return _rules((claim, moved))


LIES: Mapping[Rule, Lie] = {
    "reference_unknown": lambda: _fact("order_headline", "S1.number", ref="S77.number"),
    "value_differs": lambda: _fact("order_headline", "S1.number", value="S00025"),
    "unit_differs": lambda: _fact("line_late_short", "M2.missing", unit="kg"),
    "text_differs": lambda: _fact("order_headline", "S1.number", text="S00025"),
    "fact_not_printed": lambda: _text("order_headline", "S00024", "the newest"),
    "quote_differs": lambda: _quote("Call before 9"),
    "quote_unmarked": lambda: _quote("Call before 9, for 2 doors.", marks="  "),
    "quote_unsafe": lambda: _quote("see www.example.com", ref="S31.body"),
    "template_unknown": lambda: _rules((replace(_claim("order_headline"), name="order_praised"),)),
    "template_differs": lambda: _text("order_overdue", "not fully shipped", "fully shipped"),
    "word_not_approved": lambda: _text("order_promised_open", "from Reno", "from sunny Reno"),
    "not_of_slot": lambda: _rules((replace(_claim("order_headline"), slots={"order": "S1", "customer": "S3"}),)),
    "not_asked": lambda: _rules((_made("order_value_total", order=ORDER, amount=AMOUNT),), WITH_AMOUNT),
    "not_of_step": lambda: _rules((_made("order_headline", order=OTHER, customer=CUSTOMER),), WITH_OTHER),
    "not_first": lambda: _rules((_made("order_headline", order=OTHER, customer=CUSTOMER),), WITH_BOTH),
    "relation_differs": lambda: _rules((_made("line_late_short", late=LATE, item=LAMP),)),
    "condition_fails": lambda: _rules((_made("order_promised_open", order=GONE, site=SITE),), WITH_GONE),
    "need_missing": lambda: _rules(
        (_made("contracts_headline", customer=CUSTOMER),), plan=plan_for("customer_contract_terms")
    ),
    "emptiness_unfounded": lambda: _rules(
        (_made("customer_no_orders", customer=CUSTOMER),), OPEN, plan_for("customer_orders")
    ),
    "fallback_unfounded": lambda: _rules((_made("order_headline_plain", order=ORDER),)),
    "period_differs": lambda: _period(datetime(2026, 10, 1, tzinfo=UTC)),
    "said_twice": lambda: _rules((_claim("order_headline"), _claim("order_headline"))),
    "contradiction": _both_ways,
    "hidden_character": lambda: _text("order_headline", "Acme", "Ac\u200bme"),
    "markup": lambda: _text("order_headline", "Acme", "[Acme](https://example.com)"),
    "figure_without_fact": lambda: _text("order_headline", "Acme", "Acme and ٣ more"),
    "number_word_without_fact": lambda: _said("It was a dozen.", ORDER),
    "day_without_fact": lambda: _said("It comes on Monday.", ORDER),
    "state_without_fact": lambda: _said("It is overdue.", ORDER),
    "comparison_without_fact": lambda: _said("There are more than these.", ORDER),
    "rank_without_fact": lambda: _said("It is the cheapest.", ORDER),
    "quantity_without_fact": lambda: _said("Nothing of it ships.", ORDER),
    "cause_without_fact": lambda: _said("It waits because of the weather.", ORDER),
}


def test_every_rule_has_a_lie() -> None:
    assert [*LIES] == [*RULES]


@pytest.mark.parametrize("rule", RULES)
def test_a_lie_is_found_by_its_rule(rule: Rule) -> None:
    assert rule in LIES[rule]()


def test_what_the_lies_are_made_from_is_true() -> None:
    assert {claim.name for claim in TOLD.claims} >= {
        "order_headline",
        "order_promised_open",
        "order_overdue",
        "line_late_short",
    }
    assert TOLD.complete
    assert _rules(TOLD.claims) == set()
    assert _quote("Call before 9, for 2 doors.") == set()
    assert _period(datetime(2026, 11, 1, tzinfo=UTC)) == set()
    assert _said("It is the order.", ORDER) == set()
    assert _rules((_made("order_headline", order=ORDER, customer=CUSTOMER),), WITH_BOTH) == set()
    none = evidence(customer=CUSTOMER, orders=[])
    assert _rules((_made("customer_no_orders", customer=CUSTOMER),), none, plan_for("customer_orders")) == set()


@pytest.mark.parametrize(
    "rule",
    ["text_differs", "template_differs", "not_of_step", "not_first", "relation_differs", "condition_fails",
     "need_missing", "fallback_unfounded", "period_differs", "said_twice", "quote_unmarked"],
)  # fmt: skip
def test_no_other_rule_would_have_found_it(rule: Rule) -> None:
    """So that the table shows what would go unnoticed without the rule."""
    assert LIES[rule]() == {rule}
