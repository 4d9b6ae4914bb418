"""Claims are held against the outline of the question's plan: a neighbouring row, another time and an emptiness that
nobody knows of are found, whoever chose the claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from copilot.answering.draft import Claim, Draft, draft, render
from copilot.answering.verify import verify
from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.evidence import Evidence, Record, Value
from copilot.domain.plan import Figures, Listing, Period, Plan, Survey
from copilot.domain.query import Bucket, Compare, Figure, Function, Group, Is, Query
from copilot.understanding.kinds import load_kinds
from prompts.template import load_approved, parse
from tests.unit.records import bare, day, evidence, measure, plan_for, record

TEMPLATES = {**load_approved(), "connective_also": parse("connective_also", "Beside that:")}
ORDER = record("sales_order", "S1", row=24, customer=9, number="S00024", status="confirmed")
CUSTOMER = record("customer", "S2", row=9, name="Acme")
ITEMS = [record("item", "S3", row=7, name="Desk"), record("item", "S4", row=8, name="Lamp")]
LINES = [
    record("sales_order_line", "S5", row=1, order=24, item=7, line_number=1, unit="pcs", ordered_quantity=2),
    record("sales_order_line", "S6", row=2, order=24, item=8, line_number=2, unit="pcs", ordered_quantity=3),
]
AMOUNT = record("sales_order_amount", "S7", order=24, currency="EUR", total="50", net="42", tax="8")
PRICES = [
    record("sales_line_price", "S8", row=1, line=1, currency="EUR", unit_price="10", net="20"),
    record("sales_line_price", "S9", row=2, line=2, currency="EUR", unit_price="20", net="30"),
]
VALUE = evidence(order=ORDER, amount=AMOUNT, lines=LINES, prices=PRICES, items=ITEMS)


def _rules(claims: Sequence[Claim], found: Evidence, plan: Plan) -> set[str]:
    findings = verify(Draft(claims=tuple(claims), complete=True), found, plan, TEMPLATES)
    return {finding.rule for finding in findings}


def _made(template: str, **slots: Record) -> Claim:
    claim = render(TEMPLATES[template], slots)
    assert claim is not None
    return claim


def _price(line: int, item: int, price: int) -> set[str]:
    claim = _made("line_price", line=LINES[line], item=ITEMS[item], price=PRICES[price])
    return _rules([claim], VALUE, plan_for("order_value"))


def test_what_the_rules_draft_is_what_the_outline_asks_for() -> None:
    drafted = draft(plan_for("order_value").outline, VALUE, TEMPLATES)
    assert {claim.name for claim in drafted.claims} == {"order_value", "line_price"}
    assert _rules(drafted.claims, VALUE, plan_for("order_value")) == set()


def test_the_records_of_a_claim_belong_together() -> None:
    assert _price(0, 0, 0) == _price(1, 1, 1) == set()
    assert _price(0, 1, 0) == _price(0, 0, 1) == {"relation_differs"}


def test_a_record_of_no_step_or_of_another_is_found() -> None:
    stray = record("sales_order_line", "S10", row=3, order=25, item=7, line_number=1, unit="pcs", ordered_quantity=9)
    found = replace(VALUE, steps={**VALUE.steps, "others": (stray,)})
    claim = _made("line_price", line=stray, item=ITEMS[0], price=PRICES[0])
    assert _rules([claim], found, plan_for("order_value")) == {"not_of_step"}
    assert "not_asked" in _rules([claim], VALUE, plan_for("order_value"))


@pytest.mark.parametrize("slots", [{}, {"order": "S1"}, {"order": "S1", "amount": "S7", "site": "S3"}])
def test_a_claim_has_just_the_slots_that_are_asked_for(slots: dict[str, str]) -> None:
    claim = replace(_made("order_value", order=ORDER, amount=AMOUNT), slots=slots)
    assert "not_asked" in _rules([claim], VALUE, plan_for("order_value"))


@pytest.mark.parametrize("how", ["refused", "unkept"])
def test_nobody_says_that_there_is_nothing_of_what_they_may_not_see_or_nobody_keeps(how: str) -> None:
    claim, plan = _made("customer_no_orders", customer=CUSTOMER), plan_for("customer_orders")
    empty = evidence(customer=CUSTOMER, orders=[])
    assert _rules([claim], empty, plan) == set()
    unsure = replace(empty, **{how: frozenset({"orders"})})
    assert "emptiness_unfounded" in _rules([claim], unsure, plan)


def test_that_no_date_is_recorded_is_not_said_where_one_is() -> None:
    plan = plan_for("customer_orders")
    dated = replace(ORDER, values={**ORDER.values, "promised_date": Value("date", date(2026, 11, 30))})
    claim = _made("open_order_plain", order=ORDER)
    assert _rules([claim], evidence(customer=CUSTOMER, orders=[ORDER]), plan) == set()
    assert _rules([_made("open_order_plain", order=dated)], evidence(orders=[dated]), plan) == {"fallback_unfounded"}


def test_of_several_places_that_ask_for_a_claim_one_is_enough() -> None:
    first, second = (Binding(slot="row", step=step, pick=Pick.EACH) for step in ("one", "two"))
    groups = (
        ClaimGroup((ClaimSpec(claim="listed_order_plain", bindings=(first,)),)),
        ClaimGroup((ClaimSpec(claim="listed_order_plain", bindings=(second,)),)),
    )
    plan = replace(plan_for(), outline=Outline(groups=groups))
    claim = _made("listed_order_plain", row=ORDER)
    assert _rules([claim], evidence(one=[], two=[ORDER]), plan) == set()
    assert _rules([claim], evidence(one=[], three=[ORDER]), plan) == {"not_of_step"}


ROW = Binding(slot="row", step="rows", pick=Pick.EACH)
COLUMN = Binding(slot="column", step="told", pick=Pick.WITH, other="row", field="of")
COLUMNS = [
    bare(ref=ref, title=Value("text", "Carrier"), value=Value("text", name), of=Value("ref", row))
    for ref, name, row in (("M1", "DHL", 24), ("M2", "UPS", 25))
]
OTHER = record("sales_order", "S2", row=25, number="S00025", status="confirmed")
LISTED = evidence(rows=[ORDER, OTHER], told=COLUMNS)
WITH_EACH = replace(
    plan_for(),
    outline=Outline(
        groups=(
            ClaimGroup(
                (ClaimSpec(claim="listed_order_plain", bindings=(ROW,)),),
                (ClaimSpec(claim="listed_column", bindings=(ROW, COLUMN)),),
            ),
        )
    ),
)


def _going_on(row: Record, *further: Claim) -> Claim:
    first = _made("listed_order_plain", row=row)
    return replace(
        first, text=" ".join((first.text, *(each.text for each in further))), further=further,
        facts=(*first.facts, *(fact for each in further for fact in each.facts)),
    )  # fmt: skip


def _column(row: Record, column: Record) -> Claim:
    claim = _made("listed_column", column=column)
    return replace(claim, slots={"row": row.id, "column": column.id})


def test_what_a_claim_goes_on_to_say_is_of_its_own_record() -> None:
    drafted = draft(WITH_EACH.outline, LISTED, TEMPLATES)
    assert [len(claim.further) for claim in drafted.claims] == [1, 1]
    assert _rules(drafted.claims, LISTED, WITH_EACH) == set()
    assert _rules([_going_on(ORDER, _column(ORDER, COLUMNS[1]))], LISTED, WITH_EACH) == {"relation_differs"}
    assert _rules([_going_on(ORDER, _column(OTHER, COLUMNS[1]))], LISTED, WITH_EACH) == {"relation_differs"}


def test_a_claim_goes_on_to_say_what_is_asked_for_and_nothing_else() -> None:
    assert _rules([_going_on(ORDER, _made("order_cancelled", order=ORDER))], LISTED, WITH_EACH) >= {"not_asked"}
    alone = _column(ORDER, COLUMNS[0])
    assert _rules([alone], LISTED, WITH_EACH) == {"not_asked"}


def test_a_text_that_is_not_made_of_its_sentences_is_found() -> None:
    claim = _going_on(ORDER, _column(ORDER, COLUMNS[0]))
    assert _rules([replace(claim, text=claim.text + " So it is.")], LISTED, WITH_EACH) == {"template_differs"}
    assert _rules([replace(claim, facts=claim.facts[::-1])], LISTED, WITH_EACH) == {"template_differs"}


def test_a_connective_may_stand_between_claims_and_holds_nothing() -> None:
    value, plan = _made("order_value", order=ORDER, amount=AMOUNT), plan_for("order_value")
    also = Claim(name="connective_also", text="Beside that:", facts=())
    assert _rules([value, also, also], VALUE, plan) == set()
    holding = replace(also, facts=value.facts[:1], text=f"Beside that: {value.facts[0].text}")
    assert _rules([holding], VALUE, plan) >= {"not_asked", "not_of_slot"}
    assert _rules([replace(also, name="connective_unknown")], VALUE, plan) == {"template_unknown"}


def test_the_same_said_of_two_records_is_not_said_twice() -> None:
    drafted = draft(plan_for("order_value").outline, VALUE, TEMPLATES)
    assert _rules([*drafted.claims, drafted.claims[-1]], VALUE, plan_for("order_value")) == {"said_twice"}


RISKS = Plan(kind="risk_summary", references={}, steps=(), outline=load_kinds()["risk_summary"].outline)
PERIOD = Period(since=datetime(2026, 11, 1, tzinfo=UTC), until=datetime(2026, 11, 8, tzinfo=UTC))


def _timed(claim: Claim, found: Evidence, plan: Plan) -> bool:
    """Whether a claim is found to be of another time."""
    return "period_differs" in _rules([claim], found, plan)


@pytest.mark.parametrize(
    ("since", "last", "other"),
    [("2026-11-01", "2026-11-07", False), ("2026-10-31", "2026-11-07", True), ("2026-11-01", "2026-11-08", True)],
)
def test_the_days_told_of_are_those_asked_about(since: str, last: str, *, other: bool) -> None:
    span = measure("overview_span", since=day(since), last=day(last))
    plan = replace(RISKS, period=PERIOD)
    assert _timed(_made("risk_all", span=span), evidence(span=span), plan) is other


@pytest.mark.parametrize(("noticed", "other"), [(5, False), (9, True)])
def test_a_change_lies_in_the_time_asked_about(noticed: int, *, other: bool) -> None:
    at = datetime(2026, 11, noticed, tzinfo=UTC)
    change = measure("record_change", subject="Order S00024", change="removed", noticed_at=at)
    plan = replace(plan_for("order_changes"), period=PERIOD)
    assert _timed(_made("change_removed", change=change), evidence(order_changes=change), plan) is other


@pytest.mark.parametrize(
    ("group", "other"), [("2026-10-01", True), ("2026-11-01", False), ("2026-12-01", False), ("2027-01-01", True)]
)
def test_a_figure_is_of_a_span_within_the_days_of_its_query(group: str, *, other: bool) -> None:
    dates = (
        Compare(("order_date",), Is.AT_LEAST, day("2026-11-15")),
        Compare(("order_date",), Is.LESS, day("2026-12-15")),
    )
    query = Query(
        entity="sales_order", where=dates, figures=(Figure(name="n", function=Function.COUNT),),
        groups=(Group(("order_date",), Bucket.MONTH),),
    )  # fmt: skip
    step = Figures(name="found", query=query, measure="orders_placed", title="orders", noun="order")
    figure = replace(
        bare(ref="M1", group=Value("span", day(group), "month"), value=Value("count", 3, "order")),
        kind="measure", entity="orders_placed",
    )  # fmt: skip
    spec = ClaimSpec(claim="measured_by", bindings=(Binding(slot="figure", step="found", pick=Pick.EACH),))
    plan = replace(plan_for(), steps=(step,), outline=Outline(groups=(ClaimGroup((spec,)),)))
    assert _timed(_made("measured_by", figure=figure), evidence(found=figure), plan) is other


@pytest.mark.parametrize(("ordered", "other"), [("2026-11-02", False), ("2026-10-02", True)])
def test_a_record_listed_lies_within_the_days_of_its_list(ordered: str, *, other: bool) -> None:
    query = Query(entity="sales_order", where=(Compare(("order_date",), Is.MORE, day("2026-11-01")),))
    row = record("sales_order", "S1", number="S00024", status="confirmed", order_date=day(ordered))
    plan = replace(WITH_EACH, steps=(Listing(name="rows", query=query),))
    assert _timed(_made("listed_order_plain", row=row), evidence(rows=row), plan) is other


@pytest.mark.parametrize(("due", "other"), [("2026-11-07", False), ("2026-11-08", True)])
def test_what_a_survey_found_lies_before_its_end(due: str, *, other: bool) -> None:
    short = measure("short_line", sales_order=24, item=7, due=day(due))
    step = Survey(name="short", measure="short_line", reads=(), since=day("2026-11-01"), until=day("2026-11-08"))
    plan = replace(RISKS, steps=(step,), period=PERIOD)
    item = record("item", "S3", row=7, number="D-1", name="Desk")
    found = evidence(short=short, short_orders=ORDER, short_items=item)
    claim = _made("risk_short_line_plain", order=ORDER, item=item, short=short)
    assert _timed(claim, found, plan) is other


@pytest.mark.parametrize(("ordered", "other"), [("2026-11-07", False), ("2026-11-08", True), ("2026-10-31", True)])
def test_an_order_asked_for_by_its_time_was_placed_in_it(ordered: str, *, other: bool) -> None:
    order = record("sales_order", "S1", row=24, number="S00024", status="confirmed", order_date=day(ordered))
    asked = measure("customer_order", sales_order=24, state="undated")
    claim = replace(_made("asked_plain", order=order), slots={"asked": "M1", "order": "S1"})
    plan = replace(plan_for("customer_order_status"), period=PERIOD)
    assert _timed(claim, evidence(asked=asked, orders=order), plan) is other
    assert not _timed(claim, evidence(asked=asked, orders=order), replace(plan, period=replace(PERIOD, given=False)))
