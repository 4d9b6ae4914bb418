"""The body of a prompt: Jinja in a sandbox, of which little is allowed.

Evidence and questions are data. So values stand in the block `user` alone, and each is written as JSON, by
`{{ name | tojson }}`. What the block `system` says is the same for every question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from prompts.errors import PromptError

BLOCKS = ("system", "user")


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was found to be allowed, and the names of the values that it prints."""

    template: Template
    names: frozenset[str]

    def render(self, values: Mapping[str, object]) -> tuple[str, str]:
        """The blocks `system` and `user`. Raises jinja2's TemplateError for a value that is not there."""
        context = self.template.new_context(dict(values))
        system, user = ("".join(self.template.blocks[block](context)).strip() for block in BLOCKS)
        return system, user


def parse_body(text: str, what: str) -> Body:
    """A body as it may run. Raises PromptError naming what may not be in it."""
    environment = _environment()
    try:
        tree = environment.parse(text)
        names = meta.find_undeclared_variables(tree)
        for fault in _faults(tree):
            raise PromptError(f"{what}: {fault}")
        return Body(environment.from_string(text), frozenset(names))
    except (TemplateError, RecursionError) as error:
        raise PromptError(f"{what}: its body can't be read: {error}") from error


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, extensions=()
    )
    made.globals.clear()
    filters: dict[str, Any] = {"tojson": _as_json}
    made.filters = filters  # Jinja's own is for HTML and writes `<PERSON_1>` in escapes
    made.tests = {}
    return made


def _as_json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _faults(tree: nodes.Template) -> Iterator[str]:
    blocks = [node for node in tree.body if isinstance(node, nodes.Block)]
    if sorted(block.name for block in blocks) != sorted(BLOCKS):
        yield f"it has the blocks {[block.name for block in blocks]!r}; it must have {BLOCKS!r}, each once"
    for node in tree.body:
        if not isinstance(node, nodes.Block) and not _is_blank(node):
            yield f"{_at(node)} stands outside the blocks; put it into one of {BLOCKS!r}"
    for block in blocks:
        for named in () if block.name == "user" else tuple(_values(block)):
            yield f"{named!r} is in the block {block.name!r}; values are data and stand in the block 'user' alone"
        yield from _in_block(block.body)


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(each, nodes.TemplateData) and not each.data.strip() for each in node.nodes
    )


def _values(block: nodes.Block) -> Iterator[str]:
    """What a block holds that is more than its own words."""
    yield from (str(each.name) for each in block.find_all(nodes.Name))
    yield from (type(each).__name__ for each in block.find_all((nodes.Const, nodes.For, nodes.If)))


def _in_block(body: list[nodes.Node]) -> Iterator[str]:
    for node in body:
        if isinstance(node, nodes.Output):
            yield from (fault for each in node.nodes for fault in _printed(each))
        elif isinstance(node, nodes.For):
            yield from _loop(node)
        elif isinstance(node, nodes.If):
            yield from _branch(node)
        else:
            yield f"{_at(node)} has a {type(node).__name__}; only `if`, `for` and values are allowed"


def _printed(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.TemplateData):
        return
    bare = isinstance(node, nodes.Filter) and not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
    if not (isinstance(node, nodes.Filter) and bare and node.name == "tojson" and _is_value(node.node)):
        yield f"{_at(node)} prints something else than a value as JSON; write `{{{{ name | tojson }}}}`"


def _loop(node: nodes.For) -> Iterator[str]:
    plain = isinstance(node.target, nodes.Name) and not node.recursive and node.test is None
    if not (plain and _is_value(node.iter)):
        yield f"{_at(node)} goes over something else than a value; write `{{% for each in name %}}`"
    yield from _in_block([*node.body, *node.else_])


def _branch(node: nodes.If) -> Iterator[str]:
    test = node.test.node if isinstance(node.test, nodes.Not) else node.test
    if not _is_value(test):
        yield f"{_at(node)} asks for something else than whether there is a value; write `{{% if name %}}`"
    yield from _in_block([*node.body, *node.elif_, *node.else_])


def _is_value(node: nodes.Node | None) -> bool:
    """An input, or a part of one by its name."""
    while isinstance(node, nodes.Getattr) and not node.attr.startswith("_"):
        node = node.node
    return isinstance(node, nodes.Name) and not node.name.startswith("_")


def _at(node: nodes.Node) -> str:
    return f"line {node.lineno} of the body"
