"""The proof's own eyes see what was not masked, whatever the redactor says of it."""

from __future__ import annotations

import pytest

from evals.proofs.redaction_known.columns import Value
from evals.proofs.redaction_known.judging import left_over, touched, uncovered
from evals.proofs.redaction_known.round_trip import Conversation
from evals.proofs.redaction_known.texts import Plant, Text
from redaction.finds import Find

TEXT = Text("ask Jörg Häusler (SO-1)", (Plant(4, 16, Value("x.name", "person", "Jörg Häusler"), "as recorded"),))


@pytest.mark.parametrize(
    ("finds", "seen"),
    [
        ((), 1),
        ((Find(4, 15, "PERSON"),), 1),
        ((Find(5, 16, "PERSON"),), 1),
        ((Find(4, 8, "PERSON"),), 1),
        ((Find(4, 8, "PERSON"), Find(9, 16, "PERSON")), 0),
        ((Find(0, 16, "PERSON"),), 0),
    ],
)
def test_a_value_that_shows_in_its_place_is_seen(finds: tuple[Find, ...], seen: int) -> None:
    assert len([*uncovered(TEXT, finds)]) == seen


@pytest.mark.parametrize(
    ("masked", "seen"),
    [
        ("ask <PERSON_1> (SO-1)", 0),
        ("ask <PERSON_1> or JOERG HAEUSLER", 1),
        ("ask <PERSON_1>: jo\u0308rg-ha\u0308us\u200bler", 1),
        ("ask <PERSON_1> of Björg Häuslerei", 0),
    ],
)
def test_a_value_that_is_left_anywhere_is_seen(masked: str, seen: int) -> None:
    assert len([*left_over(TEXT, masked)]) == seen


@pytest.mark.parametrize(("find", "seen"), [(Find(0, 4, "X"), 0), (Find(0, 5, "X"), 1), (Find(16, 20, "X"), 0)])
def test_what_is_masked_in_part_is_touched(find: Find, seen: int) -> None:
    assert len([*touched(TEXT, (find,))]) == seen


def test_a_conversation_that_does_not_come_back_is_seen() -> None:
    conversation = Conversation()
    assert conversation.mask(TEXT.text, (Find(4, 16, "PERSON"),)) == "ask <PERSON_1> (SO-1)"
    assert [*conversation.wrong()] == []
    conversation.mask("Jörg Häusler", (Find(0, 12, "HAEUSLER"),))
    assert any("says more than a type" in each for each in conversation.wrong())
