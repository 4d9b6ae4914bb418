"""The steps of a plan as JSON and back: what was read and worked out for an answer, to verify it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, cast

from copilot.domain import plan, query
from copilot.domain.json import Json
from copilot.domain.kept import Form, read, to_kept
from copilot.domain.plan import Step

_CLASSES: Mapping[str, type] = {
    each.__name__: each
    for each in (
        plan.RecordQuery, plan.Filter, plan.StepField, plan.Computation, plan.Listing, plan.Figures, plan.Attributes,
        plan.Attribute, plan.Survey, query.Query, query.Compare, query.Relate, query.Linked, query.AnyOf, query.Figure,
        query.Group, query.Order, query.Having,
    )
}  # fmt: skip
_ENUMS: Mapping[str, type[Enum]] = {
    each.__name__: each for each in (plan.Operator, query.Is, query.Function, query.Bucket)
}
_FORM = Form(_CLASSES, _ENUMS)


def steps_to_json(steps: Sequence[Step]) -> list[Json]:
    """The steps in order."""
    return cast("list[Json]", to_kept((*steps,)))


def steps_from_json(kept: Any) -> tuple[Step, ...]:
    """What `steps_to_json` told. Raises KeyError, TypeError or ValueError for anything else."""
    return cast("tuple[Step, ...]", read(kept, _FORM))
