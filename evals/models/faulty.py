"""A service of models that fails in every way in which one can: byte by byte, below what a web framework lets through.

It speaks the protocol of OpenAI's API over plain HTTP/1.1, streams included.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from evals.models.wire import (
    END,
    STREAM,
    chunk,
    completion,
    delta_event,
    encoded,
    listening,
    model_list,
    send_whole,
    stream_of,
)

FAULTS = (
    "hang", "reset", "half_stream", "drip", "busy", "broken", "no_json", "endless", "wrong_form", "huge", "other_tool",
    "empty", "redirect",
)  # fmt: skip
"""Ways to fail, but for the refused connection, for which nothing is needed."""
WELL = "well"
_DRIP_SECONDS = 0.2
_AN_HOUR = 3600.0
_NO_HEADER = "x-none: 1"
_HUGE = 50_000_000
_PIECE = b"x" * 65_536
Reply = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""The message that a model says to a request."""


_OTHER_TOOL: Mapping[str, Any] = {
    "content": None,
    "tool_calls": [{"id": "t", "type": "function", "function": {"name": "run_sql", "arguments": "{}"}}],
}
_WHOLE: Mapping[str, tuple[int, Mapping[str, Any] | bytes, str]] = {
    "busy": (429, {"error": {"message": "slow down"}}, "retry-after-ms: 1"),
    "broken": (500, {"error": {"message": "out of memory"}}, "retry-after-ms: 1"),
    "redirect": (307, {}, "location: {address}/elsewhere"),
    "no_json": (200, b'{"id": "c", "choices": [', _NO_HEADER),
    "wrong_form": (200, {"choices": {"message": 7}}, _NO_HEADER),
    "empty": (200, {"id": "c", "object": "chat.completion", "choices": []}, _NO_HEADER),
}
"""Status, content and a header of what comes whole, and is of no use."""


@dataclass(slots=True)
class FaultyModel:
    """Where it listens, how it answers the next requests and those after, what it says that it took, and what came."""

    reply: Reply
    ways: list[str] = field(default_factory=list[str])
    way: str = WELL
    usage: Any = field(default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})
    address: str = ""
    paths: list[str] = field(default_factory=list[str])

    async def respond(self, path: str, body: Mapping[str, Any], writer: asyncio.StreamWriter) -> bool:
        """Answers one request; returns whether the connection goes on, which a fault may end."""
        self.paths.append(path)
        return await (self._list if path.endswith("/models") else self._answer)(body, writer)

    @property
    def requests(self) -> int:
        """How many came."""
        return len(self.paths)

    async def _answer(self, body: Mapping[str, Any], writer: asyncio.StreamWriter) -> bool:
        way = self.ways.pop(0) if self.ways else self.way
        if way in _WHOLE:
            status, told, header = _WHOLE[way]
            return await send_whole(writer, status, told, header.format(address=self.address))
        if way in _CUT:
            await _CUT[way](writer, encoded(stream_of(self.reply(body)), self.usage))
            return False
        return await self._say(body, _OTHER_TOOL if way == "other_tool" else self.reply(body), writer)

    async def _list(self, body: Mapping[str, Any], writer: asyncio.StreamWriter) -> bool:
        """The models that there are; the same faults befall this."""
        if self.way != WELL:
            return await self._answer(body, writer)
        return await send_whole(writer, 200, model_list(["m"]))

    async def _say(self, body: Mapping[str, Any], message: Mapping[str, Any], writer: asyncio.StreamWriter) -> bool:
        if body.get("stream"):
            writer.write(STREAM + b"".join(map(chunk, encoded(stream_of(message), self.usage))) + END)
            await writer.drain()
            return True
        return await send_whole(writer, 200, completion(message, self.usage))


@asynccontextmanager
async def faulty_model(reply: Reply) -> AsyncGenerator[FaultyModel]:
    """The service at an address of its own on this machine."""
    model = FaultyModel(reply)
    async with listening(model.respond) as model.address:
        yield model


async def _hang(writer: asyncio.StreamWriter, events: list[bytes]) -> None:
    del writer, events
    await asyncio.sleep(_AN_HOUR)


async def _half(writer: asyncio.StreamWriter, events: list[bytes]) -> None:
    """Ends in the middle, and as if that were the end."""
    writer.write(STREAM + b"".join(map(chunk, events[: max(1, len(events) // 2) - 1])) + END)
    await writer.drain()


async def _drip(writer: asyncio.StreamWriter, events: list[bytes]) -> None:
    """Byte after byte: never so slow that a single read times out."""
    writer.write(STREAM)
    for byte in b"".join(events):
        writer.write(chunk(bytes([byte])))
        await writer.drain()
        await asyncio.sleep(_DRIP_SECONDS)


async def _endless(writer: asyncio.StreamWriter, events: list[bytes]) -> None:
    del events
    event = chunk(encoded([delta_event({"content": "and so on "})], None)[0])
    writer.write(STREAM)
    while True:
        writer.write(event * 100)
        await writer.drain()


async def _huge(writer: asyncio.StreamWriter, events: list[bytes]) -> None:
    del events
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(_HUGE // len(_PIECE)):
        writer.write(chunk(_PIECE))
        await writer.drain()
    writer.write(END)


async def _reset(writer: asyncio.StreamWriter, events: list[bytes]) -> None:
    """Ends the connection as a machine does that was switched off and on again."""
    del events
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


_CUT = {
    "hang": _hang, "reset": _reset, "huge": _huge, "endless": _endless, "drip": _drip, "half_stream": _half,
}  # fmt: skip
"""What ends the connection, or never comes to an end."""
