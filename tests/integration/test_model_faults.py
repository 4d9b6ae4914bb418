"""A model over the wire, in every form that it may answer in and every way in which it may fail."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from copilot.domain.json import Json
from copilot.domain.redaction import Masked
from copilot.errors import ModelError
from copilot.models.configured import Configured, Served
from copilot.models.openai_compatible import OpenAiCompatible
from copilot.models.pool import Asker, Models
from copilot.models.saying import Call, Message, Request, Said, Tool
from evals.models.faulty import FAULTS, FaultyModel, faulty_model
from tests.unit.test_models import Clock, Purse, anywhere

ARGUMENTS: Mapping[str, Json] = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
FIND = Tool(name="find", purpose="Find an order.", arguments=ARGUMENTS)
REQUEST = Request(
    messages=(Message("system", Masked("Call.")), Message("user", Masked("SO-1?"))), tools=(FIND,), seed=7
)
CALLED = Said(calls=(Call("find", {"number": "SO-1"}),), tokens=(10, 5))
Answers = Literal["tools", "schema", "text"]


def reply(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Calls the tool in the form that the request asks for."""
    arguments = json.dumps({"number": "SO-1"})
    if body.get("tools"):
        called = {"id": "t", "type": "function", "function": {"name": "find", "arguments": arguments}}
        return {"content": None, "tool_calls": [called]}
    return {"content": f'```json\n{{"tool": "find", "arguments": {arguments}}}\n```'}


def guard(text: str) -> list[str]:
    del text
    return []


@asynccontextmanager
async def speaking(at: FaultyModel, /, **more: Any) -> AsyncGenerator[OpenAiCompatible]:
    served = Served.model_validate(
        {"url": at.address, "model": "m", "runs": "house", "seconds": 2, "retries": 0} | more
    )
    speaker = OpenAiCompatible(served, None, guard)
    try:
        yield speaker
    finally:
        await speaker.aclose()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("answers", ["tools", "schema", "text"])
async def test_a_call_comes_in_whichever_form_the_model_knows(answers: Answers, streams: bool) -> None:  # noqa: FBT001
    bodies: list[Mapping[str, Any]] = []

    def noted(body: Mapping[str, Any]) -> Mapping[str, Any]:
        bodies.append(body)
        return reply(body)

    async with faulty_model(noted) as model, speaking(model, answers=answers, streams=streams) as speaker:
        said = await speaker.say(REQUEST)
    assert (said.calls, said.tokens) == (CALLED.calls, CALLED.tokens)
    [body] = bodies
    assert ("tools" in body, "response_format" in body) == (answers == "tools", answers == "schema")
    assert (body["seed"], body["max_tokens"], body["temperature"]) == (7, 1000, 0.0)


async def test_an_azure_deployment_is_asked_at_its_address() -> None:
    async with faulty_model(reply) as model:
        where = {"url": model.address.removesuffix("/v1"), "service": "azure", "api_version": "2025-04-01-preview"}
        async with speaking(model, **where) as speaker:
            assert (await speaker.say(REQUEST)).calls == CALLED.calls
        assert model.paths == ["/openai/deployments/m/chat/completions?api-version=2025-04-01-preview"]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("way", FAULTS)
async def test_whatever_a_model_does_the_rules_go_on_in_time(way: str, streams: bool) -> None:  # noqa: FBT001
    async with faulty_model(reply) as model:
        told = {"url": model.address, "model": "m", "runs": "house", "seconds": 0.4, "retries": 0, "streams": streams}
        served = Served.model_validate(told)
        speaker = OpenAiCompatible(served, None, guard)
        configured = Configured.model_validate({"models": {"m": served}, "tasks": {"plan": {"models": ["m"]}}})
        models = Models(configured, {"m": speaker}, Purse(), Clock())
        model.way = way

        async def made(_: str, __: Served) -> Request:
            return REQUEST

        def calls(said: Said) -> tuple[Call, ...]:
            return said.calls

        asker = Asker(subject="rep.us", roles=(), allows=anywhere)
        tried = [await models.say("plan", made, calls, asker) for _ in range(7)]
        assert all(heard.said is None for heard in tried)
        assert [heard.attempts[0].came for heard in tried[5:]] == ["resting", "resting"]
        assert model.requests <= 5
        assert all(heard.attempts[0].elapsed_ms < 5_000 for heard in tried)  # against hanging
        await models.aclose()


async def test_nobody_listens() -> None:
    async with faulty_model(reply) as model:
        pass
    async with speaking(model) as speaker:
        with pytest.raises(ModelError, match="could not be asked"):
            await speaker.say(REQUEST)


async def test_what_is_busy_once_is_asked_again() -> None:
    async with faulty_model(reply) as model, speaking(model, retries=2) as speaker:
        model.ways = ["busy", "broken"]
        assert (await speaker.say(REQUEST)).calls == CALLED.calls
        assert model.requests == 3


@pytest.mark.parametrize(
    "usage", [{"prompt_tokens": -5, "completion_tokens": 3}, {"prompt_tokens": "many", "completion_tokens": 3}, None]
)
async def test_a_count_that_is_none_is_not_believed(usage: Json) -> None:
    async with faulty_model(reply) as model, speaking(model) as speaker:
        model.usage = usage
        assert (await speaker.say(REQUEST)).tokens is None


async def test_the_doctor_hears_which_models_are_there() -> None:
    async with faulty_model(reply) as model, speaking(model) as there, speaking(model, model="other") as missing:
        await there.reach()
        with pytest.raises(ModelError, match="no model 'other'; it has m"):
            await missing.reach()
        model.way = "broken"
        with pytest.raises(ModelError, match="could not be asked"):
            await there.reach()
    async with speaking(model) as gone:
        with pytest.raises(ModelError, match="could not be asked"):
            await gone.reach()
