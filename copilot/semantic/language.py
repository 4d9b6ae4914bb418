"""The language in force: the one folder that its words, the forms it prints values in and its sentences are read from.

English is complete by itself: its titles stand in the semantic model, the words that question kinds listen for beside
their steps, its sentences in prompts/claims. Another language is a folder of the same files, and of three more, which
say the same of it: titles.yaml, kinds.yaml and claims/ with its approvals.toml. See "Adding a language" in the README.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, wraps
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from copilot.errors import SettingsError
from copilot.semantic.reading import read_yaml

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MARK = "words.yaml"
"""The file by which a folder is known to hold a language."""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language by its folder; there is one value for each."""

    name: str
    folder: Traversable

    def read(self, file: str) -> dict[str, Any]:
        """What one of its files holds; nothing where it has no such file."""
        found = self.folder / file
        return read_yaml(found) if found.is_file() else {}


def shipped_languages() -> tuple[str, ...]:
    """The names of the languages that are shipped."""
    return tuple(sorted(each.name for each in language_folder().iterdir() if (each / _MARK).is_file()))


def language_folder() -> Traversable:
    """The folder in which each shipped language has one."""
    return files("copilot.understanding") / "language"


@cache
def find_language(setting: str) -> Language:
    """The language that a setting names: one that is shipped, or a folder that holds one. Raises SettingsError."""
    if setting in shipped_languages():
        return Language(setting, language_folder() / setting)
    folder = Path(setting).expanduser().absolute()
    if "/" in setting and (folder / _MARK).is_file():
        return Language(folder.name, folder)
    known = ", ".join(shipped_languages())
    raise SettingsError(
        f"COPILOT_LANGUAGE is {setting!r}; it must be one of {known}, or the path of a folder with the files of another"
    )


ENGLISH = find_language("en")
_IN_FORCE: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def in_force() -> Language:
    """The language that is heard and answered in here."""
    return _IN_FORCE.get()


@contextmanager
def speaking(language: Language) -> Generator[None]:
    """Everything within is heard and answered in a language."""
    token = _IN_FORCE.set(language)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def per_language(read: Callable[_P, _T]) -> Callable[_P, _T]:
    """A loader that reads the files of the language in force, once for each language."""

    @cache
    def kept(language: Language, *args: Any, **named: Any) -> _T:
        with speaking(language):
            return read(*args, **named)

    @wraps(read)
    def load(*args: _P.args, **named: _P.kwargs) -> _T:
        return kept(in_force(), *args, **named)

    return load
