"""The merge's statements for one entity, composed from the semantic model and the templates in ingest.sql."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psycopg import sql
from psycopg.sql import Composable, Composed

from copilot.ingest.identity_rules import shared
from copilot.ingest.labels import STAGED, alias, label_refs, labels
from copilot.semantic.model import LABELS, Entity, Field, SemanticModel
from copilot.store.queries import query

COMMA = sql.SQL(", ")
LABEL_COLUMNS = tuple(f"label_{name}" for name in LABELS)


def identified(entity: Entity) -> bool:
    """Whether several sources may mean the same record, so that keys go through core.identity."""
    return shared(entity)


def business(entity: str) -> sql.Identifier:
    """The business table."""
    return sql.Identifier("biz", entity)


def staging(entity: str) -> sql.Identifier:
    """The staging table."""
    return sql.Identifier("stage", entity)


def columns(row: str, names: Iterable[str]) -> Composed:
    """`row.a, row.b, …`"""
    return COMMA.join(sql.Identifier(row, name) for name in names)


def assignments(row: str, names: Iterable[str]) -> Composed:
    """`a = row.a, b = row.b, …`"""
    return COMMA.join(sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier(row, name)) for name in names)


def sequence(entity: Entity) -> Composed:
    """Where the numbers of an entity's rows come from."""
    return sql.SQL("(select pg_get_serial_sequence({}, 'id'))::regclass").format(sql.Literal(f"biz.{entity.name}"))


def latest(entity: Entity, *, resolved: bool) -> Composed:
    """Stage to `latest`; `resolved` where it was decided just now which rows the records belong to."""
    parts = {"stage": staging(entity.name), "sequence": sequence(entity)}
    if resolved:
        return query("ingest_latest_resolved").format(**parts)
    if identified(entity):
        return query("ingest_latest_identified").format(**parts)
    return query("ingest_latest").format(**parts, table=business(entity.name))


def analyze_latest(entity: Entity) -> Composed:
    """Figures about the columns that `placed` joins by; about all of a wide table they cost as much as the join."""
    keys = ("id", "source_key", *(f"{field.name}_key" for field in entity.refs()))
    return query("ingest_analyze_latest").format(columns=COMMA.join(map(sql.Identifier, keys)))


def placed(model: SemanticModel, entity: Entity) -> Composed:
    """`latest` to `placed`."""
    written = written_columns(entity)
    return query("ingest_placed").format(
        table=business(entity.name),
        found=columns("found", written),
        own=columns("own", written),
        found_labels=columns("found", LABEL_COLUMNS),
        own_labels=columns("own", LABEL_COLUMNS),
        values=COMMA.join(_values(model, entity)),
        labels=COMMA.join(_named(name, expression) for name, expression in labels(entity, STAGED)),
        joins=sql.SQL("\n").join(_joins(model, entity)),
        faults=sql.SQL("\n").join(_faults(entity)),
    )


def unresolved(entity: Entity) -> Composed | None:
    """Note which optional references of the placed records name nothing that is here; None where there are none."""
    fields = [field for field in entity.refs() if not field.required]
    if not fields:
        return None
    row = sql.SQL("({name}, {target}, {key}, {ident})")
    rows = (
        row.format(
            name=sql.Literal(field.name),
            target=sql.Literal(field.to),
            key=sql.Identifier("p", f"{field.name}_key"),
            ident=sql.Identifier("p", field.column),
        )
        for field in fields
    )
    return query("ingest_note_unresolved").format(references=COMMA.join(rows))


def update(entity: Entity) -> Composed:
    """Write what differs."""
    return query("ingest_update").format(
        table=business(entity.name), assignments=assignments("p", written_columns(entity))
    )


def insert(entity: Entity) -> Composed:
    """Write what is new."""
    written = written_columns(entity)
    return query("ingest_insert").format(
        table=business(entity.name), columns=COMMA.join(map(sql.Identifier, written)), values=columns("p", written)
    )


def written_columns(entity: Entity) -> tuple[str, ...]:
    """The columns whose difference makes a new version."""
    return (*LABEL_COLUMNS, *(field.column for field in entity.fields.values()))


def _values(model: SemanticModel, entity: Entity) -> Iterator[Composable]:
    for field in entity.fields.values():
        if field.type != "ref":
            yield sql.Identifier("s", field.name)
            continue
        yield _named(field.column, _referred_id(model, field))
        yield sql.Identifier("s", f"{field.name}_key")


def _referred_id(model: SemanticModel, field: Field) -> Composable:
    if identified(model[str(field.to)]):
        return sql.Identifier(f"key_{field.name}", "target_id")
    return sql.Identifier(alias(field), "id")


def _joins(model: SemanticModel, entity: Entity) -> Iterator[Composable]:
    for field in entity.refs():
        target = model[str(field.to)]
        key = sql.Identifier("s", f"{field.name}_key")
        table, joined = business(target.name), sql.Identifier(alias(field))
        if not identified(target):
            yield sql.SQL(
                "left join {table} {joined} on {joined}.source_id = %(source)s and {joined}.source_key = {key}"
            ).format(table=table, joined=joined, key=key)
            continue
        named = sql.Identifier(f"key_{field.name}")
        yield sql.SQL(
            "left join core.identity {named} on {named}.entity = {target} and {named}.source_id = %(source)s"
            " and {named}.source_key = {key}"
        ).format(named=named, target=sql.Literal(target.name), key=key)
        if field in label_refs(entity):
            yield sql.SQL("left join {table} {joined} on {joined}.id = {named}.target_id").format(
                table=table, joined=joined, named=named
            )


def _faults(entity: Entity) -> Iterator[Composable]:
    for field in entity.refs():
        if field.required:
            yield sql.SQL("when {found} is null then array['ref_unresolved', {what} || {key}]").format(
                found=sql.Identifier("found", field.column),
                what=sql.Literal(f"{field.name}: no {field.to} has the key "),
                key=sql.Identifier("found", f"{field.name}_key"),
            )
    for name in LABELS:
        yield sql.SQL("when {found} is null then array['label_unresolved', coalesce(hint_fault, {what})]").format(
            found=sql.Identifier("found", f"label_{name}"),
            what=sql.Literal(f"{name}: what it comes from is not here"),
        )


def _named(name: str, expression: Composable) -> Composed:
    return sql.SQL("{} as {}").format(expression, sql.Identifier(name))
