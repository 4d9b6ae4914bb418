"""Both rules planners together: kinds for what a desk asks of a record, compositions for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from copilot.domain.composition import Composition
from copilot.domain.dialogue import State
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.understanding.amounts import AmountMention
from copilot.understanding.choices import exact_name
from copilot.understanding.compose.asker import Asker
from copilot.understanding.compose.attributes import Asked, asked_of, attributes_plan
from copilot.understanding.compose.besides import all_belong, spoken_to, with_the_rest, without_courtesies
from copilot.understanding.compose.hear import Hearing, hear
from copilot.understanding.compose.planner import Understood, compose, plan_of, recomposed, unknown
from copilot.understanding.compose.reader import Misread
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import tells_back
from copilot.understanding.dialogue.follow import Alone, Follow
from copilot.understanding.dialogue.parts import InConversation, in_parts
from copilot.understanding.dialogue.recall import NOTED, with_said
from copilot.understanding.kinds import load_kinds
from copilot.understanding.lookup import Lookup
from copilot.understanding.mistyped import by_trial, respelled, with_slips
from copilot.understanding.otherwise import by_other_words, is_whole
from copilot.understanding.planner import plan_question
from copilot.understanding.planner import replan as replan_kind
from copilot.understanding.readings import cues_of
from copilot.understanding.sayings import spelled_out
from copilot.understanding.vocabulary import Measure, Noun
from copilot.understanding.words import Word, cut, phrases_in

_MOST_CHOICES = 8
_OVERVIEW = "_status"
"""How the kinds are called that tell all of a document: they hold any of its dates and states."""
_OUTLINED = frozenset(
    {"sales_order", "purchase_order", "shipment", "invoice", "return_order", "transfer", "service_case", "item"}
)
_DOCUMENTS = _OUTLINED - {"item"}


async def plan_text(
    connection: Connection, model: SemanticModel, text: str, now: datetime, state: State | None = None
) -> Plan | NoPlan:
    """The plan of a message in its conversation, or why there is none. Looks names up in the scope of the connection's
    transaction."""
    lookup = Lookup(connection=connection, model=model, now=now)

    async def alone(question: str) -> Plan | NoPlan:
        return await lookup.once(("planned", question), lambda: plan_alone(lookup, question))

    async def afresh(question: str) -> Plan | NoPlan:
        return await _planned(lookup, question, State(), alone, afresh)

    async def planned(message: str) -> Plan | NoPlan:
        return await _planned(lookup, message, state or State(), alone, afresh)

    async def mended(message: str) -> Plan | NoPlan:
        heard = await hear(lookup, cut(message))
        put_right = spelled_out(respelled(message, heard.slips)) if heard.slips else message
        found = await planned(put_right)
        if heard.doubtful and (heard.doubtful.typed in heard.doubtful.words or not is_whole(found)):
            return await by_trial(message, heard.slips, heard.doubtful, planned) or found
        return with_slips(found, heard.slips)

    return await by_other_words(lookup, text, mended)


async def _planned(lookup: Lookup, text: str, stands: State, alone: Alone, afresh: Alone) -> Plan | NoPlan:
    """The plan of one message, or of the several questions that it asks."""

    async def in_conversation(message: str, state: State) -> Plan | NoPlan:
        return await Follow(lookup=lookup, text=message, state=state, alone=alone, afresh=afresh).plan()

    async def again(kept: State) -> Plan | None:
        return await replan(lookup.connection, lookup.model, kept, lookup.now)

    found = await _heard_whole(text, stands, in_conversation)
    if isinstance(found, Plan) and found.kind in NOTED and tells_back(text):
        return await with_said(lookup.connection, lookup.model, found, stands, again)
    return found


async def _heard_whole(text: str, state: State, plan: InConversation) -> Plan | NoPlan:
    """The message as one question, or as several where it is no single one. An outline passes over many small words, so
    two questions may look like one to it."""
    whole = await plan(text, state)
    if not isinstance(whole, Plan) or whole.unused_words:
        return await in_parts(text, state, plan) or whole
    known = load_kinds().get(whole.kind)
    parts = await in_parts(text, state, plan) if known and not known.also else None  # `also` is said in several clauses
    return parts if isinstance(parts, Plan) else whole


async def replan(connection: Connection, model: SemanticModel, state: State, now: datetime) -> Plan | None:
    """The plan of a kept question, from its references; None where that kind is no longer known."""
    before = [await replan(connection, model, each, now) for each in state.before]
    last = await _replan_one(connection, model, state, now)
    parts = tuple(part for part in before if part)
    return replace(last, before=parts) if last and len(parts) == len(before) else None


async def _replan_one(connection: Connection, model: SemanticModel, state: State, now: datetime) -> Plan | None:
    if state.composition:
        return await recomposed(Lookup(connection=connection, model=model, now=now), state.composition)
    if state.attributes:
        ((entity, ids),) = state.references.items()
        return attributes_plan(Asked(entity=entity, ids=ids, attributes=state.attributes))
    return replan_kind(state.kind, state.references, state.period, state.wanted)


async def plan_alone(lookup: Lookup, text: str) -> Plan | NoPlan:
    """The plan of a question that stands for itself."""
    words = cut(text)
    heard = await hear(lookup, words)
    if [*heard.words] != [*words]:
        words = heard.words
        text = " ".join(word.typed for word in words)
    felt = tuple(token.text for token in heard.tokens if token.is_sign("feeling"))
    if felt:
        return NoPlan(reason="unsupported", unknown_words=felt)
    return await _first(lookup, words, text) or await _either(lookup, words, text, heard)


async def _either(lookup: Lookup, words: Sequence[Word], text: str, heard: Hearing) -> Plan | NoPlan:
    """The composition or the outline of a question, whichever says more."""
    composed = await compose(lookup, heard)
    kind = await _of_both(lookup, composed, text)
    if kind is not None:
        return kind
    if isinstance(composed, Understood) and _rather_composed(composed.composition) and _says_of_what(heard):
        return plan_of(lookup.model, composed)
    kind = await plan_question(lookup, text)
    told = asked_of(lookup.model, heard.tokens)
    whole = isinstance(kind, Plan) and not kind.unused_words
    if told and not (isinstance(kind, Plan) and whole and _holds(kind, told, heard)):
        return attributes_plan(told)
    if whole and isinstance(kind, Plan) and not _led_away(kind, composed, heard):
        return _with_a_day(kind, heard)
    if isinstance(composed, Understood):
        rest = await _of_document(lookup, kind, composed, heard)
        return rest or plan_of(lookup.model, composed)
    if isinstance(kind, Plan) and (composed.doubtful is None or composed.left):
        return await with_the_rest(lookup, kind, heard.tokens)
    again = await _spoken_to(lookup, words, heard) if _may_be_again(composed, kind) else None
    return again or _without(words, composed, kind, heard)


async def _first(lookup: Lookup, words: Sequence[Word], text: str) -> Plan | None:
    """The outline of a kind that goes before any composition: to a composition "orders to ship today" are those that
    were shipped or placed on that day."""
    firsts = [kind for kind in load_kinds().values() if kind.first]
    if not any(cues_of(kind, words)[0] for kind in firsts):
        return None
    found = await plan_question(lookup, text)
    whole = isinstance(found, Plan) and not found.unused_words and found.kind in {kind.name for kind in firsts}
    return found if whole and isinstance(found, Plan) else None


def _says_of_what(heard: Hearing) -> bool:
    """Whether some word says what is asked for: where only a state is said, an outline may know better of what."""
    return any(token.all_of(Noun) or token.all_of(Measure) or token.kinds for token in heard.tokens)


async def _of_both(lookup: Lookup, composed: Understood | Misread, text: str) -> Plan | None:
    """The outline that is of just the two records named, where a composition only measures what they have to do with
    each other: a supplier's lead time of an item is what it quotes."""
    if not isinstance(composed, Understood) or not composed.composition.measure:
        return None
    found = composed.composition
    if found.splits or found.order or any(part.role != "record" for part in found.parts) or len(found.ids()) < 2:
        return None
    kind = await plan_question(lookup, text)
    if isinstance(kind, NoPlan) or kind.unused_words:
        return None
    return kind if set(load_kinds()[kind.kind].required) == set(found.ids()) else None


