"""The YAML files that the model and a language are written in, with the places of what stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, exceptions

_EXCEPTIONS: Any = exceptions  # its types are half unknown
Place = tuple[str | int, ...]
"""Keys and numbers from the top of a file to a part of it."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong: the file, the line, the part of the file, and what is wrong with it."""

    file: str
    line: int
    place: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.place + ': ' if self.place else ''}{self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file: its name within the package, its text, and the name of its schema."""

    file: str
    text: str
    schema: str
    schemas: Traversable
    """The folder in which the schema is."""

    @property
    def body(self) -> dict[Any, Any]:
        """What the file holds; nothing where it is no mapping."""
        try:
            read = _read(self.text)
        except yaml.YAMLError:
            return {}
        return cast("dict[Any, Any]", read) if isinstance(read, dict) else {}

    def fault(self, text: str, *place: str | int) -> Fault:
        """A fault at a place of the file."""
        return Fault(self.file, _line(self.text, place), ".".join(map(str, place)), text)

    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with the file by itself: its YAML, keys that are said twice, its schema."""
        return _own_faults(self)

    def find_faults(self) -> Iterator[Fault]:
        """The same, looked for anew."""
        try:
            node = _composed(self.text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or str(error)
            yield Fault(self.file, mark.line + 1 if mark else 0, "", f"is no YAML: {problem}")
            return
        for key, line in _twice(node):
            yield Fault(self.file, line, key, "is said twice; the second one would silently replace the first")
        yield from self._schema_faults()

    def _schema_faults(self) -> Iterator[Fault]:
        validator: Any = Draft202012Validator(read_schema(self.schemas, self.schema))
        for error in validator.iter_errors(self.body):
            cause: Any = _EXCEPTIONS.best_match([error]) or error
            yield self.fault(cause.message, *cause.absolute_path)


@cache
def _own_faults(document: Document) -> tuple[Fault, ...]:
    return tuple(document.find_faults())


@cache
def _read(text: str) -> Any:
    return yaml.load(text, Loader=yaml.SafeLoader)


@cache
def _composed(text: str) -> yaml.Node | None:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def read_schema(folder: Traversable, name: str) -> Mapping[str, Any]:
    """A JSON Schema that is shipped with the files it is of."""
    return json.loads((folder / f"{name}.json").read_text())


def documents_in(
    folder: Traversable, called: str, schemas: Traversable, known: Mapping[str, str]
) -> tuple[Document, ...]:
    """The YAML files of a folder that is called so in faults; `known` names the schema of each, or of "*" any file."""
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda each: each.name)
    return tuple(
        Document(file=f"{called}/{file.name}", text=file.read_text(), schema=schema, schemas=schemas)
        for file in files
        if (schema := known.get(file.name, known.get("*")))
    )


def _line(text: str, place: Sequence[str | int]) -> int:
    """The line of a part of a file, of the nearest one around it where that part is not there; 0: unknown."""
    try:
        node = _composed(text)
    except yaml.YAMLError:
        return 0
    line = 0
    for step in place:
        found = _inside(node, step)
        if found is None:
            break
        line, node = found
    return line


def _inside(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        items = cast("list[yaml.Node]", node.value)
        if step < len(items):
            return items[step].start_mark.line + 1, items[step]
    return None


def _twice(node: yaml.Node | None, trail: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.SequenceNode):
        for item in cast("list[yaml.Node]", node.value):
            yield from _twice(item, trail)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
        name = f"{trail}.{key.value}" if trail else str(key.value)
        if name in seen:
            yield name, key.start_mark.line + 1
        seen.add(name)
        yield from _twice(value, name)
