"""Asks a model in which order to say what was found: it chooses among claims that are made already, and code prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from copilot.answering.arranging.arrange import CONNECTIVE, Arranged, Entry, Fallen, Quotable, Quote, arrange
from copilot.answering.arranging.entries import SAY, read_entries
from copilot.answering.arranging.segments import Block, Segment, blocks_of, segments
from copilot.answering.draft import Draft, Templates
from copilot.answering.printing import print_value
from copilot.domain.evidence import Evidence, Record
from copilot.domain.json import Json
from copilot.domain.plan import Plan
from copilot.domain.residency import together
from copilot.helped.consulting import Consulting, Told
from copilot.helped.help import Asked, DraftHelped, Verify
from copilot.masking.outward import Outward
from copilot.models.saying import Said
from copilot.retrieval.reads import classes_read
from copilot.semantic.model import SemanticModel
from prompts.prompt import Prompt
from prompts.template import ClaimTemplate

_MOST_RECORDS = 120
_LONGEST = 80
_FREE_TEXT = "free_text"
_ROUNDS = 2
"""The first, and one to repair what was wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftingHelp:
    """Everything that a model needs to be asked about an answer."""

    consulting: Consulting
    model: SemanticModel

    async def draft(
        self, plan: Plan, drafted: Draft, evidence: Evidence, templates: Templates, verify: Verify, asked: Asked
    ) -> DraftHelped | None:
        """The draft as a model arranges it, verified; None where there is no other way to say it, no model or no prompt
        for this person."""
        found, quotable = segments(drafted.claims, evidence), self._quotable(drafted, evidence)
        blocks = [*blocks_of(found)]
        prompt = await self.consulting.prompt("draft", asked.principal) if len(blocks) > 1 or quotable.texts else None
        if prompt is None or not _may_offer(prompt, blocks):
            return None
        offer = _Offer(self.model, plan, found, evidence, templates, prompt, asked.text)
        told = Told(offer.classes, together(record.residency for record in evidence.by_id().values()))
        helped, faults = DraftHelped(prompt=prompt.label), tuple[Fallen, ...]()
        for _ in range(_ROUNDS):

            def tell(outward: Outward, faults: Sequence[Fallen] = faults) -> Mapping[str, Json]:
                return offer.to_json(outward, faults)

            heard = await self.consulting.say(prompt, asked, told, tell, (SAY,), _read)
            helped = replace(helped, model=heard.model, attempts=(*helped.attempts, *heard.attempts))
            if heard.said is None:
                return helped
            arranged = arrange(await self._unmasked(heard.said, asked), found, evidence, quotable, templates)
            faults = (*arranged.fallen, *_unverified(arranged, verify))
            helped = replace(helped, refused=(*helped.refused, *(f"{each.rule}:{each.about}" for each in faults)))
            if arranged.draft and not _unverified(arranged, verify):
                return replace(helped, draft=arranged.draft)
        return helped

    def _quotable(self, drafted: Draft, evidence: Evidence) -> Quotable:
        """Texts that people wrote, by reference: notes that the rules tell of, no names and no addresses."""
        told = {record for claim in drafted.claims for record in claim.about}
        records = (record for record in evidence.by_id().values() if record.id in told and record.kind == "record")
        return Quotable(
            {
                f"{record.id}.{name}": value.raw
                for record in records
                if self.model[record.entity].record_class == _FREE_TEXT
                for name, value in record.values.items()
                if value.type == "text" and isinstance(value.raw, str)
                and not self.model[record.entity].fields[name].personal
            }
        )  # fmt: skip

    async def _unmasked(self, entries: Sequence[Entry], asked: Asked) -> Sequence[Entry]:
        """The entries with the words of their quotes as this person may see them."""
        said = [(asked.conversation, each.words) for each in entries if isinstance(each, Quote)]
        shown = await self.consulting.pseudonyms.shown(asked.principal.subject, asked.scope, said) if said else []
        words = iter(shown)
        return [replace(each, words=next(words).text) if isinstance(each, Quote) else each for each in entries]


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a model is told for one answer."""

    model: SemanticModel
    plan: Plan
    found: Sequence[Segment]
    evidence: Evidence
    templates: Templates
    prompt: Prompt
    text: str

    @property
    def classes(self) -> frozenset[str]:
        """The record classes that it stands on."""
        return classes_read(self.model, self.plan)

    def to_json(self, outward: Outward, faults: Sequence[Fallen]) -> Mapping[str, Json]:
        """In its masked form: claims are told by their templates, values by the records that they stand in."""
        blocks = [*blocks_of(self.found)]
        return {
            "question": outward.text(self.text),
            "claims": [self._claim(block) for block in blocks],
            "evidence": [self._record(record, outward) for record in self._spoken_of(blocks)],
            "connectives": [*self._connectives()],
            "faults": [{"rule": each.rule, "about": each.about[:_LONGEST]} for each in faults],
        }

    def _claim(self, block: Block) -> dict[str, Json]:
        lead = block.lead
        return {
            "claim": lead.name,
            "records": dict(lead.slots),
            "essential": block.essential,
            "says": _words(self.templates[lead.name]),
            "items": len(block.claims) - 1,
        }

    def _record(self, record: Record, outward: Outward) -> dict[str, Json]:
        printed = {name: text for name, value in record.values.items() if (text := print_value(record, value))}
        measured = record.kind == "measure"
        classes = self.classes if measured else frozenset({self.model[record.entity].record_class})
        fields: dict[str, Json] = {**outward.fields(record, printed, classes)}
        return {"id": record.id, "entity": record.entity, "fields": fields}

    def _spoken_of(self, blocks: Sequence[Block]) -> Sequence[Record]:
        """The records that the first claims of the blocks speak of before those of their items."""
        records = self.evidence.by_id()
        claims = [*(block.lead for block in blocks), *(claim for block in blocks for claim in block.claims)]
        about = dict.fromkeys(ident for claim in claims for ident in claim.about if ident in records)
        return [records[ident] for ident in [*about][:_MOST_RECORDS]]

    def _connectives(self) -> Iterator[dict[str, Json]]:
        allowed = self.prompt.boundaries.claims
        for name, template in self.templates.items():
            if name.startswith(CONNECTIVE) and (allowed is None or name in allowed):
                yield {"id": name.removeprefix(CONNECTIVE), "text": _words(template)}


def _words(template: ClaimTemplate) -> str:
    """A template as its file has it."""
    slots = (f"{{{slot.record}.{slot.field}}}" for slot in template.slots)
    return "".join(piece for pair in zip_longest(template.literals, slots, fillvalue="") for piece in pair)


def _may_offer(prompt: Prompt, blocks: Sequence[Block]) -> bool:
    """Whether a prompt may speak of every claim that has to be said."""
    allowed = prompt.boundaries.claims
    return allowed is None or allowed >= {name for block in blocks for c in block.claims for name in c.templates}


def _unverified(arranged: Arranged, verify: Verify) -> tuple[Fallen, ...]:
    found = verify(arranged.draft) if arranged.draft else ()
    return tuple(Fallen(each.rule, each.claim) for each in found)


def _read(said: Said) -> tuple[Entry, ...]:
    return read_entries(said.calls)
