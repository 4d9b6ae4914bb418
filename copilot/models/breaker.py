"""A circuit breaker: a model that fails again and again is left alone for a while, so that no question waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from copilot.domain.clock import Clock
from copilot.domain.model_calls import BreakerState, Came

_FAILURES = 5
_REST = timedelta(seconds=30)
_LONGEST = timedelta(minutes=10)


@dataclass(slots=True)
class Breaker:
    """Opens after some failures in a row. After a rest one request tries whether the model is well again: if it is, the
    breaker closes, else it rests twice as long. Of one process and event loop."""

    clock: Clock
    failures: int = 0
    """In a row."""
    opened: datetime | None = None
    """When it opened, or a try after its rest failed."""
    since: datetime | None = None
    """When it opened the first time; None while it is closed."""
    last_failure: Came | None = None
    _rest: timedelta = _REST
    _trying: datetime | None = None

    @property
    def state(self) -> BreakerState:
        """How it stands now."""
        if self.opened is None:
            return "closed"
        return "open" if self.clock() < self.opened + self._rest else "half_open"

    def admits(self) -> bool:
        """Whether a request may be made now; it has to be told then how it went."""
        if self.opened is None:
            return True
        now = self.clock()
        if now < self.opened + self._rest or (self._trying and now < self._trying + self._rest):
            return False
        self._trying = now
        return True

    def went_well(self) -> None:
        """A request was answered."""
        self.failures, self.opened, self.since, self._trying, self._rest = 0, None, None, None, _REST

    def failed(self, how: Came) -> None:
        """A request was not answered, or not by anything that can be used."""
        self.failures += 1
        self.last_failure = how
        if self.opened is not None and self._trying is not None:
            self._rest = min(self._rest * 2, _LONGEST)
        if self.failures >= _FAILURES:
            self.opened, self._trying = self.clock(), None
            self.since = self.since or self.opened
