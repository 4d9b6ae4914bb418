"""A message that only tells another unit, amount, line or lot: the last question with that in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from copilot.domain.dialogue import State
from copilot.domain.plan import Plan, Wanted
from copilot.understanding.kinds import Kind, load_kinds, make_plan
from copilot.understanding.lexicon import lexicon
from copilot.understanding.told import LINE, ROLE, find_told
from copilot.understanding.wanted import find_wanted
from copilot.understanding.words import Word, phrases_in


def retold(state: State, words: Sequence[Word], aside: frozenset[int]) -> Plan | None:
    """The last question with what the message tells; None where it says anything else. `aside` are the positions of
    words such as "and", and of pronouns."""
    for kind in _kinds(state):
        told = find_told(words).fitting(_takes(kind, state), frozenset())
        if told is None or not told.positions or not _all_said(words, told.positions | aside | _of_role(kind, words)):
            continue
        now = told.wanted()
        ids = {entity: tuple(those) for entity, those in state.references.items() if entity in kind.references}
        wanted = _over(state.wanted, now) if state.wanted and now else now
        return make_plan(kind, ids, period=state.period, wanted=wanted) if wanted else None
    return _so_much(state, words, aside)


def _so_much(state: State, words: Sequence[Word], aside: frozenset[int]) -> Plan | None:
    """The last question about another quantity: "and 300 of them?"."""
    kind, mention = load_kinds().get(state.kind), find_wanted(words)
    now = mention.alone()
    if now is None or kind is None or not kind.quantity or not _all_said(words, mention.positions | aside):
        return None
    ids = {entity: tuple(those) for entity, those in state.references.items()}
    day = state.wanted.day if state.wanted else None
    return make_plan(kind, ids, period=state.period, wanted=replace(now, day=day))


def _of_role(kind: Kind, words: Sequence[Word]) -> frozenset[int]:
    """The words that go with a role: "and the accounts payable contact"."""
    phrases = (*kind.cues, *kind.words) if ROLE in kind.told else ()
    return frozenset(position for _, at in phrases_in(words, phrases) for position in at)


def _kinds(state: State) -> Iterator[Kind]:
    """The last kind, where it takes what is told; else those that may come after it."""
    kinds = load_kinds()
    last = kinds.get(state.kind)
    if last and last.told and state.wanted:
        yield last
    fitting = (kind for kind in kinds.values() if state.kind in kind.after)
    yield from (kind for kind in fitting if all(required in state.references for required in kind.required))


def _takes(kind: Kind, state: State) -> Mapping[str, bool]:
    """What the message may tell; of another kind than the last, it has to tell what that needs and was not told."""
    if kind.name == state.kind:
        return dict.fromkeys(kind.told, False)
    lined = state.wanted is not None and state.wanted.line is not None
    return {thing: needed and not (thing == LINE and lined) for thing, needed in kind.told.items()}


def _all_said(words: Sequence[Word], said: frozenset[int]) -> bool:
    small = lexicon().stop
    return all(p in said or word.folded in small for p, word in enumerate(words))


def _over(before: Wanted, now: Wanted) -> Wanted:
    """What was told before, with what is told now in its place."""
    counted = now if now.quantity is not None else before
    return replace(
        before,
        quantity=counted.quantity,
        units=counted.units,
        into=now.into or before.into,
        line=before.line if now.line is None else now.line,
        lot=now.lot or before.lot,
        roles=now.roles or before.roles,
    )
