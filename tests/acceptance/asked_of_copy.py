"""Asks a copy of the program, given as JSON: {dsn, home, language, now, subject, questions}; prints the answers.

Run by a test as a program of its own, with the copy before everything else on the path.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import copilot
from copilot.domain.clock import fixed_clock
from copilot.domain.question import Question, SessionSubject
from copilot.settings import Settings
from copilot.store.pool import Database
from copilot.store.setup import prepare
from copilot.wiring import assemble


async def answers(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers as the API gives them."""
    home = Path(asked["home"])
    database = Database(await prepare(asked["dsn"], home, create=True))
    settings = Settings(home=home, language=asked["language"])
    runtime = assemble(settings, database, fixed_clock(datetime.fromisoformat(asked["now"])), asked["dsn"])
    try:
        await runtime.sources.load()
        credential = SessionSubject(asked["subject"])
        told = [await runtime.ask(Question(text=text, channel="cli"), credential) for text in asked["questions"]]
        return [answer.to_json() for answer in told]
    finally:
        await runtime.sources.aclose()
        await runtime.audit.close()
        await database.close()


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump({"program": copilot.__file__, "answers": asyncio.run(answers(given))}, sys.stdout, default=str)
