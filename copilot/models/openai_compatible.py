"""Models behind an API as OpenAI's is: OpenAI, Azure, vLLM, Ollama and llama.cpp all have one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import httpx2
from openai import AsyncOpenAI, OpenAIError

from copilot.domain.redaction import Masked
from copilot.errors import MaskingError, ModelError
from copilot.models.wall import Guard, Wall

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

_SECONDS = 30.0
_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Message:
    """Something said to a model: by the copilot itself, the person, or the model before."""

    role: Literal["system", "user", "assistant"]
    text: Masked


class OpenAiCompatible:
    """One service of models. Everything it is told is masked, as the types say, and looked at by the guard again."""

    def __init__(
        self, base_url: str, key: str, guard: Guard, *, seconds: float = _SECONDS, retries: int = _RETRIES
    ) -> None:
        # No proxy or redirect that the environment or the service names: a request goes where the settings say.
        http = httpx2.AsyncClient(
            transport=Wall(guard, httpx2.AsyncHTTPTransport()), timeout=seconds, follow_redirects=False, trust_env=False
        )
        self._client = AsyncOpenAI(base_url=base_url, api_key=key, http_client=http, max_retries=retries)

    async def complete(self, model: str, messages: Sequence[Message]) -> str:
        """What a model says to some messages. Raises ModelError, or MaskingError where something may not leave."""
        with _translated():
            found = await self._client.chat.completions.create(model=model, messages=_told(messages))
            if not found.choices:
                raise ModelError("the model gave no answer")
            return found.choices[0].message.content or ""

    async def stream(self, model: str, messages: Sequence[Message]) -> AsyncGenerator[str]:
        """The same, piece by piece as the model says it."""
        with _translated():
            pieces = await self._client.chat.completions.create(model=model, messages=_told(messages), stream=True)
            async with pieces:
                async for piece in pieces:
                    if piece.choices and (text := piece.choices[0].delta.content):
                        yield text

    async def embed(self, model: str, texts: Sequence[Masked]) -> Sequence[Sequence[float]]:
        """A vector for each text. Raises ModelError or MaskingError."""
        with _translated():
            found = await self._client.embeddings.create(model=model, input=list(texts), encoding_format="float")
            if len(found.data) != len(texts):
                raise ModelError(f"{len(texts)} texts were sent and {len(found.data)} vectors came back")
            return [each.embedding for each in found.data]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def _told(messages: Sequence[Message]) -> list[ChatCompletionMessageParam]:
    return [_message(each) for each in messages]


def _message(message: Message) -> ChatCompletionMessageParam:
    match message.role:
        case "system":
            return {"role": "system", "content": message.text}
        case "assistant":
            return {"role": "assistant", "content": message.text}
        case "user":
            return {"role": "user", "content": message.text}


@contextmanager
def _translated() -> Generator[None]:
    """Tells what went wrong in our words: what a service answers may repeat what it was told."""
    try:
        yield
    except MaskingError:
        raise
    except (OpenAIError, httpx2.HTTPError, ValueError, AttributeError, TypeError) as error:  # also an answer of no form
        if isinstance(error.__cause__, MaskingError):
            raise error.__cause__ from None
        raise ModelError(f"the model could not be asked ({type(error).__name__}); try again in a moment") from None
