"""Which word was meant by one that is none."""

from __future__ import annotations

import pytest

from copilot.domain.plan import NoPlan, Plan
from copilot.understanding.candidates import Candidate, Doubt
from copilot.understanding.compose.mending import Doubtful, known_words, mended
from copilot.understanding.compose.tokens import Token
from copilot.understanding.kinds import load_kinds, make_plan
from copilot.understanding.manners import Manner, manner_of
from copilot.understanding.mistyped import by_trial, respelled
from copilot.understanding.references import Reference
from copilot.understanding.slips import load_slips
from copilot.understanding.vocabulary import load_vocabulary
from copilot.understanding.words import cut


def heard(text: str, *candidates: Candidate) -> tuple[Token, ...]:
    """The words of a text as tokens that mean nothing; the candidates are of the first."""
    reference = Reference(positions=frozenset({0}), candidates=candidates) if candidates else None
    return tuple(
        Token(positions=(n,), text=word.typed, reference=reference if n == 0 else None)
        for n, word in enumerate(cut(text))
    )


def meant(text: str, *candidates: Candidate) -> str:
    found = mended(cut(text), heard(text, *candidates), load_vocabulary())
    return " ".join(word.typed for word in found.words)


def customer(name: str, doubt: Doubt) -> Candidate:
    return Candidate(
        entity="customer", id=1, positions=frozenset({0}), strength=5, by_number=False, name=name, doubt=doubt,
        slipped=frozenset({0}) if doubt else frozenset(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("shiped ordres", "shipped orders"),
        ("opem invocies", "open invoices"),
        ("wich teh wen hav", "which the when have"),
        ("openorders", "open orders"),
        ("avarage recievables", "average receivables"),
        ("customres wirh stok", "customers with stock"),
    ],
)
def test_what_people_type_is_read_as_what_they_meant(typed: str, right: str) -> None:
    assert meant(typed) == right


@pytest.mark.parametrize(
    "typed", ["vegan", "currency", "shirt", "gift", "velocity", "haunted", "online", "carried", "x9q"]
)
def test_what_is_a_word_of_its_own_stays(typed: str) -> None:
    assert meant(typed) == typed


def test_a_capital_within_a_sentence_is_rather_a_name() -> None:
    assert meant("open orders Shiped") == "open orders Shiped"
    assert meant("OPEN ORDERS SHIPED") == "OPEN ORDERS shipped"


def test_no_slip_makes_a_question_its_opposite() -> None:
    assert meant("parcels aent out") == "parcels aent out"
    assert meant("nevr shipped").startswith("nevr")


def test_a_word_in_the_place_of_a_name_does_not_vanish() -> None:
    assert meant("stock of teh") == "stock of the"  # the list of slips is sure
    assert meant("stock in whicj") == "stock in whicj"


def test_what_may_have_been_two_words_is_neither() -> None:
    found = mended(cut("orfer"), heard("orfer"), load_vocabulary())
    assert found.words == cut("orfer")
    assert found.doubtful is not None
    assert {"order", "offer"} <= {*found.doubtful.words}


def test_a_word_as_like_a_name_is_asked_about_and_the_word_of_a_name_left() -> None:
    slip = mended(cut("dalls"), heard("dalls", customer("Dallas", Doubt.SLIP)), load_vocabulary())
    assert slip.words == cut("dalls")
    assert slip.doubtful is None or "dalls" in slip.doubtful.words
    exact = mended(cut("stok"), heard("stok", customer("Stok", Doubt.NONE)), load_vocabulary())
    assert exact.words == cut("stok")
    assert exact.doubtful is None


def test_names_are_no_candidates_and_small_words_are_known() -> None:
    assert {"open", "order", "what", "yesterday", "pallet", "thanks", "second"} <= known_words()
    assert not {"meyer", "acme", "dallas"} & known_words()


def test_no_common_slip_is_a_word_that_is_known() -> None:
    assert not load_slips().words.keys() & known_words()
    assert not load_slips().real & known_words()


def test_punctuation_stays_where_words_are_put_right() -> None:
    assert respelled("opne orders? wat is late, adn why", [("opne", "open"), ("wat", "what"), ("adn", "and")]) == (
        "open orders? what is late, and why"
    )


@pytest.mark.parametrize(
    ("typed", "manner"),
    [
        ("thnaks!", Manner.THANKS),
        ("wjat can you do", Manner.HELP),
        ("goodmorning", Manner.GREETING),
        ("hwo old is taht?", Manner.AGE),
    ],
)
def test_manners_are_mistyped_too(typed: str, manner: Manner) -> None:
    assert manner_of(typed) is manner


@pytest.mark.parametrize(
    ("one", "other"), [("what's on it", "whats on it"), ("where is it", "wheres it"), ("Who's there", "who is there")]
)
def test_contractions_are_the_words_they_stand_for(one: str, other: str) -> None:
    assert [word.folded for word in cut(one)] == [word.folded for word in cut(other)]


async def test_of_two_meanings_that_both_are_questions_one_is_asked() -> None:
    kinds = [kind for kind in load_kinds().values() if not (kind.required or kind.ahead)][:2]
    plans = {f"late {kind.name}": make_plan(kind, {}) for kind in kinds}

    async def plan(text: str) -> Plan | NoPlan:
        return plans.get(text, NoPlan(reason="unsupported"))

    one, other = (kind.name for kind in kinds)
    asked = await by_trial("late xyz", (), Doubtful(typed="xyz", words=(one, other, "nothing")), plan)
    assert isinstance(asked, NoPlan)
    assert [choice.question for choice in asked.choices] == [f"late {one}", f"late {other}"]
    found = await by_trial("late xyz", (), Doubtful(typed="xyz", words=(one, "nothing")), plan)
    assert isinstance(found, Plan)
    assert [(slip.typed, slip.label) for slip in found.read_as] == [("xyz", one)]
    unlike = await by_trial("late xyz", (), Doubtful(typed="xyz", words=(one, "nothing"), alike=False), plan)
    assert isinstance(unlike, NoPlan)
    assert len(unlike.choices) == 1
    assert await by_trial("late xyz", (), Doubtful(typed="xyz", words=("nothing", "never")), plan) is None
