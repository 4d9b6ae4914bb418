"""The ways in which a message may be understood from the last question: each gives a plan, or None where it is none."""

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
from copilot.understanding.compose.planner import listed_records, plan_of, whole
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.focus import (
    DOCUMENTS,
    Key,
    focus_of,
    narrowed,
    others_of,
    people_of,
    several_of,
    thing_of,
)
from copilot.understanding.dialogue.merging import about, added_up, merged, replaced, resized, turned
from copilot.understanding.dialogue.message import Message, heard, name_of, put, things
from copilot.understanding.dialogue.namesakes import asked_of, namesakes, part_of_name
from copilot.understanding.dialogue.overviews import overviewed
from copilot.understanding.lookup import Lookup

Alone = Callable[[str], Awaitable[Plan | NoPlan]]
"""Plans a text that stands for itself."""
Found = Plan | NoPlan | None
_MOST_CHOICES = 8
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "last", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What was asked before, and how a text is planned that needs nothing of it."""

    lookup: Lookup
    state: State
    alone: Alone

    @property
    def connection(self) -> Connection:
        """The transaction of who asks."""
        return self.lookup.connection

    @property
    def model(self) -> SemanticModel:
        """What records mean."""
        return self.lookup.model

    async def of_row(self, message: Message, row: Key) -> Found:
        """The message with the record's name where it says which of the list."""
        cues, words = message.cues, message.words
        at = cues.of(*_ORDINALS)
        pronouns = (cues.of("people") | things(words, cues, ())) - at
        around = cues.of("the", "one", "switch", "of", "thing") - at
        for instead, gone in ((at, around), (pronouns, (around | at) - pronouns)):
            kept = [p for p in range(len(words)) if p not in gone]
            there = frozenset(n for n, p in enumerate(kept) if p in instead)
            found = await self.tried(put([words[p] for p in kept], there, row)) if there else None
            if found:
                return found
        return None

    async def namesake(self, message: Message) -> Found:
        """ "I meant the AG": the last question about another one of nearly that name."""
        said = part_of_name(message.words, message.cues, message.tokens)
        found = await namesakes(self.lookup, self.state, said) if said is not None else ()
        if len(found) > 1:
            choices = tuple(Choice(label=c.label, question=asked_of(self.state, c.key)) for c in found[:_MOST_CHOICES])
            echo = " ".join(word.typed for word in message.words)
            return NoPlan(reason="ambiguous", entity=found[0].entity, echo=echo, choices=choices)
        return await self.merged(await heard(self.lookup, name_of(found[0].key))) if found else None

    async def overviewed(self, message: Message) -> Found:
        """ "And in Dallas?", "next week": what the last question found over all, at another place or time."""
        skipped = message.cues.of("switch", "narrow", "no")
        tokens = [token for token in message.tokens if not set(token.positions) <= skipped]
        return await overviewed(self.lookup, self.state, tokens)

    async def others(self, message: Message) -> Found:
        """ "And the other two, when are they promised": what the list held beside what was asked about since."""
        rest, cues = others_of(self.state), message.cues
        if not cues.any("others") or not rest or len(rest) > _MOST_CHOICES:
            return None
        at = cues.of("others")
        instead = (cues.of("people", "many", "thing") - at) or at
        gone = (at | cues.of("switch")) - instead
        kept = [p for p in range(len(message.words)) if p not in gone and (p not in instead or p == min(instead))]
        names = " ".join(name_of(key) for key in rest)
        return await self.tried(" ".join(names if p in instead else message.words[p].typed for p in kept))

    async def besides(self, message: Message) -> Found:
        """ "Any other open orders from them": all but the one that the last answer was about."""
        person, cues = await people_of(self.connection, self.model, self.state), message.cues
        if not cues.any("besides") or person is None or message.named:
            return None
        text = [word for p, word in enumerate(message.words) if p not in cues.of("besides", "switch")]
        pronouns = [message.words[p] for p in cues.of("people", "many")]
        at = frozenset(text.index(word) for word in pronouns if word in text)
        found = await self.tried(put(text, at, person))
        last = found.composition if isinstance(found, Plan) else None
        known = tuple(ident for entity, ident in focus_of(self.state) if last and entity == last.entity)
        if last is None or not known:
            return None
        part = Part(role="record", about=last.entity, ids=known, negated=True)
        return await self._composed(replace(last, parts=(*last.parts, part)), message)

    async def resized(self, message: Message) -> Found:
        """ "Make it five": the last ranking with another number of places."""
        skipped = message.cues.of("switch", "thing", "no", "narrow")
        tokens = [token for token in message.tokens if not set(token.positions) <= skipped]
        found = resized(self.state, tokens)
        return await self._composed(found, message) if found else None

    async def together(self, message: Message) -> Found:
        """ "And those three together": one figure over the places just asked about one after the other."""
        skipped = message.cues.of("switch", "many", "people", "together", "the", "thing", "of")
        tokens = [token for token in message.tokens if not set(token.positions) <= skipped]
        found = added_up(self.state, tokens) if message.cues.any("together") else None
        return await self._composed(found, message) if found else None

    async def other(self, message: Message) -> Found:
        """ "No, the other Meyer": a record of that name that the last answer was not about."""
        if not message.cues.any("other"):
            return None
        known = {(entity, ident) for entity, ids in self.state.references.items() for ident in ids}
        for token in message.tokens:
            every = token.reference.candidates if token.reference else ()
            others = tuple(c for c in every if c.entity in self.state.references and c.key not in known and not c.doubt)
            if others and token.reference:
                narrower = replace(token, reference=replace(token.reference, candidates=others))
                tokens = tuple(narrower if other is token else other for other in message.tokens)
                return await self.merged(replace(message, hearing=replace(message.hearing, tokens=tokens)))
        entity, ids = self.state.listed
        rows = [(entity, ident) for ident in ids if (entity, ident) not in known]
        if len(rows) != 1 or entity not in self.state.references:  # a document's lines are no others of it
            return None
        return about(self.state, rows[0]) or await self.of_row(message, rows[0])

    async def merged(self, message: Message) -> Found:
        """The last question with what the message says in the place of what it said."""
        cues, narrow = message.cues, message.cues.any("narrow", "many")
        skipped = cues.of("switch", "narrow", "many", "people", "no", "other") | message.things
        tokens = tuple(t for t in message.tokens if not set(t.positions) <= skipped)
        found = merged(self.state, tokens, message.hearing.asker, narrow=narrow)
        if isinstance(found, Token):
            return _ask_which(message, found)
        if found is None and (cues.any("switch", "people", "many") or message.things):
            found = turned(self.state, tokens, message.hearing.asker)
        if found is None and narrow and not self.state.composition and (before := narrowed(self.state)):
            return await replace(self, state=before).merged(message)
        if isinstance(found, Composition) and cues.any("narrow") and cues.any("many"):
            found = listed_records(found) or found  # "only the late ones" are records, also where a figure was told
        elif isinstance(found, Composition) and cues.any("listing") and cues.any("many"):
            found = _listed(found, self.state)  # "list the lighting ones"
        if isinstance(found, Composition):
            told = found.measure or found.counted or can_list(found.entity)
            return await self._composed(found, message) if told else None
        return replaced(self.state, tokens)

    async def rewritten(self, message: Message) -> Found:
        """With records for "the supplier", "they" and "it"."""
        cues = message.cues
        switch = cues.of("switch")
        for at, entity in message.definite if switch or len(message.tokens) > 1 else ():
            key = await thing_of(self.connection, self.model, self.state, entity)
            if key is not None:
                return await self.tried(message.put(at | switch, key))
        people = cues.of("people") or (frozenset[int]() if many(self.state) else cues.of("many"))
        person = await people_of(self.connection, self.model, self.state) if people else None
        if person and (found := await self.tried(message.put(people | switch, person))):
            return found
        of_them = frozenset(p for p in cues.of("many") if {p - 1, p + 1} & cues.of("many"))
        pronouns = message.things or (frozenset[int]() if person else of_them)
        for key in focus_of(self.state) if pronouns else ():
            if found := await self.tried(message.put(pronouns | switch, key)):
                return found
        return None

    async def about_focus(self, message: Message) -> Found:
        """A message that names nothing, said of what the last answer was about."""
        person = await people_of(self.connection, self.model, self.state)
        if message.named or (message.cues.any("people") and person is None):
            return None
        left = message.without(message.cues.of("switch", "people", "no"))
        keys = focus_of(self.state)
        each = [name_of(key) for key in (*keys, *((person,) if person else ()))]
        tried = [" ".join(name_of(key) for key in keys), *each]
        for names in dict.fromkeys(name for name in tried if name):
            found = await self.tried(f"{left} {names}".strip())
            if isinstance(found, Plan) and not _of_itself(found, keys):
                return found
        return None

    async def which(self, message: Message) -> NoPlan:
        """Asks what is meant, offering the records of the last list."""
        at = message.cues.of("people", "thing", "other", "others")
        entity, ids = self.state.listed
        meant = several_of(self.state) or tuple((entity, ident) for ident in ids)
        names = await display(self.connection, self.model, meant[:_MOST_CHOICES]) if meant else {}
        choices = tuple(
            Choice(label=label, question=message.put(at, key))
            for key, (number, name, _) in names.items()
            if (label := " · ".join(part for part in (number, name) if part))
        )
        return NoPlan(reason="ambiguous", echo=message.said(at), choices=choices)

    async def tried(self, text: str) -> Found:
        """The plan of a text that stands for itself; None where a word of it was not understood."""
        found = await self.alone(text)
        return found if is_whole(found) else None

    async def _composed(self, found: Composition, message: Message) -> Plan:
        return plan_of(self.model, await whole(self.lookup, found, message.hearing))


