"""What is said to a model and by it, whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from copilot.domain.json import Json
from copilot.domain.redaction import Masked


@dataclass(frozen=True, slots=True)
class Message:
    """Something said to a model: by the copilot itself, the person, or the model before."""

    role: Literal["system", "user", "assistant"]
    text: Masked


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something a model may ask for: its name, what it is for, and the JSON schema (an object's) of its arguments."""

    name: str
    purpose: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a model: messages, and the form that the answer is to have: a call of one of some tools, an object
    of a JSON schema, or text."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    schema: Mapping[str, Json] | None = None
    most_tokens: int = 1_000
    """The most that the model may say."""
    temperature: float = 0.0
    seed: int | None = None

    @property
    def size(self) -> int:
        """Characters that are sent, about."""
        return sum(len(each.text) for each in self.messages) + sum(len(str(each.arguments)) for each in self.tools)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that a model called, and its arguments as they came: nothing of them is checked yet."""

    tool: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a model said: text, or the objects that were asked for; and the tokens that it counted, none where it did
    not."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    tokens: tuple[int, int] | None = field(default=None)
    """Tokens in and out."""


class Speaker(Protocol):
    """A model that can be asked."""

    async def say(self, request: Request) -> Said:
        """What the model says. Raises ModelError where it says nothing that can be used, and MaskingError where
        something may not leave."""
        ...

    async def reach(self) -> None:
        """Raises ModelError where the model can't be reached, or its service does not have it."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
