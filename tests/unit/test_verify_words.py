"""Words that claim something stand in an answer only where something is behind them, whoever approved the sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from copilot.answering.draft import Claim, Draft
from copilot.answering.verify import verify
from copilot.answering.verifying.grounds import BACKINGS
from copilot.domain.answer import Fact
from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.evidence import Evidence, Record
from copilot.domain.plan import Filter, Operator, Plan, RecordQuery
from copilot.semantic.forms import load_forms
from copilot.semantic.language import find_language, shipped_languages, speaking
from prompts.template import ClaimTemplate, load_approved
from tests.unit.records import day, evidence, measure, own_words, plan_for, record

ORDER = record("sales_order", "S1", number="SO-1", status="confirmed", order_date=day("2026-11-02"))


def _rules(text: str, *records: Record, plan: Plan | None = None, found: Evidence | None = None) -> set[str]:
    """What is found in an approved sentence of these words about some records."""
    slots = {f"it{n}": each.id for n, each in enumerate(records)}
    claim = Claim(name="said", text=text, facts=(), slots=slots)
    seen = found or evidence(**{f"it{n}": each for n, each in enumerate(records)})
    findings = verify(Draft(claims=(claim,), complete=True), seen, plan or _asks(*records), own_words(claim))
    return {finding.rule for finding in findings}


def _asks(*records: Record, **how: Any) -> Plan:
    """A plan that asks for just that sentence about them."""
    bindings = tuple(Binding(slot=f"it{n}", step=f"it{n}", pick=Pick.FIRST) for n, _ in enumerate(records))
    spec = ClaimSpec(claim="said", bindings=bindings, **how)
    return replace(plan_for(), outline=Outline(groups=(ClaimGroup((spec,)),)))


@pytest.mark.parametrize(
    "words",
    [
        "3", "٣", "\uff13", "³", "½", "Ⅷ", "三", "①", "\U0001d7db", "百", "㏢", "१२", "1\u200b0", "x²4", "5%", "‰", "€",
        "$", "1st", "20-pack", "\u0663\u0660",
    ],
)  # fmt: skip
def test_a_figure_of_any_script_is_found(words: str) -> None:
    assert "figure_without_fact" in _rules(f"It is {words} or so.", ORDER)


@pytest.mark.parametrize(
    "words",
    [
        "two", "Dozens", "half of it", "twice", "a couple", "hundreds", "ten percent", "percentage points", "the third",
        "twelve", "a pair", "DOUBLE", "\uff54\uff57\uff4f", "t\u200bwo", "only one", "per cent", "**two** of",
    ],
)  # fmt: skip
def test_a_number_word_is_found(words: str) -> None:
    assert "number_word_without_fact" in _rules(f"It is {words} now.", ORDER)


@pytest.mark.parametrize(
    "words", ["Monday", "in March", "Nov", "by May", "tomorrow", "Yesterday", "next week", "December"]
)
def test_a_day_is_found(words: str) -> None:
    assert "day_without_fact" in _rules(f"It comes {words}.", ORDER)


@pytest.mark.parametrize("char", ["\u200b", "\u202e", "\u2066", "\u00ad", "\ufeff", "\x00", "\n", "\u2028", "\x1b"])
def test_a_hidden_character_is_found(char: str) -> None:
    assert "hidden_character" in _rules(f"It is con{char}firmed.", ORDER)


@pytest.mark.parametrize(
    "text",
    [
        "<b>It</b>", "![it](https://e.example/a.png)", "[it](https://e.example)", "`it`", "~~it~~", "# It", "1. It",
        "> It", "It | is", "    It", "It[^note]", "```it", "___", "---", "It &lt; that", "See https://e.example",
        "See www.e.example", "Write to a@e.example", "**It", "*It is", "* It", "It_is_", "It is\\",
    ],
)  # fmt: skip
def test_markup_is_found(text: str) -> None:
    assert "markup" in _rules(text, ORDER)


@pytest.mark.parametrize(
    "text", ["- **It** is *so*.", "**It is** so **and so**.", "It: so; (so), “so” = so!", "- It – so"]
)
def test_stress_and_a_list_item_are_no_markup(text: str) -> None:
    assert _rules(text, ORDER) == set()


LATE = measure("order_delay", "M1", inputs=["S1"], days_late=6, promised_date=day("2026-11-10"))
CUT = measure("order_count", "M1", orders=20, complete=False)
BEST = measure("best_supplier", "M1", inputs=["S2", "S3"], on_time_rate="0.9", compared=2)
RATES = [record("supplier_rate", f"S{n}", row=n, supplier=n, on_time_rate=rate) for n, rate in ((2, "0.9"), (3, "0.8"))]
BETTER = [RATES[0], replace(RATES[1], values={**RATES[1].values, "on_time_rate": RATES[0].values["on_time_rate"]})]
LOWEST = measure("lowest_quote", "M1", inputs=["S2", "S3"], price="9", currency="EUR")
PRICES = [
    record("supplier_item_price", f"S{n}", row=n, price=price, currency="EUR") for n, price in ((2, "9"), (3, "8"))
]
CAUSE = measure("line_delay", "M1", cause="unknown", days_late=2)


@pytest.mark.parametrize(
    ("text", "records", "rule"),
    [
        ("It is overdue.", [LATE], "state_without_fact"),
        ("There are more than these.", [CUT], "comparison_without_fact"),
        ("It waits for that because of it.", [CAUSE], "cause_without_fact"),
        ("It is the best.", [BEST], "rank_without_fact"),
        ("It is today.", [LATE], "day_without_fact"),
        ("All of it is.", [LATE], "quantity_without_fact"),
        ("Only that is.", [LATE], "quantity_without_fact"),
    ],
)
def test_a_word_is_backed_by_its_measure_and_by_no_order(text: str, records: list[Record], rule: str) -> None:
    found = evidence(it0=records, rates=RATES)
    assert _rules(text, *records, found=found) == set()
    assert _rules(text, ORDER) == {rule}


def test_more_than_is_not_backed_by_a_complete_count() -> None:
    whole = measure("order_count", "M1", orders=3, complete=True)
    assert _rules("There are more than these.", whole) == {"comparison_without_fact"}


def test_best_is_the_best_of_what_was_compared() -> None:
    worse = measure("best_supplier", "M1", inputs=["S2", "S3"], on_time_rate="0.85", compared=2)
    assert _rules("It is the best.", worse, found=evidence(it0=worse, rates=RATES)) == {"rank_without_fact"}
    assert _rules("It is the best.", BEST, found=evidence(it0=BEST, rates=BETTER)) == set()


def test_lowest_is_the_lowest_of_those_that_are_active() -> None:
    assert _rules("It is the lowest.", LOWEST, found=evidence(it0=LOWEST, prices=PRICES)) == {"rank_without_fact"}
    assert _rules("It is the lowest.", LOWEST, found=evidence(it0=LOWEST, prices=PRICES[:1])) == set()


@pytest.mark.parametrize("text", ["Nothing of it ships.", "It does not ship.", "None of it.", "It can't be told."])
def test_that_there_is_nothing_is_backed_by_what_found_nothing_or_by_a_state(text: str) -> None:
    assert _rules(text, ORDER) == {"quantity_without_fact"}
    assert _rules(text, ORDER, plan=_asks(ORDER, unless=("lines",))) == set()
    assert _rules(text, ORDER, plan=_asks(ORDER, conditions={"it0.status": ("confirmed",)})) == set()


def test_an_order_is_told_only_of_what_was_read_in_it_and_stands_in_it() -> None:
    """ "The first by date" is said before records that a step brought in that order."""
    early, late = (
        record("sales_order", ref, row=n, number=f"SO-{n}", order_date=day(when))
        for ref, n, when in (("S2", 2, "2026-11-01"), ("S3", 3, "2026-11-05"))
    )
    each = ClaimSpec(claim="listed_order_plain", bindings=(Binding(slot="row", step="rows", pick=Pick.EACH),))
    asked = _asks(ORDER)
    where = (Filter("status", Operator.EQUAL, "confirmed"),)

    def said(order: tuple[str, ...], rows: list[Record]) -> set[str]:
        step = RecordQuery(name="rows", entity="sales_order", where=where, order=order)
        outline = Outline(groups=(*asked.outline.groups, ClaimGroup((each,))))
        plan = replace(asked, outline=outline, steps=(step,))
        return _rules("These are the newest.", ORDER, plan=plan, found=evidence(it0=ORDER, rows=rows))

    assert said(("-order_date",), [late, early]) == set()
    assert said(("-order_date",), [early, late]) == {"rank_without_fact"}
    assert said((), [late, early]) == {"rank_without_fact"}


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("Call before 9.", "Call before 9."), ("He said “9”.", "He said “9”."), ("a b", "a \n b"),
        ("50% off", "50% off"), ("c'est d'accord", "c'est d'accord"), ("One. Two.", "One.  Two.\n"),
    ],
)  # fmt: skip
def test_a_whole_note_may_be_quoted(words: str, note: str) -> None:
    assert _quoted(words, note) == set()


@pytest.mark.parametrize(
    ("words", "note", "rule"),
    [
        ("before 8", "Call before 9.", "quote_differs"),
        ("all before", "Call before 9.", "quote_differs"),
        ("befor", "Call before 9.", "quote_differs"),
        ("call", "Call before 9.", "quote_differs"),
        ("Call 9", "Call before 9.", "quote_differs"),
        ("before 9", "Call before 9.", "quote_differs"),
        ("Two.", "Not so: One. Two.", "quote_differs"),
        ("everything in full.", "No proof that Harbor Supply Inc. delivered everything in full.", "quote_differs"),
        ("", "Call before 9.", "quote_differs"),
        ("see http://e.example", "see http://e.example", "quote_unsafe"),
        ("at www.e.example", "at www.e.example", "quote_unsafe"),
        ("at e.example/pay", "at e.example/pay", "quote_unsafe"),
        ("write a@e.example", "write a@e.example", "quote_unsafe"),
        ("<img src=x>", "<img src=x>", "quote_unsafe"),
        ("![a](b)", "![a](b)", "quote_unsafe"),
        ("[a](b)", "[a](b)", "quote_unsafe"),
        ("# Paid", "# Paid", "quote_unsafe"),
        ("a\u200bb", "a\u200bb", "quote_unsafe"),
    ],
)
def test_what_is_no_plain_text_or_not_all_of_it_is_not_quoted(words: str, note: str, rule: str) -> None:
    assert rule in _quoted(words, note)


def test_a_field_that_is_no_text_is_not_quoted() -> None:
    assert "quote_differs" in _quoted("confirmed", "", ref="S1.status")


def _quoted(words: str, note: str, ref: str = "S2.body") -> set[str]:
    """What is found in a quote that is printed as code prints."""
    text = record("customer_note", "S2", row=2, body=note)
    fact = Fact(ref=ref, value=words, unit=None, text=words, quoted=True)
    printed = "".join(f"\\{c}" if c in "\\`*_{}[]()#+!|<>~$&" else c for c in words)
    claim = Claim(name="quoted", text=f"It says: “{printed}”.", facts=(fact,), slots={"note": ref.partition(".")[0]})
    templates = {"quoted": ClaimTemplate("quoted", ("It says: “", "”."), own_words(claim)["quoted"].slots)}
    found = evidence(order=ORDER, notes=text)
    rules = {f.rule for f in verify(Draft(claims=(claim,), complete=True), found, plan_for(), templates)}
    assert "not_asked" in rules  # nothing else tells of that note
    return rules - {"not_asked"}


@pytest.mark.parametrize("language", [*shipped_languages(), "tests/data/language/xx"])
def test_each_language_has_words_for_each_backing_and_no_others(language: str) -> None:
    with speaking(find_language(language)):
        said = {group: words for part in load_forms().claiming.values() for group, words in part.items()}
    assert said.keys() == {group for groups in BACKINGS.values() for group in groups}
    assert all(said.values())


def test_no_approved_sentence_holds_a_figure_a_day_or_markup() -> None:
    held = {"figure_without_fact", "number_word_without_fact", "day_without_fact", "markup", "hidden_character"}
    templates = load_approved()
    for name, template in templates.items():
        facts = tuple(Fact(ref=f"S1.{slot.field}", value="A", unit=None, text="A") for slot in template.slots)
        slots = {slot.record: "S1" for slot in template.slots}
        claim = Claim(name=name, text="A".join(template.literals), facts=facts, slots=slots)
        findings = verify(Draft(claims=(claim,), complete=True), evidence(it=ORDER), None, templates)
        assert not held & {finding.rule for finding in findings}, name
