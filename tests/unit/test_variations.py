"""How the variations suite types questions otherwise: never so that they mean something else."""

from __future__ import annotations

from random import Random

import pytest

from evals.proofs.variations import rewording, slipping
from evals.proofs.variations.sorts import SORTS
from evals.proofs.variations.trial import VariationTrial
from evals.proofs.variations.typed import Lexicon, Typed, data, typed, words_of

LEXICON = Lexicon(
    named=words_of(["Meyer Metallbau GmbH", "Dallas", "Garden hose"]), said=words_of(["open order orders late"])
)
QUESTION = typed(
    "open orders of {customer} for {number} in Dallas", "open orders of Meyer Metallbau GmbH for SO-10592 in Dallas"
)
TRIES = 60


def drawn(draw: slipping.Draw, message: Typed = QUESTION) -> set[str]:
    return {found for n in range(TRIES) if (found := draw(message, LEXICON, Random(n)))}


@pytest.mark.parametrize("sort", ["neighbour_key", "swapped_letters", "dropped_letter", "doubled_letter"])
def test_slips_spare_names_and_numbers_and_make_no_other_word(sort: str) -> None:
    found = drawn(SORTS[sort].draw)
    assert len(found) > 1
    for text in found:
        assert "Meyer Metallbau GmbH for SO-10592 in Dallas" in text
        assert "order of" not in text  # "orders" without its s would be another word


def test_slips_in_names_change_nothing_else() -> None:
    for text in drawn(slipping.in_a_name):
        assert text.startswith("open orders of ")
        assert "SO-10592" in text
        assert text != QUESTION.text


def test_the_same_seed_types_the_same() -> None:
    for sort in SORTS.values():
        assert sort.draw(QUESTION, LEXICON, Random("1")) == sort.draw(QUESTION, LEXICON, Random("1"))


def test_numbers_are_typed_loosely_and_stay_the_same_number() -> None:
    for text in drawn(rewording.numbered) | drawn(rewording.figures_only):
        assert "10592" in text
        assert "SO-10592" not in text


def test_parts_move_and_are_kept_whole() -> None:
    message = typed("how many orders since 1 October in Dallas", "how many orders since 1 October in Dallas")
    found = drawn(rewording.moved, message)
    assert "in Dallas, how many orders since 1 October" in found
    assert all("since 1 October" in text for text in found)
    fixed = "compare Dallas and Atlanta last month"
    assert not drawn(rewording.moved, typed(fixed, fixed))


def test_paraphrases_are_whole_phrases() -> None:
    message = typed("show me open orders", "show me open orders")
    assert "list open orders" in drawn(rewording.paraphrased, message)
    assert not any("list list" in text for text in drawn(rewording.reworded, message))
    price = typed("list price of it", "list price of it")
    assert not any("show me price" in text for text in drawn(rewording.paraphrased, price))


def test_there_are_many_groups_of_phrases() -> None:
    groups = data("paraphrases")["groups"]
    assert len(groups) >= 80
    assert all(len(group.get("any", ("one", "two"))) > 1 for group in groups)


def test_a_run_in_which_everything_is_declined_meets_no_goal() -> None:
    trial = VariationTrial(scene=None, connection=None, variations={}, slack=0.1)  # type: ignore[arg-type]
    assert not trial.finding({f"{sort} declined": 9 for sort in SORTS}).met
    assert trial.finding({f"{sort} right": 9 for sort in SORTS}).met
    kept = trial.finding({f"{sort} right": 9 for sort in SORTS} | {"paraphrase must_decline_missed": 1})
    assert not kept.met
    assert kept.more["right_share"] == 1.0
