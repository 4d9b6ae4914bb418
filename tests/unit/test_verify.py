"""Verification: a truthful draft passes; every kind of untruth is found by the rule made for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.answering.draft import Claim, Draft, render
from copilot.answering.printing import wire_value
from copilot.answering.verify import Finding, verify
from copilot.domain.answer import Fact
from copilot.domain.evidence import Evidence, Record, Value
from prompts.template import load_approved
from tests.unit.records import bare, day, evidence, measure, own_words, record, scaled

TEMPLATES = load_approved()
ORDER = record(
    "sales_order", "S1", number="S00024", status="partly_shipped", order_date=day("2026-11-02"),
    promised_date=day("2026-11-10"),
)  # fmt: skip
OTHER = record("sales_order", "S2", row=2, number="S00025", status="confirmed", promised_date=day("2026-12-24"))
CUSTOMER = record("customer", "S3", row=3, name="Acme *24* GmbH")
LINE = record(
    "sales_order_line", "S4", row=4, unit="pcs", line_number=1, ordered_quantity="1250.5", shipped_quantity=0,
    open_quantity="1250.5",
)  # fmt: skip
AMOUNT = record("sales_order_amount", "S5", currency="EUR", net="100", tax="19", total="119")
RATE = record("supplier_rate", "S6", on_time_rate="0.875", lead_time_mean="10.44", receipts=40)
SHIPMENT = record(
    "shipment", "S7", number="WH/OUT/007", status="in_transit", time_zone="Europe/Berlin",
    shipped_at=datetime(2026, 11, 9, 23, 30, tzinfo=UTC),
)  # fmt: skip
CANCELLED = record("sales_order", "S8", row=8, number="S00026", status="cancelled")
DELAY = measure("order_delay", "M1", inputs=["S1"], state="overdue", promised_date=day("2026-11-10"), days_late=6)
EVIDENCE = evidence(
    orders=[ORDER, OTHER, CANCELLED],
    customer=CUSTOMER,
    lines=LINE,
    amount=AMOUNT,
    rate=RATE,
    shipments=SHIPMENT,
    delay=DELAY,
)


def _rules(claim: Claim, found: Evidence = EVIDENCE) -> set[str]:
    """The rules that a claim breaks where nothing was planned; whatever it says as "said" is approved."""
    templates = {**TEMPLATES, **own_words(claim)} if claim.name == "said" else TEMPLATES
    return {finding.rule for finding in verify(Draft(claims=(claim,), complete=True), found, None, templates)}


def _made(template: str, **slots: Record) -> Claim:
    claim = render(TEMPLATES[template], slots)
    assert claim is not None
    return claim


def _said(ref: str, text: str, *, unit: str | None = None, value: Any = None) -> Claim:
    """A claim that states one fact in the words given; its value is the record's own unless another is given."""
    carried = _carried(ref) if value is None else value
    fact = Fact(ref=ref, value=carried, unit=unit, text=text)
    source = ref.partition(".")[0]
    return Claim(name="said", text=f"It is {text}.", facts=(fact,), slots={source: source})


def _carried(ref: str) -> Any:
    source, _, field = ref.partition(".")
    found = EVIDENCE.by_id().get(source)
    held = found.values.get(field) if found else None
    return None if held is None else wire_value(held)


def _forged(claim: Claim, old: str, new: str) -> Claim:
    """The same claim with a printed figure changed, in its text and in its fact alike."""
    assert old in claim.text
    facts = tuple(replace(fact, text=fact.text.replace(old, new)) for fact in claim.facts)
    return replace(claim, text=claim.text.replace(old, new), facts=facts)


@pytest.mark.parametrize(
    "claim",
    [
        _made("order_headline", order=ORDER, customer=CUSTOMER),
        _made("order_value", order=ORDER, amount=AMOUNT),
        _made("line_open", line=LINE, item=record("item", "S3", name="Large Desk")),
        _made("order_overdue", delay=DELAY),
        _made("shipment_sent", shipment=SHIPMENT),
        _made("supplier_measured_lead_time", rate=RATE),
        _made("order_cancelled", order=CANCELLED),
    ],
    ids=lambda claim: claim.name,
)
def test_what_code_printed_from_the_evidence_is_backed(claim: Claim) -> None:
    found = evidence(
        all=[ORDER, OTHER, CANCELLED, LINE, AMOUNT, RATE, SHIPMENT, DELAY],
        named=record("item", "S3", name="Large Desk") if claim.name == "line_open" else CUSTOMER,
    )
    assert _rules(claim, found) == set()


