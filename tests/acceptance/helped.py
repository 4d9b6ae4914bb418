"""A copilot whose model says what a script has for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from copilot.ask import Asking
from copilot.domain.answer import Answer
from copilot.domain.question import Question, SessionSubject
from copilot.errors import ModelError
from copilot.models.configured import Configured, Task
from copilot.models.pool import Models
from copilot.models.saying import Said
from copilot.models.scripted import Script, Scripted
from copilot.store.model_use import ModelUse
from copilot.wiring import Runtime
from copilot.wiring.models import help_of


async def with_model(runtime: Runtime, model: Scripted, *tasks: Task) -> Asking:
    """What answers a question with a model for some tasks."""
    told = {
        "models": {"m": {"url": "http://127.0.0.1:1/v1", "model": "m", "runs": "house"}},
        "tasks": {task: {"models": ["m"]} for task in tasks},
    }
    models = Models(
        Configured.model_validate(told), {"m": model}, ModelUse(runtime.database, runtime.clock), runtime.clock
    )
    planning, drafting = help_of(models, runtime.prompts, runtime.asking)
    return replace(await runtime.line(), planning=planning, drafting=drafting)


async def asked(
    runtime: Runtime, task: Task, subject: str, text: str, script: Script | Sequence[Said | ModelError]
) -> tuple[Answer, Scripted]:
    """An answer by the help of a model for one task, and the model."""
    model = Scripted(script)
    line = await with_model(runtime, model, task)
    return await line.ask(Question(text=text, channel="api"), SessionSubject(subject)), model
