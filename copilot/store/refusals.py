"""Refused sign-ins and tokens, put on record: each by itself, and those of a sender that sends many of them counted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from copilot.domain.clock import Clock
from copilot.errors import AuditError
from copilot.store.audit import AuditReceipt
from copilot.store.audit_entry import AuditEntry, refusal, refusals

_WINDOW = timedelta(minutes=1)
_SENDERS = 1_000
"""Senders counted apart at a time; those beyond are counted together."""
_OTHERS = "others"
_log = logging.getLogger(__name__)


class Audit(Protocol):
    """Where rows go."""

    async def append(self, entry: AuditEntry) -> AuditReceipt: ...


@dataclass(slots=True)
class _Minute:
    """What one sender was refused in a minute: how many have rows of their own, and what is counted beyond."""

    since: datetime
    alone: int = 0
    more: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


class Refusals:
    """So many refusals of a sender and a minute leave a row each; those beyond are counted and leave one row together
    when the minute is over, or the program ends.

    It only keeps records: whether a token is taken is never asked here.
    """

    def __init__(self, audit: Audit, clock: Clock, version: Callable[[], str], *, most: int) -> None:
        """`most` is how many rows of a sender a minute may have; `version` gives that of the policy."""
        self._audit = audit
        self._clock = clock
        self._version = version
        self._most = most
        self._minutes: dict[str, _Minute] = {}
        self._waiting: asyncio.Task[None] | None = None

    async def put(self, channel: str, fault: str, sender: str) -> None:
        """Put one refusal on record. Raises AuditError."""
        now = self._clock()
        await self._settle([key for key, minute in self._minutes.items() if now - minute.since >= _WINDOW])
        if sender not in self._minutes and len(self._minutes) >= _SENDERS:
            sender = _OTHERS
        minute = self._minutes.setdefault(sender, _Minute(now))
        if minute.alone < self._most:
            minute.alone += 1
            await self._audit.append(refusal(channel, fault, self._version()))
            return
        minute.more[channel, fault] += 1
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.create_task(self._later())

    async def close(self) -> None:
        """Put on record what is counted."""
        if self._waiting is not None:
            self._waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._waiting
        with contextlib.suppress(AuditError):
            await self._settle([*self._minutes])

    async def _later(self) -> None:
        """A flood that stops is put on record as well."""
        await asyncio.sleep(_WINDOW.total_seconds())
        try:
            await self._settle([*self._minutes])
        except AuditError as error:
            _log.warning("refusals that were counted could not be put on record: %s", error)

    async def _settle(self, senders: list[str]) -> None:
        """Close the minutes of some senders; where the row can't be written, what was counted stays counted."""
        for sender in senders:
            minute = self._minutes.pop(sender, None)
            if minute is None or not minute.more:
                continue
            try:
                await self._audit.append(refusals(minute.more, minute.since, self._version()))
            except AuditError:
                kept = self._minutes.setdefault(sender, minute)
                if kept is not minute:
                    kept.more.update(minute.more)
                raise
