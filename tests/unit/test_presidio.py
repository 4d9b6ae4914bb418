"""What has a form is found with its kind; what only looks so is not; what is cheap hides nothing from what is dear."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import Leniency, PhoneNumberMatcher

from redaction import recognizers
from redaction.gates import DATES, GATES, TOLD
from redaction.plain import plain
from redaction.presidio import ModelMissingError, PresidioFinder, _surest
from redaction.words import Words

FINDER = PresidioFinder()
CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "pii" / "generated_large.json"
FOUND = [
    ("mail anna.meyer@firma.example now", "anna.meyer@firma.example", "EMAIL"),
    ("anna@erp.local", "anna@erp.local", "EMAIL"),
    ("it is +49 (0)40 / 12 34-567.", "+49 (0)40 / 12 34-567", "PHONE"),
    ("040 1234567", "040 1234567", "PHONE"),
    ("(312) 555-0123", "(312) 555-0123", "PHONE"),
    ("312.555.0123", "312.555.0123", "PHONE"),
    ("+65 6123 4567", "+65 6123 4567", "PHONE"),
    ("6123 4567", "6123 4567", "PHONE"),
    ("+44 20 7946 0958", "+44 20 7946 0958", "PHONE"),
    ("+43 1 234567", "+43 1 234567", "PHONE"),
    ("+41 44 668 18 00", "+41 44 668 18 00", "PHONE"),
    ("+33 1 42 68 53 00", "+33 1 42 68 53 00", "PHONE"),
    ("Telefonnummer: 1234567", "1234567", "PHONE"),
    ("312-555-0123-Fax", "312-555-0123", "PHONE"),
    ("Tel. 12 34 56", "12 34 56", "PHONE"),
    ("call him at 469 34 883", "469 34 883", "PHONE"),
    ("DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00", "IBAN"),
    ("de89370400440532013000", "de89370400440532013000", "IBAN"),
    ("BIC: DEUTDEFF500", "DEUTDEFF500", "BIC"),
    ("DBSSSGSG (SWIFT)", "DBSSSGSG", "BIC"),
    ("DE 136 695 976", "DE 136 695 976", "TAX_ID"),
    ("ATU13585627", "ATU13585627", "TAX_ID"),
    ("GB 980 7806 84", "GB 980 7806 84", "TAX_ID"),
    ("CHE-116.281.710 MWST", "CHE-116.281.710", "TAX_ID"),
    ("VAT no. DE123456789", "DE123456789", "TAX_ID"),  # wrong check digits: the word tells
    ("4111 1111 1111 1111", "4111 1111 1111 1111", "CARD"),
    ("my card 5105-1051-0510-5100", "5105-1051-0510-5100", "CARD"),
    ("2223003122003222", "2223003122003222", "CARD"),
    ("536-90-4399", "536-90-4399", "ID_NUMBER"),
    ("SSN 536904399", "536904399", "ID_NUMBER"),
    ("912-70-1234", "912-70-1234", "TAX_ID"),
    ("EIN 12-3456789", "12-3456789", "TAX_ID"),
    ("routing number 021000021", "021000021", "ACCOUNT"),
    ("Kontonummer 1234567890", "1234567890", "ACCOUNT"),
    ("passport 123456789", "123456789", "ID_NUMBER"),
    ("driver's license A1234567", "A1234567", "ID_NUMBER"),
    ("Personalausweis L01X00T471", "L01X00T471", "ID_NUMBER"),
    ("86 095 742 719", "86 095 742 719", "TAX_ID"),
    ("Steuernummer 93/815/08152", "93/815/08152", "TAX_ID"),
    ("15 070649 C 103", "15 070649 C 103", "ID_NUMBER"),
    ("S1234567D", "S1234567D", "ID_NUMBER"),
    ("53125226D", "53125226D", "TAX_ID"),
    ("192.168.1.17", "192.168.1.17", "IP"),
    ("fe80::1ff:fe23:4567:890a", "fe80::1ff:fe23:4567:890a", "IP"),
    ("00:1A:2B:3C:4D:5E", "00:1A:2B:3C:4D:5E", "MAC"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "WALLET"),
    ("\uff14\uff11\uff11\uff11 1111 1111 1111", "\uff14\uff11\uff11\uff11 1111 1111 1111", "CARD"),
    ("\u0660\u0664\u0660 \u0661\u0662\u0663\u0664\u0665", "\u0660\u0664\u0660 \u0661\u0662\u0663\u0664\u0665", "PHONE"),
    ("+49\u00a040\u202f123\u20114567", "+49\u00a040\u202f123\u20114567", "PHONE"),
    ("\uff41\uff4e\uff4e\uff41\uff20\uff58.\uff44\uff45", "\uff41\uff4e\uff4e\uff41\uff20\uff58.\uff44\uff45", "EMAIL"),
]  # fmt: skip
LOOKS_SO = [
    "where is order 4500012345?", "item 0012345678", "SO-10061 and PO 40177", "lot L24070123", "GTIN 4006381333931",
    "from 2024-01-01 to 2024-02-28", "on 15.03.2024 and 3/15/2024", "1.234.567,89 EUR and 1,234,567.89",
    "12:30:45", "2019 2020", "100 x 200 x 300", "call off 4500012345", "DELIVERY BY SWIFT TRUCK", "12345678",
    "123456789",
    "call me about order 123456", "which orders are late", "", "version 1.2.3", "5000000 units", "DE123456789",
]  # fmt: skip


def _found(text: str) -> list[tuple[str, str]]:
    return [(text[find.begin : find.end], find.kind) for find in FINDER.find(text, Words(text))]


@pytest.mark.parametrize(("text", "value", "kind"), FOUND)
def test_a_form_is_found_with_its_kind(text: str, value: str, kind: str) -> None:
    assert _found(text) == [(value, kind)]


@pytest.mark.parametrize("text", LOOKS_SO)
def test_what_only_looks_so_is_left(text: str) -> None:
    assert _found(text) == []


def test_two_numbers_side_by_side_are_both_found_whole() -> None:
    text = "(312) 555-0123 312.555.0123 +1 312 555 0199 312-555-0177"
    covered = {place for find in FINDER.find(text, Words(text)) for place in range(find.begin, find.end)}
    assert {place for place, letter in enumerate(text) if letter.isdigit()} <= covered


@given(st.sampled_from(FOUND), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_not_seen_hides_nothing(found: tuple[str, str, str], data: st.DataObject) -> None:
    text, value, kind = found
    begin = text.index(value)
    places = data.draw(st.sets(st.integers(begin + 1, begin + len(value) - 1), max_size=4))
    hidden = "".join(data.draw(st.sampled_from("\u200b\u00ad\u2060")) * (at in places) + c for at, c in enumerate(text))
    finds = FINDER.find(hidden, Words(hidden))
    assert [(find.kind, find.begin, find.end) for find in finds] == [(kind, begin, begin + len(value) + len(places))]


def _ungated(text: str) -> set[tuple[int, int, str]]:
    """Every recognizer over the whole text."""
    shape = plain(text)
    asked = DATES.sub(lambda match: "#" * len(match[0]), shape.text)
    names = sorted({gate.name for gate in GATES})
    results: Iterable[Any] = FINDER._loaded().analyze(asked, language="en", entities=names)
    found = _surest((each.score, each.start, each.end, each.entity_type) for each in results)
    return {(*shape.span(begin, end), f"presidio:{name}") for begin, end, name in found}


def _gated(text: str) -> set[tuple[int, int, str]]:
    return {(find.begin, find.end, find.source) for find in FINDER.find(text, Words(text))}


_PIECES = st.one_of(
    st.sampled_from([text for text, _, _ in FOUND] + LOOKS_SO),
    st.sampled_from(
        ["tel", "passport", "bank", "VAT", "bic", "licence", " is my ", "call off", "Ausweis", "uen", "\n", "é"]
    ),
    st.text("0123456789 +()-./@:ADEFTx", max_size=24),
    st.text(max_size=6),
)


@given(
    st.lists(_PIECES, max_size=7),
    st.sampled_from([" ", ", ", "", "\n", " and so on, as was said before by all of us, "]),
)
@settings(max_examples=300, deadline=None)
def test_gates_hide_nothing(pieces: list[str], between: str) -> None:
    text = between.join(pieces)
    assert _gated(text) == _ungated(text)


@pytest.mark.skipif(not CORPUS.is_file(), reason="the marked texts are not here (../shared/data/pii)")
def test_gates_hide_nothing_in_real_texts() -> None:
    texts = [entry["full_text"] for entry in json.loads(CORPUS.read_text(encoding="utf-8"))[::4]]
    assert [text for text in texts if _gated(text) != _ungated(text)] == []


@given(st.lists(_PIECES, max_size=5).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_looking_only_around_digits_hides_no_phone_number(text: str) -> None:
    asked = DATES.sub(lambda match: "#" * len(match[0]), plain(text).text)
    begun = {  # up to the seventh digit: what may follow behind two signs is told apart in other ways
        (match.start, match.start + seven.end())
        for region in ("US", "DE", "SG")
        for match in PhoneNumberMatcher(asked, region, leniency=Leniency.VALID)
        if (told := TOLD.match(asked, match.start)) and told.lastgroup == region
        if (seven := re.match(r"(?:\D*\d){7}", match.raw_string))
    }
    ours = FINDER._loaded().analyze(asked, language="en", entities=["PHONE"])
    covered = {place for each in ours for place in range(each.start, each.end)}
    assert all(set(range(*span)) <= covered for span in begun)


def test_a_text_without_candidates_loads_nothing() -> None:
    program = (
        "import sys; from redaction.presidio import PresidioFinder as F; from redaction.words import Words as W\n"
        "for t in ('which orders are late?', 'where is S00024, ordered 2024-01-15?'): assert not F().find(t, W(t))\n"
        "assert not {'presidio_analyzer', 'spacy', 'phonenumbers', 'tldextract', 'stdnum'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_nothing_of_the_texts_is_kept() -> None:
    strings: Any = FINDER._loaded().nlp_engine._vocab.strings
    before = len(strings)
    for number in range(500):
        assert _found(f"mail w{number}o@d{number}.example or tel 555{number:04} word{number}") != []
    assert len(strings) == before


def test_many_threads_find_the_same() -> None:
    finder = PresidioFinder()

    def found(entry: tuple[str, str, str]) -> list[str]:
        return [find.kind for find in finder.find(entry[0], Words(entry[0]))]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(found, FOUND * 4)) == [[kind] for _, _, kind in FOUND] * 4


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "@", "a@", "a.", "+1 ", "A1", "DE1", "1.", "a:", "tel 1", "::", "(1", "\u200b1"]
)
def test_the_time_is_that_of_the_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        begun = time.process_time()
        FINDER.find(text, Words(text))
        return time.process_time() - begun

    seconds(2000)
    assert seconds(16_000) < 0.5 + 30 * seconds(2000)


def test_without_a_model_names_are_not_covered() -> None:
    assert FINDER.uncovered == {"PERSON", "LOCATION", "ORGANIZATION"}
    assert {"EMAIL", "PHONE", "IBAN", "BIC", "TAX_ID", "CARD", "ID_NUMBER", "IP"} <= FINDER.covered


@pytest.mark.parametrize("model", ["no_such_model_sm", "/nowhere/model"])
def test_a_model_that_is_not_there_is_named(model: str) -> None:
    with pytest.raises(ModelMissingError, match=model):
        PresidioFinder(model)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that knows a few names by heart."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    ner: Any = nlp.add_pipe("ner")
    names = [("Anna Meyer", "PERSON"), ("Berlin", "GPE"), ("Acme Works", "ORG")]
    examples = []
    for name, label in names:
        ner.add_label(label)
        for frame in ("we met {} today", "{} called", "is {} here ?"):
            begin = frame.index("{")
            made = {"entities": [(begin, begin + len(name), label)]}
            examples.append(Example.from_dict(nlp.make_doc(frame.format(name)), made))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    folder = tmp_path_factory.mktemp("model")
    nlp.to_disk(folder)
    return str(folder)


def test_with_a_model_names_are_found_and_its_store_does_not_grow(model: str) -> None:
    finder = PresidioFinder(model)
    assert finder.uncovered == frozenset()

    def found(text: str) -> set[tuple[str, str]]:
        return {(text[find.begin : find.end], find.kind) for find in finder.find(text, Words(text))}

    assert ("Anna Meyer", "PERSON") in found("we met Anna Meyer today")
    assert ("Berlin", "LOCATION") in found("is Berlin here ?")
    assert ("Acme Works", "ORGANIZATION") in found("Acme Works called")
    assert ("a@b.example", "EMAIL") in found("Anna Meyer called a@b.example")
    strings = finder._named()._engine.get_nlp("en").vocab.strings
    before = len(strings)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(found, (f"we met Anna{number} Meyer{number} today" for number in range(200))))
    assert len(strings) == before


def test_every_gate_has_its_recognizer() -> None:
    assert {each.supported_entities[0] for each in recognizers.recognizers()} == {gate.name for gate in GATES}