async def _of_document(
    lookup: Lookup, kind: Plan | NoPlan, composed: Understood, heard: Hearing
) -> Plan | NoPlan | None:
    """The outline of a document, where a composition would only list it and all words go without saying; the decline
    where a name beside the document is none of its."""
    named = set(composed.composition.ids()) & _DOCUMENTS
    if not named or not isinstance(kind, Plan) or _led_away(kind, composed, heard):
        return None
    plan = await with_the_rest(lookup, kind, heard.tokens)
    if isinstance(plan, Plan):
        return plan
    strange = (t for t in heard.tokens if t.records and not t.records[0].by_number and t.text in plan.unknown_words)
    return plan if any(strange) else None


def _led_away(kind: Plan, composed: Understood | Misread, heard: Hearing) -> bool:
    """Whether an outline is of other documents than the one that a measure is asked of, in so many words: a single one
    ("invoiced") may as well say what has become of the document."""
    known = load_kinds().get(kind.kind)
    if isinstance(composed, Misread) or not composed.composition.measure or known is None:
        return False
    if not any(len(token.positions) > 1 for token in heard.tokens if token.all_of(Measure)):
        return False
    named = set(composed.composition.ids()) & _DOCUMENTS
    return bool(named) and not named & set(known.references)


def _may_be_again(composed: Misread, kind: Plan | NoPlan) -> bool:
    """Whether courtesies and names beside a number may be what stood in the way."""
    return isinstance(kind, NoPlan) and kind.reason != "ambiguous" and not composed.money


