"""Models behind an API as OpenAI's is: OpenAI, Azure OpenAI, vLLM, Ollama and llama.cpp all have one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import httpx2
from openai import APIStatusError, AsyncAzureOpenAI, AsyncOpenAI, OpenAIError

from copilot.domain.json import Json
from copilot.domain.redaction import Masked
from copilot.errors import MaskingError, ModelError
from copilot.models.bounded import Bounded
from copilot.models.configured import Served
from copilot.models.saying import Call, Request, Said
from copilot.models.wall import Guard, Wall

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

_FEW = 5
_NO_KEY = "none"
"""What a service in the house is given that asks for no key."""
_FORMLESS = (ValueError, AttributeError, TypeError, LookupError, RecursionError)
"""What an answer comes to that has not the form of one: the client checks it against nothing."""
_OBJECT = "answer"
"""What the object is called that a schema describes."""


class OpenAiCompatible:
    """One model. Everything it is told is masked, as the types say, and looked at by the guard again."""

    def __init__(self, served: Served, key: str | None, guard: Guard) -> None:
        self._served = served
        # No proxy or redirect that the environment or the service names: a request goes where the settings say.
        http = httpx2.AsyncClient(
            transport=Wall(guard, Bounded(httpx2.AsyncHTTPTransport())),
            timeout=served.seconds, follow_redirects=False, trust_env=False,
        )  # fmt: skip
        self._client = _client(served, key or _NO_KEY, http)

    async def say(self, request: Request) -> Said:
        """What the model says. Raises ModelError, or MaskingError where something may not leave."""
        with _translated():
            asked: Any = self._asked(request)
            if self._served.streams:
                pieces = await self._client.chat.completions.create(**asked, stream=True)
                async with pieces:
                    return _put_together([piece async for piece in pieces], request)
            return _said(cast("ChatCompletion", await self._client.chat.completions.create(**asked)), request)

    async def reach(self) -> None:
        """Asks the service which models it has. Raises ModelError where it does not answer or lacks this one."""
        with _translated():
            names = sorted([each.id async for each in self._client.models.list()])
            # Azure lists what could be deployed, and not what is
            if self._served.service == "openai" and self._served.model not in names:
                few = ", ".join(names[:_FEW]) or "none"
                raise ModelError(f"the service has no model {self._served.model!r}; it has {few:.200}")

    async def embed(self, texts: Sequence[Masked]) -> Sequence[Sequence[float]]:
        """A vector for each text. Raises ModelError or MaskingError."""
        with _translated():
            found = await self._client.embeddings.create(
                model=self._served.model, input=list(texts), encoding_format="float"
            )
            if len(found.data) != len(texts):
                raise ModelError(f"{len(texts)} texts were sent and {len(found.data)} vectors came back")
            return [each.embedding for each in found.data]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _asked(self, request: Request) -> dict[str, Any]:
        """The request as the API takes it."""
        asked: dict[str, Any] = {
            "model": self._served.model,
            "messages": [{"role": each.role, "content": each.text} for each in request.messages],
            "temperature": request.temperature,
            "max_tokens": request.most_tokens,
        }
        if request.seed is not None:
            asked["seed"] = request.seed
        if self._served.streams:
            asked["stream_options"] = {"include_usage": True}
        return asked | self._form(request)

    def _form(self, request: Request) -> dict[str, Any]:
        """What says in which form to answer, as far as the model knows such a thing."""
        if self._served.answers == "tools" and (tools := _tools(request)):
            return {"tools": tools, "tool_choice": "required"}
        if self._served.answers == "schema" and (schema := _schema(request)):
            return {"response_format": {"type": "json_schema", "json_schema": {"name": _OBJECT, "schema": schema}}}
        return {}


def _client(served: Served, key: str, http: httpx2.AsyncClient) -> AsyncOpenAI:
    if served.service == "azure":
        return AsyncAzureOpenAI(
            azure_endpoint=served.url, azure_deployment=served.model, api_version=served.api_version,
            api_key=key, http_client=http, max_retries=served.retries,
        )  # fmt: skip
    return AsyncOpenAI(base_url=served.url, api_key=key, http_client=http, max_retries=served.retries)


def _tools(request: Request) -> list[dict[str, Any]]:
    tools = [(each.name, each.purpose, each.arguments) for each in request.tools]
    if request.schema is not None:
        tools.append((_OBJECT, "Give the answer.", request.schema))
    return [
        {"type": "function", "function": {"name": name, "description": purpose, "parameters": arguments}}
        for name, purpose, arguments in tools
    ]


def _schema(request: Request) -> Mapping[str, Json] | None:
    """One schema for all: with tools, that of the call of any of them."""
    if not request.tools:
        return request.schema
    calls: list[Json] = [
        {
            "type": "object",
            "properties": {"tool": {"const": each.name}, "arguments": dict(each.arguments)},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }
        for each in request.tools
    ]
    return {"type": "object", "anyOf": calls}


def _said(found: ChatCompletion, request: Request) -> Said:
    """The answer of one piece."""
    if not found.choices:
        raise ModelError("the model gave no answer")
    told = found.choices[0].message
    called = [
        (each.function.name, each.function.arguments) for each in told.tool_calls or () if each.type == "function"
    ]
    return _understood(told.content or "", called, request, _counted(found.usage))


def _put_together(pieces: Sequence[ChatCompletionChunk], request: Request) -> Said:
    """The answer that came in pieces; nothing of it is used before the last is there."""
    text, finished, tokens = "", False, None
    names: defaultdict[int, str] = defaultdict(str)
    arguments: defaultdict[int, str] = defaultdict(str)
    for piece in pieces:
        tokens = _counted(piece.usage) or tokens
        for choice in piece.choices[:1]:
            text += choice.delta.content or ""
            finished = finished or choice.finish_reason is not None
            for each in choice.delta.tool_calls or ():
                names[each.index] += (each.function and each.function.name) or ""
                arguments[each.index] += (each.function and each.function.arguments) or ""
    if not finished:
        raise ModelError("the model broke off in the middle of its answer")
    return _understood(text, [(names[at], arguments[at]) for at in sorted(names)], request, tokens)


def _counted(usage: CompletionUsage | None) -> tuple[int, int] | None:
    """The tokens in and out that a service counted; None where that is no count."""
    told: tuple[object, object] = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
    match told:
        case (int(before), int(after)) if before >= 0 and after >= 0:
            return before, after
        case _:
            return None


def _understood(text: str, called: Iterable[tuple[str, str]], request: Request, tokens: tuple[int, int] | None) -> Said:
    """What was said, with the objects that were asked for. Raises ModelError where there are none: a call that is no
    JSON, of a tool that there is not, or a text around it."""
    if not request.tools and request.schema is None:
        return Said(text=text, tokens=tokens)
    calls = [Call(name, _object(arguments)) for name, arguments in called] or [_told_call(_object(text), request)]
    known = {each.name for each in request.tools} | ({_OBJECT} if request.schema is not None else set[str]())
    if strange := [each.tool for each in calls if each.tool not in known]:
        raise ModelError(f"the model called {strange[0]!r:.60}, and there is no such tool")
    return Said(text=text, calls=tuple(calls), tokens=tokens)


def _told_call(told: Mapping[str, Json], request: Request) -> Call:
    """The call that an object stands for, of a model that calls no tools."""
    if not request.tools:
        return Call(_OBJECT, told)
    match told:
        case {"tool": str(name), "arguments": dict(arguments)}:
            return Call(name, arguments)
        case _:
            raise ModelError("the model did not say which tool it calls")


def _object(text: str) -> Mapping[str, Json]:
    """The JSON object that a text is, also between the marks of a block of code."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare.removeprefix("```").removeprefix("json").removesuffix("```")
    try:
        told: object = json.loads(bare)
    except (ValueError, RecursionError):
        raise ModelError("the model gave no JSON where it had to") from None
    if not isinstance(told, dict):
        raise ModelError("the model gave JSON that is no object")
    return cast("Mapping[str, Json]", told)


@contextmanager
def _translated() -> Generator[None]:
    """Tells what went wrong in our words: what a service answers may repeat what it was told."""
    try:
        yield
    except (MaskingError, ModelError):
        raise
    except (OpenAIError, httpx2.HTTPError, *_FORMLESS) as error:
        if isinstance(error.__cause__, MaskingError):
            raise error.__cause__ from None
        told = f"the model could not be asked ({type(error).__name__})"
        raise ModelError(f"{told}: {_remedy(error)}" if isinstance(error, APIStatusError) else told) from None


def _remedy(error: APIStatusError) -> str:
    """What a status of HTTP means here, and what to do about it."""
    match error.status_code:
        case 401 | 403:
            return "its service does not take the key; look at `key` and the variable that it names"
        case 404:
            return "its service knows no such address or model; look at `url`, `model` and `api_version`"
        case 400 | 422:
            return "its service does not take such a request; another `answers` may suit it: tools, schema or text"
        case 413:
            return "the request is too long for its service"
        case 429:
            return "its service is asked too often, or its own budget is used up"
        case status:
            return f"its service answered with status {status}; try again in a moment"