def is_whole(found: Plan | NoPlan) -> bool:
    """Whether every word was understood, if only to ask back."""
    if isinstance(found, NoPlan):
        return found.reason == "ambiguous"
    return not found.unused_words


def many(state: State) -> bool:
    """Whether the last answer was a list of several, and about no single document."""
    return bool(state.composition and len(state.listed[1]) > 1) and not any(e in DOCUMENTS for e, _ in focus_of(state))


def _of_itself(found: Plan, keys: Sequence[Key]) -> bool:
    """Whether it lists a record by that record: "open orders of them" asks for those of somebody else."""
    last = found.composition
    return last is not None and not last.measure and last.entity in {entity for entity, _ in keys}


def _listed(found: Composition, state: State) -> Composition:
    """The records themselves, where figures of them were told; not where something else tells them apart."""
    last = state.composition
    if last is None or found.splits != last.splits:
        return found
    whole = replace(found, splits=(), limit=None, descending=None)
    if found.counted and not found.measure and can_list(found.entity):
        return replace(whole, counted=False)
    return listed_records(whole) or found


def _ask_which(message: Message, token: Token) -> NoPlan:
    choices = tuple(
        Choice(label=c.label, question=message.put(frozenset(token.positions), c.key))
        for c in token.records[:_MOST_CHOICES]
    )
    return NoPlan(reason="ambiguous", entity=token.records[0].entity, echo=token.text, choices=choices)
