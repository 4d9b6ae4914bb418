"""Masking by form: what identifies a person goes, what identifies a document stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction.patterns import PatternMasker

MASKER = PatternMasker()


@pytest.mark.parametrize(
    ("text", "masked", "kind"),
    [
        ("mail jo.doe+erp@mail.example.com now", "mail <EMAIL_1> now", "EMAIL"),
        ("Jo_Doe@x-y.co.uk", "<EMAIL_1>", "EMAIL"),
        ("call +49 30 901820", "call <PHONE_1>", "PHONE"),
        ("call +49 (0)30 901820", "call <PHONE_1>", "PHONE"),
        ("call +1-312-555-0142", "call <PHONE_1>", "PHONE"),
        ("call 312-555-0142", "call <PHONE_1>", "PHONE"),
        ("call 312.555.0142", "call <PHONE_1>", "PHONE"),
        ("call (030) 901820", "call <PHONE_1>", "PHONE"),
        ("to DE89 3704 0044 0532 0130 00 please", "to <IBAN_1> please", "IBAN"),
        ("to DE89370400440532013000 please", "to <IBAN_1> please", "IBAN"),
        ("to de89 3704 0044 0532 0130 00 please", "to <IBAN_1> please", "IBAN"),
        ("card 4111 1111 1111 1111", "card <CARD_1>", "CARD"),
        ("card 4111-1111-1111-1111", "card <CARD_1>", "CARD"),
        ("card 4111111111111111", "card <CARD_1>", "CARD"),
    ],
)
def test_personal_data_is_replaced_by_its_kind(text: str, masked: str, kind: str) -> None:
    found = MASKER.mask(text)
    assert (found.text, found.found) == (masked, (kind,))


@pytest.mark.parametrize(
    "text",
    [
        "where is S00024?",
        "order SO-2024-000123 of 2026-11-18",
        "invoice INV/2026/00017",
        "GTIN 4006381333931",
        "item FURN_0096, 1,250 pcs at 12.50 EUR",
        "tracking 1Z999AA10123456784",
        "tracking JD014600003828392837",
        "tracking RR123456789DE",
        "PO 4500012345 for 2000000 units",
        "lot L2026-11-18/07",
        "10 mm x 20 mm, M8-1.25",
        "@acme and user@localhost",
        "",
    ],
)
def test_numbers_of_documents_items_and_parcels_stay(text: str) -> None:
    assert MASKER.mask(text).text == text
    assert MASKER.mask(text).found == ()


def test_the_same_value_has_the_same_token_and_another_one_another() -> None:
    masked = MASKER.mask("a@x.io to b@x.io, copy a@x.io, call +49 30 901820")
    assert masked.text == "<EMAIL_1> to <EMAIL_2>, copy <EMAIL_1>, call <PHONE_1>"
    assert masked.found == ("EMAIL", "EMAIL", "PHONE")


_PERSONAL = st.sampled_from(
    ["jo@mail.example.com", "+49 30 901820", "312-555-0142", "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111"]
)


@given(st.lists(st.tuples(st.from_regex(r"[a-z ]{1,12}", fullmatch=True), _PERSONAL), min_size=1, max_size=5))
def test_no_value_survives_and_masking_again_changes_nothing(pieces: list[tuple[str, str]]) -> None:
    text = " ".join(f"{words} {value} ." for words, value in pieces)
    masked = MASKER.mask(text)
    assert not [value for _, value in pieces if value in masked.text]
    assert MASKER.mask(masked.text).text == masked.text
    assert len(masked.found) == len({value for _, value in pieces})


@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    masked = MASKER.mask(text)
    assert (masked.text == text) == (masked.found == ())