async def _spoken_to(lookup: Lookup, words: Sequence[Word], heard: Hearing) -> Plan | NoPlan | None:
    """The outline of the question without courtesies and names beside a number; those must be of that record. None
    where that is no question either."""
    plain = without_courtesies(words, heard.tokens)
    if plain != " ".join(word.typed for word in words):
        kind = await plan_question(lookup, plain)
        if isinstance(kind, Plan) and not kind.unused_words:
            return kind
    text, names = spoken_to(words, heard.tokens)
    if not text or text == " ".join(word.typed for word in words):
        return None
    kind = await plan_question(lookup, text)
    if isinstance(kind, NoPlan):
        return None
    known = load_kinds().get(kind.kind)
    if (names and known and known.told) or not await all_belong(lookup, kind, names):
        return NoPlan(reason="unsupported", unknown_words=tuple(token.text for token in names))
    return await with_the_rest(lookup, kind, heard.tokens)


def _with_a_day(kind: Plan, heard: Hearing) -> Plan:
    """The overview of a document that is asked when: it has to name a day."""
    asked = any(token.is_sign("when") for token in heard.tokens) and kind.kind.endswith(_OVERVIEW)
    return replace(kind, outline=replace(kind.outline, dated=True)) if asked else kind


def _holds(kind: Plan, told: Asked, heard: Hearing) -> bool:
    """Whether an outline tells the fields asked for: it tells all of such records, or some word asks for it and nobody
    asks when, or it is itself about when."""
    known = load_kinds().get(kind.kind)
    whens = {p for token in heard.tokens if token.is_sign("when") for p in token.positions}
    if known is None:
        return not whens
    if kind.kind.endswith(_OVERVIEW) and told.entity in known.references:
        return True
    if not whens:
        return any(phrases_in(heard.words, known.cues)) or told.entity not in known.default_for
    return any(whens & {*at} for _, at in phrases_in(heard.words, known.cues))


