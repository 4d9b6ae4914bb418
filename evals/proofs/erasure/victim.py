"""Erases somebody in a process of its own, which is killed at a step: nothing runs after it, as when the power goes."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from copilot.domain.clock import system_clock
from copilot.store import erasing, erasure_list
from copilot.store.audit import AuditLog
from copilot.store.erasing import Erasing
from copilot.store.erasure_list import ErasureList
from copilot.store.pool import Database
from copilot.store.roles import Role, dsn_for, passwords
from copilot.store.sealing import KeyRing

STEPS: dict[str, tuple[Any, str]] = {
    "the line": (ErasureList, "add"),
    "the line's way to the disk": (erasure_list, "sync_folder"),
    "the mark and the key": (KeyRing, "erase_person"),
    "the key": (KeyRing, "destroy"),
    "the key's file": (Path, "unlink"),
    "the rows": (Erasing, "_rows"),
    "the rows before they are committed": (erasing, "remove"),
    "the note in the database": (erasing, "keep"),
    "the copies": (Erasing, "_copies"),
    "the audit": (Erasing, "_record"),
    "the audit's row": (AuditLog, "append"),
}
"""Step -> what does it."""


def killed_at(step: str, *, after: bool) -> None:
    """See that this process ends just before or after a step."""
    owner, name = STEPS[step]
    plain: Callable[..., Any] = getattr(owner, name)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @wraps(plain)
    async def waiting(*arguments: Any, **named: Any) -> Any:
        if after:
            await plain(*arguments, **named)
        die()

    @wraps(plain)
    def blocking(*arguments: Any, **named: Any) -> Any:
        if after:
            plain(*arguments, **named)
        die()

    setattr(owner, name, waiting if inspect.iscoroutinefunction(plain) else blocking)


async def _erase(dsn: str, home: Path, subject: str) -> None:
    secrets = passwords(home)
    database = Database({role: dsn_for(dsn, role, secrets[role]) for role in Role})
    audit = AuditLog(database, home, system_clock)
    await Erasing(database, home, system_clock, audit, dsn, "op", "1").erase(subject)


if __name__ == "__main__":
    _, given_dsn, given_home, given_subject, given_step, given_when = sys.argv
    killed_at(given_step, after=given_when == "after")
    asyncio.run(_erase(given_dsn, Path(given_home), given_subject))
