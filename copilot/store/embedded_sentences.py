"""What the embedded PostgreSQL says to a person: one sentence for each thing that can go wrong, and progress."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NoReturn

from copilot.errors import StartupError
from copilot.store.embedded_process import Layout

Progress = Callable[[str], None]

FREE_BYTES = 300_000_000
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class Pace:
    """Says what takes long: first after two seconds, then every five."""

    def __init__(self, progress: Progress, text: str) -> None:
        self._progress, self._text, self._next = progress, text, 2.0

    def __call__(self, seconds: float) -> None:
        """Report, if it is time to, that the work has taken this many seconds."""
        if seconds >= self._next:
            self._progress(f"{self._text} ({seconds:.0f} s)")
            self._next = seconds + 5.0


def disk_full(folder: Path) -> StartupError:
    """Return the sentence for a full disk."""
    return StartupError(
        f"The disk that holds {str(folder)!r} is full: free at least {FREE_BYTES // 1_000_000} MB and start again; "
        "nothing is lost."
    )


@contextlib.contextmanager
def one_sentence(layout: Layout) -> Generator[None]:
    """Turn what the operating system refuses into one sentence for a person."""
    try:
        yield
    except TimeoutError as error:
        raise StartupError(f"The embedded database is stuck: {error}.") from error
    except OSError as error:
        raise _sentence(error, layout) from error


def _sentence(error: OSError, layout: Layout) -> StartupError:
    at = str(error.filename or layout.home)
    if error.errno in DISK_FULL:
        return disk_full(layout.home)
    if error.errno in NO_ACCESS:
        return StartupError(
            f"No permission for {at!r} ({error.strerror}): give it to the user who starts this program, "
            "or set COPILOT_HOME to another folder."
        )
    if error.errno in NO_LOCKS:
        return StartupError(
            f"The file system of {at!r} does not lock files: set COPILOT_HOME to a folder on a local disk."
        )
    return StartupError(f"The embedded database cannot use {at!r}: {error.strerror or error}.")


def refuse_from_log(layout: Layout, tail: str) -> NoReturn:
    """Raise the sentence for what PostgreSQL printed before it gave up."""
    if "No space left on device" in tail or "Disk quota exceeded" in tail:
        raise disk_full(layout.home)
    lines = [line for line in tail.splitlines() if re.search("PANIC|FATAL|ERROR|error|failed", line)]
    said = lines[-1].strip() if lines else (tail.strip().splitlines() or ["nothing"])[-1]
    raise StartupError(
        f"PostgreSQL did not start and said {said!r}; its data in {str(layout.data)!r} was left as it is."
    )
