"""How many audit rows a second, by one writer and by eight, beside bare durable inserts of the same size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

from evals.bench.figure import Figure, middle
from evals.bench.scene import open_scene

_SECONDS = 2.0
_ROUNDS = 3
_WRITERS = (1, 8)
Append = Callable[[], Awaitable[object]]


async def measure_appends(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Appends a second with fsync on; medians of rounds in turns."""
    async with open_scene() as scene:
        question = scene.questions[0]
        audit, database = scene.runtime.audit, scene.runtime.database

        def append() -> Awaitable[object]:
            return audit.append(replace(question.entry, audit_id=str(uuid4())))

        def insert() -> Awaitable[object]:
            return question.bare.insert(database)

        for writers in _WRITERS:
            say(f"{writers} writers")
            rates = [(await _rate(append, writers), await _rate(insert, writers)) for _ in range(_ROUNDS)]
            yield Figure(
                name=f"audit appends, {writers} {'writer' if writers == 1 else 'writers'}",
                value=middle([ours for ours, _ in rates]),
                unit="rows/s",
                peer=middle([theirs for _, theirs in rates]),
            )


async def _rate(append: Append, writers: int) -> float:
    begun = time.perf_counter()

    async def write() -> int:
        count = 0
        while time.perf_counter() - begun < _SECONDS:
            await append()
            count += 1
        return count

    counts = await asyncio.gather(*(write() for _ in range(writers)))
    return sum(counts) / (time.perf_counter() - begun)
