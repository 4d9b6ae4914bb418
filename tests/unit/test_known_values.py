"""What is known of a row is known in each of the forms that differ by more than how a word is written."""

from __future__ import annotations

import pytest

from copilot.masking.values import Personal
from redaction.gazetteer import Gazetteer


def _found(personal: str, value: str, text: str) -> list[str]:
    row = {"it": value, "ids": [1]}
    return [text[find.begin : find.end] for find in Gazetteer(Personal("x", personal, ("it",)).known(row)).find(text)]


@pytest.mark.parametrize(
    ("personal", "value", "said"),
    [
        ("street", "173 Switchyard Blvd", "173 Switchyard Boulevard"),
        ("street", "12 St James St", "12 St James Street"),
        ("street", "Hauptstra\u00dfe 7", "Hauptstr. 7"),
        ("street", "12 King's Road", "12 Kings Road"),
        ("company", "Meyer & S\u00f6hne GmbH", "Meyer und S\u00f6hne"),
        ("company", "Smith and Daughters Ltd.", "Smith & Daughters"),
        ("company", "Lohm\u00fchle GmbH & Co. KG", "Lohm\u00fchle GmbH u. Co. KG"),
        ("company", "O'Connor Hydraulics Inc.", "OConnor Hydraulics"),
        ("addressee", "Pinyon Cold Storage Inc.", "Pinyon Cold Storage"),
        ("addressee", "Imke van der Weide", "van der Weide, I."),
        ("name", "Aoife O'Brien", "Aoife OBrien"),
        ("name", "Aoife O\u2019Brien", "A. O'Brien"),
    ],
)
def test_a_value_is_found_as_people_shorten_it(personal: str, value: str, said: str) -> None:
    assert _found(personal, value, f"to {said} and") == [said.rstrip(".")]
    assert _found(personal, value, f"to {value} and")


@pytest.mark.parametrize(
    ("personal", "value", "said"),
    [
        ("company", "Lohm\u00fchle GmbH", "Lohm\u00fchle"),
        ("addressee", "Pinyon Cold Storage Inc.", "Storage, Pinyon"),
        ("email", "o'brien@x.example", "obrien@x.example"),
    ],
)
def test_what_could_be_another_is_not_found(personal: str, value: str, said: str) -> None:
    assert _found(personal, value, f"to {said} and") == []
