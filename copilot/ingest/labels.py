"""A row's labels as SQL, composed from the semantic model's label rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import sql
from psycopg.sql import Composable

from copilot.semantic.model import LABELS, Entity, Field, SemanticModel


@dataclass(frozen=True, slots=True)
class RowView:
    """Where a row's label inputs are: in staging while it is placed, in the business table when it is relabelled."""

    own_id: Composable
    hint: Callable[[str], Composable]
    is_set: Callable[[Field], Composable]
    """Whether the row names a record in this field at all."""


STAGED = RowView(
    own_id=sql.Identifier("s", "id"),
    hint=lambda label: sql.Identifier("s", f"hint_{label}"),
    is_set=lambda field: sql.SQL("{} is not null").format(sql.Identifier("s", f"{field.name}_key")),
)
# A hint isn't kept, and does not depend on any parent: what it gave stays.
STANDING = RowView(
    own_id=sql.Identifier("c", "id"),
    hint=lambda label: sql.Identifier("c", f"label_{label}"),
    is_set=lambda field: sql.SQL("{} is not null").format(sql.Identifier("c", field.column)),
)


def alias(field: Field) -> str:
    """The name under which the record that `field` refers to is joined."""
    return f"ref_{field.name}"


def label(entity: Entity, name: str, view: RowView) -> Composable:
    """The expression of one label; null where it can't be derived."""
    rule = entity.labels.own.get(name)
    if rule is None:
        return _inherited(entity, name)
    if rule == "self":
        return view.own_id
    if rule in ("hint", "hint?"):
        return view.hint(name)
    field = entity.fields[rule.removesuffix("?")]
    referred = sql.Identifier(alias(field), f"label_{name}")
    if not rule.endswith("?"):
        return referred
    return sql.SQL("case when {given} then {referred} else {inherited} end").format(
        given=view.is_set(field), referred=referred, inherited=_inherited(entity, name)
    )


def labels(entity: Entity, view: RowView) -> Iterator[tuple[str, Composable]]:
    """The column and the expression of every label."""
    return ((f"label_{name}", label(entity, name, view)) for name in LABELS)


def label_refs(entity: Entity) -> tuple[Field, ...]:
    """The fields through which labels come from other records, the parent first."""
    rules = (rule.removesuffix("?") for rule in entity.labels.own.values())
    names = dict.fromkeys((entity.labels.parent or "", *rules))
    return tuple(entity.fields[name] for name in names if name in entity.fields)


def below(model: SemanticModel, parents: frozenset[str]) -> Iterator[tuple[Entity, tuple[Field, ...]]]:
    """Entities that take a label from one of `parents`, in load order, with the fields that name it."""
    for entity in model.entities.values():
        fields = tuple(field for field in label_refs(entity) if field.to in parents)
        if fields:
            yield entity, fields


def _inherited(entity: Entity, name: str) -> Composable:
    parent = entity.labels.parent
    if parent is None:
        return sql.SQL("0")
    return sql.Identifier(alias(entity.fields[parent]), f"label_{name}")
