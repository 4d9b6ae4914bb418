"""People and addresses are told by what stands around them; orders, items and firms are nobody."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.contexts import ContextFinder
from redaction.gazetteer import joined
from redaction.words import Words

FINDER = ContextFinder()
PEOPLE = [
    ("Please call Mr. Smith back", "Smith"),
    ("mr smith ordered", "smith"),
    ("herr müller fragt", "müller"),
    ("Mrs Anna-Lena van der Berg is in", "Anna-Lena van der Berg"),
    ("Sehr geehrter Herr Müller,", "Müller"),
    ("Sehr geehrte Frau Dr. Schmidt", "Schmidt"),
    ("Hr. Weber hat angerufen", "Weber"),
    ("Dear Anna, where is it?", "Anna"),
    ("Hi Anna where is it?", "Anna"),
    ("Hallo Jörg,", "Jörg"),
    ("Contact: Anna Meyer", "Anna Meyer"),
    ("From: Anna Meyer", "Anna Meyer"),
    ("attn John O'Brien", "John O'Brien"),
    ("z. Hd. Frau Meyer", "Meyer"),
    ("z.Hd. Anna Meyer", "Anna Meyer"),
    ("c/o Peter Pan", "Peter Pan"),
    ("Ansprechpartner: Lukas Hofer", "Lukas Hofer"),
    ("Thanks.\nBest regards,\nAnna Meyer\nSales", "Anna Meyer"),
    ("Best,\nTom", "Tom"),
    ("Mit freundlichen Grüßen\nMax Mustermann", "Max Mustermann"),
    ("MfG Schulze", "Schulze"),
    ("I spoke with Tamara yesterday", "Tamara"),
    ("talked to Jean-Luc Picard about it", "Jean-Luc Picard"),
    ("I called Anna Meyer on Monday", "Anna Meyer"),
    ("e-mail from Bo Li", "Bo Li"),
    ("gesprochen mit Anna Meyer", "Anna Meyer"),
    ("Rückruf an Hans Meier", "Hans Meier"),
    ("my name is Chen Wei", "Chen Wei"),
    ("this is Robert from Acme", "Robert"),
    ("ich heiße Jürgen", "Jürgen"),
    ("signed by A. M. Meyer", "A. M. Meyer"),
    ("unterschrieben von K. Huber", "K. Huber"),
    ("delivered to Anna Meyer", "Anna Meyer"),
    ("ask for Miguel", "Miguel"),
    ("ordered by Aoife O\u2019Brien", "Aoife O\u2019Brien"),
    ("请联系陈大文先生", "陈大文"),
    ("Anna Meyer's phone number", "Anna Meyer"),
    ("Anna Meyer\nField Lead\n+49 40 1234567", "Anna Meyer"),
]
ADDRESSES = [
    ("at 12 Main Street, Apt 4.", "12 Main Street, Apt 4"),
    ("350 Fifth Avenue, New York, NY 10118", "350 Fifth Avenue, New York, NY 10118"),
    ("12 main street", "12 main street"),
    ("221B Baker St", "221B Baker St"),
    ("in Springfield, IL 62704", "Springfield, IL 62704"),
    ("PO Box 123", "PO Box 123"),
    ("Hauptstraße 12a, 80331 München", "Hauptstraße 12a, 80331 München"),
    ("Berliner Str. 12, 10115 Berlin", "Berliner Str. 12, 10115 Berlin"),
    ("Am Neuen Weg 5\n12345 Berlin", "Am Neuen Weg 5\n12345 Berlin"),
    ("nach D-80331 München", "D-80331 München"),
    ("Postfach 12 34, 80331 München", "Postfach 12 34, 80331 München"),
    ("Blk 123 Ang Mo Kio Ave 3 #05-12, Singapore 560123", "Blk 123 Ang Mo Kio Ave 3 #05-12, Singapore 560123"),
    ("Lieferadresse: Marktring 5 in Aachen", "Marktring 5 in Aachen"),
]
NOBODY = [
    "contact Order Desk", "spoke with customer service", "I called Monday", "who is the contact of Acme",
    "who is our contact for Ready Mat", "ask for Delivery", "Hi Team,", "Dear Customer,", "Dear Sir or Madam",
    "Hello World", "MS Office licences", "did we miss the Friday truck", "Best regards,\nAcme GmbH",
    "Mit freundlichen Grüßen\nIhr Vertrieb", "delivered to Main Warehouse", "Thanks, Please send it",
    "the item called Large Cabinet", "ordered by Acme Corp", "PLEASE CONTACT THE SALES TEAM",
    "Which orders of Azure Interior are late?", "Dr 100 Cr 200", "from Monday to Friday",
    "name the customer with most orders", "What is Acme's address?", "Kontakt Lieferung", "this is Large Desk",
    "Ansprechpartner Einkauf", "hr 8 fr 9", "what did Acme order in March", "Wer ist der Kunde von Auftrag 5?",
    "contact Meyer & Sons", "Acme Corp\nSales\n+49 40 1234567",
    "12 boxes on the way", "5 orders by road", "3 units of Large Desk", "2 desks in stock", "12345 Widgets",
    "how many 12 Volt Drive units", "show me 10 Drawer Black", "Order 4500012345 of 12 March", "block 5 orders",
    "3 St or 4", "what is on 2 Pallets", "is 20% of 30 Hill orders late", "weg 5",
    "change the address to be the same as order 5",
]  # fmt: skip


def _found(text: str) -> list[tuple[str, str]]:
    return [(text[find.begin : find.end], find.kind) for find in joined(FINDER.find(text, Words(text)))]


@pytest.mark.parametrize(("text", "name"), PEOPLE)
def test_a_name_is_told_by_what_stands_around_it(text: str, name: str) -> None:
    assert (name, "PERSON") in _found(text)
    assert [value for value, kind in _found(text) if kind == "PERSON"] == [name]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_an_address_is_told_by_its_form(text: str, address: str) -> None:
    assert _found(text) == [(address, "ADDRESS")]


@pytest.mark.parametrize("text", NOBODY)
def test_what_names_nobody_is_left(text: str) -> None:
    assert _found(text) == []


@given(st.sampled_from(PEOPLE[:-1] + ADDRESSES), st.sampled_from(["", "Hello.\n\n", "Order S00024 is late. ", "é "]))
def test_what_stands_before_changes_nothing(found: tuple[str, str], before: str) -> None:
    text, value = found
    assert value in {each for each, _ in _found(before + text)}


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_finds_lie_in_the_text(text: str) -> None:
    for find in FINDER.find(text, Words(text)):
        assert 0 <= find.begin < find.end <= len(text)


_PIECES = [
    "1 A ", "Aa ", "mr ", "12 Aaa Bbb Ccc ", "Dear Dr. ", "straße 1 ", "a-", "A", "1", "address: ", "Blk 1 A ", "先",
    "经理", "Str", "'s address", "Aa-", "A\n", "Aa Bb\n", "1 a\n", "Suite 1\nA\n", "Apt 1",
    ", IL 12345", "van ", "A. ", "12 aaa ",
]  # fmt: skip


@pytest.mark.parametrize("piece", _PIECES)
def test_the_time_is_that_of_the_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        begun = time.process_time()
        list(FINDER.find(text, Words(text)))
        return time.process_time() - begun

    seconds(1000)
    assert seconds(32_000) < 0.2 + 32 * seconds(4000)


def test_a_letter_costs_little() -> None:
    text = "We asked for the delivery of the ordered parts last week and nobody has told us when they will come. " * 10
    words = Words(text)
    assert list(FINDER.find(text, words)) == []
    begun = time.process_time()
    for _ in range(50):
        list(FINDER.find(text, words))
    assert (time.process_time() - begun) / 50 < 0.002  # a tenth of it on a quiet machine
