"""Reads the YAML of a mapping from a stranger: bounded in size, depth and kind, and every double key found.

Of plain values only null, true, false and whole numbers are anything but text, so that `on`, `NO`, `NULL`, 007, 0.10
and 2026-01-31 stay what they look like. Keys are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from connectors.mapping.spec import Complaint

Scalar = str | int | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, in C where it was built
_LARGEST = 1_000_000
_DEEPEST = 40
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}


@dataclass(slots=True)
class Tree:
    """What a file holds, with what is wrong with it as YAML."""

    value: Plain = None
    complaints: list[Complaint] = field(default_factory=list[Complaint])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    """place -> line, from 1."""

    def line(self, place: str) -> int:
        """The line of a place, or of the nearest around it."""
        while place and place not in self.lines:
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        return self.lines.get(place, 1)


def read_tree(text: str) -> Tree:
    """The file as plain values. Whatever is wrong is a complaint, never an exception."""
    tree = Tree()
    if len(text) > _LARGEST:
        tree.complaints.append(Complaint(place="", message=f"longer than {_LARGEST:,} characters"))
        return tree
    try:
        _refuse_traps(text, tree)
        node = None if tree.complaints else yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        tree.complaints.append(Complaint(place="", message=f"not YAML: {_shortened(error)}"))
        return tree
    except (ValueError, RecursionError, UnicodeError):
        tree.complaints.append(Complaint(place="", message="not YAML: it holds what can't stand in a text"))
        return tree
    if node is not None:
        tree.value = _plain(node, "", tree)
    return tree


def _refuse_traps(text: str, tree: Tree) -> None:
    """Goes over the events, which costs no memory, before anything is built from them."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            tree.complaints.append(Complaint(place=f"line {line}", message="aliases (*name) can't be used here"))
            return
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            tree.complaints.append(Complaint(place=f"line {line}", message=f"nested deeper than {_DEEPEST}"))
            return


def _plain(node: yaml.Node, place: str, tree: Tree) -> Plain:
    tree.lines[place] = node.start_mark.line + 1
    match node:
        case yaml.MappingNode():
            return _mapping(node, place, tree)
        case yaml.SequenceNode():
            return [_plain(child, f"{place}[{index}]", tree) for index, child in enumerate(node.value)]
        case yaml.ScalarNode():
            return _scalar(node)
        case _:
            return None


def _mapping(node: yaml.MappingNode, place: str, tree: Tree) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for name, child in node.value:
        line = name.start_mark.line + 1
        if not isinstance(name, yaml.ScalarNode):
            tree.complaints.append(Complaint(place=place or f"line {line}", message="a key must be text"))
            continue
        key = str(name.value)
        below = f"{place}.{key}" if place else key
        if key in found:
            message = f"the key {key!r} is there twice"
            tree.complaints.append(Complaint(place=below, message=message))
            continue
        found[key] = _plain(child, below, tree)
    return found


def _scalar(node: yaml.ScalarNode) -> Scalar:
    value = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return value
    if value in _WORDS:
        return _WORDS[value]
    return int(value) if _WHOLE.fullmatch(value) else value


def _shortened(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it can't be read"
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)
