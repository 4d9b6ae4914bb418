"""The wall before every model: a request in which anything personal is found does not leave.

What is sent was masked already. This looks at the bytes themselves, so that a text that was forgotten is an error here
and never a leak.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote_plus

import httpx2

from copilot.errors import MaskingError

Guard = Callable[[str], Sequence[str]]
"""The kinds of what a text holds and may not: none where it may leave."""
_OURS = frozenset({"authorization", "api-key", "host", "content-length"})
"""Headers that hold a key of the model's service or say how long a request is."""


class Wall(httpx2.AsyncBaseTransport):
    """Sends requests on through another transport."""

    def __init__(self, guard: Guard, inner: httpx2.AsyncBaseTransport) -> None:
        self._guard = guard
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response. Raises MaskingError, and sends nothing, where a text of the request may not leave."""
        body = await request.aread()
        found = {kind for text in dict.fromkeys(_texts(request, body)) for kind in self._guard(text)}
        if found:
            raise MaskingError(f"a request to a model held what may not leave: {', '.join(sorted(found))}")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._inner.aclose()


def _texts(request: httpx2.Request, body: bytes) -> Iterator[str]:
    """Every text of a request: its address, its headers, and what its body says."""
    yield unquote_plus(str(request.url.raw_path, "ascii"))
    yield from (value for name, value in request.headers.items() if name.lower() not in _OURS)
    if body:
        try:
            yield from _strings(json.loads(body))
        except ValueError:
            yield body.decode("utf-8", errors="replace")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield str(name)  # pyright: ignore[reportUnknownArgumentType]
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(each)
