"""The one door to the mounted chat: only the routes it needs, and those only for somebody signed in.

Chainlit brings many more routes (uploads, sharing, tool servers, its own logins); a list of what is open keeps a later
version of it from opening more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copilot.channels.web.door import Door, Visitor
from copilot.channels.web.problems import problem
from copilot.channels.web.session import current_visitor
from copilot.errors import CopilotError

_Access = Literal["open", "signed in"]
_SIGNED_OUT = 4401

_ROUTES: tuple[tuple[str, str, _Access], ...] = (
    ("GET", r"/(assets|public)/[\w./-]+", "open"),
    ("GET", r"/(favicon|logo|avatars/[\w .%-]+)", "open"),
    ("GET", r"/(auth/config|project/translations)", "open"),
    ("POST", r"/logout", "open"),
    ("GET", r"/(user|project/settings)", "signed in"),
    ("POST", r"/(set-session-cookie|project/threads)", "signed in"),
    ("DELETE", r"/project/thread", "signed in"),
    ("PUT", r"/feedback", "signed in"),
    ("WEBSOCKET", r"/ws/socket\.io/", "signed in"),
)
_OPENED: tuple[tuple[str, re.Pattern[str], _Access], ...] = tuple(
    (method, re.compile(path), access) for method, path, access in _ROUTES
)


def access_to(method: str, path: str) -> _Access | None:
    """Who may use one of the chat's own routes; None where nobody may."""
    for verb, route, access in _OPENED:
        if verb == method and route.fullmatch(path):
            return access
    return None


@dataclass(frozen=True, slots=True)
class Gate:
    """Wraps the mounted chat."""

    app: ASGIApp
    door: Door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        access = access_to(scope.get("method", "WEBSOCKET"), scope["path"])
        if access is None:
            await _refuse(404, "There is nothing here.", scope, receive, send)
        elif access == "open":
            await self.app(scope, receive, send)
        else:
            await self._as_somebody(scope, receive, send)

    async def _as_somebody(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            visitor = await self.door.visitor(HTTPConnection(scope))
        except CopilotError:
            await _refuse(503, "The copilot cannot tell just now who you are.", scope, receive, send)
            return
        if visitor is None:
            await _refuse(401, "Sign in first.", scope, receive, send)
            return
        before = current_visitor.set(visitor.credential)
        try:
            await self.app(scope, receive, self._with_cookie(send, visitor))
        finally:
            current_visitor.reset(before)

    def _with_cookie(self, send: Send, visitor: Visitor) -> Send:
        if visitor.cookie is None:
            return send
        kept = Response()
        self.door.remember(kept, visitor)

        async def write(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", kept.headers["set-cookie"])
            await send(message)

        return write


async def _refuse(status: int, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _SIGNED_OUT})
        return
    await problem(status, detail)(scope, receive, send)
