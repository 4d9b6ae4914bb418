"""Puts the models together that are set up; nothing is loaded for them where there are none."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from copilot.domain.clock import Clock
from copilot.domain.redaction import Audience
from copilot.errors import SettingsError
from copilot.masking.pseudonyms import Pseudonyms
from copilot.policy.policy import Policy
from copilot.settings import Settings
from copilot.store.model_use import ModelUse

if TYPE_CHECKING:
    from copilot.ask import Asking
    from copilot.helped.consulting import Prompts
    from copilot.helped.help import DraftHelp, PlanHelp
    from copilot.models.configured import Served
    from copilot.models.pool import Models


def set_up(
    settings: Settings,
    use: ModelUse,
    pseudonyms: Pseudonyms,
    policy: Callable[[], Policy],
    clock: Clock,
    environment: Mapping[str, str] | None = None,
) -> Models | None:
    """The models of the settings' file; None where there is no such file, and the rules answer alone.

    `policy` gives the one that was last in force: what leaves is looked at by it. Raises SettingsError for a file that
    is not well formed, and for a key that is not there.
    """
    if settings.models_file is not None and not settings.models_file.exists():
        raise SettingsError(f"COPILOT_MODELS names {str(settings.models_file)!r}, and there is no such file")
    if not settings.models.exists():
        return None
    from copilot.models.configured import read_models
    from copilot.models.openai_compatible import OpenAiCompatible
    from copilot.models.pool import Models

    configured = read_models(settings.models)
    known = os.environ if environment is None else environment
    speakers = {
        name: OpenAiCompatible(served, _key(name, served, known), partial(_held, pseudonyms, policy, served.audience))
        for name, served in configured.models.items()
    }
    return Models(configured, speakers, use, clock)


def help_of(models: Models | None, prompts: Prompts, parts: Asking) -> tuple[PlanHelp, DraftHelp] | tuple[None, None]:
    """What asks the models to put questions in our terms, and answers in order; nothing where there are none."""
    if models is None:
        return None, None
    from copilot.helped.consulting import Consulting
    from copilot.helped.drafting import DraftingHelp
    from copilot.helped.planning import PlanningHelp

    consulting = Consulting(models=models, prompts=prompts, pseudonyms=parts.pseudonyms)
    planning = PlanningHelp(consulting=consulting, database=parts.database, model=parts.model, clock=parts.clock)
    return planning, DraftingHelp(consulting=consulting, model=parts.model)


def _key(name: str, served: Served, environment: Mapping[str, str]) -> str | None:
    if not served.key:
        return None
    key = environment.get(served.key)
    if not key:
        raise SettingsError(f"the model {name!r} takes its key from {served.key!r}, and that variable is not set")
    return key


def _held(pseudonyms: Pseudonyms, policy: Callable[[], Policy], audience: Audience, text: str) -> Sequence[str]:
    """The kinds of what may not leave in a text, under the policy that was last in force."""
    return pseudonyms.guard(policy(), audience)(text)
