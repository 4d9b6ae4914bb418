"""The templates that are shipped, each only in the exact form that a second person approved in `approvals.toml`.

Ids are `<task>/<name>`: `claims/orders` is the file claims/orders.yaml, `plan/question` the file plan/question.md.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from prompts.errors import TemplateError
from prompts.prompt import TASKS

CLAIMS = "claims"
SUFFIXES = {CLAIMS: ".yaml"} | dict.fromkeys(TASKS, ".md")
_ID = re.compile(rf"({'|'.join(SUFFIXES)})/[a-z][a-z0-9_]{{0,63}}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One file in its approved form."""

    id: str
    version: int
    author: str
    approver: str
    sha256: str
    text: bytes


def require_id(given: str) -> str:
    """The id, if it is one. Raises TemplateError: whatever else it is, no file is looked for by it."""
    if not _ID.match(given):
        raise TemplateError(f"{given[:80]!r} is no id of a template; one is like 'claims/orders' or 'plan/question'")
    return given


def digest(text: bytes) -> str:
    """The hash that an approval names."""
    return hashlib.sha256(text).hexdigest()


def one_person(name: str) -> str:
    """A name without the differences that make nobody another person."""
    return " ".join(name.split()).casefold()


def shipped(task: str, root: Traversable | None = None) -> Mapping[str, Shipped]:
    """The approved templates of a task by id. Raises TemplateError naming the file that is not as approved."""
    folder = root or files("prompts")
    approvals = _approvals(folder)
    found = (_approved(task, file, approvals) for file in _files(folder / task, SUFFIXES[task]))
    return {each.id: each for each in found}


def shipped_prompts(root: Traversable | None = None) -> tuple[Mapping[str, Shipped], tuple[TemplateError, ...]]:
    """The approved prompts of all tasks for models by id, and what is wrong with the others: those do not run."""
    folder = root or files("prompts")
    good: dict[str, Shipped] = {}
    faults: list[TemplateError] = []
    for task, file in [(each, file) for each in TASKS for file in _files(folder / each, SUFFIXES[each])]:
        try:
            found = _approved(task, file, _approvals(folder))
        except TemplateError as error:
            faults.append(error)
        else:
            good[found.id] = found
    return good, tuple(faults)


def _files(folder: Traversable, suffix: str) -> Iterator[Traversable]:
    there = folder.iterdir() if folder.is_dir() else ()
    yield from (file for file in sorted(there, key=lambda file: file.name) if file.name.endswith(suffix))


def _approvals(root: Traversable) -> Mapping[str, Mapping[str, Any]]:
    approved = root / "approvals.toml"
    try:
        entries: list[dict[str, Any]] = tomllib.loads(approved.read_text())["approval"] if approved.is_file() else []
        found = {str(entry["file"]): entry for entry in entries}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise TemplateError(f"approvals.toml can't be read: {error}; restore it") from error
    if len(found) != len(entries):
        raise TemplateError("approvals.toml names a file twice; restore it")
    return found


def _approved(task: str, file: Traversable, approvals: Mapping[str, Mapping[str, Any]]) -> Shipped:
    name = f"{task}/{file.name}"
    if isinstance(file, Path) and file.is_symlink():
        raise TemplateError(f"{name!r} is a link to another file; put the file itself there")
    approval = approvals.get(name)
    if approval is None:
        raise TemplateError(f"{name!r} is not approved; approvals.toml does not name it")
    text = file.read_bytes()
    author, approver = str(approval.get("author", "")), str(approval.get("approver", ""))
    if approval.get("sha256") != digest(text):
        raise TemplateError(f"{name!r} is not in its approved form; restore it or have the new form approved")
    if not one_person(author) or not one_person(approver):
        raise TemplateError(f"{name!r} has no author or no approver in approvals.toml; both must be named")
    if one_person(author) == one_person(approver):
        raise TemplateError(f"{name!r} was approved by its own author {author!r}")
    ident = require_id(name.removesuffix(SUFFIXES[task]))
    version = approval.get("version", 1)
    if type(version) is not int or version < 1:
        raise TemplateError(f"{name!r} has the version {version!r} in approvals.toml; it is a number from 1 on")
    return Shipped(
        id=ident, version=version, author=author, approver=approver, sha256=digest(text), text=text,
    )  # fmt: skip
