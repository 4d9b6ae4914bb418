"""A model in the same process that says what a script tells it to: for tests, trials and proofs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from copilot.errors import ModelError
from copilot.models.saying import Request, Said

Script = Callable[[Request], Said | Awaitable[Said]]


@dataclass(slots=True)
class Scripted:
    """Answers by a function of the request, or by a list of answers in turn; remembers what it was asked.

    A ModelError in the list is raised in its turn, and after its last answer the model is down.
    """

    script: Script | Sequence[Said | ModelError]
    asked: list[Request] = field(default_factory=list[Request])

    async def say(self, request: Request) -> Said:
        """What the script has for this request. Raises ModelError."""
        self.asked.append(request)
        if callable(self.script):
            said = self.script(request)
            return said if isinstance(said, Said) else await said
        if len(self.asked) > len(self.script):
            raise ModelError("the script of this model has ended")
        told = self.script[len(self.asked) - 1]
        if isinstance(told, ModelError):
            raise told
        return told

    async def reach(self) -> None:
        """It is always here."""

    async def aclose(self) -> None:
        """Nothing is open."""
