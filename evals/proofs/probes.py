"""Reads tables and entities directly under an actor's scope, so that those no question reaches are tried as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import tuple_row

from copilot.domain.claims import Outline
from copilot.domain.plan import Filter, Operator, Plan, RecordQuery
from copilot.domain.question import SessionSubject
from copilot.domain.scope import Scope
from copilot.policy.policy import scope_for
from copilot.retrieval.retrieve import retrieve
from copilot.semantic.model import SemanticModel
from copilot.wiring import Runtime
from evals.proofs.oracle import LABEL_COLUMNS, Actor, World

_ROWS = 60
_MOST = 20
_EACH = 2
Group = tuple[Any, ...]


async def given_scope(runtime: Runtime, actor: Actor) -> Scope:
    """The scope that the product itself gives this person."""
    principal = await runtime.asking.authenticate(SessionSubject(actor.subject))
    return scope_for(principal, await runtime.policy())


async def entity_faults(runtime: Runtime, world: World, actor: Actor, entity: str) -> Iterator[str]:
    """Ask retrieval for rows of an entity by id, hidden and visible ones: only the visible ones may come, unchanged."""
    spec = world.model[entity]
    rows = world.rows[entity]
    step = max(1, len(rows) // _ROWS)
    ids = tuple(sorted(rows, key=lambda i: (i * 7919) % 10007)[::step])
    query = RecordQuery(name="rows", entity=entity, where=(Filter("id", Operator.IN, ids),), limit=len(ids))
    plan = Plan(kind="probe", references={}, steps=(query,), outline=Outline(groups=()))
    scope = await given_scope(runtime, actor)
    asking = await runtime.line()
    found = await retrieve(
        runtime.database, world.model, plan, scope, policy=asking.policy, now=runtime.clock(), linker=asking.linker
    )
    got = {record.row_id: record for record in found.get("rows")}
    meant = {i for i in ids if actor.sees(rows[i])}
    faults = [f"{entity} {i} came out of retrieval although it is hidden" for i in sorted(got.keys() - meant)]
    faults += [f"{entity} {i} did not come out of retrieval" for i in sorted(meant - got.keys())]
    for i in sorted(meant & got.keys()):
        read = got[i].values
        wrong = [f.name for f in spec.fields.values() if read[f.name].raw not in (None, rows[i][f.column])]
        faults += [f"{entity} {i} came with other values of {wrong}"] if wrong else []
    return iter(faults[:_MOST])


async def table_faults(
    runtime: Runtime, admin: AsyncConnection[Any], model: SemanticModel, actor: Actor
) -> Iterator[str]:
    """Count what the actor's scope reads of every table, history and names included, against what it is meant to."""
    faults: list[str] = []
    tables = [(schema, name) for name in model.entities for schema in ("biz", "hist")]
    everything = {table: await _groups(admin, *table) for table in (*tables, ("biz", "lookup"))}
    async with runtime.database.scoped_transaction(await given_scope(runtime, actor)) as reader:
        for table, groups in everything.items():
            faults += [
                f"{'.'.join(table)} holds {group[0]!r} rows" for group in groups if _strange(model, table[1], group)
            ]
            meant = {group: count for group, count in groups.items() if actor.sees(_as_row(group))}
            got = await _groups(reader, *table)
            wrong = [
                f"{'.'.join(table)}: {got.get(group, 0)} rows of {group} instead of {meant.get(group, 0)}"
                for group in sorted(got.keys() | meant.keys())
                if got.get(group) != meant.get(group)
            ]
            faults += wrong[:_EACH]
    return iter(faults)


def _strange(model: SemanticModel, name: str, group: Group) -> bool:
    """Whether the rows are of another class than the model's; names have the class of the record they come from."""
    return group[0] not in ({model[name].record_class} if name in model.entities else model.classes)


async def _groups(connection: AsyncConnection[Any], schema: str, name: str) -> Mapping[Group, int]:
    columns = sql.SQL(", ").join(map(sql.Identifier, ("record_class", *LABEL_COLUMNS)))
    statement = sql.SQL("select {0}, count(*) from {1} group by {0}").format(columns, sql.Identifier(schema, name))
    rows = await (await connection.cursor(row_factory=tuple_row).execute(statement)).fetchall()
    return {tuple(row[:-1]): row[-1] for row in rows}


def _as_row(group: Group) -> Mapping[str, Any]:
    return dict(zip(("record_class", *LABEL_COLUMNS), group, strict=True))
