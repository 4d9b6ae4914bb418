"""Answers of a bounded size: a service that talks without an end, or says a gigabyte, is cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

_MOST_BYTES = 2_000_000


class TooLongError(httpx2.TransportError):
    """A service said more than anything that we ask for takes."""


class Bounded(httpx2.AsyncBaseTransport):
    """Passes requests on, and at most so many bytes of each answer back."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, most: int = _MOST_BYTES) -> None:
        self._inner = inner
        self._most = most

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response, whose content raises TooLongError where it goes on and on."""
        response = await self._inner.handle_async_request(request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Cut(response.stream, self._most)
        return response

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._inner.aclose()


class _Cut(httpx2.AsyncByteStream):
    """The first bytes of a stream, as they come over the wire."""

    def __init__(self, inner: httpx2.AsyncByteStream, most: int) -> None:
        self._inner = inner
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._left -= len(piece)
            if self._left < 0:
                raise TooLongError("the answer does not end")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
