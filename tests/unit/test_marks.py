"""The mark on an answer: whether a model was used, and why one that was to help was not."""

from __future__ import annotations

from typing import get_args

import pytest

from copilot.channels.marks import FALLBACKS
from copilot.domain.model_calls import Attempt, Came, Fallback, Mark
from copilot.domain.plan import NoPlan
from copilot.helped.help import Helped, PlanHelped, fallback_of, mark_of


def tried(*came: Came, model: str = "") -> Helped:
    return Helped(attempts=tuple(Attempt(model=str(n), came=each) for n, each in enumerate(came)), model=model)


USED = PlanHelped(plan=NoPlan(reason="ambiguous"), attempts=(Attempt(model="m", came="said"),))


@pytest.mark.parametrize(
    ("helped", "why"),
    [
        (tried(), None),
        (tried("resting"), "resting"),
        (tried("failed", "over_budget"), "failed"),
        (tried("not_allowed", "slow"), "slow"),
        (tried("not_allowed", "not_allowed"), "not_allowed"),
        (tried("failed", "said", model="1"), "refused"),
        (tried("said", "slow"), "slow"),
        (USED, None),
    ],
)
def test_why_the_rules_went_on_alone(helped: Helped, why: Fallback | None) -> None:
    assert fallback_of(helped) == why


def test_the_mark_of_several_tells_what_was_used_and_what_was_not() -> None:
    assert mark_of([]) == Mark(engine="rules", fallback=None)
    assert mark_of([USED]) == Mark(engine="model")
    assert mark_of([USED, tried("slow")]) == Mark(engine="model", fallback="slow")
    assert mark_of([tried("resting"), tried("slow")]) == Mark(engine="rules", fallback="resting")


@pytest.mark.parametrize("mark", [Mark(), Mark(engine="model"), Mark(fallback="over_budget")])
def test_a_mark_is_kept_and_read_again(mark: Mark) -> None:
    assert Mark.from_json(mark.to_json()) == mark


@pytest.mark.parametrize("kept", [None, "rules", {"engine": "oracle", "fallback": None}, {"engine": "rules"}])
def test_what_is_no_mark_is_none(kept: object) -> None:
    assert Mark.from_json(kept) == Mark()  # pyright: ignore[reportArgumentType]  as a database may hold it


def test_every_reason_can_be_said() -> None:
    assert set(FALLBACKS) == set(get_args(Fallback))
