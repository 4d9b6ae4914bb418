"""The first questions of a new chat for people whom a provider signs in: about records that they may see today."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from datetime import datetime, timedelta

from copilot.ask import Asking
from copilot.domain.clock import Clock
from copilot.domain.question import SessionSubject
from copilot.domain.scope import Scope
from copilot.errors import CopilotError
from copilot.policy.policy import scope_for
from copilot.semantic.language import Language, speaking

Questions = tuple[tuple[str, str], ...]
"""Labels, and what they ask."""
_HOLD = timedelta(minutes=30)
_MOST = 500
_WAIT_SECONDS = 1.5
"""How long a new chat waits for them; what takes longer is there for the next one."""
_log = logging.getLogger(__name__)


class FirstQuestions:
    """Finds them once for each person and scope, and keeps them for a while: a grant that changed finds others."""

    def __init__(self, language: Language, clock: Clock) -> None:
        self._language = language
        self._clock = clock
        self._kept: OrderedDict[tuple[str, Scope], tuple[datetime, asyncio.Task[Questions]]] = OrderedDict()

    async def __call__(self, asking: Asking, credential: SessionSubject) -> Questions:
        """Those of whoever is signed in, under the policy of `asking`; none where they are not found soon enough.

        Raises SignInError.
        """
        principal = await asking.authenticate(credential)
        key, now = (principal.subject, scope_for(principal, asking.policy)), self._clock()
        at, task = self._kept.get(key, (None, None))
        if at is None or task is None or now - at > _HOLD or _failed(task):
            task = asyncio.create_task(self._find(asking, credential))
            self._kept[key] = now, task
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        done, _ = await asyncio.wait({task}, timeout=_WAIT_SECONDS)
        return task.result() if done and not _failed(task) else ()

    async def _find(self, asking: Asking, credential: SessionSubject) -> Questions:
        with speaking(self._language):
            try:
                found = await asking.first_questions(credential)
            except CopilotError as error:
                _log.warning("no first questions were found: %s", error)
                raise
        return tuple((choice.label, choice.question) for choice in found)


def _failed(task: asyncio.Task[Questions]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
