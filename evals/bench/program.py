"""The command line as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

_STOP_SECONDS = 20.0


@asynccontextmanager
async def program(home: Path, *arguments: str, **settings: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`erp-copilot` with these arguments and settings, asked to stop at the end and ended if it does not."""
    environment = os.environ | {"COPILOT_HOME": str(home), **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "copilot.channels.cli", *arguments, env=environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
