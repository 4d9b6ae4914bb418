"""The copilot served as people reach it, with an open chat that speaks over the page's own socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import socketio

from copilot.channels.web.app import create_app
from copilot.channels.web.server import bind, serve
from copilot.channels.web.session import SESSION_COOKIE
from copilot.wiring import Runtime

_PATIENCE = 30.0
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_CALM = 0.1
"""Until a chat that was opened has begun."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the chat showed for a message: everything, and whether it is an error."""

    texts: tuple[str, ...]
    failed: bool

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.texts)


@dataclass(slots=True)
class Chat:
    """One open chat. Asks one question after the other."""

    socket: Any
    _shown: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self) -> None:
        """Note what the page would show."""
        self.socket.on("new_message", self._shown.append)
        self.socket.on("delete_message", self._forget)
        self.socket.on("task_end", self._end)

    async def ask(self, text: str) -> Said:
        """Ask, and wait until the chat is at rest again."""
        await self.begin(text)
        return await self.end()

    async def begin(self, text: str) -> None:
        """Ask, and do not wait."""
        self._shown.clear()
        self._done.clear()
        message = {
            "id": str(uuid4()), "threadId": "", "name": "user", "type": "user_message", "output": text,
            "createdAt": "2026-11-20T15:00:00Z",
        }  # fmt: skip
        await self.socket.emit("client_message", {"message": message, "fileReferences": None})

    async def end(self) -> Said:
        """What came of the question begun."""
        await asyncio.wait_for(self._done.wait(), _PATIENCE)
        steps = [step for step in self._shown if step.get("type") != "user_message"]
        texts = tuple(str(step.get("output") or "") for step in steps)
        return Said(texts=texts, failed=any(bool(step.get("isError")) for step in steps))

    def _forget(self, gone: dict[str, Any]) -> None:
        self._shown[:] = [step for step in self._shown if step["id"] != gone["id"]]

    def _end(self, *_: object) -> None:
        self._done.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running front end: its address."""

    address: str

    async def cookie(self, subject: str) -> str:
        """The session of one of the demo company's people."""
        async with httpx.AsyncClient(base_url=self.address) as browser:
            page = await browser.get("/signin")
            found = _CSRF.search(page.text)
            form = {"subject": subject, "csrf": found[1] if found else ""}
            await browser.post("/signin", data=form)
            return browser.cookies[SESSION_COOKIE]

    @asynccontextmanager
    async def chat(self, subject: str) -> AsyncGenerator[Chat]:
        """An open chat of one of the demo company's people."""
        cookie = await self.cookie(subject)
        socket: Any = socketio.AsyncClient(reconnection=False)
        chat = Chat(socket)
        chat.listen()
        await socket.connect(
            self.address, headers={"Cookie": f"{SESSION_COOKIE}={cookie}"}, socketio_path="/ws/socket.io",
            transports=["websocket"], auth={"clientType": "webapp", "sessionId": str(uuid4()), "userEnv": "{}"},
        )  # fmt: skip
        try:
            await socket.emit("connection_successful")
            await asyncio.sleep(_CALM)
            yield chat
        finally:
            await socket.disconnect()


@asynccontextmanager
async def served(runtime: Runtime) -> AsyncGenerator[Served]:
    """The front end over a runtime, listening on this machine."""
    listening = bind("127.0.0.1", 0)
    ready = asyncio.Event()
    app = create_app(runtime, runtime.settings)
    serving = asyncio.create_task(serve(app, listening, on_ready=ready.set))
    try:
        await asyncio.wait_for(ready.wait(), _PATIENCE)
        yield Served(address=f"http://127.0.0.1:{listening.getsockname()[1]}")
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        listening.close()
