"""A model that lies, behind an API as OpenAI's is: `erp-copilot lying-model`, and for proofs in the same process.

It answers what the copilot asks of models (a plan for a question, an order for an answer) by lies that it makes of what
it is told. The name of the model says which: a lie's name, a family's for any lie of it, `lying` for any at all, and
`truthful` for none.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

from copilot.channels.cli import Command, say
from copilot.domain.json import Json
from evals.lying.drafts import Insider, draft_lies
from evals.lying.plans import plan_lies
from evals.lying.told import Lie, Reply, Told, read_told
from evals.lying.truthful import TRUTHFUL, TRUTHS
from evals.models.wire import (
    END,
    STREAM,
    Event,
    chunk,
    completion,
    delta_event,
    encoded,
    listening,
    model_list,
    send_whole,
    stream_of,
)

ANY = "lying"
_USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
_NOTHING = Reply(text="I have nothing to say to that.")
Answer = Callable[[Told], Reply]


def all_lies(insider: Insider = tuple) -> tuple[Lie, ...]:
    """Every lie, and what is none: by unique names. `insider` gives numbers that whoever asks may not see."""
    return (*TRUTHS, *draft_lies(insider), *plan_lies(insider))


@dataclass(slots=True)
class LyingModel:
    """Where it listens, how it answers, and what it told so far."""

    lies: Sequence[Lie]
    seed: int = 1
    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """What answers as the models of these names."""
    requests: int = 0

    async def respond(self, path: str, body: Mapping[str, Any], writer: asyncio.StreamWriter) -> bool:
        """Answers one request; the connection goes on."""
        if path.endswith("/models"):
            return await send_whole(writer, 200, model_list(self.names()))
        if not path.endswith("/chat/completions"):
            return await send_whole(writer, 404, {"error": {"message": f"there is no {path:.80}"}})
        self.requests += 1
        reply = self._reply(body)
        message = _message(reply, body)
        if body.get("stream"):
            events = encoded(_events(message, reply), _USAGE)
            writer.write(STREAM + b"".join(map(chunk, events)) + END)
            await writer.drain()
            return True
        return await send_whole(writer, 200, completion(_whole(message, reply), _USAGE))

    def names(self) -> Iterator[str]:
        """What a model here may be called."""
        named = (ANY, *(lie.family for lie in self.lies), *(lie.name for lie in self.lies), *self.answers)
        yield from dict.fromkeys(named)

    def _reply(self, body: Mapping[str, Any]) -> Reply:
        told = read_told(body)
        if told is None:
            return _NOTHING
        name = str(body.get("model", ""))
        if name in self.answers:
            return self.answers[name](told)
        draw = Random(f"{self.seed} {self.requests}")
        fit = [lie for lie in self.lies if lie.task == told.task and _is_called(lie, name)]
        draw.shuffle(fit)
        return next((reply for lie in fit if (reply := lie.tell(told, draw))), _NOTHING)


def _is_called(lie: Lie, name: str) -> bool:
    return name in (lie.name, lie.family) or (name == ANY and lie.family != TRUTHFUL)


@asynccontextmanager
async def lying_model(lies: Sequence[Lie] | None = None, port: int = 0, seed: int = 1) -> AsyncGenerator[LyingModel]:
    """The model at an address of its own on this machine."""
    model = LyingModel(all_lies() if lies is None else lies, seed)
    async with listening(model.respond, port) as model.address:
        yield model


def _message(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply in the form that was asked for: calls of tools, or an object as text."""
    if body.get("tools") or not reply.calls:
        return {"content": reply.text or None, "tool_calls": [_call(n, *c) for n, c in enumerate(reply.calls)]}
    name, arguments = reply.calls[0]
    told = json.dumps({"tool": name, "arguments": arguments}) if not isinstance(arguments, str) else arguments
    return {"content": told + reply.text}


def _call(number: int, name: str, arguments: Json) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": text}}


def _events(message: Mapping[str, Any], reply: Reply) -> list[Event]:
    """The message in a stream, whose last piece before the end is what comes last."""
    *events, end = stream_of(message)
    return [*events, *([delta_event(_late(message, reply.last))] if reply.last else []), end]


def _whole(message: Mapping[str, Any], reply: Reply) -> Mapping[str, Any]:
    """The message in one piece, with what comes last put to it as a client of a stream would."""
    if not reply.last:
        return message
    late = _late(message, reply.last)
    calls = [{**each, "function": dict(each["function"])} for each in message.get("tool_calls") or ()]
    for more in cast("Sequence[Mapping[str, Any]]", late.get("tool_calls", ())):
        if more["index"] < len(calls):
            for key, text in more["function"].items():
                calls[more["index"]]["function"][key] += text
        else:
            calls.append({**more, "function": dict(more["function"])})
    return {"content": f"{message.get('content') or ''}{late.get('content') or ''}" or None, "tool_calls": calls}


def _late(message: Mapping[str, Any], last: Mapping[str, Any]) -> Mapping[str, Any]:
    """What comes last, as text where no tools are called."""
    if "content" in last or message.get("tool_calls"):
        return last
    return {"content": "".join(str(each["function"].get("arguments", "")) for each in last["tool_calls"])}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8099, help="where it listens on 127.0.0.1; 0 for any")
    parser.add_argument("--seed", type=int, default=1, help="another seed tells other lies")
    parser.add_argument("--list", action="store_true", help="the names of its models: lies, and families of them")


async def _run(options: argparse.Namespace) -> int:
    lies = all_lies()
    if options.list:
        for name in LyingModel(lies).names():
            say(name)
        return 0
    async with lying_model(lies, options.port, options.seed) as model:
        say(f"a model that lies listens at {model.address}: {len(lies)} ways, by the name of the model (--list)")
        await asyncio.Event().wait()
    return 0


COMMAND = Command("serve a model that lies, to try the copilot with", _arguments, _run)
