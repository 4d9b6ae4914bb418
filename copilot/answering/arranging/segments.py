"""The parts of a draft that can be told in another order and stay true.

A segment begins with a claim that names what it speaks of, so segments stand wherever they like. Within one, everything
speaks of what its first claim names: sentences come in any order, and after them the lists, each behind its head.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.answering.draft import Claim
from copilot.domain.evidence import Evidence, Record
from copilot.semantic.forms import load_forms

_ITEM = "- "
_NAME = "name"


@dataclass(frozen=True, slots=True)
class Block:
    """Claims that stay together in their order: a sentence with those that speak on of it, or a head with its items."""

    claims: tuple[Claim, ...]

    @property
    def lead(self) -> Claim:
        """The claim by which a model speaks of the block."""
        return self.claims[0]

    @property
    def essential(self) -> bool:
        """Whether the answer is none without it."""
        return any(claim.essential for claim in self.claims)

    @property
    def is_list(self) -> bool:
        """Whether it ends with items."""
        return _is_item(self.claims[-1])


@dataclass(frozen=True, slots=True)
class Segment:
    """Blocks about what the first of them names."""

    blocks: tuple[Block, ...]


def segments(claims: Sequence[Claim], evidence: Evidence) -> tuple[Segment, ...]:
    """The segments of a draft in its order; the first claim begins one whatever it says."""
    records = evidence.by_id()
    found: list[list[list[Claim]]] = []
    for claim in claims:
        if not found or _stands_alone(claim, records):
            found.append([[claim]])
        elif _is_item(claim) or _leans(claim):
            found[-1][-1].append(claim)
        else:
            found[-1].append([claim])
    return tuple(Segment(tuple(Block(tuple(block)) for block in blocks)) for blocks in found)


def blocks_of(found: Sequence[Segment]) -> Iterator[Block]:
    """The blocks of all segments in order."""
    for segment in found:
        yield from segment.blocks


def _stands_alone(claim: Claim, records: Mapping[str, Record]) -> bool:
    """Whether a claim says by itself what it is about: it names every record that it says something of."""
    printed = [fact.ref.partition(".") for fact in claim.facts]
    told = {source for source, _, _ in printed}
    named = {source for source, _, name in printed if _names(records.get(source), name)}
    return bool(told) and told == named and not _is_item(claim) and not _leans(claim)


def _names(record: Record | None, name: str) -> bool:
    value = record.values.get(name) if record else None
    return value is not None and (value.type == "ident" or name == _NAME)


def _is_item(claim: Claim) -> bool:
    return claim.text.startswith(_ITEM)


def _leans(claim: Claim) -> bool:
    """Whether it begins with a word for what was said just before it."""
    return claim.text.partition(" ")[0] in load_forms().leaning