def test_a_finding_names_the_claim_the_rule_and_the_words() -> None:
    draft = Draft(claims=(_said("S9.number", "S00024"),), complete=True)
    templates = own_words(draft.claims[0])
    assert verify(draft, EVIDENCE, None, templates) == (Finding("said", "reference_unknown", "S9.number"),)


@pytest.mark.parametrize("ref", ["S9.number", "S1.colour", "S1.customer_po", "S1", "", ".number", "M9.days_late"])
def test_a_reference_to_nothing_is_found(ref: str) -> None:
    assert "reference_unknown" in _rules(_said(ref, "S00024"))


def test_a_value_under_the_reference_of_another_record_is_found() -> None:
    assert _rules(_said("S2.number", "S00024")) == {"text_differs"}
    assert _rules(_said("S2.promised_date", "10 Nov 2026")) == {"text_differs"}


def test_a_value_under_the_reference_of_another_field_is_found() -> None:
    assert _rules(_said("S1.order_date", "10 Nov 2026")) == {"text_differs"}
    assert _rules(_said("S5.net", "119.00 EUR", unit="EUR")) == {"text_differs"}


@pytest.mark.parametrize(
    ("ref", "unit", "text"),
    [
        ("S4.ordered_quantity", "kg", "1,250.5 kg"),
        ("S4.ordered_quantity", None, "1,250.5"),
        ("S5.total", "USD", "119.00 USD"),
        ("M1.days_late", "day", "6 days"),
    ],
)
def test_a_changed_unit_is_found(ref: str, unit: str | None, text: str) -> None:
    assert "unit_differs" in _rules(_said(ref, text, unit=unit))


@pytest.mark.parametrize(
    ("ref", "unit", "text"),
    [
        ("S4.ordered_quantity", "pcs", "1,250.5 kg"),
        ("S4.ordered_quantity", "pcs", "1,250.5"),
        ("S5.total", "EUR", "119.00 USD"),
        ("S5.total", "EUR", "119.00"),
        ("S6.on_time_rate", None, "87.5"),  # points, not percent
        ("S6.on_time_rate", None, "0.875"),
        ("S6.on_time_rate", None, "87.5 points"),
        ("S6.on_time_rate", None, "0.9%"),
        ("S6.lead_time_mean", None, "10.4 weeks"),
        ("S6.lead_time_mean", None, "10.4"),
        ("M1.days_late", "working day", "6 weeks"),
        ("M1.days_late", "working day", "6 days"),
        ("M1.days_late", "working day", "6"),
    ],
)
def test_a_unit_that_only_the_text_changes_is_found(ref: str, unit: str | None, text: str) -> None:
    assert _rules(_said(ref, text, unit=unit)) == {"text_differs"}


@pytest.mark.parametrize(
    ("ref", "unit", "text"),
    [
        ("S4.ordered_quantity", "pcs", "1,250.4 pcs"),
        ("S4.ordered_quantity", "pcs", "12,505 pcs"),
        ("S4.ordered_quantity", "pcs", "-1,250.5 pcs"),
        ("S4.shipped_quantity", "pcs", "-0 pcs"),
        ("S5.total", "EUR", "119.01 EUR"),
        ("S6.on_time_rate", None, "87.6%"),
        ("S6.lead_time_mean", None, "10.5 days"),
        ("M1.days_late", "working day", "5 working days"),
        ("S1.number", None, "S00042"),
        ("S1.number", None, "S0002"),  # cut short
        ("S1.number", None, "S"),
        ("S1.number", None, "**"),
        ("S1.status", None, "shipped"),
        ("S3.name", None, "Acme"),
        ("S3.name", None, "Acme *2*"),
    ],
)
def test_another_value_than_the_stored_one_is_found(ref: str, unit: str | None, text: str) -> None:
    assert "text_differs" in _rules(_said(ref, text, unit=unit))


