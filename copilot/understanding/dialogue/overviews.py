"""The last question about all that somebody may see, at another place, for another customer or in another time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copilot.domain.dialogue import State
from copilot.domain.plan import Period, Plan
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.focus import PLACES
from copilot.understanding.kinds import Kind, load_kinds, make_plan
from copilot.understanding.lookup import Lookup
from copilot.understanding.time.spans import Span
from copilot.understanding.times import ahead_period
from copilot.understanding.told import Told

References = Mapping[str, tuple[int, ...]]


async def overviewed(lookup: Lookup, state: State, tokens: Sequence[Token]) -> Plan | None:
    """The plan, where a message says nothing but a place, a customer or a time; None where it says more or less."""
    kind = load_kinds().get(state.kind)
    spans = [token.span for token in tokens if token.span]
    named = [_named(token, kind) for token in tokens if not token.span] if kind else []
    if kind is None or not kind.ahead or not tokens or len(spans) > 1 or not all(named):
        return None
    references = _with(state.references, [each for each in named if each])
    period = await _period(lookup, kind, references, spans[0]) if spans else state.period
    return make_plan(kind, references, period=period) if period else None


def _named(token: Token, kind: Kind) -> tuple[str, int] | None:
    """The one record that a token names, if the kind may be narrowed down to it."""
    fitting = [c for c in token.records if c.entity in kind.references and not c.doubt]
    best = {c.key for c in fitting if c.strength == fitting[0].strength}
    return next(iter(best)) if len(best) == 1 else None


def _with(before: References, named: Sequence[tuple[str, int]]) -> References:
    """A place takes the place of another, whatever it is."""
    moved = any(entity in PLACES for entity, _ in named)
    kept = {name: ids for name, ids in before.items() if not (moved and name in PLACES)}
    return {**kept, **{entity: (ident,) for entity, ident in named}}


async def _period(lookup: Lookup, kind: Kind, references: References, span: Span) -> Period | None:
    rows = await lookup.rows("zone_of_promise", sites=[*references.get("site", ())])
    zone = str(rows[0]["time_zone"] or "UTC") if rows else "UTC"
    named = Told(spans=(span,)).period(lookup.now, zone)
    return ahead_period(str(kind.ahead), named, lookup.now, zone) if named else None
