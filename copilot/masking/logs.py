"""Nothing personal stands in a log: every record that anything in this program logs is masked where it is made."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from copilot.masking.audiences import removed
from redaction.redactor import Redactor
from redaction.vault import Vault

_UNMASKED = "(a line that could not be masked)"
_sources: list[Callable[[], Redactor]] = []
_make = logging.LogRecord


@contextmanager
def masked_logs(redactor: Callable[[], Redactor]) -> Generator[None]:
    """Mask what is logged as long as this lasts, by the redactor as it is when a line is logged."""
    _sources.append(redactor)
    logging.setLogRecordFactory(_masked_record)
    try:
        yield
    finally:
        _sources.remove(redactor)
        if not _sources:
            logging.setLogRecordFactory(_make)


def masked_line(text: str) -> str:
    """A text without what the redactors of this program find in it."""
    for source in _sources:
        text = Vault().mask(text, source().find(text), removed)
    return text


def _masked_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """A record whose message and traceback are masked; handlers format nothing but those.

    What can't be masked is left out: a log line must not fail, and must not tell either.
    """
    record = _make(*args, **kwargs)
    try:
        record.msg = masked_line(record.getMessage())
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = masked_line("".join(traceback.format_exception(*record.exc_info)).rstrip())
    except Exception:  # noqa: BLE001 -- whatever it is, the line may hold something personal
        record.msg = _UNMASKED
        record.exc_text = _UNMASKED if record.exc_info else None
    record.args = None
    return record
