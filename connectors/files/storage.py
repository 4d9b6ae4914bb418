"""Where files are: what a folder and an S3-compatible bucket have in common, and the folder.

Every method blocks; the connector calls them in threads.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Protocol

from connectors.errors import (
    SkippableSourceError,
    SourceAccessDeniedError,
    SourceBusyError,
    SourceProtocolError,
    SourceSettingsError,
    SourceUnreachableError,
)

MOST_FILES = 10_000
"""More files than this under one pattern are a mistake."""
_FRESH = 2.0
"""A file changed less than so many seconds ago may change again without its time telling: it counts as another one
at the next look, as a version control system's index does it."""
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file as it was listed: its name from the place's root, bytes, and what tells this version from others."""

    name: str
    size: int
    version: str
    token: str = ""
    """What the storage itself pins the version by."""


class Storage(Protocol):
    """A place with files. Raises only `connectors.errors.ConnectorError`."""

    where: str
    """How the place is called in messages; without credentials."""

    def find(self, pattern: str) -> tuple[Stored, ...]:
        """The files that a name or a glob names, by name. `*` does not cross a slash."""
        ...

    def open(self, stored: Stored) -> AbstractContextManager[BinaryIO]:
        """A file to read and to seek in. SourceBusyError where it is no longer the one that was listed, at the end too.

        SkippableSourceError where it is gone.
        """
        ...

    def describe(self) -> str:
        """What kind of place it is."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Folder:
    """A directory. Nothing outside it is read, whatever a name or a link says."""

    def __init__(self, path: str) -> None:
        if not Path(path).is_absolute():
            raise SourceSettingsError(
                f"the folder {path!r} can't be used; give its whole path, such as '/data/exports'"
            )
        self.where = path
        self._root = Path(path)

    def __repr__(self) -> str:
        return f"Folder({self.where!r})"

    def describe(self) -> str:
        return "folder"

    def close(self) -> None:
        """Nothing to close."""

    def find(self, pattern: str) -> tuple[Stored, ...]:
        parts = steps(pattern)
        try:
            root = self._root.resolve(strict=True)
            found = [path for path in _matching(root, parts) if path.is_file()]
            listed = [self._stored(root, path) for path in found[: MOST_FILES + 1]]
        except (FileNotFoundError, NotADirectoryError):
            raise SourceUnreachableError(f"there is no folder {self.where!r}; is it mounted?") from None
        except OSError as error:
            raise _failed(self.where, error) from None
        if len(listed) > MOST_FILES:
            raise SourceSettingsError(f"{pattern!r} names more than {MOST_FILES:,} files in {self.where!r}")
        return tuple(sorted(listed, key=lambda stored: stored.name))

    @contextmanager
    def open(self, stored: Stored) -> Generator[BinaryIO]:
        try:
            with (self._root.resolve() / stored.name).open("rb") as file:
                _same(file, stored)
                try:
                    yield file
                except SourceProtocolError:
                    _same(file, stored)  # nobody has to mend what was only half written
                    raise
                _same(file, stored)
        except FileNotFoundError:
            raise SkippableSourceError(f"the file {stored.name!r} is gone from {self.where!r}") from None
        except OSError as error:
            raise _failed(stored.name, error) from None

    def _stored(self, root: Path, path: Path) -> Stored:
        name = path.relative_to(root).as_posix()
        if not path.resolve(strict=True).is_relative_to(root):
            raise SourceSettingsError(f"{name!r} leads out of {self.where!r} by a link; put the file itself there")
        status = path.stat()
        token = _token(status)
        fresh = time.time() - status.st_mtime < _FRESH
        version = f"{token}-{time.time_ns()}" if fresh else token
        return Stored(name=name, size=status.st_size, version=version, token=token)


def steps(pattern: str) -> tuple[str, ...]:
    """A name or glob, by folder. Raises SourceSettingsError for one that leads elsewhere."""
    parts = pattern.split("/")
    if "\\" in pattern or "\x00" in pattern or any(part in {"", ".", ".."} for part in parts):
        raise SourceSettingsError(
            f"the file {pattern!r} can't be used; give its name from the source's place, such as 'stock/items.csv'"
        )
    return tuple(parts)


def is_wild(name: str) -> bool:
    """Whether it is a glob."""
    return _WILD.search(name) is not None


def matches(name: str, pattern: Sequence[str]) -> bool:
    """Whether a file's name is one that a glob names; hidden files and a spreadsheet's lock files never are."""
    parts = name.split("/")
    return len(parts) == len(pattern) and all(map(_fits, parts, pattern))


def _fits(part: str, pattern: str) -> bool:
    if part == pattern:
        return True
    return is_wild(pattern) and not part.startswith((".", "~$")) and fnmatchcase(part, pattern)


def _matching(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    first, rest = parts[0], parts[1:]
    if is_wild(first):
        names = sorted(entry.name for entry in os.scandir(folder) if _fits(entry.name, first))
    else:
        names = [first] if (folder / first).exists() else []
        folder.stat()
    for name in names:
        path = folder / name
        if not rest:
            yield path
        elif path.is_dir():
            yield from _matching(path, rest)


def _token(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def _same(file: BinaryIO, stored: Stored) -> None:
    if _token(os.fstat(file.fileno())) != stored.token:
        raise SourceBusyError(f"{stored.name!r} changed while it was read; it is read again at the next sync")


def _failed(name: str, error: OSError) -> SourceUnreachableError | SourceAccessDeniedError:
    told = error.strerror or type(error).__name__
    if isinstance(error, PermissionError):
        return SourceAccessDeniedError(f"{name!r} may not be read: {told}; let the copilot's user read it")
    return SourceUnreachableError(f"{name!r} can't be read: {told}")
