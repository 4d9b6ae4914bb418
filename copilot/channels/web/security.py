"""What every request and response of the web channel goes through, whatever route it is for.

Three walls stand before the routes: the Host header (DNS rebinding), the Origin header (requests that another site's
page sends with this site's cookies, WebSockets included) and the size of the body. Behind them every response gets
the same strict headers.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copilot.channels.web.problems import problem

MAX_BODY = 65_536
"""Largest request body in bytes; a question at its longest, escaped in JSON, is a third of it."""

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_POLICY_VIOLATED = 1008
_HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}


def content_policy(page: str = "") -> str:
    """The content-security policy for one page: everything from this origin, the page's own inline scripts by hash.

    Styles may be inline because the chat's component library writes them so; scripts may not, and nothing is
    evaluated from text.
    """
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE_SCRIPT.findall(page))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {hashes}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _digest(script: str) -> str:
    return b64encode(hashlib.sha256(script.encode()).digest()).decode()


_PLAIN_POLICY = content_policy()


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    name = host.strip("[]")
    if name in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, public_url: str | None = None) -> frozenset[str] | None:
    """The Host names served when listening on `host`; None, for any, when it listens on every interface and no public
    address is set.

    On every interface the demo sign-in is closed, so a name that an attacker pointed here carries no session.
    """
    if public_url is not None:
        return _LOOPBACK_NAMES | {host.strip("[]").lower(), urlsplit(public_url).hostname or ""}
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  compared with, not bound to
        return None
    return _LOOPBACK_NAMES | {host.strip("[]").lower()}


@dataclass(frozen=True, slots=True)
class Walls:
    """The outermost layer of the application, for HTTP and WebSocket alike."""

    app: ASGIApp
    hosts: frozenset[str] | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._pass(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATED})
        else:
            status, detail = refusal
            await problem(status, detail)(scope, receive, _with_headers(send, scope["path"]))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if self.hosts is not None and _host_name(headers.get("host", "")) not in self.hosts:
            return 421, "This server does not answer under that name."
        if _must_be_own(scope) and not _own_origin(headers):
            return 403, "This request came from another site's page."
        if _declared_size(headers) > MAX_BODY:
            return 413, f"The body is larger than {MAX_BODY:,} bytes."
        return None

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        await self.app(scope, _limited(receive), _with_headers(send, scope["path"]))


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _must_be_own(scope: Scope) -> bool:
    return scope["type"] == "websocket" or scope["method"] not in _READS


def _own_origin(headers: Headers) -> bool:
    """Programs send neither header; browsers send at least one of them with everything that changes something."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _declared_size(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else MAX_BODY + 1


def _limited(receive: Receive) -> Receive:
    """Stop reading a body that grows past the limit without having declared its size."""
    seen = 0

    async def read() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            return {"type": "http.disconnect"}
        return message

    return read


def _with_headers(send: Send, path: str) -> Send:
    async def write(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_HEADERS)
            headers.setdefault("Content-Security-Policy", _PLAIN_POLICY)
            headers.setdefault("Cache-Control", _caching(path))
        await send(message)

    return write


def _caching(path: str) -> str:
    """Files named by their content are kept for good, our own are asked about again, nothing else is kept."""
    if path.startswith("/assets/"):
        return "public, max-age=31536000, immutable"
    return "no-cache" if path.startswith(("/public/", "/favicon", "/logo", "/avatars/")) else "no-store"
