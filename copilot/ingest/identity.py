"""Which of our rows a source's records belong to: decided anew at each of its syncs, from keys that are kept.

A record belongs where a person says, else where the label map says, else where the rules of its source agree on one row
and nothing speaks against it, else to a row of its own. Only records of sources that come before it are looked at:
first those without a rule or label map for the entity, then by age. So what a record belongs to depends on the records
and decisions alone, not on the order of syncs. See copilot/adr/0012-identity.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from copilot.ingest.cursors import forget_cursors
from copilot.ingest.identity_decisions import Clusters, clusters_of, decisions_about
from copilot.ingest.identity_moves import move
from copilot.ingest.identity_rules import PART_NUMBER, keys, mapped_codes, rules_of, shared
from copilot.ingest.report import Source
from copilot.ingest.run import Run
from copilot.ingest.sources import list_sources
from copilot.ingest.statements import business, sequence, staging
from copilot.semantic.model import Entity
from copilot.store.queries import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What bears on the identity of one source's records of an entity. `ranks` are all sources, who comes first first;
    `keyed` says whether the keys of all its records are kept already."""

    entity: Entity
    source: int
    ranks: tuple[int, ...]
    rules: tuple[str, ...]
    codes: Mapping[str, str]
    clusters: Clusters
    joined: bool
    keyed: bool

    @property
    def before(self) -> tuple[int, ...]:
        """The sources whose records this one's are compared with."""
        return self.ranks[: self.ranks.index(self.source)]

    @property
    def needed(self) -> bool:
        """Whether any record of this source may belong to another row than its own, or does."""
        decided = any(place.source == self.source for place in self.clusters.of)
        return bool(self.rules or self.codes or self.joined or decided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What deciding came to. `resolved`: the table of that name is there. `unsettled`: entities read before have to be
    read again. `again`: so has this one, for records that need a row of their own and were not at hand."""

    resolved: bool = False
    unsettled: bool = False
    again: bool = False


async def standing(run: Run, entity: Entity) -> Standing | None:
    """What bears on an entity; None where every record simply has a row of its own. Forgets keys no longer needed."""
    if not shared(entity):
        return None
    sources = {source.id: source for source in await list_sources(run.connection)}
    clusters = clusters_of(await decisions_about(run.connection, entity.name))
    row = await (await run.connection.execute(query("identity_standing"), run.parameters(entity.name))).fetchone()
    found = row or {}
    ruled = any(rules_of(source, entity) or mapped_codes(source, entity) for source in sources.values())
    if not (ruled or clusters.of or found["joined"]):
        if found["kept"]:
            await run.connection.execute(query("identity_forget_keys"), run.parameters(entity.name))
        return None
    mine = sources[run.source.id]
    return Standing(
        entity=entity,
        source=mine.id,
        ranks=ranks(tuple(sources.values()), entity),
        rules=rules_of(mine, entity),
        codes=mapped_codes(mine, entity),
        clusters=clusters,
        joined=found["joined_here"],
        keyed=found["keyed"],
    )


def ranks(sources: tuple[Source, ...], entity: Entity) -> tuple[int, ...]:
    """The sources in the order of precedence: those that recognise nothing by themselves first, then by age."""
    judged = {source.id: bool(rules_of(source, entity) or mapped_codes(source, entity)) for source in sources}
    return tuple(sorted(judged, key=lambda ident: (judged[ident], ident)))


async def resolve(run: Run, known: Standing, faulty: Collection[str], now: datetime) -> Resolution:
    """Keep the keys of what is staged and decide where every record of this source belongs; `faulty` don't count.

    Leaves the table `resolved`, moves what belongs elsewhere now with everything that refers to it, and notes what is
    doubtful.
    """
    await run.connection.execute(query("identity_expect_many"))
    await _keep_keys(run, known)
    if not known.needed:
        await run.connection.execute(query("identity_expect_few"))
        return Resolution()
    parameters = await _parameters(run, known, faulty)
    await _decide(run, known, parameters)
    again = await _wait(run, parameters)
    left = await move(run, known.entity, {**parameters, "now": now}, now)
    await _note_doubts(run, known.entity, parameters)
    await run.connection.execute(query("identity_expect_few"))
    if left:
        await forget_cursors(run, known.entity)
    return Resolution(resolved=True, unsettled=left, again=again)


async def unfit(run: Run, entity: Entity) -> frozenset[str]:
    """The keys of records that others were to stand with, but that turned out not to be placed themselves."""
    found = await run.connection.execute(query("identity_unfit").format(table=business(entity.name)))
    return frozenset(row["source_key"] for row in await found.fetchall())


async def _keep_keys(run: Run, known: Standing) -> None:
    compared = keys(known.entity)
    parameters = run.parameters(known.entity.name)
    if compared is None:
        return
    if not known.keyed:
        statement = query("identity_keys_of_rows").format(table=business(known.entity.name), keys=compared)
        await run.connection.execute(statement, parameters)
        await run.connection.execute(query("identity_note_keyed"), parameters)
    statement = query("identity_keys_of_staged").format(stage=staging(known.entity.name), keys=compared)
    await run.connection.execute(statement, parameters)


async def _parameters(run: Run, known: Standing, faulty: Collection[str]) -> Mapping[str, object]:
    clusters = known.clusters
    apart = clusters.kept_apart
    return run.parameters(
        known.entity.name,
        faulty=list(faulty),
        rules=list(known.rules),
        before=list(known.before),
        ranks=list(known.ranks),
        keyed=known.keyed or keys(known.entity) is None,
        clusters=list(clusters.of.values()),
        sources=[place.source for place in clusters.of],
        keys=[place.key for place in clusters.of],
        **{"apart": [one for one, _ in clusters.apart], "from": [other for _, other in clusters.apart]},
        apart_sources=[place.source for place in apart],
        apart_keys=[place.key for place in apart],
        **await _map_targets(run, known),
    )


async def _map_targets(run: Run, known: Standing) -> Mapping[str, object]:
    """What the label map says: keys, the rows they mean, and the key of this source's own record that has the row."""
    targets: dict[str, tuple[int, str | None]] = {}
    if known.codes and known.entity.key is not None:
        statement = query("identity_map_targets").format(
            table=business(known.entity.name), column=sql.Identifier(known.entity.key)
        )
        parameters = run.parameters(
            known.entity.name,
            codes=list(known.codes.values()),
            keys=list(known.codes),
            ranks=list(known.ranks),
        )
        rows = await (await run.connection.execute(statement, parameters)).fetchall()
        targets = {row["code"]: (row["id"], row["own_key"]) for row in rows}
    meant = {key: targets[code] for key, code in known.codes.items() if code in targets}
    return {
        "map_keys": list(meant),
        "map_ids": [ident for ident, _ in meant.values()],
        "map_follow": [own for _, own in meant.values()],
    }


async def _decide(run: Run, known: Standing, parameters: Mapping[str, object]) -> None:
    table, stage = business(known.entity.name), staging(known.entity.name)
    by_part_number = query("identity_wants_part_numbers") if PART_NUMBER in known.rules else sql.SQL("")
    for statement in (
        query("identity_mine").format(table=table, stage=stage),
        query("identity_drop_keys"),
        query("identity_analyze_mine"),
        query("identity_wants").format(part_numbers=by_part_number),
        query("identity_forbidden"),
        query("identity_refuse_forbidden"),
        query("identity_anchors"),
        query("identity_settled"),
        query("identity_clashes"),
        query("identity_resolved").format(sequence=sequence(known.entity)),
        query("identity_follow"),  # what the label map means may be the same as another of this source's records
        query("identity_follow"),
    ):
        await run.connection.execute(statement, parameters)


async def _wait(run: Run, parameters: Mapping[str, object]) -> bool:
    """Have records asked for that can't be placed by their keys alone; they stay as they are until then."""
    await run.connection.execute(query("identity_forget_waiting"), parameters)
    waiting = await (await run.connection.execute(query("identity_wait"), parameters)).fetchall()
    await run.connection.execute(query("identity_drop_waiting"))
    return bool(waiting)


async def _note_doubts(run: Run, entity: Entity, parameters: Mapping[str, object]) -> None:
    for name in ("identity_settle_doubts", "identity_note_doubts"):
        await run.connection.execute(query(name).format(table=business(entity.name)), parameters)
