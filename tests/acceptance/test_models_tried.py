"""The doctor tries the models that are set up, and the health of the running copilot tells of them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from copilot.channels.commands import doctor
from copilot.domain.question import Question, SessionSubject
from copilot.wiring import Runtime
from copilot.wiring.models import help_of, set_up
from evals.models.faulty import FaultyModel, faulty_model
from evals.proofs.model_faults.asked import well
from tests.company import ask

KEY = "sk-never-to-be-shown"


@asynccontextmanager
async def with_models(
    runtime: Runtime, at: FaultyModel, folder: Path, told: Mapping[str, Any] | None = None, **served: Any
) -> AsyncGenerator[Runtime]:
    """The copilot with one model at a service, for both tasks."""
    file = folder / "models.yaml"
    one = {"url": at.address, "model": "m", "runs": "house", "seconds": 2, "retries": 0, "key": "A_KEY", **served}
    tasks = {"plan": {"models": ["house"], "within": 5}, "draft": {"models": ["house"], "within": 5}}
    file.write_text(json.dumps({"models": {"house": one}, "tasks": tasks, **(told or {})}))
    asking = runtime.asking
    settings = replace(runtime.settings, models_file=file)
    models = set_up(
        settings, runtime.model_use, asking.pseudonyms, runtime.policy.last, runtime.clock, {"A_KEY": KEY}
    )  # fmt: skip
    assert models is not None
    planning, drafting = help_of(models, runtime.prompts, asking)
    try:
        yield replace(runtime, models=models, asking=replace(asking, planning=planning, drafting=drafting))
    finally:
        await models.aclose()


async def tried(runtime: Runtime) -> dict[str, str | None]:
    """Model and task -> None, or what the doctor says is wrong."""
    assert runtime.models is not None
    found = [each async for each in doctor._tried(runtime, runtime.models)]
    assert KEY not in str(found)
    return {name.partition(" (")[0].removeprefix("model: house, "): fault for name, fault in found}


@pytest.mark.parametrize("answers", ["tools", "schema", "text"])
async def test_the_doctor_tries_each_task_in_the_form_that_is_set(
    runtime: Runtime, tmp_path: Path, answers: str
) -> None:
    bodies: list[Mapping[str, Any]] = []

    def noted(body: Mapping[str, Any]) -> Mapping[str, Any]:
        bodies.append(body)
        return well(body)

    async with faulty_model(noted) as model, with_models(runtime, model, tmp_path, answers=answers) as copilot:
        assert await tried(copilot) == {"plan": None, "draft": None}
        assert copilot.models is not None
        names = [name async for name, _ in doctor._tried(copilot, copilot.models)]
    assert all(f"10 tokens in, 5 out, answers: {answers})" in name for name in names)
    assert {"tools" in body for body in bodies} == {answers == "tools"}


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("hang", "no answer within 0.5 s; give it more `seconds`"),
        ("broken", "status 500"),
        ("busy", "asked too often"),
        ("other_tool", "there is no such tool; it has `answers: tools`, and another may suit it"),
        ("reset", "could not be asked"),
    ],
)
async def test_the_doctor_says_what_is_wrong_and_what_to_change(
    runtime: Runtime, tmp_path: Path, way: str, said: str
) -> None:
    async with faulty_model(well) as model, with_models(runtime, model, tmp_path, seconds=0.5) as copilot:
        model.way = way
        found = await tried(copilot)
    assert {*found} == {"plan", "draft"}
    assert all(said in (fault or "") for fault in found.values()), found


async def test_the_doctor_counts_to_the_budget(runtime: Runtime, tmp_path: Path) -> None:
    budgets = {"budgets": [{"per": "person", "tokens": 20}]}
    async with faulty_model(well) as model, with_models(runtime, model, tmp_path, budgets) as copilot:
        found = await tried(copilot)
        assert model.requests == 0
    assert all("the budget of today for person 'doctor'" in (fault or "") for fault in found.values()), found


async def test_health_tells_of_a_model_that_rests_and_a_chat_keeps_the_mark(runtime: Runtime, tmp_path: Path) -> None:
    text = "how many slipslided orders are there"
    plain = await ask(runtime, "rep.us", text)
    async with faulty_model(well) as model, with_models(runtime, model, tmp_path) as copilot:
        assert (await copilot.health()).status == "ok"
        model.way = "broken"
        answers = [
            await copilot.ask(Question(text=text, channel="web"), SessionSubject("rep.us")) for _ in range(6)
        ]  # fmt: skip
        health = await copilot.health()
        kept = await copilot.reopen(SessionSubject("rep.us"), answers[0].conversation, 0)
    assert [each.fallback for each in answers] == [*["failed"] * 5, "resting"]
    assert {(each.answer, each.engine) for each in answers} == {(plain.answer, "rules")}
    assert (health.status, health.by_rules) == ("degraded", ("plan", "draft"))
    told = health.to_json()
    assert told["models"] == [
        {
            "model": "house", "tasks": ["plan", "draft"], "breaker": "open", "since": "2026-11-20T15:00:00+00:00",
            "last_failure": "failed", "over_budget": False,
        }
    ]  # fmt: skip
    assert not any(each in str(told) for each in (KEY, "127.0.0.1", "http"))
    assert (kept.answer, kept.mark) == (plain.answer, answers[0].mark)


async def test_an_answer_that_a_model_helped_with_says_so_when_it_is_opened_again(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with faulty_model(well) as model, with_models(runtime, model, tmp_path) as copilot:
        text = "how many slipslided orders are there"
        answer = await copilot.ask(Question(text=text, channel="web"), SessionSubject("rep.us"))
        kept = await copilot.reopen(SessionSubject("rep.us"), answer.conversation, 0)
    assert (answer.engine, answer.fallback) == (kept.engine, kept.fallback) == ("model", None)
