"""Words: cutting, folding as the database folds, and the phrases of the question kinds."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from copilot.understanding.kinds import load_kinds
from copilot.understanding.lexicon import lexicon
from copilot.understanding.words import cut, fold, phrases_in


@given(st.text(max_size=40))
@example("Acme™")
@example("\u210c")
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=40))
@example("Acme™")
def test_folded_text_is_letters_digits_and_single_blanks(text: str) -> None:
    folded = fold(text)
    assert all(c.isalnum() or c == " " for c in folded)
    assert folded == " ".join(folded.split())
    assert folded == folded.lower()


@given(st.text(max_size=60))
def test_cutting_leaves_no_empty_word_and_no_outer_punctuation(text: str) -> None:
    for word in cut(text):
        assert word.typed
        assert not word.typed.startswith((".", ":", "'", "’"))
        assert not any(c.isspace() for c in word.typed)
        assert word.folded == fold(word.typed)


def test_cutting_again_gives_the_same_words() -> None:
    words = cut("Where's the Müller GmbH order, S00024?")
    assert cut(" ".join(w.typed for w in words)) == words


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Müller", "muller"),
        ("Groß", "gross"),
        ("Łódź", "lodz"),
        ("O’Brien's", "obriens"),
        ("E-COM_11", "e com 11"),
        ("  Large   Desk ", "large desk"),
        ("\uff37\uff49\uff44\uff45", "wide"),
    ],
)
def test_people_type_without_accents_and_signs(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("where is S00024?", ["where", "is", "S00024"]),
        ("Acme's orders", ["Acme", "orders"]),
        ("“large desk”, (please)", ["large", "desk", "please"]),
        ("item `FURN_0096`.", ["item", "FURN_0096"]),
        ("order #24!", ["order", "#24"]),
        ("", []),
        ("?!,;", []),
    ],
)
def test_cutting_takes_the_punctuation_away_and_nothing_else(text: str, typed: list[str]) -> None:
    assert [word.typed for word in cut(text)] == typed


def test_a_number_is_told_from_a_word() -> None:
    order, bare, name = cut("S00024 #24 acme")
    assert (order.has_digit, order.bare_number) == (True, False)
    assert (bare.has_digit, bare.bare_number) == (True, True)
    assert (name.has_digit, name.bare_number) == (False, False)


def test_a_phrase_is_found_where_its_words_stand_together() -> None:
    words = cut("what are the open orders of acme")
    assert list(phrases_in(words, ["open orders", "orders of", "open of", "orders"])) == [
        ("open orders", (3, 4)),
        ("orders of", (4, 5)),
        ("orders", (4,)),
    ]


def test_every_cue_is_found_in_a_question_that_uses_its_very_words() -> None:
    cues = [(kind.name, cue) for kind in load_kinds().values() for cue in kind.cues]
    missed = [(kind, cue) for kind, cue in cues if not list(phrases_in(cut(f"so {cue} acme"), [cue]))]
    assert missed == []


def test_small_words_and_hints_are_written_as_folding_leaves_them() -> None:
    known = lexicon()
    assert {word for word in (*known.stop, *known.turning, *known.hints) if fold(word) != word} == set()


def test_a_phrase_is_rather_a_word_than_the_beginning_of_a_number() -> None:
    words = cut("which invoice did PAY-2742551 pay")
    assert list(phrases_in(words, ["pay"])) == [("pay", (4,))]
    assert list(phrases_in(words[:4], ["pay"])) == []
