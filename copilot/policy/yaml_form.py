"""Reads YAML as plain as JSON: no aliases, no key twice, and no word that turns into something else.

In YAML 1.1 the country code NO is false, 1:30 a number and a date no text; and a few lines of aliases unfold into
gigabytes. Policies come from people and are judged before they are trusted, so none of this is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import yaml

from copilot.errors import PolicyError

_PLAIN = (
    ("tag:yaml.org,2002:null", r"^(null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:bool", r"^(true|false)$", list("tf")),
    ("tag:yaml.org,2002:int", r"^-?(0|[1-9][0-9]{0,17})$", list("-0123456789")),
    ("tag:yaml.org,2002:float", r"^-?(0|[1-9][0-9]{0,17})\.[0-9]{1,9}$", list("-0123456789")),
)


class _Plain(yaml.SafeLoader):
    """Null, true, false and decimal numbers; everything else is text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = cast("Any", self).peek_event()
            raise yaml.MarkedYAMLError(problem="has an alias", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key, _ in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge" or key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"says {key.value!r} twice", problem_mark=key.start_mark)
            seen.add(cast("str", key.value))
        return super().construct_mapping(node, deep=deep)


_RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _tag, _pattern, _first in _PLAIN:
    for _character in _first:
        _RESOLVERS.setdefault(_character, []).append((_tag, re.compile(_pattern)))
cast("Any", _Plain).yaml_implicit_resolvers = _RESOLVERS


def read_plain(text: str, file: str) -> Mapping[str, Any]:
    """The mapping that a text holds. Raises PolicyError with the line of what can't be read."""
    try:
        body: Any = yaml.load(text, Loader=_Plain)  # noqa: S506 -- a safe loader that reads less
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PolicyError(f"{file}{line} {error.problem or 'is no YAML'}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PolicyError(f"{file} is no YAML that can be read") from error
    if not isinstance(body, dict):
        raise PolicyError(f"{file} is no mapping")
    return cast("dict[str, Any]", body)
