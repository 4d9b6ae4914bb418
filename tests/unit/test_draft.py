"""Drafting: which claims are made about which records, in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot.answering.draft import Draft, draft, render
from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.evidence import Evidence, Record, Value
from copilot.understanding.kinds import load_kinds
from prompts.template import load_approved, parse
from tests.unit.records import day, evidence, measure, record

TEMPLATES = {
    **{
        name: parse(name, text)
        for name, text in {
            "head": "Order **{order.number}**.",
            "line": "- {line.line_number}: {line.open_quantity}.",
            "line_bare": "- {line.line_number}.",
            "line_item": "- {line.line_number} of {item.name}.",
            "priced": "- {line.line_number} at {price.unit_price}.",
            "none": "No lines.",
            "column": "{column.title}: {column.value}.",
        }.items()
    },
}
ORDER = record("sales_order", "S1", row=24, number="S00024", status="confirmed")
FIRST = record(
    "sales_order_line", "S2", row=1, order=24, item=7, line_number=1, unit="pcs", open_quantity=5, status="open"
)
SECOND = record("sales_order_line", "S3", row=2, order=24, item=8, line_number=2, unit=None, status="shipped")
DESK, CHAIR = record("item", "S4", row=7, name="Desk"), record("item", "S5", row=8, name="Chair")
FOUND = evidence(order=ORDER, lines=[FIRST, SECOND], items=[DESK, CHAIR])

ORDER_SLOT = Binding(slot="order", step="order", pick=Pick.FIRST)
EACH_LINE = Binding(slot="line", step="lines", pick=Pick.EACH)
ITEM_OF_LINE = Binding(slot="item", step="items", pick=Pick.BY, other="line", field="item")


def _draft(*groups: ClaimGroup, found: Evidence = FOUND, any_is_enough: bool = False) -> Draft:
    return draft(Outline(groups=groups, any_is_enough=any_is_enough), found, TEMPLATES)


def _group(*specs: ClaimSpec) -> ClaimGroup:
    return ClaimGroup(specs)


def _texts(drafted: Draft) -> list[str]:
    return [claim.text for claim in drafted.claims]


def test_a_claim_prints_the_value_and_refers_to_it() -> None:
    (claim,) = _draft(_group(ClaimSpec(claim="head", bindings=(ORDER_SLOT,)))).claims
    assert claim.text == "Order **S00024**."
    assert [(f.ref, f.value, f.unit, f.text) for f in claim.facts] == [("S1.number", "S00024", None, "S00024")]


def test_a_claim_with_an_empty_slot_is_not_made() -> None:
    assert render(TEMPLATES["line"], {"line": SECOND}) is None
    drafted = _draft(_group(ClaimSpec(claim="line", bindings=(EACH_LINE,))))
    assert _texts(drafted) == ["- 1: 5 pcs."]


def test_per_record_the_first_claim_that_can_be_made_is_made_in_the_order_of_the_records() -> None:
    drafted = _draft(
        _group(ClaimSpec(claim="line", bindings=(EACH_LINE,)), ClaimSpec(claim="line_bare", bindings=(EACH_LINE,))),
        found=evidence(order=ORDER, lines=[SECOND, FIRST]),
    )
    assert _texts(drafted) == ["- 2.", "- 1: 5 pcs."]


def test_without_each_a_group_makes_one_claim() -> None:
    twice = _group(ClaimSpec(claim="head", bindings=(ORDER_SLOT,)), ClaimSpec(claim="none", bindings=()))
    assert _texts(_draft(twice)) == ["Order **S00024**."]


def test_a_slot_follows_the_reference_of_another() -> None:
    drafted = _draft(_group(ClaimSpec(claim="line_item", bindings=(EACH_LINE, ITEM_OF_LINE))))
    assert _texts(drafted) == ["- 1 of Desk.", "- 2 of Chair."]


def test_a_reference_to_a_record_that_is_not_there_makes_no_claim() -> None:
    drafted = _draft(
        _group(ClaimSpec(claim="line_item", bindings=(EACH_LINE, ITEM_OF_LINE))),
        found=evidence(lines=[FIRST, SECOND], items=DESK),
    )
    assert _texts(drafted) == ["- 1 of Desk."]


def test_a_slot_finds_the_record_that_refers_to_another() -> None:
    price = record("sales_line_price", "S6", line=2, unit_price="9.5", currency="EUR")
    with_line = Binding(slot="price", step="prices", pick=Pick.WITH, other="line", field="line")
    drafted = _draft(
        _group(ClaimSpec(claim="priced", bindings=(EACH_LINE, with_line))),
        found=evidence(lines=[FIRST, SECOND], prices=price),
    )
    assert _texts(drafted) == ["- 2 at 9.50 EUR."]


def test_a_condition_holds_only_for_the_codes_it_names() -> None:
    spec = ClaimSpec(claim="line_bare", bindings=(EACH_LINE,), conditions={"line.status": ("shipped", "cancelled")})
    assert _texts(_draft(_group(spec))) == ["- 2."]


@pytest.mark.parametrize(
    ("found", "made"),
    [
        (evidence(order=ORDER), True),
        (evidence(order=ORDER, lines=[]), True),
        (evidence(order=ORDER, lines=[FIRST]), False),
        (evidence(order=ORDER, lines=[], refused=["lines"]), False),
    ],
)
def test_emptiness_is_only_claimed_where_the_step_ran_and_found_nothing(found: Evidence, made: bool) -> None:  # noqa: FBT001
    drafted = _draft(_group(ClaimSpec(claim="none", bindings=(ORDER_SLOT,), unless=("lines",))), found=found)
    assert bool(drafted.claims) == made


def test_a_claim_that_needs_a_step_waits_for_it_to_find_something() -> None:
    spec = ClaimSpec(claim="head", bindings=(ORDER_SLOT,), needs=("lines",))
    assert _texts(_draft(_group(spec))) == ["Order **S00024**."]
    assert _texts(_draft(_group(spec), found=evidence(order=ORDER))) == []


def test_an_outline_is_complete_when_every_essential_group_made_a_claim() -> None:
    head = ClaimSpec(claim="head", bindings=(ORDER_SLOT,), essential=True)
    line = ClaimSpec(claim="line", bindings=(EACH_LINE,))
    assert _draft(_group(head), _group(line)).complete
    assert _draft(_group(head), found=evidence(order=ORDER)).complete
    assert not _draft(_group(head), _group(line), found=evidence(lines=[FIRST])).complete
    assert _draft(_group(head, _essential(line)), found=evidence(lines=[FIRST])).complete


def _essential(spec: ClaimSpec) -> ClaimSpec:
    """The same claim as an essential one."""
    return ClaimSpec(claim=spec.claim, bindings=spec.bindings, essential=True)


def test_where_any_claim_is_enough_none_is_too_few() -> None:
    line = _group(ClaimSpec(claim="line", bindings=(EACH_LINE,)))
    assert _draft(line, any_is_enough=True).complete
    assert not _draft(line, any_is_enough=True, found=evidence(order=ORDER)).complete


def test_the_same_claim_is_made_once() -> None:
    head = _group(ClaimSpec(claim="head", bindings=(ORDER_SLOT,)))
    assert len(_draft(head, head).claims) == 1


def _kind_draft(kind: str, found: Evidence) -> Draft:
    return draft(load_kinds()[kind].outline, found, load_approved())


CUSTOMER = record("customer", "S9", row=9, name="Acme")


def test_a_customers_credit_is_answered_whether_or_not_it_is_blocked() -> None:
    for blocked in (True, False, None):
        credit = record("customer_credit", "S2", customer=9, credit_limit=1000, currency="EUR", blocked=blocked)
        drafted = _kind_draft("customer_credit", evidence(customer=CUSTOMER, credit=credit))
        assert ("customer_credit_blocked" in {c.name for c in drafted.claims}) == (blocked is True)
        assert "customer_credit" in {c.name for c in drafted.claims}


def test_an_order_without_an_order_date_is_still_answered() -> None:
    order = record("sales_order", "S1", row=24, customer=9, number="S00024", status="confirmed")
    assert _kind_draft("order_status", evidence(order=order, customer=CUSTOMER)).complete


def test_an_order_whose_customer_may_not_be_seen_is_still_answered() -> None:
    """A buyer reads orders but no customers."""
    order = record(
        "sales_order", "S1", row=24, customer=9, number="S00024", status="confirmed", order_date=day("2026-11-02")
    )
    assert _kind_draft("order_status", evidence(order=order, refused=["customer"])).complete


def test_an_order_with_more_lines_than_are_read_still_shows_those_it_read() -> None:
    order = record("sales_order", "S1", row=24, customer=9, number="S00024", status="confirmed")
    line = record(
        "sales_order_line", "S2", row=1, order=24, item=7, line_number=1, unit="pcs", ordered_quantity=8,
        shipped_quantity=3, open_quantity=5, status="open",
    )  # fmt: skip
    found = evidence(
        order=order,
        customer=CUSTOMER,
        lines=[line],
        items=[DESK],
        count=measure("line_count", "M1", lines=1, complete=False),
        truncated=["lines"],
    )
    drafted = _kind_draft("order_lines", found)
    assert drafted.complete
    assert len(drafted.claims) == 2


def test_a_head_without_items_is_left_out_and_is_no_answer() -> None:
    heads = {**TEMPLATES, "lines_head": parse("lines_head", "Lines of **{order.number}**:")}
    group = ClaimGroup((ClaimSpec(claim="lines_head", bindings=(ORDER_SLOT,), essential=True),))
    items = ClaimGroup((ClaimSpec(claim="line", bindings=(EACH_LINE,)),))
    whole = draft(Outline(groups=(group, items)), FOUND, heads)
    assert _texts(whole) == ["Lines of **S00024**:", "- 1: 5 pcs."]
    without = draft(Outline(groups=(group, items)), evidence(order=ORDER, lines=[SECOND]), heads)
    assert (without.claims, without.complete) == ((), False)


def test_of_what_no_source_brings_nothing_is_said_to_be_missing() -> None:
    none = ClaimSpec(claim="none", bindings=(), unless=("lines",), essential=True)
    head = ClaimSpec(claim="head", bindings=(ORDER_SLOT,), essential=True)
    unkept = replace(evidence(order=ORDER, lines=[]), unkept=frozenset({"lines"}))
    assert _texts(_draft(_group(none), found=evidence(order=ORDER, lines=[]))) == ["No lines."]
    assert not _draft(_group(none), found=unkept).complete
    with_head = _draft(_group(head), _group(none), found=unkept)
    assert (_texts(with_head), with_head.complete) == (["Order **S00024**."], True)


def test_stock_that_may_not_be_read_is_not_answered_by_what_is_incoming() -> None:
    """Finance reads items and purchase orders but no stock: what is incoming is no answer to what there is."""
    found = evidence(item=DESK, refused=["stock", "by_site", "total", "differences"], supply=[], incoming=[])
    assert not _kind_draft("item_stock", found).complete


def test_a_held_line_without_a_reason_is_still_called_late() -> None:
    order = record(
        "sales_order", "S1", row=24, customer=9, number="S00024", status="confirmed", order_date=day("2026-11-02")
    )
    late = measure(
        "line_delay", "M1", line=1, item=7, line_number=1, cause="on_hold", promised_date=day("2026-11-10"), days_late=6
    )
    count = measure("line_count", "M2", lines=1, open_lines=1, complete=True)
    found = evidence(order=order, customer=CUSTOMER, lines=[FIRST], items=[DESK], count=count, line_delays=late)
    assert any("late" in claim.text.lower() for claim in _kind_draft("order_lines", found).claims)


def _with_column(*told: Record) -> Draft:
    column = Binding(slot="column", step="column", pick=Pick.WITH, other="line", field="of")
    further = ClaimSpec(claim="column", bindings=(EACH_LINE, column))
    group = ClaimGroup((ClaimSpec(claim="line_bare", bindings=(EACH_LINE,)),), (further,))
    second = replace(SECOND, values={**SECOND.values, "line_number": Value("count", 2, "")})
    return draft(Outline(groups=(group,)), evidence(lines=[FIRST, second], column=list(told)), TEMPLATES)


def test_what_is_shown_besides_stands_behind_its_record() -> None:
    values = {"of": Value("ref", SECOND.row_id), "title": Value("text", "Due"), "value": Value("text", "5 Nov")}
    told = replace(ORDER, id="M1", values=values)
    assert [claim.text for claim in _with_column(told).claims] == ["- 1.", "- 2. Due: 5 Nov."]


def test_what_could_be_shown_of_no_record_declines() -> None:
    assert not _with_column().complete
