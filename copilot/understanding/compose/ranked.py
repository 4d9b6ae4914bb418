"""What a ranked question is ranked by: a figure or a date of the records, or the measure itself."""

from __future__ import annotations

from copilot.domain.query import Path
from copilot.semantic.kpis import Kpi
from copilot.understanding.compose.reader import OFFERS, Target, Work, singular
from copilot.understanding.compose.tokens import Token
from copilot.understanding.vocabulary import DateWord, Measure, Noun, NumberWord, Segment


def order(work: Work, target: Target) -> None:
    """What a ranked question is ranked by. Records told apart by something are counted: "most late orders" of customers
    are many that are late, and none that is latest."""
    if not work.rank:
        return
    if target.kpi is not None:
        if _of_a_state(work):
            work.used.discard(work.rank_at)
        work.descending = _best_first(work.rank, target.kpi)
        return
    number = None if work.counted or work.splits else _ranked_by(work, target)
    dated = work.rank in ("newest", "oldest")
    if number is not None and not dated:
        ranked = work.tokens[number]
        word = next(w for w in ranked.all_of(NumberWord) if w.entity == target.entity)
        work.order = word.path
        if any(state.entity == target.entity for state in ranked.all_of(Segment)):  # the most overdue ones are overdue
            work.one = work.one or (work.target_at >= 0 and singular(work.tokens[work.target_at]))
        else:
            again = (n for n, token in work.open() if target.entity in OFFERS and word in token.meanings)
            work.take(number, *again)  # "the longest lead time, and the lead time"
    elif dated:
        work.order = work.order or _date_of(work, target)
    work.descending = work.rank in ("best", "highest", "newest")


def _of_a_state(work: Work) -> bool:
    """Whether a state itself is ranked, "which order is the most late", and no measure of what is in it."""
    if not 0 <= work.rank_at < len(work.tokens) - 1 or not work.tokens[work.rank_at].is_sign("many"):
        return False
    state, *behind = work.tokens[work.rank_at + 1 :]
    ranked = bool(state.all_of(NumberWord)) and bool(state.all_of(Segment)) and not state.all_of(Measure)
    return ranked and not any(token.all_of(Noun) or token.kinds for token in behind[:1])


def _ranked_by(work: Work, target: Target) -> int | None:
    """The token of the figure that records are ranked by: one of its own, or the one that ranks ("cheapest")."""

    def figures(token: Token) -> bool:
        return any(word.entity == target.entity for word in token.all_of(NumberWord))

    if work.rank_at >= 0 and figures(work.tokens[work.rank_at]):
        named = [t for t in work.tokens[work.rank_at + 1 :] if t.all_of(Noun) or t.kinds]
        work.one = work.one or not named or singular(named[0])
        again = [n for n, token in work.open() if figures(token) or token.noun(target.entity)]
        work.take(*again)  # "our priciest laptop, and what does it cost"
        return work.rank_at
    if work.target_at >= 0 and figures(work.tokens[work.target_at]):
        return work.target_at  # "the highest unit price"
    return work.find(figures)


def _date_of(work: Work, target: Target) -> Path:
    number = work.find(lambda token: any(word.entity == target.entity for word in token.all_of(DateWord)))
    if number is None:
        return work.vocabulary.usual_dates.get(target.entity, ())
    work.take(number, *([number - 1] if number and work.tokens[number - 1].is_sign("by") else []))
    return next(word.path for word in work.tokens[number].all_of(DateWord) if word.entity == target.entity)


def _best_first(rank: str, kpi: Kpi) -> bool:
    match rank:
        case "best":
            return kpi.direction != "down"
        case "worst":
            return kpi.direction == "down"
        case _:
            return rank in ("highest", "newest")
