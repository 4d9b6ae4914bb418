"""Listening, being ready, and stopping without ending the process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from copilot.channels.web.server import bind, serve
from copilot.errors import StartupError


def app_noting(notes: list[str]) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        notes.append("closed")

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/", lambda: {"here": True})
    return app


def test_a_taken_port_is_one_sentence() -> None:
    with contextlib.closing(bind("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartupError, match=rf"Port {port} on 127\.0\.0\.1 is taken.*COPILOT_PORT"):
            bind("127.0.0.1", port)


def test_a_host_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(StartupError, match="COPILOT_HOST"):
        bind("203.0.113.7", 0)


async def test_ready_means_answering() -> None:
    notes: list[str] = []
    ready = asyncio.Event()
    found = bind("127.0.0.1", 0)
    task = asyncio.create_task(serve(app_noting(notes), found, on_ready=ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{found.getsockname()[1]}/")).json() == {"here": True}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert notes == ["closed"]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_serving_only(sent: signal.Signals) -> None:
    notes: list[str] = []
    ready = asyncio.Event()
    before = signal.getsignal(sent)
    task = asyncio.create_task(serve(app_noting(notes), bind("127.0.0.1", 0), on_ready=ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    os.kill(os.getpid(), sent)
    await asyncio.wait_for(task, 10)
    assert notes == ["closed"]
    assert signal.getsignal(sent) == before


def test_a_port_is_free_again_at_once() -> None:
    found = bind("127.0.0.1", 0)
    port = found.getsockname()[1]
    found.close()
    with contextlib.closing(bind("127.0.0.1", port)) as again:
        assert isinstance(again, socket.socket)
