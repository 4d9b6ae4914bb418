"""Reads the YAML files of our own packages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, in C where it was built


def read_yaml(file: Traversable) -> dict[str, Any]:
    """The mapping that a file holds."""
    return yaml.load(file.read_text(), Loader=_LOADER)  # noqa: S506 -- both are safe loaders


def read_folder(folder: Traversable) -> Iterator[tuple[str, Any]]:
    """Every entry of every YAML file of a folder, in the order of the files."""
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            yield from read_yaml(file).items()