@pytest.mark.parametrize(
    "text", ["1,50 pcs", "1_50 pcs", "15e1 pcs", "1,5,0 pcs", "150. pcs", "+150 pcs", "\u0661\u0665\u0660 pcs"]
)
def test_a_figure_written_as_we_never_write_it_is_found(text: str) -> None:
    """`1,50` is one and a half to half of Europe."""
    found = evidence(it=bare(field=Value("quantity", scaled(150), "pcs")))
    assert "text_differs" in _rules(_said("S1.field", text, unit="pcs"), found)


@pytest.mark.parametrize(
    ("ref", "unit", "text"),
    [
        ("S5.total", "EUR", "NaN EUR"),
        ("S5.total", "EUR", "sNaN EUR"),
        ("S5.total", "EUR", "Infinity EUR"),
        ("S5.total", "EUR", ""),
        ("M1.days_late", "working day", ","),
        ("M1.days_late", "working day", ""),
        ("S1.promised_date", None, "31 Feb 2026"),
        ("S1.promised_date", None, "10 Nox 2026"),
        ("S1.promised_date", None, "0 Nov 2026"),
        ("S7.shipped_at", None, "31 Feb 2026, 00:30 CET"),
        ("S7.shipped_at", None, "10 Nov 2026, 99:99 CET"),
    ],
)
def test_nonsense_in_place_of_a_value_is_found_and_never_an_error(ref: str, unit: str | None, text: str) -> None:
    assert "text_differs" in _rules(_said(ref, text, unit=unit))


@pytest.mark.parametrize("text", ["11 Nov 2026", "9 Nov 2026", "10 Dec 2026", "10 Nov 2025", "2026-11-10", "tomorrow"])
def test_a_date_shifted_or_written_otherwise_is_found(text: str) -> None:
    assert "text_differs" in _rules(_said("S1.promised_date", text))
    assert _rules(_said("S1.promised_date", "10 Nov 2026")) == set()


@pytest.mark.parametrize(
    "text",
    [
        "9 Nov 2026, 23:30 UTC",  # another zone than the record's
        "10 Nov 2026, 00:31 CET",
        "9 Nov 2026, 00:30 CET",
        "10 Nov 2026",
        "10 Nov 2026, 00:30 UTC",  # the same clock, the wrong zone
        "10 Nov 2026, 00:30 EST",
    ],
)
def test_an_instant_moved_or_in_another_zone_is_found(text: str) -> None:
    assert "text_differs" in _rules(_said("S7.shipped_at", text))
    assert _rules(_said("S7.shipped_at", "10 Nov 2026, 00:30 CET")) == set()


def test_a_fact_whose_value_is_not_the_one_it_prints_is_found() -> None:
    """The API hands out `value`; whoever computes with it trusts it as much as the text."""
    claim = _made("order_value", order=ORDER, amount=AMOUNT)
    facts = tuple(replace(f, value="9999") if f.ref == "S5.total" else f for f in claim.facts)
    assert _rules(replace(claim, facts=facts)) != set()


@pytest.mark.parametrize(("old", "new"), [("119.00", "118.00"), ("19.00", "91.00"), ("S00024", "S00023")])
def test_a_digit_changed_in_the_text_alone_is_found(old: str, new: str) -> None:
    claim = _made("order_value", order=ORDER, amount=AMOUNT)
    assert "figure_without_fact" in _rules(replace(claim, text=claim.text.replace(old, new)))


def test_a_digit_changed_in_text_and_fact_alike_is_found() -> None:
    assert "text_differs" in _rules(_forged(_made("order_value", order=ORDER, amount=AMOUNT), "119.00", "118.00"))


@pytest.mark.parametrize("words", ["and 3 more", "in 2 days", "at 50%", "a 2nd one", "on 3/4", "x²4", "٣ more"])
def test_a_figure_nobody_stated_as_a_fact_is_found(words: str) -> None:
    claim = _made("order_value", order=ORDER, amount=AMOUNT)
    assert "figure_without_fact" in _rules(replace(claim, text=f"{claim.text} {words}"))


def test_a_figure_stated_once_cannot_back_two() -> None:
    claim = _made("order_overdue", delay=DELAY)
    assert "figure_without_fact" in _rules(replace(claim, text=f"{claim.text} 6 working days"))


