"""What becomes of a text on its way out, for somebody who tries one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType, get_args

Audience = Literal["models", "providers", "logs", "exports"]
"""A model in the house, one of a provider outside, what is logged or put on record, and files that are handed out."""
AUDIENCES: tuple[Audience, ...] = get_args(Audience)
Masked = NewType("Masked", str)
"""A text that was masked for an audience; a model is told nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """One piece of a text: what it is, what tells so, how much the audience sees of it, and what stands for it."""

    begin: int
    end: int
    text: str
    kind: str
    why: str
    shown: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionTrial:
    """A text as an audience would get it, and each piece that was looked at twice, in order."""

    masked: str
    pieces: tuple[Masking, ...]
    uncovered: tuple[str, ...] = ()
    """The kinds that no record knows and that would take a model to be found, in order; there is none."""
