"""Understands a message from what was asked before; what needs nothing of that is none of its business."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from copilot.domain.composition import Composition, Part
from copilot.domain.dialogue import State
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.understanding.candidates import display
from copilot.understanding.compose.build import can_list
from copilot.understanding.compose.hear import Hearing, hear
from copilot.understanding.compose.planner import plan_of, whole
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import Cues, find_cues, words_for
from copilot.understanding.dialogue.focus import (
    DOCUMENTS,
    PLACES,
    Key,
    focus_of,
    in_turn,
    narrowed,
    others_of,
    people_of,
    row_of,
    several_of,
    thing_of,
)
from copilot.understanding.dialogue.merging import about, added_up, merged, replaced, turned
from copilot.understanding.dialogue.retelling import retold
from copilot.understanding.lookup import Lookup
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

    lookup: Lookup
    text: str
    state: State
    alone: Alone
    afresh: Alone
    """Plans a text that begins anew, and may ask several questions."""

    @property
    def connection(self) -> Connection:
        """The transaction of who asks."""
        return self.lookup.connection

    @property
    def model(self) -> SemanticModel:
        """What records mean."""
        return self.lookup.model

    async def plan(self) -> Plan | NoPlan:
        """The plan of the message."""
        words = cut(self.text)
        figures = frozenset(p for p, word in enumerate(words) if self.state.kind and word.bare_number)
        hearing = await hear(self.lookup, words, figures)
        cues = find_cues(words, frozenset(p for token in hearing.tokens if token.span for p in token.positions))
        if cues.any("back"):
            return await self._back(words, cues, hearing.tokens)
        if cues.any("reset") and len(cues.of("reset")) < len(words):
            return await self.alone(" ".join(word.typed for p, word in enumerate(words) if p not in cues.of("reset")))
        picked = self._picked(words, cues, hearing.tokens)
        if picked is not None:
            return await self.afresh(picked)
        if not self.state.kind:
            return await self._without_state(words, cues, hearing)
        if cues.place is not None and (row := self._row(cues.place, hearing.tokens)):
            alone = await self.alone(self.text)
            sure = isinstance(alone, Plan) and _whole(alone)
            found = None if sure and not cues.any("one") else await self._of_row(words, cues, row)
            if found is not None:
                return found
        return await self._followed(words, cues, hearing)

    def _row(self, place: int, tokens: Sequence[Token]) -> Key | None:
        """The record at a place of the last list, or of those asked about in turn: not of their lines, unless said."""
        run = in_turn(self.state)
        if run and place < len(run) and not any(token.noun(self.state.listed[0]) for token in tokens):
            return run[place]
        return row_of(self.state, place)

    async def _back(self, words: Sequence[Word], cues: Cues, tokens: Sequence[Token]) -> Plan | NoPlan:
        """The rest of the message as if the newest question about what is named after "back to" had been the last; that
        record again where there is no more."""
        after = [token for token in tokens if min(token.positions) > max(cues.of("back"))][:2]
        nouns = {noun.entity: token for token in after for noun in token.all_of(Noun)}
        keys = {key: token for token in after for key in _keys(token)}
        for each in self.state.earlier:
            if again := next((key for key in keys if key[1] in each.references.get(key[0], ())), None):
                at = cues.of("back") | frozenset(keys[again].positions)
                return await replace(self, state=each).afresh(_put(words, at, again))
        state = next((state for state in self.state.earlier if nouns.keys() & _about(state)), State())
        named = {p for entity in nouns.keys() & _about(state) for p in nouns[entity].positions}
        kept = frozenset(range(len(words))) - cues.of("back")
        if not kept - named and (keys := focus_of(state)):
            return await self.alone(_name(keys[0]))
        rest = kept - named if any(_pronoun(words, cues, p) for p in kept) else kept
        text = " ".join(words[p].typed for p in sorted(rest))
        return await replace(self, state=state, text=text).plan()

    async def _followed(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan:
        named = _names(hearing.tokens)
        definite = not named and any(_is_one(words, at) for at, _ in _definite(cues, hearing.tokens))
        pointing = self._pointing(words, cues, hearing) or bool(cues.of("switch") & {0, 1}) or definite
        if not pointing:
            alone = await self.alone(self.text)
            if _whole(alone):
                return alone
        again = retold(self.state, words, cues.of("switch"))
        if again is not None:
            return again
        thing = self._thing(words, cues, hearing)
        if thing and not named and several_of(self.state):
            return await self._which(words, cues)
        several = thing and _many(self.state)
        pointed = () if several else (self._rewritten, self._about_focus)
        attempts = (self._others, self._besides, self._together, self._other, self.merged, *pointed)
        for attempt in attempts:
            found = await attempt(words, cues, hearing)
            if found is not None:
                return found
        if pointing and not named and (several or thing or cues.any("people", "other", "others")):
            return await self._which(words, cues)
        return await self.alone(self.text)

    async def _without_state(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan:
        """The first message of a conversation: "they" means nobody yet, unless it names somebody itself."""
        pointing = _outward(words, cues.of("people") | _things(words, cues, hearing.tokens), hearing.tokens)
        if pointing and not _names(hearing.tokens):
            return NoPlan(reason="ambiguous", echo=_said(words, pointing))
        if 0 in cues.of("switch") and hearing.tokens and all(token.reference for token in hearing.tokens):
            return NoPlan(reason="unsupported", unknown_words=tuple(words[p].typed for p in sorted(cues.of("switch"))))
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
        back = ("people", "many", "narrow", "other", "no", "others", "together")
        return cues.any(*back) or self._thing(words, cues, hearing)

    def _thing(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> bool:
        return bool(_things(words, cues, hearing.tokens))

    async def _of_row(self, words: Sequence[Word], cues: Cues, row: Key) -> Plan | NoPlan | None:
        """The message with the record's name where it says which of the list."""
        names = ("first", "second", "third", "fourth", "fifth", "last", "other")
        at = cues.of(*names)
        pronouns = (cues.of("people") | _things(words, cues, ())) - at
        around = cues.of("the", "one", "switch", "of", "thing") - at
        for instead, gone in ((at, around), (pronouns, (around | at) - pronouns)):
            kept = [p for p in range(len(words)) if p not in gone]
            put = frozenset(n for n, p in enumerate(kept) if p in instead)
            found = await self._tried(_put([words[p] for p in kept], put, row)) if put else None
            if found:
                return found
        return None

    async def _others(self, words: Sequence[Word], cues: Cues, _: Hearing) -> Plan | NoPlan | None:
        """ "And the other two, when are they promised": what the list held beside what was asked about since."""
        rest = others_of(self.state)
        if not cues.any("others") or not rest or len(rest) > _MOST_CHOICES:
            return None
        at = cues.of("others")
        instead = (cues.of("people", "many", "thing") - at) or at
        gone = (at | cues.of("switch")) - instead
        kept = [p for p in range(len(words)) if p not in gone and (p not in instead or p == min(instead))]
        names = " ".join(_name(key) for key in rest)
        return await self._tried(" ".join(names if p in instead else words[p].typed for p in kept))

    async def _besides(self, words: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan | None:
        """ "Any other open orders from them": all but the one that the last answer was about."""
        person = await people_of(self.connection, self.model, self.state)
        if not cues.any("besides") or person is None or _names(hearing.tokens):
            return None
        text = [word for p, word in enumerate(words) if p not in cues.of("besides", "switch")]
        at = frozenset(text.index(words[p]) for p in cues.of("people", "many") if words[p] in text)
        found = await self._tried(_put(text, at, person))
        last = found.composition if isinstance(found, Plan) else None
        known = tuple(ident for entity, ident in focus_of(self.state) if last and entity == last.entity)
        if last is None or not known:
            return None
        part = Part(role="record", about=last.entity, ids=known, negated=True)
        but = replace(last, parts=(*last.parts, part))
        return plan_of(self.model, await whole(self.lookup, but, hearing))

    async def _together(self, _: Sequence[Word], cues: Cues, hearing: Hearing) -> Plan | NoPlan | None:
        """ "And those three together": one figure over the places just asked about one after the other."""
        skipped = cues.of("switch", "many", "people", "together", "the", "thing", "of")
        tokens = [token for token in hearing.tokens if not set(token.positions) <= skipped]
        found = added_up(self.state, tokens) if cues.any("together") else None
        if found is None:
            return None
        return plan_of(self.model, await whole(self.lookup, found, hearing))

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
        if len(rows) != 1 or entity not in self.state.references:  # a document's lines are no others of it
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
        narrow = found is None and cues.any("narrow", "many") and not self.state.composition
        if narrow and (before := narrowed(self.state)):
            return await replace(self, state=before).merged(words, cues, hearing)
        if isinstance(found, Composition):
            told = found.measure or found.counted or can_list(found.entity)
            return plan_of(self.model, await whole(self.lookup, found, hearing)) if told else None
        return replaced(self.state, tokens)

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
        people = cues.of("people") or (frozenset[int]() if _many(self.state) else cues.of("many"))
        if people:
            person = await people_of(self.connection, self.model, self.state)
            if person and (found := await self._tried(_put(text, people | cues.of("switch"), person))):
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
            if isinstance(found, Plan) and not _of_itself(found, keys):
                return found
        return None

    async def _tried(self, text: str) -> Plan | NoPlan | None:
        found = await self.alone(text)
        return found if _whole(found) else None

    async def _which(self, words: Sequence[Word], cues: Cues) -> NoPlan:
        """Asks what is meant, offering the records of the last list."""
        at = cues.of("people", "thing", "other", "others")
        entity, ids = self.state.listed
        meant = several_of(self.state) or tuple((entity, ident) for ident in ids)
        names = await display(self.connection, self.model, meant[:_MOST_CHOICES]) if meant else {}
        choices = tuple(
            Choice(label=label, question=_put(words, at, key))
            for key, (number, name, _) in names.items()
            if (label := " · ".join(part for part in (number, name) if part))
        )
        return NoPlan(reason="ambiguous", echo=_said(words, at), choices=choices)


def _keys(token: Token) -> tuple[Key, ...]:
    """All records that a token may name, other than a place."""
    every = token.reference.candidates if token.reference else ()
    return tuple((c.entity, c.id) for c in every if c.entity not in PLACES)


def _name(key: Key) -> str:
    """How a record is named in a question of our own."""
    return f"{key[0]}#{key[1]}"


def _pronoun(words: Sequence[Word], cues: Cues, at: int) -> bool:
    return at in cues.of("people") | _things(words, cues, ())


def _of_itself(found: Plan, keys: Sequence[Key]) -> bool:
    """Whether it lists a record by that record: "open orders of them" asks for those of somebody else."""
    last = found.composition
    return last is not None and not last.measure and last.entity in {entity for entity, _ in keys}


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
    return not words[max(at)].folded.endswith(tuple(words_for("plural")))


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
    relative = words_for("relative")
    return frozenset(
        p
        for p in cues.of("thing")
        if p not in spans
        and not (words[p].folded in relative and (p - 1 in nouns or p + 1 in leading or p + 1 in spans))
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