@pytest.mark.parametrize("words", ["Three lines", "a dozen", "half of it", "Twice", "hundreds", "twelve days", "zero"])
def test_a_number_in_words_is_found(words: str) -> None:
    assert _rules(Claim(name="said", text=f"It was cancelled, {words}.", facts=(), slots={"order": "S8"})) == {
        "number_word_without_fact"
    }


@pytest.mark.parametrize(
    "markup", ["![x](http://e.x/a.png)", "[here](http://e.x)", "<img src=x>", "<b>bold</b>", "<!-- -->"]
)
def test_markup_in_the_text_is_found(markup: str) -> None:
    claim = _made("order_cancelled", order=CANCELLED)
    assert "markup" in _rules(replace(claim, text=f"{claim.text} {markup}"))


@pytest.mark.parametrize(
    "name", ["![x](http://evil.example/a.png)", "<script>alert(1)</script>", "[a](b)", "\\<b>", "late", "two 2 short"]
)
def test_a_hostile_or_odd_name_printed_by_code_is_no_finding(name: str) -> None:
    found = evidence(order=ORDER, customer=record("customer", "S3", row=3, name=name))
    customer = found.get("customer")[0]
    assert _rules(_made("order_headline", order=ORDER, customer=customer), found) == set()


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("It is late", ["S1.number"]),
        ("It is overdue", ["S1.promised_date"]),
        ("It is short", ["S4.open_quantity"]),
        ("It was delivered", ["S1.order_date"]),
        ("It was signed by hand", ["S7.number"]),
        ("The systems disagree", ["S4.open_quantity"]),
    ],
)
def test_a_word_of_state_without_its_record_is_found(words: str, facts: list[str]) -> None:
    records = EVIDENCE.by_id()
    made = tuple(_fact(records, ref) for ref in facts)
    slots = {ref.partition(".")[0]: ref.partition(".")[0] for ref in facts}
    claim = Claim(name="said", text=f"{words}: {' '.join(f.text for f in made)}", facts=made, slots=slots)
    assert _rules(claim) == {"state_without_fact"}


def _fact(records: dict[str, Record], ref: str) -> Fact:
    source, _, field = ref.partition(".")
    value = records[source].values[field]
    text = {"S00024": "S00024", "WH/OUT/007": "WH/OUT/007"}.get(str(value.raw))
    if isinstance(value.raw, date):
        text = f"{value.raw.day} {value.raw:%b %Y}"
    if value.type == "quantity":
        text = "1,250.5 pcs"
    assert text
    return Fact(ref=ref, value=wire_value(value), unit=value.unit, text=text)


def test_delivered_is_not_backed_by_a_shipment_that_is_still_on_its_way() -> None:
    claim = _made("shipment_sent", shipment=SHIPMENT)
    told = replace(claim, name="said", text=claim.text.replace("left on", "was **delivered** on"))
    assert _rules(told) == {"state_without_fact"}
    arrived = replace(
        SHIPMENT, values={**SHIPMENT.values, "delivered_at": Value("instant", datetime(2026, 11, 11, tzinfo=UTC))}
    )
    assert _rules(_made("shipment_delivered", shipment=arrived), evidence(it=arrived)) == set()


def test_late_is_not_backed_by_a_delay_of_nothing() -> None:
    none = measure("order_delay", "M1", state="overdue", promised_date=day("2026-11-10"), days_late=0)
    assert "state_without_fact" in _rules(_made("order_overdue", delay=none), evidence(delay=none))


@given(
    st.text(max_size=40),
    st.sampled_from(["S1.number", "S1.promised_date", "S5.total", "M1.days_late", "S7.shipped_at"]),
)
def test_only_the_very_value_is_accepted_as_its_text_and_nothing_makes_the_reader_fail(text: str, ref: str) -> None:
    truth = {
        "S1.number": "S00024", "S1.promised_date": "10 Nov 2026", "S5.total": "119.00 EUR",
        "M1.days_late": "6 working days", "S7.shipped_at": "10 Nov 2026, 00:30 CET",
    }  # fmt: skip
    unit = {"S5.total": "EUR", "M1.days_late": "working day"}.get(ref)
    rules = _rules(_said(ref, text, unit=unit))
    assert ("text_differs" in rules) == (text != truth[ref])
