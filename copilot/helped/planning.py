"""Asks a model to put a question in the terms of the semantic model, where the rules don't understand it whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from copilot.answering.arranging.arrange import leads_away
from copilot.domain.clock import Clock
from copilot.domain.json import Json
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.domain.residency import ANYWHERE
from copilot.helped.consulting import Consulting, Told
from copilot.helped.help import Asked, PlanHelped
from copilot.masking.outward import Outward
from copilot.models.saying import Said
from copilot.semantic.language import in_force
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Database
from copilot.understanding.proposing.pieces import Piece
from copilot.understanding.proposing.planner import Understood, plan_proposed
from copilot.understanding.proposing.terms import offer
from copilot.understanding.proposing.tools import InPieces, Proposal, read_call, tools
from copilot.understanding.vocabulary import load_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningHelp:
    """Everything that a model needs to be asked about a question."""

    consulting: Consulting
    database: Database
    model: SemanticModel
    clock: Clock

    async def plan(self, by_rules: Plan | NoPlan, asked: Asked) -> PlanHelped | None:
        """The plan of a message as a model puts it; None where there is no model or no prompt for this person."""
        prompt = await self.consulting.prompt("plan", asked.principal)
        if prompt is None:
            return None
        offered = offer(load_vocabulary(), self.model, asked.scope)

        def tell(outward: Outward) -> Mapping[str, Json]:
            """All of it is ours but the question, which is masked: the conversation is told by kinds, no values."""
            state = asked.state
            about: dict[str, Json] = {"kind": state.kind, "about": [*state.about]} if not state.empty else {}
            return {
                "question": outward.text(asked.text), "language": in_force().name, "tools": offered.to_json(),
                "today": self.clock().date().isoformat(), "conversation": about,
            }  # fmt: skip

        def read(said: Said) -> Proposal:
            return read_call(said.calls, offered)

        told = Told(asked.scope.classes, ANYWHERE)
        heard = await self.consulting.say(prompt, asked, told, tell, tools(offered), read)
        helped = PlanHelped(prompt=prompt.label, model=heard.model, attempts=heard.attempts)
        if heard.said is None:
            return helped
        proposal = await self._unmasked(heard.said, asked)
        async with self.database.scoped_transaction(asked.scope) as connection:
            found = await plan_proposed(connection, self.model, asked.text, proposal, self.clock(), asked.state)
        return _decided(helped, found, by_rules, asked.policy.everywhere.readings_of_models)

    async def _unmasked(self, proposal: Proposal, asked: Asked) -> Proposal:
        """The words of the question as this person may see them today: those were theirs."""
        if not isinstance(proposal, InPieces):
            return proposal
        said = [(asked.conversation, piece.said) for piece in proposal.pieces]
        shown: Sequence[str] = [
            each.text for each in await self.consulting.pseudonyms.shown(asked.principal.subject, asked.scope, said)
        ]
        pieces = zip(proposal.pieces, shown, strict=True)
        return InPieces(tuple(Piece(words, piece.term, piece.aside) for piece, words in pieces))


def _decided(helped: PlanHelped, found: Understood, by_rules: Plan | NoPlan, readings: str) -> PlanHelped:
    """What becomes of what a model proposed: words that the rules don't know and a model reads are a guess, and the
    policy says what becomes of those."""
    if found.refused or found.plan is None:
        return replace(helped, refused=(found.refused,))
    if found.guessed and any(map(leads_away, (found.text, *found.guessed))):
        return replace(helped, refused=("leads_away",))
    if isinstance(found.plan, Plan) and isinstance(by_rules, Plan):
        helped = replace(helped, differs=found.plan.steps != by_rules.steps)
    if not found.guessed or readings == "told":
        return replace(helped, plan=found.plan)
    if readings == "refused" or isinstance(found.plan, NoPlan):
        return replace(helped, refused=("guessed",))
    choice = Choice(label=found.plan.understood or found.text, question=found.text)
    return replace(helped, offered=choice, echo=", ".join(found.guessed))
