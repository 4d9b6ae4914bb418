"""The sorts of variations, and how many of each have to be answered rightly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from evals.proofs.variations.rewording import courteous, figures_only, moved, numbered, paraphrased, reworded
from evals.proofs.variations.slipping import (
    Draw,
    apostrophe,
    capitals,
    doubled,
    dropped,
    ending,
    in_a_name,
    misspelt,
    neighbour,
    no_blank,
    swapped,
    umlaut,
)
from evals.proofs.variations.typed import Lexicon, Typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """A sort of variation, and the share of its answerable cases that is to be right."""

    draw: Draw
    least: float


def _as_written(message: Typed, lexicon: Lexicon, random: Random) -> str:
    """What all others are compared with."""
    del lexicon, random
    return message.text


SORTS: Mapping[str, Sort] = {
    "as_written": Sort(draw=_as_written, least=0.93),
    "neighbour_key": Sort(draw=neighbour, least=0.8),
    "swapped_letters": Sort(draw=swapped, least=0.8),
    "dropped_letter": Sort(draw=dropped, least=0.8),
    "doubled_letter": Sort(draw=doubled, least=0.8),
    "misspelt": Sort(draw=misspelt, least=0.8),
    "missing_blank": Sort(draw=no_blank, least=0.8),
    "slip_in_name": Sort(draw=in_a_name, least=0.8),
    "capitals": Sort(draw=capitals, least=0.9),
    "apostrophe": Sort(draw=apostrophe, least=0.8),
    "umlaut": Sort(draw=umlaut, least=0.9),
    "ending": Sort(draw=ending, least=0.9),
    "loose_number": Sort(draw=numbered, least=0.9),
    "figures_only": Sort(draw=figures_only, least=0.8),
    "courtesy": Sort(draw=courteous, least=0.9),
    "paraphrase": Sort(draw=paraphrased, least=0.9),
    "two_paraphrases": Sort(draw=reworded, least=0.9),
    "reordered": Sort(draw=moved, least=0.9),
}
