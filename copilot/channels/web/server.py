"""Listening and serving, with a stop that lets whoever called clean up after it."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from copilot.channels.web.security import MAX_BODY
from copilot.errors import StartupError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GRACE_SECONDS = 3


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts. Raises StartupError saying what to do where that fails."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise StartupError(_why(host, port, error)) from error
    return listening


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program. Stop that one, or set COPILOT_PORT to a free port."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"Port {port} on {host} needs more rights than this user has. Set COPILOT_PORT to a port above 1023."
    return f"This machine cannot listen on {host!r}, port {port}: {error.strerror}. Set COPILOT_HOST to one of its own."


async def serve(app: FastAPI, listening: socket.socket, *, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT, SIGTERM or cancelled, then return; the application's `on_shutdown` has run by then.

    Prints nothing: `on_ready` is called once requests are answered.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        ws_max_size=MAX_BODY,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    server.on_ready = on_ready
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    """uvicorn, but a signal only stops the serving: re-raised afterwards, it would end the process uncleaned."""

    on_ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # signals go to the main thread only
            return
        before = {each: signal.signal(each, self.handle_exit) for each in _SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
