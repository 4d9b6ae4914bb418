"""How channels say why an answer was made without the model that was to help."""

from __future__ import annotations

from collections.abc import Mapping

from copilot.domain.model_calls import Fallback

FALLBACKS: Mapping[Fallback, str] = {
    "resting": "which rests after failures",
    "slow": "which took too long",
    "failed": "which gave no answer",
    "over_budget": "of which today's budget is used up",
    "not_allowed": "which may not be told of this",
    "may_not_leave": "which may not be told of this",
    "refused": "which had nothing that holds",
}
"""As a clause about "the model"."""
