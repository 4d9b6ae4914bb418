"""The templates by which an answer was said: found again by hash among those shipped and those submitted here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from copilot.answering.made import Making
from copilot.errors import PromptNotInForceError, SettingsError
from copilot.replay.again import Words
from copilot.semantic.language import Language, find_language
from copilot.wiring.runtime import Runtime
from copilot.wiring.templates_in_force import Sentences, TemplatesInForce
from prompts.template import template_digest


async def words_then(runtime: Runtime, making: Making, language: Language, at: datetime) -> Words:
    """The templates that might be said at a moment. Where not all of them are known any more, those of now stand in for
    what no claim was rendered by; which of the claims' are gone, it tells."""
    sentences = runtime.sentences
    if language is not runtime.language:
        sentences = TemplatesInForce(runtime.prompts, language, runtime.asking.model)
    async with aclosing(_candidates(runtime, sentences, at)) as candidates:
        async for found in candidates:
            if found.decider.digest == making.said:
                return Words(templates=found.templates, shapes=found.shapes)
    now = await sentences()
    wanted = {(name, digest) for name, digest in making.templates.items()}
    every = sentences.every((await runtime.prompts.texts()).values())
    known = {each.name: each for each in every if (each.name, template_digest(each)) in wanted}
    gone = frozenset(making.templates.keys() - known.keys())
    return Words(templates={**now.templates, **known}, shapes={**now.shapes, **known}, gone=gone)


def language_of(runtime: Runtime, name: str) -> Language:
    """The language that an answer was made in. Raises SettingsError where it is not here."""
    if name == runtime.language.name:
        return runtime.language
    try:
        return find_language(name)
    except SettingsError as error:
        raise SettingsError(
            f"the answer was made in {name!r}, which is not shipped; set COPILOT_LANGUAGE to its folder"
        ) from error


async def _candidates(runtime: Runtime, sentences: TemplatesInForce, at: datetime) -> AsyncGenerator[Sentences]:
    yield await sentences()
    try:
        async with aclosing(runtime.prompts.earlier(at)) as earlier:
            async for approvals in earlier:
                yield sentences.of(approvals)
    except PromptNotInForceError:
        return
