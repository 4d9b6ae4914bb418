"""Whether questions can be answered, and whether the models help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from copilot.domain.json import Json
from copilot.domain.model_calls import ModelState


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is needed for an answer, and what only helps: without any model the rules answer."""

    components: Mapping[str, str]
    """Component -> "ok" or what is wrong, in words fit for anybody."""
    models: tuple[ModelState, ...] = ()

    @property
    def status(self) -> Literal["ok", "degraded", "unavailable"]:
        """`degraded` where all is answered, but a model that is to help does not."""
        if any(state != "ok" for state in self.components.values()):
            return "unavailable"
        return "ok" if all(model.well for model in self.models) else "degraded"

    @property
    def by_rules(self) -> tuple[str, ...]:
        """The tasks of models that the rules do alone now, because none of their models is well."""
        tasks = dict.fromkeys(task for model in self.models for task in model.tasks)
        helped = {task for model in self.models if model.well for task in model.tasks}
        return tuple(task for task in tasks if task not in helped)

    def to_json(self) -> dict[str, Json]:
        """The wire form."""
        return {
            "status": self.status,
            "components": dict(self.components),
            "models": [model.to_json() for model in self.models],
            "by_rules": [*self.by_rules],
        }
