"""What leaves the program: a canary that nobody may come to, and every connection and name that Python asks for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Watch:
    """The canary's address, who came to it, and the ports on this machine and the hosts that were asked for."""

    url: str = ""
    visits: int = 0
    allowed: set[int] = field(default_factory=set[int])
    elsewhere: list[str] = field(default_factory=list[str])
    watching: bool = False

    def noted(self, event: str, arguments: tuple[object, ...]) -> None:
        """Notes a connection to anywhere but the ports that are allowed, and a name that is looked up."""
        if not self.watching:
            return
        if event == "socket.connect":
            host, port = _place(arguments[-1])
            if host and (host not in _HERE or port not in self.allowed):
                self.elsewhere.append(f"{host}:{port}")
        elif event == "socket.getaddrinfo" and arguments[0] not in (*_HERE, b"127.0.0.1", None):
            self.elsewhere.append(str(arguments[0]))


_HERE = ("127.0.0.1", "::1")
_WATCHES: list[Watch] = []
"""An audit hook of Python stays for good: there is one for all, for whoever watches."""


def _place(address: Any) -> tuple[str, int]:
    """Host and port of the address of a socket; none of one that is a file."""
    return ("", 0) if isinstance(address, (str, bytes)) else (str(address[0]), int(address[1]))


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo"):
        for watch in _WATCHES:
            watch.noted(event, arguments)


@asynccontextmanager
async def open_watch() -> AsyncGenerator[Watch]:
    """A canary at an address of its own on this machine, and a watch over connections as far as Python makes them: the
    database's own library makes its own below it."""
    watch = Watch()

    async def visited(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        watch.visits += 1
        writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    watch.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/canary"
    if not _HOOKED:
        sys.addaudithook(_hook)
        _HOOKED.append(True)
    _WATCHES.append(watch)
    try:
        yield watch
    finally:
        _WATCHES.remove(watch)
        server.close()
        await server.wait_closed()


_HOOKED: list[bool] = []
