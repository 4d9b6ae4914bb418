"""Understands a message from what was asked before; what needs nothing of that is none of its business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from copilot.domain.dialogue import State
from copilot.domain.plan import NoPlan, Plan
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.focus import PLACES, Key, focus_of, in_turn, row_of, several_of
from copilot.understanding.dialogue.message import Message, heard, name_of, things
from copilot.understanding.dialogue.retelling import retold
from copilot.understanding.dialogue.talk import Alone, Talk, is_whole, many
from copilot.understanding.lookup import Lookup
from copilot.understanding.vocabulary import Noun

_SHORT = 6
"""Words up to which a message may be nothing but the name of a choice."""
_POINTING = ("people", "many", "narrow", "other", "no", "others", "together")
"""Cues that point back to something said before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """One message, and the conversation it stands in."""

    lookup: Lookup
    text: str
    state: State
    alone: Alone
    afresh: Alone
    """Plans a text that begins anew, and may ask several questions."""

    async def plan(self) -> Plan | NoPlan:
        """The plan of the message."""
        message = await heard(self.lookup, self.text, numbers=not self.state.kind)
        cues = message.cues
        if cues.any("back"):
            return await self._back(message)
        if cues.any("reset") and len(cues.of("reset")) < len(message.words):
            return await self.alone(message.without(cues.of("reset")))
        picked = self._picked(message)
        if picked is not None:
            return await self.afresh(picked)
        if not self.state.kind:
            return await self._without_state(message)
        return await self._of_place(message) or await self._followed(message)

    @property
    def _talk(self) -> Talk:
        return Talk(lookup=self.lookup, state=self.state, alone=self.alone)

    async def _of_place(self, message: Message) -> Plan | NoPlan | None:
        """ "The second one": unless the message stands for itself as it is."""
        row = self._row(message.cues.place, message.tokens) if message.cues.place is not None else None
        if row is None:
            return None
        alone = await self.alone(self.text)
        sure = isinstance(alone, Plan) and is_whole(alone)
        return None if sure and not message.cues.any("one") else await self._talk.of_row(message, row)

    def _row(self, place: int, tokens: Sequence[Token]) -> Key | None:
        """The record at a place of the last list, or of those asked about in turn: not of their lines, unless said."""
        run = in_turn(self.state)
        if run and place < len(run) and not any(token.noun(self.state.listed[0]) for token in tokens):
            return run[place]
        return row_of(self.state, place)

    async def _back(self, message: Message) -> Plan | NoPlan:
        """The rest of the message as if the newest question about what is named after "back to" had been the last; that
        record again where there is no more."""
        words, back = message.words, message.cues.of("back")
        after = [token for token in message.tokens if min(token.positions) > max(back)][:2]
        nouns = {noun.entity: token for token in after for noun in token.all_of(Noun)}
        keys = {key: token for token in after for key in _keys(token)}
        for each in self.state.earlier:
            if again := next((key for key in keys if key[1] in each.references.get(key[0], ())), None):
                return await replace(self, state=each).afresh(message.put(back | {*keys[again].positions}, again))
        state = next((state for state in self.state.earlier if nouns.keys() & _about(state)), State())
        named = {p for entity in nouns.keys() & _about(state) for p in nouns[entity].positions}
        kept = frozenset(range(len(words))) - back
        if not kept - named and (focus := focus_of(state)):
            return await self.alone(name_of(focus[0]))
        pronouns = message.cues.of("people") | things(words, message.cues, ())
        rest = kept - named if kept & pronouns else kept
        return await replace(self, state=state, text=message.said(rest)).plan()

    async def _followed(self, message: Message) -> Plan | NoPlan:
        """The first way in which the message is understood from the last question; else it asks, or stands alone."""
        talk, cues = self._talk, message.cues
        if (instead := await talk.namesake(message) or await talk.overviewed(message)) is not None:
            return instead
        pointing = self._pointing(message)
        if not pointing and is_whole(alone := await self.alone(self.text)):
            return alone
        again = retold(self.state, message.words, cues.of("switch", "many", "people", "thing"))
        if again is not None:
            return again
        if (sized := await talk.resized(message)) is not None:
            return sized
        thing, named = bool(message.things), message.named
        if thing and not named and several_of(self.state):
            return await talk.which(message)
        several = thing and many(self.state)
        pointed = () if several else (talk.rewritten, talk.about_focus)
        for attempt in (talk.others, talk.besides, talk.together, talk.other, talk.merged, *pointed):
            if (found := await attempt(message)) is not None:
                return found
        if pointing and not named and (several or thing or cues.any("people", "many", "other", "others")):
            return await talk.which(message)
        return await self.alone(self.text)

    def _pointing(self, message: Message) -> bool:
        """Whether it points back at all: then it does not stand for itself, however well it might."""
        definite = not message.named and message.one_definite
        return message.cues.any(*_POINTING) or bool(message.things or message.cues.of("switch") & {0, 1} or definite)

    async def _without_state(self, message: Message) -> Plan | NoPlan:
        """The first message of a conversation: "they" means nobody yet, unless it names somebody itself."""
        if message.outward and not message.named:
            return NoPlan(reason="ambiguous", echo=message.said(message.outward))
        switch = message.cues.of("switch")
        if 0 in switch and message.tokens and all(token.reference for token in message.tokens):
            return NoPlan(reason="unsupported", unknown_words=tuple(message.words[p].typed for p in sorted(switch)))
        alone = await self.alone(self.text)
        aside = message.cues.of("no", "narrow")
        if is_whole(alone) or not aside or len(aside) == len(message.words):
            return alone
        return await self.alone(message.without(aside))

    def _picked(self, message: Message) -> str | None:
        """The question of the choice that the message takes, by its place or by a name of its record."""
        choices, place = self.state.choices, message.cues.place
        if not choices or len(message.words) > _SHORT:
            return None
        if place is not None and place < len(choices):
            return choices[place]
        keys = {name_of(c.key) for token in message.tokens for c in token.records}
        numbers = {c.number for token in message.tokens for c in token.records if c.number}
        fitting = [choice for choice in choices if keys & set(choice.split()) or numbers & set(choice.split())]
        return fitting[0] if len(fitting) == 1 else None


def _keys(token: Token) -> tuple[Key, ...]:
    """All records that a token may name, other than a place."""
    every = token.reference.candidates if token.reference else ()
    return tuple(c.key for c in every if c.entity not in PLACES)


def _about(state: State) -> frozenset[str]:
    """The entities that a state is about."""
    last = state.composition
    entity = last.entity if last else ""
    stock = ("stock",) if "item" in state.references else ()
    return frozenset((*state.references, entity, state.listed[0], *stock)) - {""}
