"""The sources this copy is made from: added, checked and listed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from psycopg.types.json import Jsonb

from connectors.errors import UnknownConnectorError
from connectors.registry import kind
from copilot.errors import SourceConfigError
from copilot.ingest.identity_rules import allowed_rules, shared
from copilot.ingest.report import Source
from copilot.policy.policy import PURPOSES
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.store.queries import query


async def keep_source(connection: Connection, model: SemanticModel, source: Source, now: datetime) -> int:
    """Add a source, or change the one of this name, which is then read anew. Returns its id."""
    check_source(model, source)
    parameters = {
        "name": source.name,
        "system": source.system,
        "settings": Jsonb(dict(source.settings)),
        "label_map": Jsonb({name: dict(mapping) for name, mapping in source.label_map.items()}),
        "purpose": source.purpose,
        "every_minutes": source.every_minutes,
        "now": now,
    }
    row = await (await connection.execute(query("ingest_add_source"), parameters)).fetchone()
    return row["id"] if row else 0


async def list_sources(connection: Connection) -> tuple[Source, ...]:
    """Every source, in the order added."""
    rows = await (await connection.execute(query("ingest_sources"))).fetchall()
    return tuple(
        Source(
            id=row["id"],
            name=row["name"],
            system=row["system"],
            settings=row["settings"],
            label_map=row["label_map"],
            purpose=row["purpose"],
            every_minutes=row["every_minutes"],
        )
        for row in rows
    )


def check_source(model: SemanticModel, source: Source) -> None:
    """Raise SourceConfigError for a secret among the settings or a mapping that means nothing."""
    if source.purpose not in PURPOSES:
        raise SourceConfigError(f"{source.name!r} is to be {source.purpose!r}; it can be: {', '.join(PURPOSES)}")
    if source.every_minutes is not None and source.every_minutes <= 0:
        raise SourceConfigError(f"{source.name!r} can't be synced every {source.every_minutes!r} minutes")
    secret = sorted(_secrets(source.system) & set(source.settings))
    if secret:
        raise SourceConfigError(f"{secret[0]!r} is a secret and is not kept with the source's settings")
    for name, mapping in source.label_map.items():
        if name != "identity" and (name not in model.entities or not shared(model[name])):
            raise SourceConfigError(f"the label map of {source.name!r} maps {name!r}, which is not mapped by key")
        _check_texts(source.name, name, mapping)
    for entity, rules in source.identity_rules.items():
        _check_rules(model, source.name, entity, rules)


def _secrets(system: str) -> set[str]:
    try:
        return {setting.name for setting in kind(system).settings if setting.secret}
    except UnknownConnectorError:
        return set()


def _check_texts(source: str, name: str, mapping: Mapping[str, str]) -> None:
    for key, code in mapping.items():
        if not code:
            raise SourceConfigError(f"the label map of {source!r} gives {name} {key!r} the empty code {code!r}")


def _check_rules(model: SemanticModel, source: str, entity: str, rules: tuple[str, ...]) -> None:
    allowed = allowed_rules(model[entity]) if entity in model.entities else ()
    for place, rule in enumerate(rules):
        if rule not in allowed:
            raise SourceConfigError(
                f"{source!r} is to recognise {entity!r} by {rule!r}; it can be one of: {', '.join(allowed) or 'none'}"
            )
        if rule in rules[:place]:
            raise SourceConfigError(f"{source!r} is to recognise {entity!r} by {rule!r} twice; name each rule once")
