"""What a person may ask, told by what their role reads, and questions to try that work on the records they may see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from copilot.domain.answer import Verdict
from copilot.domain.claims import Outline
from copilot.domain.evidence import Record
from copilot.domain.plan import Choice, Plan
from copilot.domain.query import Query
from copilot.domain.scope import Scope
from copilot.manners.said import Line
from copilot.retrieval.figures import allowed
from copilot.semantic.forms import load_forms
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.semantic.model import SemanticModel
from copilot.semantic.queries import compile_figures
from copilot.understanding.kinds import Kind, load_kinds, make_step
from copilot.understanding.manners import manners_file

MOST_OFFERED = 6
_MOST_MEASURES = 5
_DRAWN = "drawn"
_NOTHING = Outline(groups=())


def topics(model: SemanticModel, scope: Scope) -> str:
    """What a person may ask about, in words; empty for one who may ask nothing."""
    said = [
        topic["says"]
        for topic in manners_file()["topics"]
        if any(answerable(model, load_kinds()[kind], scope) for kind in topic["kinds"])
        and all(scope.allows(model[entity].record_class) for entity in topic.get("reads", ()))
    ]
    return ", ".join(said[:-1]) + (load_forms().said["and"] if len(said) > 1 else "") + said[-1] if said else ""


def measures(model: SemanticModel, scope: Scope) -> str:
    """The titles of some measures that a scope lets be worked out, spread over what there is."""
    found = [kpi.title for kpi in load_kpis().values() if _measurable(model, kpi, scope)]
    step = max(1, len(found) // _MOST_MEASURES)
    return ", ".join(found[::step][:_MOST_MEASURES])


def answerable(model: SemanticModel, kind: Kind, scope: Scope) -> bool:
    """Whether a scope reads all that one of the kind's essential claims speaks of, and all that it must name."""
    essential = [spec for group in kind.outline.groups for spec in group.specs if spec.essential]
    named = all(scope.allows(model[entity].record_class) for entity in kind.required)
    specs = essential or [spec for group in kind.outline.groups for spec in group.specs]
    return named and any(all(_reads(model, kind, b.step, scope) for b in spec.bindings) for spec in specs)


async def offered(line: Line, scope: Scope) -> tuple[Choice, ...]:
    """Questions about records in scope, each of which was answered and verified just now."""
    found: list[Choice] = []
    for example in manners_file()["examples"]:
        if len(found) == MOST_OFFERED:
            break
        if answerable(line.model, load_kinds()[example["kind"]], scope) and (
            choice := await _first(line, example, scope)
        ):
            found.append(choice)
    return tuple(found)


async def _first(line: Line, example: Mapping[str, Any], scope: Scope) -> Choice | None:
    """The first of the questions drawn that is answered and verified."""
    async for question in _questions(line, example, scope):
        found = await line.plan(question, scope)
        if isinstance(found, Plan) and (await line.outcome(found, scope)).answer.verdict is Verdict.VERIFIED:
            return Choice(label=example["label"], question=question)
    return None


async def _questions(line: Line, example: Mapping[str, Any], scope: Scope) -> AsyncIterator[str]:
    steps = tuple(step for name, body in example["steps"].items() if (step := make_step(name, body, {})))
    drawn = Plan(kind="", references={}, steps=steps, outline=_NOTHING)
    for record in (await line.retrieve(drawn, scope, line.clock())).get(_DRAWN):
        if question := _filled(example["ask"], record):
            yield question


def _filled(asked: str, record: Record) -> str | None:
    number = record.raw("number")
    return asked.format(number=number) if number else None


def _reads(model: SemanticModel, kind: Kind, step: str, scope: Scope) -> bool:
    """Whether a scope reads what a step reads, and what it is computed from."""
    return all(scope.allows(model[entity].record_class) for entity in _entities(kind, step))


def _entities(kind: Kind, step: str) -> Iterator[str]:
    body = kind.steps.get(step, {})
    if "measure" in body:
        for name in body["inputs"]:
            yield from _entities(kind, name)
    elif body:
        yield body.get("history") or body["entity"]


def _measurable(model: SemanticModel, kpi: Kpi, scope: Scope) -> bool:
    query = Query(entity=kpi.entity, where=kpi.where, figures=(kpi.figure,))
    return allowed(model, compile_figures(model, query), scope)
