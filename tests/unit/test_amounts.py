"""Amounts in questions: the exact number and what it counts, and what stays a word of the question."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.errors import ModelDefinitionError
from copilot.understanding.amount_words import load_amount_words, read_amount_words
from copilot.understanding.amounts import AmountMention, Convention, find_amounts, unclear_amounts
from copilot.understanding.words import cut

WORDS = load_amount_words()
US = Convention(decimal_comma=False, currency="USD")
DE = Convention(decimal_comma=True, currency="EUR")
SG = Convention(decimal_comma=False, currency="SGD")


def _found(text: str, convention: Convention | None = None) -> list[AmountMention]:
    return list(find_amounts(cut(text), WORDS, convention))


def _told(text: str, convention: Convention | None = None) -> str:
    return ", ".join(
        " ".join(filter(None, (f"{m.number.normalize():f}", m.currency, m.unit, m.time, "%" if m.percent else "")))
        for m in _found(text, convention)
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("orders over 10k", "10000"),
        ("over 10K", "10000"),
        ("10 k", "10000"),
        ("more than 1.5 million", "1500000"),
        ("12", "12"),
        ("10,000", "10000"),
        ("1,234,567.89", "1234567.89"),
        ("10.000,50", "10000.5"),
        ("2.5 kg", "2.5 kg"),
        ("12,5 kg", "12.5 kg"),
        ("two", "2"),
        ("twenty-five boxes", "25 box"),
        ("twenty five", "25"),
        ("two hundred and fifty pieces", "250 each"),
        ("a hundred", "100"),
        ("three thousand", "3000"),
        ("half a dozen", "6"),
        ("a dozen", "12"),
        ("two dozen boxes", "24 box"),
        ("half a million euros", "500000 EUR"),
        ("can I promise 40 by Friday", "40"),
        ("40 pcs", "40 each"),
        ("40pcs", "40 each"),
        ("five boxes of M8x50 and 3 cartons", "5 box, 3 carton"),
        ("one pallet", "1 pallet"),
        ("10 metres", "10 m"),
        ("30 ft of hose", "30 ft"),
        ("5kg", "5 kg"),
        ("3 days", "3 day"),
        ("two weeks", "2 week"),
        ("5 business days late", "5 working_day"),
        ("24 hours", "24 hour"),
        ("a week", "1 week"),
        ("below 95%", "95 %"),
        ("below 95 %", "95 %"),
        ("97.5 percent", "97.5 %"),
        ("€10k", "10000 EUR"),
        ("€ 500", "500 EUR"),
        ("500 €", "500 EUR"),
        ("10,000 EUR", "10000 EUR"),
        ("EUR 10,000", "10000 EUR"),
        ("EUR500", "500 EUR"),
        ("500 euros", "500 EUR"),
        ("US$ 20", "20 USD"),
        ("S$500", "500 SGD"),
        ("$1.5m", "1500000 SGD"),
        ("1.5m EUR", "1500000 EUR"),
        ("EUR 2 m", "2000000 EUR"),
        ("300 dollars", "300 SGD"),
        ("between 10 and 20 kg", "10, 20 kg"),
        ("five and six", "5, 6"),
    ],
)
def test_the_number_and_what_it_counts(text: str, told: str) -> None:
    assert _told(text, SG if "$" in text or "dollars" in text else None) == told


@pytest.mark.parametrize(
    "text",
    [
        "SO-10482",
        "M8x50",
        "M8 x",
        "#",
        "~40",
        "~ 40",
        "> 10k",
        "1/2 inch",
        "10-20",
        "12.11.2026",
        "2026-11-12",
        "which one",
        "a customer",
        "half inch hose",
        "dozens of orders",
        "a few boxes",
        "3rd",
        "v2",
        "10x",
        "12,34,567",
        "12345678901234567890",
        "",
    ],
)
def test_what_is_no_exact_amount_is_left_alone(text: str) -> None:
    assert _told(text) == ""


def test_marks_in_figures_mean_what_the_region_says() -> None:
    assert (_told("10.000", DE), _told("10,000", US)) == ("10000", "10000")
    assert (_told("10,5", DE), _told("10,5", US), _told("10.5", DE)) == ("10.5", "10.5", "10.5")
    assert (_told("10,000", DE), _told("10.000", US)) == ("10", "10")
    assert _told("1.234.567", US) == "1234567"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("over 10.000", "thousands or decimals"), ("$ 500", "USD or SGD"), ("20 dollars", "USD or SGD"), ("¥5", "JPY")],
)
def test_what_may_be_several_is_found_and_says_so(text: str, reason: str) -> None:
    assert _told(text) == ""
    (unclear,) = unclear_amounts(cut(text), WORDS)
    assert reason in unclear.reason
    assert unclear.text == text.removeprefix("over ").replace("$ ", "$")


def test_a_bare_dollar_is_the_regions_only_where_the_region_has_a_dollar() -> None:
    assert (_told("$5", US), _told("$5", SG), _told("$5", DE)) == ("5 USD", "5 SGD", "")


def test_the_letter_m_is_metres_unless_money_is_meant() -> None:
    (mention,) = _found("over 1.5m")
    assert (mention.unit, mention.number, mention.bare) == ("m", Decimal("1.5"), False)
    money = mention.as_money()
    assert money is not None
    assert (money.number, money.unit) == (Decimal(1_500_000), None)
    kilos, bare = _found("10 kg and 5")
    assert (kilos.as_money(), bare.as_money()) == (None, bare)


def test_a_unit_is_the_one_that_a_sources_code_names() -> None:
    assert all(WORDS.same_unit("each", code) for code in ("each", "EA", "pcs", "Units"))
    assert WORDS.same_unit("furlong", "FURLONG")
    assert not WORDS.same_unit("box", "each")


def test_the_words_of_an_amount_are_known_by_their_places() -> None:
    said = cut("can I promise 2 hundred pieces of BX-200 for EUR 10,000?")
    mentions = find_amounts(said, WORDS)
    assert [" ".join(said[p].typed for p in sorted(m.positions)) for m in mentions] == [
        "2 hundred pieces",
        "EUR 10,000",
    ]
    assert [m.text for m in mentions] == ["2 hundred pieces", "EUR 10,000"]


@given(number=st.decimals(0, 10**9, places=2), convention=st.sampled_from((US, DE)))
def test_a_number_written_as_the_region_writes_it_is_read_exactly(number: Decimal, convention: Convention) -> None:
    written = f"{number:,.2f}"
    if convention is DE:
        written = written.translate(str.maketrans(",.", ".,"))
    (mention,) = _found(written, convention)
    assert mention.number == number


@given(text=st.text(alphabet="0123456789.,€$%km two adozenhlf-", max_size=30))
def test_no_text_makes_it_raise_and_no_word_is_taken_twice(text: str) -> None:
    taken = [p for m in (*_found(text), *unclear_amounts(cut(text), WORDS)) for p in m.positions]
    assert len(taken) == len(set(taken))


def test_words_that_are_not_well_formed_are_named() -> None:
    with pytest.raises(ModelDefinitionError, match="decimal"):
        read_amount_words({"numbers": {}})
