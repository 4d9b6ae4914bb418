"""Measures of models: how often each is asked and what becomes of it, how long it takes, what it costs in tokens."""

from __future__ import annotations

from typing import Final

from opentelemetry import metrics

from copilot.domain.model_calls import Attempt, BreakerState, Fallback

_METER = metrics.get_meter("copilot")
_REQUESTS = _METER.create_counter("copilot.model.requests", "{request}", "what became of asking a model")
_DURATION = _METER.create_histogram(
    "copilot.model.duration", "s", "how long a model was waited for",
    explicit_bucket_boundaries_advisory=[0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120],
)  # fmt: skip
_TOKENS = _METER.create_counter("copilot.model.tokens", "{token}", "tokens, as the model counted them")
_BREAKER = _METER.create_gauge(
    "copilot.model.breaker", "", "0 closed, 1 half open, 2 open; as it stood when the model was last wanted"
)
_FALLBACKS = _METER.create_counter("copilot.fallbacks", "{answer}", "answers by the rules where a model was to help")
_STATES: Final[dict[BreakerState, int]] = {"closed": 0, "half_open": 1, "open": 2}
_ASKED = frozenset({"said", "failed", "slow"})


def measure(task: str, attempt: Attempt, breaker: BreakerState) -> None:
    """Count one attempt. A model that was left alone took no time, and is counted all the same."""
    about = {"model": attempt.model, "task": task}
    _REQUESTS.add(1, about | {"outcome": attempt.came})
    _BREAKER.set(_STATES[breaker], {"model": attempt.model})
    if attempt.came in _ASKED:
        _DURATION.record(attempt.elapsed_ms / 1000, about | {"outcome": attempt.came})
        for direction, tokens in zip(("input", "output"), attempt.tokens, strict=True):
            _TOKENS.add(tokens, about | {"direction": direction})


def count_fallback(why: Fallback | None) -> None:
    """Count an answer that the rules gave where a model was to help; nothing where none was, or where it did."""
    if why is not None:
        _FALLBACKS.add(1, {"reason": why})
