"""The parts of scope-leaks that need no company: the statistic of its clock, its wordings, and who sees what."""

from __future__ import annotations

from random import Random

import pytest

from copilot.semantic.model import load_model
from copilot.understanding.kinds import load_kinds
from evals.proofs.expected import load_expectations
from evals.proofs.oracle import Actor
from evals.proofs.scope_leaks.people import granted, renamed
from evals.proofs.scope_leaks.timing import better
from evals.proofs.scope_leaks.trial import FULL
from evals.proofs.scope_leaks.typed import called_by, slipped, wordings


@pytest.mark.parametrize(
    ("one", "other", "area"),
    [
        ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], 1.0),
        ([4.0, 5.0, 6.0], [1.0, 2.0, 3.0], 1.0),
        ([1.0, 2.0], [1.0, 2.0], 0.5),
        ([1.0, 1.0], [1.0, 1.0, 1.0], 0.5),
        ([1.0, 3.0], [2.0, 4.0], 0.75),
        ([2.0], [1.0, 2.0, 3.0, 4.0], 0.625),
    ],
)
def test_the_area_is_the_share_of_pairs_in_their_better_order(
    one: list[float], other: list[float], area: float
) -> None:
    assert better(one, other) == pytest.approx(area)


def test_the_area_is_that_of_counting_every_pair() -> None:
    draw = Random(4)
    one = [draw.randrange(30) + 0.0 for _ in range(80)]
    other = [draw.randrange(25) + 2.0 for _ in range(60)]
    wins = sum((a > b) + (a == b) / 2 for a in one for b in other) / (len(one) * len(other))
    assert better(one, other) == pytest.approx(max(wins, 1 - wins))


def test_wordings_name_what_there_is() -> None:
    model = load_model()
    for entry in wordings()["point"]:
        assert entry["kind"] in load_kinds(), entry
        assert entry["kind"] in load_expectations(), entry
        assert called_by(entry["entity"]) in model[entry["entity"]].fields
    for entry in wordings()["field"]:
        assert entry["field"] in model[entry["entity"]].fields, entry
    for entry in wordings()["count"]:
        for code, values in entry["where"].items():
            assert {*values} <= {*model[entry["entity"]].fields[code].codes}, entry
    for entity, follows in wordings()["follow"].items():
        assert {each["field"] for each in follows if "field" in each} <= {*model[entity].fields}


def test_the_whole_suite_has_its_hundred_thousand_and_one_in_twenty_through_the_door() -> None:
    everybody = 23  # who may read something
    each = {way: count * FULL.sizes[way] for way, count in FULL.batches.items()}
    assert everybody * sum(each.values()) >= 100_000
    assert (each["door"] + each["moved at the door"]) / sum(each.values()) >= 0.05


def test_a_slip_is_one_letter_off() -> None:
    for seed in range(50):
        name = slipped("Kröplin Maschinenbau GmbH", Random(seed))
        assert name.startswith("Kröplin Masch"[:8])
        assert name.endswith(" GmbH")
        assert abs(len(name) - 25) <= 1


def test_somebody_with_another_name_has_the_same_grants() -> None:
    labels = {"label_region": frozenset({3, 1}), "label_site": None, "label_channel": None, "label_account": None}
    actor = Actor(subject="a", role="buyer", labels=labels, further=(Actor(subject="a", role="sales", labels=labels),))
    assert granted(renamed(actor, "b")) == [
        ("b", "buyer", [1, 3], None, None, None),
        ("b", "sales", [1, 3], None, None, None),
    ]
    assert granted(Actor(subject="c")) == []
