"""Known values are found in the ways in which people write them, whole, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.finds import Find, joined
from redaction.gazetteer import Gazetteer, Known
from redaction.words import Words, fold_word

GAZETTEER = Gazetteer((
    Known("PERSON", "Anna Maria Meyer", "name"),
    Known("PERSON", "Björn Müller-Lüdenscheidt", "name"),
    Known("PERSON", "Dr. Jan van der Berg", "name"),
    Known("PERSON", "Aoife O'Brien", "name"),
    Known("PERSON", "Van Nguyen", "name"),
    Known("PERSON", "陳大文", "name"),
    Known("PHONE", "+49 40 1234-567", "phone"),
    Known("PHONE", "(312) 555-0123", "phone"),
    Known("PHONE", "+44 (0)20 7946 0958", "phone"),
    Known("PHONE", "+49 89 9982-0 ext. 12", "phone"),
    Known("PHONE", "Tel. (0)711 8877-66", "phone"),
    Known("PHONE", "(+65) 6555 0188", "phone"),
    Known("PHONE", "0800-PUMPEN", "phone"),
    Known("EMAIL", "anna.meyer@firma.example"),
    Known("TAX", "DE123456789", "number"),
))  # fmt: skip


def _found(text: str) -> list[tuple[str, str]]:
    return [(text[find.begin : find.end], find.kind) for find in GAZETTEER.find(text)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("spoke with Anna Maria Meyer today", ["Anna Maria Meyer"]),
        ("ANNA MEYER, not banana meyers", ["ANNA MEYER"]),
        ("Meyer, Anna (Meyer Anna Maria)", ["Meyer, Anna", "Meyer Anna Maria"]),
        ("Anna M. Meyer", ["Anna M. Meyer"]),
        ("A. Meyer and A.M. Meyer and Meyer, A.", ["A. Meyer", "A.M. Meyer", "Meyer, A"]),
        ("a. meyer", ["a. meyer"]),
        ("a Meyer is one of many, and so is B. Meyer", []),
        ("Anna Meyer's desk", ["Anna Meyer"]),
        ("Anna: Meyer", []),
        ("Bjoern Mueller-Luedenscheidt", ["Bjoern Mueller-Luedenscheidt"]),
        ("Bjo\u0308rn Mu\u0308ller Lu\u0308denscheidt", ["Bjo\u0308rn Mu\u0308ller Lu\u0308denscheidt"]),
        ("BJÖRN MÜLLER\u2010LÜDENSCHEIDT", ["BJÖRN MÜLLER\u2010LÜDENSCHEIDT"]),
        ("Me\u200byer An\u00adna", ["Me\u200byer An\u00adna"]),
        ("van der Berg, Jan or Jan Berg or J. Berg", ["van der Berg, Jan", "Jan Berg", "J. Berg"]),
        ("van nguyen / Nguyen Van", ["van nguyen", "Nguyen Van"]),
        ("Aoife O\u2019Brien", ["Aoife O\u2019Brien"]),
        ("Aoife O\u02bcBrien", ["Aoife O\u02bcBrien"]),
        ("Anna Meyers Auftrag, nicht Anna Meyerss", ["Anna Meyers"]),
        ("CV_Anna_Meyer_2.pdf", ["Anna_Meyer"]),
        ("**Anna** **Meyer**", ["Anna** **Meyer"]),
        ("> ask Anna\n> Meyer", ["Anna\n> Meyer"]),
        ("An\u202ana Meyer\u2069", ["An\u202ana Meyer\u2069"]),
        ("請聯絡陳大文先生", ["陳大文"]),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, values: list[str]) -> None:
    assert _found(text) == [(value, "PERSON") for value in values]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("call 0049 40 1234567", "0049 40 1234567"),
        ("call +49 (0)40 / 12 34-567", "+49 (0)40 / 12 34-567"),
        ("call 040 1234567 now", "040 1234567"),
        ("call 3125550123", "3125550123"),
        ("312.555.0123", "312.555.0123"),
        ("call 0049 (0)40 1234-567", "0049 (0)40 1234-567"),
        ("+49\u00a040\u20091234\u2212567", "+49\u00a040\u20091234\u2212567"),
        ("+49 40\n> 1234567", "+49 40\n> 1234567"),
        ("call +44 20 7946 0958", "+44 20 7946 0958"),
        ("or 0044 (0) 20  /  7946 0958", "0044 (0) 20  /  7946 0958"),
        ("089 99820", "089 99820"),
        ("0711/887766", "0711/887766"),
        ("+65 65550188", "+65 65550188"),
        ("0800 pumpen", "0800 pumpen"),
        ("+49 89 9982-0, ext. 12", "+49 89 9982-0"),
        ("+49 89 9982-0 ext. 12", "+49 89 9982-0 ext. 12"),
    ],
)
def test_a_phone_number_is_found_however_it_is_dialled(text: str, value: str) -> None:
    assert _found(text) == [(value, "PHONE")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("VAT id de 123 456 789.", [("de 123 456 789", "TAX")]),
        ("DE-123.456.789", [("DE-123.456.789", "TAX")]),
        ("XDE123456789", []),
        ("DE1234567890", []),
        ("DE123; 456789", []),
        ("Anna.Meyer@Firma.Example", [("Anna.Meyer@Firma.Example", "EMAIL")]),
        ("", []),
        ("...", []),
    ],
)
def test_numbers_and_addresses_are_found_as_a_whole(text: str, found: list[tuple[str, str]]) -> None:
    assert _found(text) == found


@pytest.mark.parametrize(
    "lead", ["customers", "Kd.-Nr.", "KdNr.", '{"customerNumber":', "Debitoren-Nr.", "Acct #", "cust."]
)
def test_a_short_number_is_known_by_a_word_before_it(lead: str) -> None:
    gazetteer = Gazetteer((Known("ACCOUNT", "10027", "number"),))
    assert [find.kind for find in gazetteer.find(f"{lead} 10027")] == ["ACCOUNT"]
    assert gazetteer.find("custom made, 10027 pieces") == ()


@pytest.mark.parametrize(("value", "how"), [("Karl-Marx-Allee 99/101", "phrase"), ("M\u00fcller (Nord) GmbH", "phrase"),
                                            ("A:1029/7", "number"), ("C#20-144", "number")])  # fmt: skip
def test_whatever_signs_a_value_has_it_is_found_as_it_is_recorded(value: str, how: Any) -> None:
    (find,) = Gazetteer((Known("X", value, how),)).find(f"to {value}!")
    assert f"to {value}!"[find.begin : find.end].rstrip(")") == value.rstrip(")")


def test_finds_that_overlap_are_one() -> None:
    finds = (Find(0, 10, "PERSON"), Find(5, 20, "ORGANISATION"), Find(30, 31, "EMAIL"))
    assert joined(reversed(finds)) == (Find(0, 20, "ORGANISATION", within=finds[:2]), finds[2])


def test_values_too_short_to_be_told_from_words_are_not_looked_for() -> None:
    gazetteer = Gazetteer((Known("PERSON", "Bo", "name"), Known("TAX", "7", "number"), Known("PERSON", "", "name")))
    assert Gazetteer((Known("COMPANY", "Zoe"),)).find("of zoe") == (Find(3, 6, "COMPANY", "", (("", 0),)),)
    assert gazetteer.find("Bo ordered 7") == ()


_LETTERS = st.characters(categories=("Lu", "Ll"), max_codepoint=0x24F).filter(lambda c: len(fold_word(c)) == 1)
"""Without ligatures, of which an initial is two letters."""
_NAME_WORD = st.text(_LETTERS, min_size=3, max_size=9)
_NAMES = st.lists(_NAME_WORD, min_size=2, max_size=4).map(" ".join)
_AROUND = st.text(st.sampled_from("abc XYZ 123.,;:-ßüÄ\u0308\u200b陳\n"), max_size=40)


@st.composite
def _written(draw: st.DrawFn) -> tuple[str, str, str]:
    """A name, a way to write it, and a text in which it stands."""
    name = draw(_NAMES)
    pieces = name.split()
    way = draw(
        st.sampled_from((
            name, name.upper(), name.lower(), f"{pieces[-1]}, {' '.join(pieces[:-1])}", f"{pieces[0]} {pieces[-1]}",
            f"{pieces[0][0].upper()}. {pieces[-1]}",
        ))
    )  # fmt: skip
    return name, way, f"{draw(_AROUND)} | {way} | {draw(_AROUND)}"


@settings(max_examples=300, deadline=None)
@given(_written())
def test_whatever_stands_around_it_a_known_name_is_covered(written: tuple[str, str, str]) -> None:
    name, way, text = written
    begin = text.index(f" | {way} | ") + 3
    finds: Any = Gazetteer((Known("PERSON", name, "name"),)).find(text)
    covered = {place for find in finds for place in range(find.begin, find.end)}
    wanted = {place for place in range(begin, begin + len(way)) if text[place].isalnum()}
    assert wanted <= covered, (name, way, text, finds)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_the_words_of_a_text_lie_in_it_in_order(text: str) -> None:
    words = Words(text)
    places = [place for span in words.spans for place in span]
    assert places == sorted(places)
    assert all(words.folded)
    assert len(words.folded) == len(words.spans)
    for run in (words.spaced, words.joined):
        begin = 0
        for number, word in enumerate(words.folded):
            begin = run.text.index(word, begin)
            assert run.words(begin, begin + len(word)) in ((number, number), None)
            begin += len(word)
