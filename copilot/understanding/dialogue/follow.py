"""Understands a message from what was asked before; what needs nothing of that is none of its business."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from copilot.domain.composition import Composition
from copilot.domain.dialogue import State
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.understanding.candidates import display
from copilot.understanding.compose.hear import Hearing, hear
from copilot.understanding.compose.planner import plan_of, whole
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import Cues, find_cues, words_for
from copilot.understanding.dialogue.focus import DOCUMENTS, PLACES, Key, focus_of, people_of, row_of, thing_of
from copilot.understanding.dialogue.merging import about, merged, replaced, turned
from copilot.understanding.dialogue.retelling import retold
from copilot.understanding.vocabulary import Noun
from copilot.understanding.words import Word, cut

Alone = Callable[[str], Awaitable[Plan | NoPlan]]
"""Plans a text that stands for itself."""
_MOST_CHOICES = 8
_SHORT = 6
"""Words up to which a message may be nothing but the name of a choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """One message, and the conversation it stands in."""

    connection: Connection
    model: SemanticModel
    text: str
    state: State
    now: datetime
    alone: Alone

    async def plan(self) -> Plan | NoPlan:
        """The plan of the message."""
        words = cut(self.text)
        figures = frozenset(p for p, word in enumerate(words) if self.state.kind and word.bare_number)
        hearing = await hear(self.connection, self.model, words, self.now, figures)
        cues = find_cues(words, frozenset(p for token in hearing.tokens if token.span for p in token.positions))
        if cues.any("back"):
            return await self._in(self._earlier(cues, hearing.tokens) or State(), words, cues)
        if cues.any("reset") and len(cues.of("reset")) < len(words):
            return await self.alone(" ".join(word.typed for p, word in enumerate(words) if p not in cues.of("reset")))
        picked = self._picked(words, cues, hearing.tokens)
        if picked is not None:
            return await self.alone(picked)
        if not self.state.kind:
            return await self._without_state(words, cues, hearing)
        if cues.place is not None and (row := row_of(self.state, cues.place)):
            alone = await self.alone(self.text)
            found = None if _whole(alone) and not cues.any("one") else await self._of_row(words, cues, row)
            if found is not None:
                return found
        return await self._followed(words, cues, hearing)

    def _earlier(self, cues: Cues, tokens: Sequence[Token]) -> State | None:
        """The newest state before the last that was about what is named after "back to"."""
        after = [token for token in tokens if min(token.positions) > max(cues.of("back"))]
        nouns = {noun.entity for token in after[:2] for noun in token.all_of(Noun)}
        return next((state for state in self.state.earlier if nouns & _about(state)), None)

    async def _in(self, state: State, words: Sequence[Word], cues: Cues) -> Plan | NoPlan:
        """The rest of the message, as if that had been the last question."""
        rest = " ".join(word.typed for p, word in enumerate(words) if p not in cues.of("back"))
        return await replace(self, state=state, text=rest).plan()

    async def _followed(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan:
        named = _names(hearing.tokens)
        definite = not named and any(_is_one(words, at) for at, _ in _definite(cues, hearing.tokens))
        pointing = self._pointing(words, cues, hearing) or bool(cues.of("switch") & {0, 1}) or definite
        if not pointing:
            alone = await self.alone(self.text)
            if _whole(alone):
                return alone
        several = self._thing(words, cues, hearing) and _many(self.state)
        again = retold(self.state, words, cues.of("switch"))
        if again is not None:
            return again
        attempts = (
            (self._other, self.merged) if several else (self._other, self.merged, self._rewritten, self._about_focus)
        )
        for attempt in attempts:
            found = await attempt(words, cues, hearing)
            if found is not None:
                return found
        if pointing and not named and (several or cues.any("people") or self._thing(words, cues, hearing)):
            return await self._which(words, cues)
        return await self.alone(self.text)

    async def _without_state(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan:
        """The first message of a conversation: "they" means nobody yet, unless it names somebody itself."""
        pointing = _outward(words, cues.of("people") | _things(words, cues, hearing.tokens), hearing.tokens)
        if pointing and not _names(hearing.tokens):
            return NoPlan(reason="ambiguous", echo=_said(words, pointing))
        alone = await self.alone(self.text)
        aside = cues.of("no", "narrow")
        if _whole(alone) or not aside or len(aside) == len(words):
            return alone
        return await self.alone(" ".join(word.typed for p, word in enumerate(words) if p not in aside))

    def _picked(self, words: Sequence[Word], cues: Cues, tokens: Sequence[Token]) -> str | None:
        """The question of the choice that the message takes, by its place or by a name of its record."""
        choices = self.state.choices
        if not choices or len(words) > _SHORT:
            return None
        if cues.place is not None and cues.place < len(choices):
            return choices[cues.place]
        keys = {f"{c.entity}#{c.id}" for token in tokens for c in token.records}
        numbers = {c.number for token in tokens for c in token.records if c.number}
        fitting = [choice for choice in choices if keys & set(choice.split()) or numbers & set(choice.split())]
        return fitting[0] if len(fitting) == 1 else None

    def _pointing(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> bool:
        return cues.any("people", "many", "narrow", "other", "no") or self._thing(words, cues, hearing)

    def _thing(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> bool:
        return bool(_things(words, cues, hearing.tokens))

    async def _of_row(self, words: Sequence[Word], cues: Cues, row: Key) -> Plan | NoPlan | None:
        """The message with the record's name where it says which of the list."""
        names = ("first", "second", "third", "fourth", "fifth", "last", "other")
        at = cues.of(*names)
        around = cues.of("the", "one", "switch", "of", "thing") - at
        kept = [word for p, word in enumerate(words) if p not in around]
        found = await self.alone(_put(kept, frozenset(kept.index(words[p]) for p in at), row))
        return found if _whole(found) else None

    async def _other(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan | None:
        """ "No, the other Meyer": a record of that name that the last answer was not about."""
        if not cues.any("other"):
            return None
        known = {(entity, ident) for entity, ids in self.state.references.items() for ident in ids}
        for token in hearing.tokens:
            every = token.reference.candidates if token.reference else ()
            others = tuple(c for c in every if c.entity in self.state.references and c.key not in known and not c.doubt)
            if others and token.reference:
                narrowed = replace(token, reference=replace(token.reference, candidates=others))
                tokens = tuple(narrowed if other is token else other for other in hearing.tokens)
                return await self.merged(words, cues, replace(hearing, tokens=tokens))
        entity, ids = self.state.listed
        rows = [(entity, ident) for ident in ids if (entity, ident) not in known]
        if len(rows) != 1:
            return None
        return about(self.state, rows[0]) or await self._of_row(words, cues, rows[0])

    async def merged(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan | None:
        """The last question with what the message says in the place of what it said."""
        skipped = cues.of("switch", "narrow", "many", "people", "no", "other") | _things(words, cues, hearing.tokens)
        tokens = tuple(t for t in hearing.tokens if not set(t.positions) <= skipped)
        found = merged(self.state, tokens, hearing.asker, narrow=cues.any("narrow", "many"))
        if isinstance(found, Token):
            return self._ask_which(words, found)
        if found is None and (cues.any("switch", "people", "many") or _things(words, cues, hearing.tokens)):
            found = turned(self.state, tokens, hearing.asker)
        if found is None and cues.any("narrow", "many") and self.state.earlier and not self.state.composition:
            return await self._before().merged(words, cues, hearing)
        if isinstance(found, Composition):
            return plan_of(self.model, await whole(self.connection, self.model, found, hearing))
        return replaced(self.state, tokens)

    def _before(self) -> Follow:
        """The same message, one answer earlier."""
        return replace(self, state=replace(self.state.earlier[0], earlier=self.state.earlier[1:]))

    def _ask_which(self, words: Sequence[Word], token: Token) -> NoPlan:
        choices = tuple(
            Choice(label=c.label, question=_put(words, frozenset(token.positions), c.key))
            for c in token.records[:_MOST_CHOICES]
        )
        return NoPlan(reason="ambiguous", entity=token.records[0].entity, echo=token.text, choices=choices)

    async def _rewritten(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan | None:
        """With records for "the supplier", "they" and "it"."""
        text = words
        for at, entity in _definite(cues, hearing.tokens) if cues.any("switch") or len(hearing.tokens) > 1 else ():
            key = await thing_of(self.connection, self.model, self.state, entity)
            if key is not None:
                return await self._tried(_put(text, at | cues.of("switch"), key))
        if cues.any("people"):
            person = await people_of(self.connection, self.model, self.state)
            if person and (found := await self._tried(_put(text, cues.of("people", "switch"), person))):
                return found
        things = _things(words, cues, hearing.tokens)
        if things:
            for key in focus_of(self.state):
                if found := await self._tried(_put(text, things | cues.of("switch"), key)):
                    return found
        return None

    async def _about_focus(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan | None:
        """A message that names nothing, said of what the last answer was about."""
        if _names(hearing.tokens):
            return None
        left = [word.typed for p, word in enumerate(words) if p not in cues.of("switch", "people", "no")]
        person = await people_of(self.connection, self.model, self.state)
        if cues.any("people") and person is None:
            return None
        keys = focus_of(self.state)
        everything = " ".join(f"{entity}#{ident}" for entity, ident in keys)
        tried = [everything, *(f"{entity}#{ident}" for entity, ident in (*keys, *((person,) if person else ())))]
        for names in dict.fromkeys(name for name in tried if name):
            found = await self._tried(" ".join((*left, names)))
            if isinstance(found, Plan):
                return found
        return None

    async def _tried(self, text: str) -> Plan | NoPlan | None:
        found = await self.alone(text)
        return found if _whole(found) else None

    async def _which(self, words: Sequence[Word], cues: Cues) -> NoPlan:
        """Asks what is meant, offering the records of the last list."""
        at = cues.of("people", "thing")
        entity, ids = self.state.listed
        names = (
            await display(self.connection, self.model, [(entity, ident) for ident in ids[:_MOST_CHOICES]])
            if ids
            else {}
        )
        choices = tuple(
            Choice(label=" · ".join(part for part in (number, name) if part), question=_put(words, at, key))
            for key, (number, name, _) in names.items()
        )
        return NoPlan(reason="ambiguous", echo=_said(words, at), choices=choices)


def _names(tokens: Sequence[Token]) -> bool:
    """Whether a message names a record itself, other than a place."""
    return any(c.entity not in PLACES for token in tokens for c in token.records)


def _about(state: State) -> frozenset[str]:
    """The entities that a state is about."""
    last = state.composition
    entity = last.entity if last else ""
    stock = ("stock",) if "item" in state.references else ()
    return frozenset((*state.references, entity, state.listed[0], *stock)) - {""}


def _many(state: State) -> bool:
    """Whether the last answer was a list of several, and about no single document."""
    return bool(state.composition and len(state.listed[1]) > 1) and not any(e in DOCUMENTS for e, _ in focus_of(state))


def _is_one(words: Sequence[Word], at: frozenset[int]) -> bool:
    """Whether "the order" stands there, and not "the orders"."""
    return not words[max(at)].folded.endswith("s")


def _whole(found: Plan | NoPlan) -> bool:
    """Whether every word was understood, if only to ask back."""
    if isinstance(found, NoPlan):
        return found.reason == "ambiguous"
    return not found.unused_words


def _things(words: Sequence[Word], cues: Cues, tokens: Sequence[Token]) -> frozenset[int]:
    """Where "it", "this" and "that" stand for a record: not in "this week", nor in "orders that are late"."""
    spans = {p for token in tokens if token.span for p in token.positions}
    nouns = {max(token.positions) for token in tokens if token.all_of(Noun)}
    leading = {min(token.positions) for token in tokens if token.all_of(Noun)}
    return frozenset(
        p
        for p in cues.of("thing")
        if p not in spans
        and not (words[p].folded in ("that", "this") and (p - 1 in nouns or p + 1 in leading or p + 1 in spans))
    )


def _outward(words: Sequence[Word], at: frozenset[int], tokens: Sequence[Token]) -> frozenset[int]:
    """Pronouns that mean nothing said before them in the same message, as most do where it named anything: not
    "transfers on their way"."""
    inward = words_for("inward")
    said = min((min(t.positions) for t in tokens if t.meanings and not t.is_sign("count", "when")), default=len(words))
    return frozenset(p for p in at if words[p].folded not in inward or p < said)


def _definite(cues: Cues, tokens: Sequence[Token]) -> list[tuple[frozenset[int], str]]:
    """ "The supplier", "that order": a noun after such a word, with no name beside it."""
    found: list[tuple[frozenset[int], str]] = []
    for n, token in enumerate(tokens):
        before = min(token.positions) - 1
        beside = [other for other in (*tokens[n - 1 : n], *tokens[n + 1 : n + 2]) if other.reference]
        if before not in cues.of("the") or beside:
            continue
        found += [(frozenset((before, *token.positions)), noun.entity) for noun in token.all_of(Noun)]
    return found


def _put(words: Sequence[Word], at: frozenset[int], key: Key) -> str:
    """The message with the name of a record in the place of some words."""
    first = min(at) if at else len(words)
    said = [
        f"{key[0]}#{key[1]}" if p == first else word.typed for p, word in enumerate(words) if p not in at or p == first
    ]
    return " ".join(said) if at else " ".join((*said, f"{key[0]}#{key[1]}"))


def _said(words: Sequence[Word], at: frozenset[int]) -> str:
    return " ".join(words[p].typed for p in sorted(at))
