"""How long starting takes: the embedded database, the demo company, one command, the whole program."""

from __future__ import annotations

import asyncio
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

from copilot.domain.clock import Clock, fixed_clock, system_clock
from copilot.settings import Settings
from copilot.store import embedded
from copilot.wiring import open_runtime
from copilot.wiring.demo import bring_demo_to_today
from evals.bench.figure import Figure, middle, stopwatch
from evals.bench.program import program
from evals.company import scratch_folder, silent

_ASKED = 5
_PATIENCE_SECONDS = 90.0
_PAUSE_SECONDS = 0.05


async def measure_starts(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Cold and warm database, the demo company set up and moved by a day, a command, and `run` up to its first page."""
    with scratch_folder() as folder:
        home = folder / "home"
        yield Figure(name="embedded database, cold", value=await _database_start(home), unit="s")
        warm = [await _database_start(home) for _ in range(3)]
        yield Figure(name="embedded database, warm", value=middle(warm), unit="s")
        say("setting up the demo company")
        yield Figure(name="demo company set up", value=await _demo(home, system_clock), unit="s", goal=60)
        server = await asyncio.to_thread(embedded.ensure_running, home, progress=silent)
        try:
            say("asking by command")
            asked = [await _command(home) for _ in range(_ASKED)]
        finally:
            await asyncio.to_thread(server.stop)
        yield Figure(name="erp-copilot ask, warm, whole process", value=middle(asked), unit="s", goal=1.5)
        say("starting the program")
        yield Figure(name="run, up to the first answer on /health", value=await _run_start(home), unit="s", goal=10)
        tomorrow = fixed_clock(system_clock() + timedelta(days=1))
        yield Figure(name="demo company moved by a day", value=await _demo(home, tomorrow), unit="s", goal=2)


async def _database_start(home: Path) -> float:
    with stopwatch() as watch:
        server = await asyncio.to_thread(embedded.ensure_running, home, progress=silent)
    await asyncio.to_thread(server.stop)
    return watch.seconds


async def _demo(home: Path, clock: Clock) -> float:
    """Seconds until the demo company stands at the clock's time, the database being up."""
    async with open_runtime(Settings(home=home), progress=silent, clock=clock) as runtime:
        with stopwatch() as watch:
            await bring_demo_to_today(runtime, silent)
    return watch.seconds


async def _command(home: Path) -> float:
    with stopwatch() as watch:
        async with program(home, "ask", "open orders of C-10001", "--as", "planner") as process:
            await process.wait()
    if process.returncode not in (0, 3):
        raise RuntimeError(f"`erp-copilot ask` ended with {process.returncode}")
    return watch.seconds


async def _run_start(home: Path) -> float:
    """Seconds from starting `run` to its first healthy answer; nothing of it is left running."""
    port = _free_port()
    begun = time.perf_counter()
    async with program(home, "run", COPILOT_PORT=str(port)) as process:
        while not await asyncio.to_thread(_healthy, port):
            if process.returncode is not None or time.perf_counter() - begun > _PATIENCE_SECONDS:
                raise RuntimeError(f"`erp-copilot run` did not come up (exit status {process.returncode})")
            await asyncio.sleep(_PAUSE_SECONDS)
        return time.perf_counter() - begun


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return answer.status == HTTPStatus.OK
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
