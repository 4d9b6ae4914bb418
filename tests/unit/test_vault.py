"""Tokens stand for values within one conversation, tell nothing of them, and come back exactly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.finds import Find
from redaction.vault import TOKEN, Kept, Vault


def test_the_same_words_have_the_same_token_in_every_text_of_a_conversation() -> None:
    vault = Vault()
    first = vault.mask("Anna Meyer wrote to Bo Li", [Find(0, 10, "PERSON"), Find(20, 25, "PERSON")])
    second = vault.mask("Bo Li and Anna Meyer", [Find(0, 5, "PERSON"), Find(10, 20, "PERSON")])
    assert first == "<PERSON_1> wrote to <PERSON_2>"
    assert second == "<PERSON_2> and <PERSON_1>"
    assert {token: kept.value for token, kept in vault.kept.items()} == {
        "<PERSON_1>": "Anna Meyer",
        "<PERSON_2>": "Bo Li",
    }
    again = Vault.from_bytes(vault.to_bytes())
    assert again.mask("Bo Li", [Find(0, 5, "PERSON")]) == "<PERSON_2>"
    assert again.token("PERSON", "Cy Ho") == "<PERSON_3>"


def test_a_value_keeps_what_told_of_it_last() -> None:
    vault = Vault()
    found = Find(0, 6, "PERSON", "contact.name", (("contact.name", 4), ("contact.name", 5)))
    vault.mask("Bo Lin", [Find(0, 6, "PERSON", "context")])
    assert vault.mask("Bo Lin", [found]) == "<PERSON_1>"
    kept = Kept("Bo Lin", (("contact.name", found.records),))
    assert Vault.from_bytes(vault.to_bytes()).kept == {"<PERSON_1>": kept}


def test_a_token_that_somebody_types_is_no_way_to_its_value() -> None:
    vault = Vault()
    vault.token("PERSON", "Anna Meyer")
    asked = vault.mask("who is <PERSON_1>?", ())
    assert asked == "who is <TEXT_1>?"
    assert vault.unmask(asked).text == "who is <PERSON_1>?"


def test_tokens_made_up_altered_or_split_stay_text() -> None:
    vault = Vault()
    vault.token("PERSON", "Anna Meyer")
    text = "<PERSON_2> <PERSON_01> <person_1> <PERSON_1 <PERSON_\u200b1> <PERSON _1> PERSON_1"
    found = vault.unmask(text)
    assert found.text == text
    assert found.unknown == ("<PERSON_2>",)


def test_a_value_is_shown_to_whom_it_may_be() -> None:
    vault = Vault()
    text = f"{vault.token('PERSON', 'Anna Meyer')} {vault.token('EMAIL', 'a@b.example')}"
    found = vault.unmask(text, lambda kept: kept.value == "Anna Meyer")
    assert found.text == "Anna Meyer <EMAIL_1>"
    assert found.withheld == ("<EMAIL_1>",)


@pytest.mark.parametrize("tokens", [["PERSON_1"], ["<PERSON_0>"], ["<PERSON_1>", "<PERSON_2>"]])
def test_what_no_vault_wrote_is_refused(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="no token of a vault"):
        Vault({token: Kept("x") for token in tokens})


_TEXTS = st.lists(
    st.one_of(st.text(max_size=8), st.sampled_from(["<PERSON_1>", "<TEXT_1>", "<", "_1>", "Anna Meyer"])), max_size=8
).map("".join)


@st.composite
def _marked(draw: st.DrawFn) -> tuple[str, list[Find]]:
    text = draw(_TEXTS)
    places = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(places, places), max_size=4))
    return text, [Find(a, b, draw(st.sampled_from(["PERSON", "EMAIL"]))) for a, b in spans if a < b]


@settings(max_examples=500, deadline=None)
@given(st.lists(_marked(), min_size=1, max_size=4))
def test_what_is_masked_comes_back_exactly_and_nothing_found_is_left(texts: list[tuple[str, list[Find]]]) -> None:
    vault = Vault()
    outward = [vault.mask(text, finds) for text, finds in texts]
    again = Vault.from_bytes(vault.to_bytes())
    for (text, finds), masked in zip(texts, outward, strict=True):
        assert again.unmask(masked).text == text
        assert again.unmask(masked).unknown == ()
        kept = sum(len(piece) for piece in TOKEN.split(masked)[::3])
        covered = {place for find in finds for place in range(find.begin, find.end)}
        assert kept <= len(text) - len(covered)
