"""By what a source's records are recognised as ours: the rules an entity has, and the normal forms they compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql
from psycopg.sql import Composed

from copilot.ingest.hints import DEFAULT, SHARED
from copilot.ingest.report import Source
from copilot.semantic.model import HINTS, Entity

PART_NUMBER = "part_number"
"""The rule for items whose number or GTIN is another number of one of ours: an alias, a supplier's part number."""
_FORMS = {"gtin": "gtin_key", "tax_number": "tax_key"}


def allowed_rules(entity: Entity) -> tuple[str, ...]:
    """What records of an entity may be recognised by; nothing for one that is not shared between sources."""
    if not entity.master:
        return ()
    return (*_forms(entity), *([PART_NUMBER] if entity.name == "item" else []))


def rules_of(source: Source, entity: Entity) -> tuple[str, ...]:
    """A source's rules for an entity, in its order."""
    return source.identity_rules.get(entity.name, ()) if entity.master else ()


def mapped_codes(source: Source, entity: Entity) -> Mapping[str, str]:
    """Source key -> code of ours, as far as the label map may speak of records of this entity."""
    given = source.label_map.get(entity.name, {})
    return {key: code for key, code in given.items() if key != DEFAULT and code != SHARED}


def shared(entity: Entity) -> bool:
    """Whether several sources may mean the same record, so that keys go through core.identity."""
    return entity.master or entity.name in HINTS


def keys(entity: Entity) -> Composed | None:
    """`('gtin', core.gtin_key(t.gtin)), …`: each field's normal form; None where nothing can be compared."""
    forms = _forms(entity)
    if not forms:
        return None
    row = sql.SQL("({rule}, {form}({value}))")
    return sql.SQL(", ").join(
        row.format(rule=sql.Literal(name), form=sql.Identifier("core", form), value=sql.Identifier("t", name))
        for name, form in forms.items()
    )


def _forms(entity: Entity) -> Mapping[str, str]:
    return dict(_named_forms(entity)) if entity.master else {}


def _named_forms(entity: Entity) -> Iterator[tuple[str, str]]:
    for field in entity.fields.values():
        if field.name in _FORMS:
            yield field.name, _FORMS[field.name]
        elif field.find == "number" and field.find_as == entity.name:
            yield field.name, "number_key"
