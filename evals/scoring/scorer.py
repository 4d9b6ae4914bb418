"""What a reaction to a case is worth. It is deterministic: the case, what is true, what was said, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from copilot.domain.answer import Reason
from evals.scoring.case import Case, Expect
from evals.scoring.lists import apart, check_list
from evals.scoring.matching import contradicting, matching, spoken
from evals.scoring.said import Said, Shown
from evals.scoring.truth import Truth, typed


class Outcome(StrEnum):
    """What became of a case. WRONG: the answer says something false, or answers something else. UNFINISHED: nothing in
    it is contradicted, but not all that was asked for is there; or there was no answer at all."""

    RIGHT = "right"
    ASKED_BACK = "asked_back"
    DECLINED = "declined"
    WRONG = "wrong"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The outcome, and in words what the answer lacks and what should not be there."""

    outcome: Outcome
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()


def score(case: Case, truth: Truth, said: Said, *, hidden: Sequence[str] = ()) -> Score:
    """Judge a reaction. `hidden` are choices that name what the person may not see."""
    match case.expect:
        case Expect.ANSWER:
            return _answer(case, truth, said)
        case Expect.ASK_BACK:
            return _ask_back(said)
        case Expect.DECLINE:
            return _decline(said, hidden)
        case _:
            assert_never(case.expect)


def _ask_back(said: Said) -> Score:
    if said.asked_back and said.choices:
        return Score(outcome=Outcome.RIGHT)
    if said.asked_back or said.declined:
        return Score(outcome=Outcome.DECLINED, missing=("choices to pick from",))
    return Score(outcome=Outcome.WRONG, missing=("a question back",), surplus=tuple(_names(said.shown)))


def _decline(said: Said, hidden: Sequence[str]) -> Score:
    """Asking back is as good as declining as long as it gives nothing away. A decline shows no values, unless they say
    what is so instead of what the question takes for granted."""
    values = () if said.reason is Reason.WRONG_PREMISE else _names(said.shown)
    given_away = (*values, *(f"the choice {label!r}" for label in hidden))
    if (said.declined or said.asked_back) and not given_away:
        return Score(outcome=Outcome.RIGHT)
    return Score(outcome=Outcome.WRONG, missing=("a decline",), surplus=given_away)


def _answer(case: Case, truth: Truth, said: Said) -> Score:
    if said.asked_back:
        return Score(outcome=Outcome.ASKED_BACK)
    if said.declined:
        return Score(outcome=Outcome.DECLINED)
    if not truth.columns:
        found = _courtesy(case, said)
    elif case.listed:
        found = _rows(case, truth, said)
    else:
        found = _values(truth, said)
    lacking = tuple(_lacking(case, said))
    if found.outcome is Outcome.RIGHT and lacking:
        return Score(outcome=Outcome.UNFINISHED, missing=lacking)
    return found


def _courtesy(case: Case, said: Said) -> Score:
    """Manners: words instead of values. Without any word to go by, an answer of records is beside the point."""
    unsaid = bool(case.says) and not _says(case.says, said.text)
    if said.shown and (unsaid or not case.says):
        return Score(outcome=Outcome.WRONG, surplus=tuple(_names(said.shown)))
    return Score(outcome=Outcome.RIGHT)


def _values(truth: Truth, said: Said) -> Score:
    """Every value of every row, the values of one row together. One that is missing while another stands in its place
    makes the answer wrong, and so does an answer in which none is to be found: it is an answer to something else."""
    missing: list[str] = []
    others: list[Shown] = []
    hits = 0
    for column, cells in zip(truth.columns, zip(*truth.rows, strict=True), strict=True):
        wanted = [cell for cell in dict.fromkeys(cells) if cell is not None]
        lost = [cell for cell in wanted if not (matching(cell, column, said.shown) or spoken(cell, column, said))]
        hits += len(wanted) - len(lost)
        missing += [f"{column.name} {typed(cell)}" for cell in lost]
        if lost:
            others += contradicting(column, said.shown)
    if not missing:
        mixed = tuple(apart(truth, said)) if len(truth.rows) > 1 else ()
        return Score(outcome=Outcome.WRONG if mixed else Outcome.RIGHT, missing=mixed)
    outcome = Outcome.WRONG if others or not hits else Outcome.UNFINISHED
    return Score(outcome=outcome, missing=tuple(missing), surplus=tuple(_names(others)))


def _rows(case: Case, truth: Truth, said: Said) -> Score:
    """All rows and no others. One that is missing makes the answer wrong, unless the answer says that it is partial."""
    check = check_list(truth, said, ordered=case.ordered)
    missing, surplus = check.missing + check.apart, tuple(_names(check.surplus))
    if not truth.rows:
        outcome = Outcome.WRONG if surplus else Outcome.RIGHT if _whole(said) else Outcome.UNFINISHED
    elif not missing and not surplus:
        outcome = Outcome.RIGHT
    elif surplus or check.apart or not check.named or _whole(said):
        outcome = Outcome.WRONG
    else:
        outcome = Outcome.UNFINISHED
    return Score(outcome=outcome, missing=missing, surplus=surplus)


def _whole(said: Said) -> bool:
    """Whether the answer claims to be all of it."""
    return said.verdict == "verified"


def _lacking(case: Case, said: Said) -> Iterable[str]:
    yield from (f"a source {entity}" for entity in case.sources if entity not in said.sources)
    if case.says and not _says(case.says, said.text):
        yield f"one of {', '.join(case.says)}"


def _says(words: Sequence[str], text: str) -> bool:
    """Whether one of the words is in the text, as a word: "hi" is not in "shipment"."""
    folded = text.casefold()
    return any(re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", folded) for word in words)


def _names(shown: Iterable[Shown]) -> Iterable[str]:
    """Printed values for a developer to read, each once."""
    return dict.fromkeys(f"{each.entity}.{each.field} {each.text or each.value}" for each in shown)
