"""Which record classes a plan reads, whatever it finds: for the record of what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from copilot.domain.plan import Attributes, Computation, Figures, Listing, Plan, RecordQuery, Step, Survey
from copilot.retrieval.figures import classes_of
from copilot.semantic.model import SemanticModel
from copilot.semantic.queries import compile_figures, compile_list


def classes_read(model: SemanticModel, plan: Plan) -> frozenset[str]:
    """The record classes that the steps of a plan read, those of the questions before it in one message included."""
    return frozenset(name for part in (*plan.before, plan) for step in part.steps for name in _of(model, step))


def _of(model: SemanticModel, step: Step) -> Iterator[str]:
    match step:
        case RecordQuery():
            yield model[step.entity].record_class
        case Listing():
            yield from classes_of(model, compile_list(model, step.query))
        case Figures():
            yield from classes_of(model, compile_figures(model, step.query))
        case Attributes():
            yield model[step.entity].record_class
            yield from (model[each.entity].record_class for each in step.attributes)
        case Survey():
            yield from (model[entity].record_class for entity in step.reads)
        case Computation():
            return  # of what other steps read
        case _:
            assert_never(step)
