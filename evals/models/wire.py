"""HTTP/1.1 and the protocol of OpenAI's API byte by byte: what servers that play a model have in common."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
"""What ends a stream."""
_NO_HEADER = "x-none: 1"
_BASE = {"id": "c", "created": 0, "model": "m"}
_PIECE = 7
Event = Mapping[str, Any]
Respond = Callable[[str, Mapping[str, Any], asyncio.StreamWriter], Awaitable[bool]]
"""Answers a request (its path, its body); returns whether the connection goes on."""


@asynccontextmanager
async def listening(respond: Respond, port: int = 0) -> AsyncGenerator[str]:
    """The address of a service on this machine that answers so; whoever still waits at its end is let go."""
    open_ones: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            open_ones.add(task)
            task.add_done_callback(open_ones.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (request := await _read_request(reader)) is not None:
                if not await respond(*request, writer):
                    break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        for task in tuple(open_ones):
            task.cancel()
        server.close()
        await server.wait_closed()


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, Mapping[str, Any]] | None:
    """The path and the body of the next request; None at the end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
    return head.split(" ", 2)[1], json.loads(await reader.readexactly(length) or b"{}")


async def send_whole(
    writer: asyncio.StreamWriter, status: int, told: Mapping[str, Any] | bytes, header: str = _NO_HEADER
) -> bool:
    """Sends an answer in one piece; the connection goes on."""
    content = told if isinstance(told, bytes) else json.dumps(told).encode()
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{header}\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    return True


def completion(message: Mapping[str, Any], usage: Any) -> dict[str, Any]:
    """A message as an answer in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return {**_BASE, "object": "chat.completion", "choices": [choice], "usage": usage}


def model_list(names: Iterable[str]) -> dict[str, Any]:
    """The models that a service has."""
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


def stream_of(message: Mapping[str, Any]) -> list[Event]:
    """A message as the events of a stream: its text in small pieces, its calls whole, and how it ended."""
    text = message.get("content") or ""
    deltas: list[dict[str, Any]] = [{"content": text[at : at + _PIECE]} for at in range(0, len(text), _PIECE)]
    called: list[dict[str, Any]] = list(message.get("tool_calls") or ())
    calls = [{"index": number, **call} for number, call in enumerate(called)]
    deltas += [{"tool_calls": calls}] if calls else []
    return [*map(delta_event, deltas), delta_event({}, "stop")]


def delta_event(delta: Mapping[str, Any], finished: str | None = None) -> Event:
    """One piece of a message."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finished}]}


def encoded(events: Sequence[Event], usage: Any) -> list[bytes]:
    """The events as they are sent, with what was used behind them and the mark of the end."""
    base = {**_BASE, "object": "chat.completion.chunk"}
    told: list[Event] = [*events, {"choices": [], "usage": usage}]
    return [f"data: {json.dumps({**base, **each})}\n\n".encode() for each in told] + [b"data: [DONE]\n\n"]


def chunk(piece: bytes) -> bytes:
    """A piece of a stream as HTTP/1.1 sends it."""
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