def _rather_composed(found: Composition) -> bool:
    """Whether a composition answers better than an outline would: unless it only lists what belongs to one document or
    item, of which an outline says more."""
    figures = bool(found.splits or found.counted or found.descending is not None)
    if not figures and not found.measure and any(p.role == "record" and p.about == found.entity for p in found.parts):
        return False  # a list of nothing but the records named
    named = {part.about for part in found.parts if part.role == "record"}
    if not figures and (named & _DOCUMENTS or any(_only_of(found, entity) for entity in _DOCUMENTS)):
        return False
    return figures or found.shaped or not named & _OUTLINED


def _only_of(found: Composition, entity: str) -> bool:
    """Whether records of an entity are named and nothing else is said: "supplier V-3001", "order of invoice INV-7"."""
    if len(found.parts) != 1:
        return False
    (part,) = found.parts
    inner = part.inner if part.role == "with" else (part,)
    return bool(inner) and all(each.role == "record" and each.about == entity for each in inner) and not part.negated


def _without(words: Sequence[Word], misread: Misread, kind: Plan | NoPlan, heard: Hearing) -> Plan | NoPlan:
    """Where no reading explains every word: the doubt that is left, else what the kinds made of it."""
    tokens = heard.tokens
    if misread.money and not misread.doubtful:
        return _which_currency(words, misread.money[-1], heard.asker)
    if _only_doubtful(misread) and not (isinstance(kind, NoPlan) and kind.choices and not _same(kind, misread)):
        return doubtful(words, misread)
    asks_which = isinstance(kind, NoPlan) and kind.reason == "ambiguous" and not kind.choices
    if isinstance(kind, NoPlan) and kind.reason != "unsupported" and not asks_which and _ordinary(kind.echo, tokens):
        return unknown(misread)
    return kind


def _only_doubtful(misread: Misread) -> bool:
    """Whether nothing is in the way but that a name may be several."""
    doubt = misread.doubtful
    return doubt is not None and all(token.positions == doubt.positions for token in misread.left)


def _same(kind: NoPlan, misread: Misread) -> bool:
    """Whether both ask back about records of one kind: then the question goes on as it was typed."""
    return misread.doubtful is not None and kind.entity == misread.doubtful.records[0].entity


def _ordinary(echo: str, tokens: Sequence[Token]) -> bool:
    """Whether the words that no name was found for are none of a name: words of the language alone, of a time, or of an
    amount that says what it counts."""
    known = (t for t in tokens if t.meanings or t.span or (t.amount and not t.amount.bare))
    said = {piece.casefold() for token in known for piece in token.text.split()}
    return bool(echo) and {piece.casefold() for piece in echo.split()} <= said


def _which_currency(words: Sequence[Word], amount: AmountMention, asker: Asker) -> NoPlan:
    """An amount of money without a currency, of somebody who has several: one choice for each."""
    last = max(amount.positions)
    choices = tuple(
        Choice(
            label=f"{amount.text} {currency}",
            question=" ".join(f"{word.typed} {currency}" if p == last else word.typed for p, word in enumerate(words)),
        )
        for currency in sorted(set(asker.currencies.values()))
    )
    return NoPlan(reason="ambiguous", echo=amount.text, choices=choices)


def doubtful(words: Sequence[Word], misread: Misread) -> NoPlan:
    """The records that some words may name, each with the question that would name it."""
    token = misread.doubtful
    if token is None:
        return NoPlan(reason="unsupported")
    choices = tuple(
        Choice(label=c.label, question=_named(words, token.positions, exact_name(c, token.records)))
        for c in token.records[:_MOST_CHOICES]
    )
    return NoPlan(reason="ambiguous", entity=token.records[0].entity, echo=token.text, choices=choices)


def _named(words: Sequence[Word], positions: Sequence[int], name: str) -> str:
    """The question with some of its words replaced by the name of one record."""
    said = [name if p == positions[0] else word.typed for p, word in enumerate(words) if p not in positions[1:]]
    return " ".join(said)
