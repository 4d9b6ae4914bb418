"""A service of models that keeps every byte it receives, and answers well or badly as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from copilot.channels.web.server import bind

WAYS = ("well", "busy", "broken", "refuses", "garbage", "half")
"""How a request may be answered: well; with 429 or 500 first, which the client tries again; with an error that repeats
what was said; with no JSON; with a stream that breaks off."""
_PIECE = 5


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came: its line, its headers and its body."""

    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        """All of it."""
        return self.head + b"\n\n" + self.body


@dataclass(slots=True)
class Listener:
    """What was received, and how the next requests are answered; well where nothing else is said."""

    ways: deque[str] = field(default_factory=deque[str])
    received: list[Received] = field(default_factory=list[Received])
    address: str = ""

    async def chat(self, request: Request) -> Response:
        """Repeats the last thing that was said."""
        body = await self._keep(request)
        said = body["messages"][-1]["content"]
        if (bad := self._bad(said)) is not None:
            return bad
        return _streamed(said, half=self._half()) if body.get("stream") else JSONResponse(_completion(said))

    async def embeddings(self, request: Request) -> Response:
        """A vector of nothing for each text."""
        body = await self._keep(request)
        if (bad := self._bad(" ".join(body["input"]))) is not None:
            return bad
        data = [{"object": "embedding", "index": n, "embedding": [0.0, 1.0]} for n in range(len(body["input"]))]
        return JSONResponse({"object": "list", "data": data, "model": "fake", "usage": _USAGE})

    async def _keep(self, request: Request) -> dict[str, Any]:
        content = await request.body()
        line = f"{request.method} {request.url.path}?{request.url.query}".encode()
        head = b"\n".join((line, *(name + b": " + value for name, value in request.headers.raw)))
        self.received.append(Received(head, content))
        return json.loads(content)

    def _bad(self, said: str) -> Response | None:
        match self.ways[0] if self.ways else "well":
            case "busy":
                self.ways.popleft()
                return JSONResponse({"error": {"message": said}}, 429, headers={"retry-after-ms": "1"})
            case "broken":
                self.ways.popleft()
                return JSONResponse({"error": {"message": said}}, 500, headers={"retry-after-ms": "1"})
            case "refuses":
                self.ways.popleft()
                return JSONResponse({"error": {"message": f"I can't do {said}"}}, 400)
            case "garbage":
                self.ways.popleft()
                return Response(f"<html>{said}", media_type="application/json")
            case _:
                return None

    def _half(self) -> bool:
        half = bool(self.ways) and self.ways[0] == "half"
        if half:
            self.ways.popleft()
        return half


@asynccontextmanager
async def listening() -> AsyncGenerator[Listener]:
    """A listener at an address of its own on this machine."""
    listener = Listener()
    app = FastAPI(openapi_url=None)
    app.add_api_route("/v1/chat/completions", listener.chat, methods=["POST"])
    app.add_api_route("/v1/embeddings", listener.embeddings, methods=["POST"])
    listens = bind("127.0.0.1", 0)
    listener.address = f"http://127.0.0.1:{listens.getsockname()[1]}/v1"
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listens]))
    try:
        await server.ready.wait()
        yield listener
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """uvicorn, which leaves signals to whoever runs the proof."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def _completion(said: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": said}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "fake", "choices": choices, "usage": _USAGE}


def _streamed(said: str, *, half: bool) -> Response:
    """Pieces of a few characters, which cut tokens in two."""

    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(said), _PIECE):
            if half and begin > len(said) // 2:
                return
            yield _event({"content": said[begin : begin + _PIECE]}, None)
        yield _event({}, "stop") + b"data: [DONE]\n\n"

    return StreamingResponse(pieces(), media_type="text/event-stream")


def _event(delta: dict[str, str], finished: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finished}
    told = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "fake", "choices": [choice]}
    return f"data: {json.dumps(told)}\n\n".encode()
