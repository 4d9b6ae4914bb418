"""Each case: one way to fail, streamed or whole, for one task. Several people ask until the breaker is open and after;
then the model is well again. Beside it a second model that helps where the first fails, and budgets that run out."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import yaml

from copilot.ask import Asking
from copilot.domain.answer import Answer
from copilot.domain.json import Json
from copilot.domain.question import Question, SessionSubject
from copilot.errors import ModelError
from copilot.models.configured import Configured, Task
from copilot.models.pool import Models
from copilot.models.scripted import Scripted
from copilot.semantic.language import speaking
from copilot.store.model_use import ModelUse
from copilot.wiring import Runtime
from copilot.wiring.models import help_of, set_up
from evals.company import NOW, TEMPLATE, open_company, running
from evals.models.faulty import FAULTS, WELL, FaultyModel, faulty_model
from evals.proofs.model_faults.asked import TASKS, Asked, draft_questions, plan_questions, well
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

_REFUSES = "refuse"
_WAYS = (_REFUSES, *FAULTS)
_FORMS = ("tools", "schema", "text")
_ROUNDS = 2
_SAMPLE = 8
_SECONDS = 2.0
_WITHIN = 5.0
_MARGIN = 3.0
"""What the rules and the database may take beside, on a machine that is busy with other things."""
_OPENS_AFTER = 5
_QUESTIONS = 7
_RESTED = timedelta(seconds=31)
_AT_LEAST = 4
_DOWN = "http://127.0.0.1:9/v1"
"""The port that is there to say nothing."""
_Said = tuple[str, str, str | None, tuple[object, ...], tuple[object, ...], tuple[object, ...]]


class _Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class _Heard:
    """One answer, and how long it took in seconds."""

    asked: Asked
    answer: Answer
    seconds: float


@dataclass(frozen=True, slots=True)
class _Scene:
    """One case: its models, the copilot that asks them, and the services that they are."""

    models: Models
    line: Asking
    clock: _Clock
    first: FaultyModel
    second: FaultyModel
    task: Task

    async def ask(self, asked: Asked) -> _Heard:
        """One question, from its words to its answer."""
        began = time.monotonic()
        answer = await self.line.ask(Question(text=asked.text, channel="api"), SessionSubject(asked.subject))
        return _Heard(asked, answer, time.monotonic() - began)


@dataclass(slots=True)
class ModelFaultTrial:
    """The opened suite: one company, whose answers by the rules alone are known."""

    runtime: Runtime
    dsn: str
    home: Path
    by_rules: Mapping[Asked, Answer]
    questions: Mapping[Task, Sequence[Asked]]
    seed: int
    cases: Sequence[str]

    async def run(self, case: str) -> Result:
        """What comes of one way to fail; the case names what is tried, the task, the way and whether it streams."""
        what, task, way, streams, _ = case.split()
        draw = Random(f"{self.seed} {case}")
        found: Task = "plan" if task == "plan" else "draft"
        self._admin("truncate state.model_use")
        run = {"faults": self._fails, "second": self._helped_by_the_second, "budget": self._runs_out}[what]
        asked = draw.sample([*self.questions[found]], len(self.questions[found]))
        told: dict[str, Any] = {"streams": streams == "streamed", "answers": draw.choice(_FORMS)}
        if way in ("busy", "broken"):
            told["retries"] = draw.choice((0, 1))
        with speaking(self.runtime.language):
            async with self._scene(found, way, told, second=what == "second", budget=what == "budget") as scene:
                failures, counts = await run(scene, asked, int(told.get("retries", 0)))
        counts["requests"] += scene.first.requests + scene.second.requests
        return Result(case=case, failures=tuple(failures[:_QUESTIONS]), counts={**counts}, tried=counts["questions"])

    async def _fails(self, scene: _Scene, asked: Sequence[Asked], retries: int) -> tuple[list[str], Counter[str]]:
        """The rules answer, marked, until the breaker opens and after; then the model is well, and helps."""
        heard = [await scene.ask(each) for each in islice(cycle(asked), _QUESTIONS)]
        failures = [fault for each in heard for fault in self._faults(each)]
        failures += [f"marked {h.answer.fallback}, not as failed" for h in heard[:_OPENS_AFTER] if _rests(h)]
        failures += [f"marked {h.answer.fallback}, not as resting" for h in heard[_OPENS_AFTER:] if not _rests(h)]
        [state] = await scene.models.states()
        if (state.breaker, state.since) != ("open", scene.clock.now):
            failures.append(f"the breaker is {state.breaker} since {state.since}")
        if scene.first.requests > _OPENS_AFTER * (1 + retries):
            failures.append(f"{scene.first.requests} requests before the breaker was open")
        counts = _counted(heard)
        if scene.first.address:
            failures += await self._well_again(scene, asked[0], counts)
        return failures, counts

    async def _well_again(self, scene: _Scene, asked: Asked, counts: Counter[str]) -> list[str]:
        scene.clock.now += _RESTED
        scene.first.way = WELL
        heard = await scene.ask(asked)
        counts.update(questions=1, well_again=int(heard.answer.engine == "model"))
        [state] = await scene.models.states()
        return [*self._helped_faults(heard), *([] if state.breaker == "closed" else [f"{state.breaker} when well"])]

    async def _helped_by_the_second(
        self, scene: _Scene, asked: Sequence[Asked], retries: int
    ) -> tuple[list[str], Counter[str]]:
        """The second model answers, whatever the first does."""
        del retries
        heard = [await scene.ask(each) for each in asked[:2]]
        failures = [fault for each in heard for fault in self._helped_faults(each)]
        if scene.second.requests < len(heard):
            failures.append(f"the second model was asked {scene.second.requests} times for {len(heard)} questions")
        counts = _counted(heard)
        counts["by_second"] += sum(each.answer.engine == "model" for each in heard)
        return failures, counts

    async def _runs_out(self, scene: _Scene, asked: Sequence[Asked], retries: int) -> tuple[list[str], Counter[str]]:
        """Many ask at once what no budget has room for: who finds none is answered by the rules, and none is
        overdrawn."""
        del retries
        heard = await asyncio.gather(*(scene.ask(each) for each in islice(cycle(asked), _QUESTIONS)))
        used = [row[0] for row in self._admin("select tokens from state.model_use where per = 'company'")]
        failures = [
            f"{tokens} tokens of {_budget(scene.task)} are used" for tokens in used if tokens > _budget(scene.task)
        ]
        failures += [
            fault for each in heard if each.answer.engine == "rules" for fault in self._faults(each, crowd=True)
        ]
        over = [each for each in heard if each.answer.fallback == "over_budget"]
        failures += [] if over else ["no question found the budget used up"]
        counts = _counted(heard)
        counts["over_budget"] += len(over)
        return failures, counts

    def _faults(self, heard: _Heard, *, crowd: bool = False) -> list[str]:
        """What is wrong with an answer that the rules gave; who asked at once with many others waited for those."""
        told = f"{heard.asked.subject}: {heard.asked.text!r}"
        plain, found = self.by_rules[heard.asked], list[str]()
        if _said(heard.answer) != _said(plain):
            found.append(f"{told} was answered {heard.answer.answer!r:.200}, and by the rules {plain.answer!r:.200}")
        if (heard.answer.engine, heard.answer.fallback is None) != ("rules", False):
            found.append(f"{told} is marked {heard.answer.engine} {heard.answer.fallback}")
        if heard.seconds > _WITHIN + _MARGIN * (_QUESTIONS if crowd else 1):
            found.append(f"{told} took {heard.seconds:.1f} s")
        return found

    def _helped_faults(self, heard: _Heard) -> list[str]:
        told, plain = f"{heard.asked.subject}: {heard.asked.text!r}", self.by_rules[heard.asked]
        found = [] if heard.answer.mark.engine == "model" else [f"{told} is marked {heard.answer.mark}"]
        if heard.answer.fallback:
            found.append(f"{told} was helped, and is marked {heard.answer.fallback}")
        if {fact.ref: fact.value for fact in heard.answer.facts} != {fact.ref: fact.value for fact in plain.facts}:
            found.append(f"{told} has other facts than by the rules")
        if heard.seconds > 2 * _WITHIN + _MARGIN:  # a draft may be mended in a second round
            found.append(f"{told} took {heard.seconds:.1f} s")
        return found

    @asynccontextmanager
    async def _scene(
        self, task: Task, way: str, told: Mapping[str, Any], *, second: bool, budget: bool
    ) -> AsyncGenerator[_Scene]:
        async with AsyncExitStack() as stack:
            services = [await stack.enter_async_context(faulty_model(well)) for _ in range(2)]
            first, other = services
            first.way = WELL if way == _REFUSES else way
            where = _DOWN if way == _REFUSES else first.address
            served = {"model": "m", "runs": "house", "seconds": _SECONDS, "retries": 0, **told}
            models = {"first": {**served, "url": where}, "second": {**served, "url": other.address}}
            names = [*models][: 2 if second else 1]
            file = self.home / "models.yaml"
            file.write_text(
                yaml.safe_dump({
                    "models": {name: models[name] for name in names},
                    "tasks": {task: {"models": names, "within": _WITHIN}},
                    "budgets": [{"per": "company", "tokens": _budget(task)}] if budget else [],
                })
            )  # fmt: skip
            if way == _REFUSES:
                first.address = ""
            clock, asking = _Clock(), self.runtime.asking
            use = ModelUse(self.runtime.database, clock)
            settings = replace(self.runtime.settings, models_file=file)
            found = set_up(settings, use, asking.pseudonyms, self.runtime.policy.last, clock, {})
            assert found is not None  # noqa: S101 -- the file was written just now
            stack.push_async_callback(found.aclose)
            planning, drafting = help_of(found, self.runtime.prompts, asking)
            line = replace(await self.runtime.line(), planning=planning, drafting=drafting)
            yield _Scene(found, line, clock, first, other, task)

    def _admin(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as admin:
            cursor = admin.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """Answers by the rules prove nothing where the model that was well did not help, or no budget ran out."""
        met = counts.get("well_again", 0) > 0 and counts.get("by_second", 0) > 0 and counts.get("over_budget", 0) > 0
        more: dict[str, Json] = {
            "ways": [*_WAYS], "seconds_within": _WITHIN, "seconds_margin": _MARGIN, "opens_after": _OPENS_AFTER,
        }  # fmt: skip
        return Finding(met=met, more=more)


def _budget(task: Task) -> int:
    """Room for some requests of a task and not for as many as are made."""
    return 40_000 if task == "plan" else 6_000


def _rests(heard: _Heard) -> bool:
    return heard.answer.fallback == "resting"


def _said(answer: Answer) -> _Said:
    """What a person sees of an answer."""
    keys = tuple((source.id, source.entity, source.key) for source in answer.sources)
    return answer.answer, answer.verdict.value, answer.reason, answer.facts, answer.choices, keys


def _counted(heard: Sequence[_Heard]) -> Counter[str]:
    counts: Counter[str] = Counter(f"marked_{each.answer.fallback or each.answer.engine}" for each in heard)
    declined = sum(each.answer.verdict.value == "declined" for each in heard)
    return counts + Counter(questions=len(heard), declined=declined, answered=len(heard) - declined)


async def _wanted(runtime: Runtime, task: Task, asked: Sequence[Asked]) -> tuple[Asked, ...]:
    """The questions for which a model is asked at all."""
    told = {
        "models": {"m": {"url": _DOWN, "model": "m", "runs": "house"}},
        "tasks": {task: {"models": ["m"]}},
    }
    found: list[Asked] = []
    with speaking(runtime.language):
        for each in asked:
            model = Scripted([ModelError("down")])
            use = ModelUse(runtime.database, runtime.clock)
            models = Models(Configured.model_validate(told), {"m": model}, use, runtime.clock)
            planning, drafting = help_of(models, runtime.prompts, runtime.asking)
            line = replace(await runtime.line(), planning=planning, drafting=drafting)
            await line.ask(Question(text=each.text, channel="api"), SessionSubject(each.subject))
            found += [each] if model.asked else []
    if len(found) < _AT_LEAST or len({each.subject for each in found}) < _AT_LEAST:
        raise ValueError(f"for {task} a model is asked about {found} alone")
    return tuple(found)


def _cases(setting: Setting) -> list[str]:
    forms = ("whole", "streamed")
    cases = [f"faults {task} {way} {form}" for task in TASKS for way in _WAYS for form in forms]
    beside = [f"second {task} {way} whole" for task in TASKS for way in _WAYS]
    beside += [f"budget {task} {way} whole" for task in TASKS for way in (WELL, "hang", "busy")]
    if setting.sample:
        draw = Random(setting.seed)
        return [
            f"{each} 0"
            for each in (*draw.sample(cases, _SAMPLE), *draw.sample(beside[: 2 * len(_WAYS)], 2), beside[-6])
        ]
    return [f"{each} {number}" for number in range(_ROUNDS) for each in (*cases, *beside)]


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_company() as company, running(company, TEMPLATE, company.home) as runtime:
        dsn = company.dsn(TEMPLATE)
        questions: dict[Task, tuple[Asked, ...]] = {
            "plan": await _wanted(runtime, "plan", plan_questions()),
            "draft": await _wanted(runtime, "draft", await draft_questions(dsn)),
        }
        with speaking(runtime.language):
            line = await runtime.line()
            by_rules = {
                each: await line.ask(Question(text=each.text, channel="api"), SessionSubject(each.subject))
                for all_ in questions.values() for each in all_
            }  # fmt: skip
        yield ModelFaultTrial(runtime, dsn, company.home, by_rules, questions, setting.seed, _cases(setting))


MODEL_FAULTS = Suite(
    name="model-faults",
    goal="100% answered by the rules, marked and in time, whatever a model does; its breaker opens after at most 5",
    open=_open,
)
