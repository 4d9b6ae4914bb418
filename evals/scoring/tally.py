"""What a run comes to: counts by family, the goals, a table and the JSON that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from copilot.domain.json import Json
from evals.scoring.case import Expect
from evals.scoring.run import Result
from evals.scoring.scorer import Outcome

_MOST_WRONG, _LEAST_RIGHT, _MOST_UNANSWERED = 0.003, 0.95, 0.04
_HEAD = ("family", "cases", "right", "partial", "asked back", "declined", "wrong", "unfinished", "p50 ms", "p95 ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts. A case is answerable or must be declined; `right`, `asked_back`, `declined` and `unfinished` are of the
    answerable ones (asking back where that is right is right), `wrong` is of all. `partial` of the right ones are
    answers that say themselves that something is left out."""

    cases: int
    answerable: int
    right: int
    partial: int
    asked_back: int
    declined: int
    wrong: int
    unfinished: int
    must_decline: int
    must_decline_met: int
    p50_ms: int
    p95_ms: int

    def to_json(self) -> dict[str, Json]:
        """The counts that are reported."""
        return {
            "cases": self.cases,
            "answerable": self.answerable,
            "right": self.right,
            "asked_back": self.asked_back,
            "declined": self.declined,
            "wrong": self.wrong,
            "must_decline": self.must_decline,
            "must_decline_met": self.must_decline_met,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal of a run, in words, and whether it was met."""

    told: str
    met: bool


def count(results: Sequence[Result]) -> Tally:
    """Count outcomes."""
    answerable = [each for each in results if each.case.expect is not Expect.DECLINE]
    closed = [each for each in results if each.case.expect is Expect.DECLINE]
    times = sorted(each.elapsed_ms for each in results if each.said)
    return Tally(
        cases=len(results),
        answerable=len(answerable),
        right=_count(answerable, Outcome.RIGHT),
        partial=sum(each.said is not None and each.said.verdict == "partial" for each in _right(answerable)),
        asked_back=_count(answerable, Outcome.ASKED_BACK),
        declined=_count(answerable, Outcome.DECLINED),
        wrong=_count(results, Outcome.WRONG),
        unfinished=_count(answerable, Outcome.UNFINISHED),
        must_decline=len(closed),
        must_decline_met=_count(closed, Outcome.RIGHT),
        p50_ms=_quantile(times, 0.5),
        p95_ms=_quantile(times, 0.95),
    )


def by_family(results: Sequence[Result]) -> dict[str, Tally]:
    """The counts of each family, by name."""
    names = sorted({each.case.family for each in results})
    return {name: count([each for each in results if each.case.family == name]) for name in names}


def goals(total: Tally) -> tuple[Goal, ...]:
    """The goals that a run has to meet."""
    unanswered = total.declined + total.asked_back
    return (
        _goal("wrong", total.wrong, total.cases, _MOST_WRONG, lambda share, bound: share <= bound, "≤"),
        _goal("right", total.right, total.answerable, _LEAST_RIGHT, lambda share, bound: share >= bound, "≥"),
        _goal("declined or asked back although answerable", unanswered, total.answerable, _MOST_UNANSWERED,
              lambda share, bound: share <= bound, "≤"),
        _goal("declined what must be", total.must_decline_met, total.must_decline, 1.0,
              lambda share, bound: share >= bound, "≥"),
    )  # fmt: skip


def to_json(results: Sequence[Result]) -> dict[str, Json]:
    """The whole run."""
    return {
        "total": count(results).to_json(),
        "families": {name: tally.to_json() for name, tally in by_family(results).items()},
        "cases": [_case(each) for each in results],
    }


def table(results: Sequence[Result]) -> list[str]:
    """A line per family, and one for all. Cases that must be declined count as right where they were."""
    tallies = {**by_family(results), "total": count(results)}
    rows = [_HEAD, *(_row(name, tally) for name, tally in tallies.items())]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    return ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows]  # fmt: skip


def told(result: Result, *, whole: bool = False) -> Iterator[str]:
    """A case for a developer: what was typed, what is wrong with the answer, the answer; `whole` with all there is."""
    case, said = result.case, result.said
    expected = "" if case.expect is Expect.ANSWER else f", expects {case.expect}"
    yield f"{result.score.outcome}: {case.id} ({case.family}, {case.user}{expected}): {' | '.join(result.turns)}"
    if result.score.missing:
        yield f"    missing: {'; '.join(result.score.missing)[:600]}"
    if result.score.surplus:
        yield f"    too much: {'; '.join(result.score.surplus)[:600]}"
    if said:
        reason = f", {said.reason}" if said.reason else ""
        text = said.text if whole else " ".join(said.text.split())[:300]
        yield f"    {said.verdict}{reason}: {text}"
    if whole:
        yield from (f"    {name}: {sql}" for name, sql in (("pick", case.pick), ("sql", case.sql)) if sql)
        for each in said.shown if said else ():
            yield f"    {each.entity} {each.source}.{each.field} = {each.value!r} {each.unit or ''}".rstrip()


def _case(result: Result) -> dict[str, Json]:
    said = result.said
    return {
        "id": result.case.id,
        "family": result.case.family,
        "outcome": result.score.outcome.value,
        "verdict": said.verdict.value if said else None,
        "elapsed_ms": result.elapsed_ms,
        "missing": [*result.score.missing],
        "surplus": [*result.score.surplus],
        "answer": said.text if said else None,
    }


def _row(name: str, tally: Tally) -> tuple[str, ...]:
    right = tally.right + tally.must_decline_met
    figures = (tally.cases, right, tally.partial, tally.asked_back, tally.declined, tally.wrong, tally.unfinished)
    return (name, *(str(figure or "") for figure in figures), str(tally.p50_ms), str(tally.p95_ms))


def _goal(name: str, part: int, whole: int, bound: float, holds: Callable[[float, float], bool], sign: str) -> Goal:
    if not whole:
        return Goal(told=f"{name}: no such case", met=True)
    met = holds(part / whole, bound)
    return Goal(
        told=f"{name}: {part} of {whole}, {part / whole:.1%} ({sign} {bound:.1%}): {'ok' if met else 'MISSED'}", met=met
    )


def _right(results: Sequence[Result]) -> list[Result]:
    return [each for each in results if each.score.outcome is Outcome.RIGHT]


def _count(results: Sequence[Result], outcome: Outcome) -> int:
    return sum(each.score.outcome is outcome for each in results)


def _quantile(ordered: Sequence[int], share: float) -> int:
    """The nearest rank; 0 of nothing."""
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)] if ordered else 0
