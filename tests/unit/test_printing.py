"""Printing: every value reads back as itself, and no field's text becomes markup."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from copilot.answering.draft import Draft, render
from copilot.answering.printing import clean, counted, markdown, print_value, wire_value
from copilot.answering.verify import verify
from copilot.domain.evidence import FieldType, Value
from prompts.template import parse
from tests.unit.records import bare, evidence, scaled

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Chicago", "Asia/Singapore", "Asia/Kolkata", "Pacific/Chatham"]
)
_BIG = st.integers(-(2**63) + 1, 2**63 - 1)
_SMALL = st.integers(-3_000_000, 3_000_000)
_UNITS = st.sampled_from(
    ["pcs", "kg", "m²", "12-pack", "Unit(s)", "100 ft roll", "_box_", "*", "Stück", "%", "|", "a  b"]
)
_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60)
_CODES = st.sampled_from(["partly_shipped", "kg", "EUR", "on_hold", "a__b", "Unit(s)", "m²", "a  b", "12-pack"])

_FIELDS: dict[FieldType, st.SearchStrategy[Value]] = {
    "quantity": st.builds(Value, st.just("quantity"), _BIG | _SMALL, _UNITS),
    "amount": st.builds(Value, st.just("amount"), _BIG | _SMALL, st.sampled_from(["EUR", "USD", "SGD"])),
    "ratio": st.builds(Value, st.just("ratio"), st.integers(-(10**13), 10**13) | _SMALL),
    "days": st.builds(Value, st.just("days"), st.integers(-(10**13), 10**13) | _SMALL),
    "count": st.builds(
        Value, st.just("count"), st.integers(-(2**31), 2**31 - 1), st.sampled_from([None, "", "line", "working day"])
    ),
    "date": st.builds(Value, st.just("date"), st.dates(date(1900, 1, 1), date(2199, 12, 31))),
    "instant": st.builds(
        Value,
        st.just("instant"),
        st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    ),
    "flag": st.builds(Value, st.just("flag"), st.booleans()),
    "code": st.builds(Value, st.just("code"), _CODES),
    "ident": st.builds(
        Value, st.just("ident"), st.from_regex(r"[A-Z]{0,4}[-_/#. ]?[0-9]{1,9}([-_/][0-9A-Z]{1,4})?", fullmatch=True)
    ),
    "text": st.builds(Value, st.just("text"), _TEXTS),
}
_TEMPLATE = parse("said", "It is **{it.field}**, as recorded.")
_TEMPLATES = {"said": _TEMPLATE}


@pytest.mark.parametrize("kind", _FIELDS)
def test_what_is_printed_is_verified(kind: FieldType) -> None:
    @given(_FIELDS[kind], ZONES)
    def check(value: Value, zone: str) -> None:
        record = bare(time_zone=zone, field=value)
        claim = render(_TEMPLATE, {"it": record})
        assume(claim is not None)
        assert claim is not None
        assert verify(Draft(claims=(claim,), complete=True), evidence(it=record), None, _TEMPLATES) == ()

    check()


@pytest.mark.parametrize("number", ["FURN_0096", "SO_1", "A*1", "#24", "1. OG", "24%", "5 < 6", "2+2", "~9~", "[1](2)"])
def test_numbers_with_signs_of_markdown_in_them_are_verified(number: str) -> None:
    record = bare(field=Value("ident", number))
    claim = render(_TEMPLATE, {"it": record})
    assert claim is not None
    assert verify(Draft(claims=(claim,), complete=True), evidence(it=record), None, _TEMPLATES) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value("quantity", scaled("1234567.5"), "kg"), "1,234,567.5 kg"),
        (Value("quantity", scaled("-0.000001"), "pcs"), "-0.000001 pcs"),
        (Value("quantity", scaled(3), "pcs"), "3 pcs"),
        (Value("quantity", 2**63 - 1, "pcs"), "9,223,372,036,854.775807 pcs"),
        (Value("amount", scaled("1250"), "EUR"), "1,250.00 EUR"),
        (Value("amount", scaled("0.125"), "USD"), "0.125 USD"),
        (Value("amount", scaled("-12.3"), "SGD"), "-12.30 SGD"),
        (Value("ratio", scaled("0.1")), "10%"),
        (Value("ratio", scaled("0.8765")), "87.6%"),
        (Value("ratio", scaled("1")), "100%"),
        (Value("days", scaled("1")), "1 day"),
        (Value("days", scaled("10.44")), "10.4 days"),
        (Value("days", 0), "0 days"),
        (Value("count", 1, "line"), "1 line"),
        (Value("count", 1200, "line"), "1,200 lines"),
        (Value("count", 0, "open order"), "0 open orders"),
        (Value("count", 12), "12"),
        (Value("date", date(2026, 3, 5)), "5 Mar 2026"),
        (Value("flag", True), "yes"),
        (Value("flag", False), "no"),
        (Value("code", "partly_shipped"), "partly shipped"),
        (Value("text", "  two \n lines "), "two lines"),
    ],
)
def test_values_are_printed_as_people_write_them(value: Value, text: str) -> None:
    assert print_value(bare(field=value), value) == text


@pytest.mark.parametrize("value", [Value("ratio", scaled("-0.0001")), Value("days", scaled("-0.04"))])
def test_a_figure_that_rounds_to_nothing_has_no_sign(value: Value) -> None:
    printed = print_value(bare(field=value), value)
    assert printed is not None
    assert not printed.startswith("-")


def test_an_instant_is_printed_where_the_record_belongs() -> None:
    value = Value("instant", datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    assert print_value(bare(time_zone="Europe/Berlin"), value) == "2 Jul 2026, 00:30 CEST"
    assert print_value(bare(time_zone="America/Chicago"), value) == "1 Jul 2026, 17:30 CDT"


@pytest.mark.parametrize("empty", [Value("text", None), Value("text", ""), Value("text", " \u200b\n"), Value("ref", 7)])
def test_what_is_empty_or_an_inner_id_is_not_printed(empty: Value) -> None:
    assert print_value(bare(field=empty), empty) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Öztürk Möbelwerke GmbH & Co. KG", None),
        ("Tanah Lot Fabricators Pte. Ltd.", None),
        ("Yahoo! Parts", "“Yahoo! Parts”"),
        ("Citric acid: 900 kg were shipped", "“Citric acid: 900 kg were shipped”"),
        ("Pump. Shipped on 3 Nov 2026. It is not late", "“Pump. Shipped on 3 Nov 2026. It is not late”"),
        ("Bolt see www.evil.example/pay", "“Bolt see www.evil.example/pay”"),
        ("A\u3164B\u115f\u2800", "AB"),
    ],
)
def test_a_name_that_says_something_is_in_quotation_marks(name: str, told: str | None) -> None:
    template = parse("said", "It is {it.name}.")
    item = bare(name=Value("text", name))
    claim = render(template, {"it": item})
    assert claim is not None
    assert claim.facts[0].text == (told or name)
    found = verify(Draft(claims=(claim,), complete=True), evidence(it=item), None, {"said": template})
    assert found == ()


def test_a_fact_carries_the_exact_figure() -> None:
    assert wire_value(Value("quantity", scaled("12.50"), "kg")) == "12.5"
    assert wire_value(Value("amount", scaled("1000"), "EUR")) == "1000"
    assert wire_value(Value("count", 3, "line")) == 3
    assert wire_value(Value("flag", True)) is True
    assert wire_value(Value("date", date(2026, 1, 2))) == date(2026, 1, 2)


@given(st.integers(-(10**9), 10**9))
def test_only_one_is_singular(number: int) -> None:
    assert counted(number, "line").endswith("line") == (number == 1)


@given(_TEXTS)
@example("safe\u202edesrever\u2066\u200b\ufeff")
@example("\x1b[31mred\x00\x07")
@example("tag\U000e0041\U000e0042")
def test_cleaned_text_is_one_line_of_visible_characters(text: str) -> None:
    cleaned = clean(text)
    assert "\n" not in cleaned
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
    assert cleaned == cleaned.strip()
    assert clean(cleaned) == cleaned


def test_very_long_text_is_cut_where_people_can_see_it() -> None:
    cleaned = clean("x" * 100_000)
    assert len(cleaned) <= 600
    assert cleaned.endswith("…")
    assert clean("x" * 600) == "x" * 600


_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _shown(text: str) -> tuple[str, set[str]]:
    """What a reader of markdown shows, and the kinds of everything in it that is not plain text."""
    kinds: set[str] = set()
    shown: list[str] = []
    for token in _READER.parse(text):
        kinds.add(token.type)
        for child in token.children or ():
            kinds.add(child.type)
            shown.append(child.content)
    return "".join(shown), kinds - {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


_MARKUP = st.lists(
    st.sampled_from(
        ["![", "[", "](", "http://x.io", ")", "<b>", "</b>", "<img src=x>", "#", "# ", "- ", "+ ", "* ", "1. ", "1) ",
         "---", "===", "~~", "**", "_", "`", "```", "&lt;", "&#33;", "\\", "> ", "| a | b |", ": ", "    ", "a", " ",
         "!", "<!--", "$x$", "[x]: y", "=", "-", "10.", "<https://x.io>"]
    ),
    min_size=1, max_size=8,
).map("".join)  # fmt: skip


@given(_MARKUP | _TEXTS)
@example("![x](http://evil.example/a.png)")
@example("1. first")
@example("---")
@example("===")
@example("- item")
@example("# heading")
@example("<script>alert(1)</script>")
@example("[click](javascript:alert(1))")
@example("&lt;b&gt;")
def test_a_text_is_shown_as_it_is_and_opens_nothing(text: str) -> None:
    cleaned = clean(text)
    assume(cleaned)
    shown, kinds = _shown(markdown(cleaned))
    assert kinds == set()
    assert shown == cleaned


@given(_MARKUP)
def test_a_text_stays_inert_inside_a_list_item_and_bold(text: str) -> None:
    cleaned = clean(text)
    assume(cleaned)
    _, kinds = _shown(f"- {markdown(cleaned)}: held")
    assert kinds <= {"bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"}
    _, kinds = _shown(f"Of **{markdown(cleaned)}**, held")
    assert kinds <= {"strong_open", "strong_close"}


def test_every_type_of_the_model_is_printed() -> None:
    samples: dict[FieldType, Any] = {
        "ident": "a", "text": "a", "code": "a", "date": date(2026, 1, 1), "instant": datetime.now(UTC), "quantity": 1,
        "amount": 1, "ratio": 1, "days": 1, "count": 1, "flag": True,
    }  # fmt: skip
    for kind, raw in samples.items():
        assert print_value(bare(), Value(kind, raw, "u")), kind


def test_rounding_a_rate_is_never_further_off_than_half_a_tenth() -> None:
    for thousandth in range(1001):
        printed = print_value(bare(), Value("ratio", thousandth * 1000))
        assert printed is not None
        assert abs(Decimal(printed.removesuffix("%")) - Decimal(thousandth) / 10) <= Decimal("0.05")


def test_a_day_is_the_same_day_in_every_zone() -> None:
    value = Value("date", date(2026, 12, 31))
    assert {print_value(bare(time_zone=zone), value) for zone in ("UTC", "Asia/Singapore", "America/Chicago")} == {
        "31 Dec 2026"
    }
    assert print_value(bare(), Value("date", date(2026, 12, 31) + timedelta(days=1))) == "1 Jan 2027"
