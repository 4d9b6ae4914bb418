"""What the tests of identity share: a warehouse system and a shop beside the ERP, the copy told by keys that last, and
a second account of which records are one thing, written from ADR 0012 rather than from the ingest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.ingest.identity_decisions import Decision, Place, Verdict, Verdicts
from copilot.semantic.model import HINTS, LABELS, Entity, load_model
from copilot.store.roles import Role
from tests.integration.ingest_support import World, record, stock

MODEL = load_model()
ITEM_RULES = "gtin,number,part_number"
SITES = {"lager": "NYC"}
GTIN, OTHER_GTIN = "4006381333931", "5901234123457"
_OWN_COLUMNS = ("id", "source_id", "source_key", "confirmed_at", "valid_from", "batch_id", "began_at", "changed_at")
_WIPE = """
do $$
declare
    names text;
begin
    select string_agg(format('%I.%I', schemaname, tablename), ', ') into names from pg_tables
     where schemaname in ('biz', 'hist', 'stage')
        or schemaname = 'core' and tablename in (
            'identity', 'identity_key', 'identity_keyed', 'identity_doubt', 'cursor', 'coverage', 'quarantine',
             'unresolved', 'quality', 'batch');
    execute 'truncate ' || names || ' cascade';
end $$
"""


def item(key: str, number: str | None = None, gtin: str | None = None, **more: object) -> SourceRecord:
    """One item that all regions share."""
    values = {"name": f"Item {key}", "base_unit": "pcs", **more}
    return record("item", key, {"region": "*"}, number=number, gtin=gtin, **values)


def customer(key: str, number: str | None = None, tax_number: str | None = None, **more: object) -> SourceRecord:
    """One customer that all regions and channels share."""
    labels = {"region": "*", "channel": "*"}
    return record("customer", key, labels, number=number, tax_number=tax_number, **{"name": f"Customer {key}", **more})


def wms(*more: SourceRecord, system: str = "wms") -> MemoryConnector:
    """A warehouse system with one site, and stock of what is given there."""
    site = record("site", "lager", code="L1", name="Lager", region="r-us")
    stocks = [
        stock(f"{each.key}/lager", on_hand=Decimal(7), available=Decimal(7)) for each in more if each.entity == "item"
    ]
    return MemoryConnector(system, ("site", "item", "stock"), [site, *more, *stocks])


async def decide(world: World, verdict: Verdict, entity: str, one: str, other: str, *, change: bool = False) -> None:
    """Take down a decision about two records, each given as "SOURCE/KEY"."""
    sources = {source.name: source for source in await world.ingest.sources()}
    places = [Place(sources[name].id, key) for name, _, key in (each.partition("/") for each in (one, other))]
    async with world.database.connection(Role.LOADER) as connection:
        verdicts = Verdicts(
            connection=connection, entity=MODEL[entity], sources={source.id: source for source in sources.values()}
        )
        given = Decision(
            one=places[0], other=places[1], verdict=verdict, person="dana", at=world.clock(), why="looked at both"
        )
        await verdicts.decide(given, change=change)


async def groups(world: World, entity: str = "item") -> set[frozenset[str]]:
    """The records of all sources as "SOURCE/KEY", by the row that they are in."""
    rows = await world.rows(
        "select i.target_id, s.name || '/' || i.source_key as key from core.identity i"
        " join core.source s on s.id = i.source_id where i.entity = %s", entity,
    )  # fmt: skip
    found: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        found[row["target_id"]].add(row["key"])
    return {frozenset(keys) for keys in found.values()}


async def doubts(world: World) -> dict[str, str]:
    """Doubtful record as "SOURCE/KEY" -> reason."""
    rows = await world.rows(
        "select distinct s.name || '/' || d.source_key as key, d.reason from core.identity_doubt d"
        " join core.source s on s.id = d.source_id"
    )
    return {row["key"]: row["reason"] for row in rows}


async def told(world: World) -> dict[str, Any]:
    """All that stands, with every number of ours replaced by the source and key that it stands for."""
    rows = await world.rows(
        " union all ".join(
            f"select '{entity}' as entity, t.id, s.name || '/' || t.source_key as name"
            f" from biz.{entity} t join core.source s on s.id = t.source_id"
            for entity in MODEL.entities
        )
    )
    names = {(row["entity"], row["id"]): row["name"] for row in rows}
    found: dict[str, Any] = {}
    for entity in MODEL.entities.values():
        if not entity.derived and (rows := await world.rows(f"select * from biz.{entity.name}")):
            found[entity.name] = {names[entity.name, row["id"]]: _row(entity, row, names) for row in rows}
    found["lookup"] = sorted(
        (
            row["entity"], names[row["entity"], row["target_id"]], row["kind"], row["key"], row["via"],
            names[row["row_entity"], row["row_id"]], *_labels(row, names).values(),
        )
        for row in await world.rows("select * from biz.lookup")
    )  # fmt: skip
    for entity in ("item", "customer", "supplier", "site", "region", "channel"):
        found[f"identity of {entity}"] = await groups(world, entity)
    found["doubts"] = await doubts(world)
    found["quarantine"] = sorted(
        (row["source_id"], row["entity"], row["source_key"], row["reason"])
        for row in await world.rows("select * from core.quarantine")
    )
    return found


def _row(entity: Entity, row: Mapping[str, Any], names: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    refs = {ref.column: str(ref.to) for ref in entity.refs()}
    told = {
        column: (None if value is None else names[refs[column], value]) if column in refs else value
        for column, value in row.items()
        if column not in _OWN_COLUMNS and not column.startswith("label_")
    }
    return told | _labels(row, names)


def _labels(row: Mapping[str, Any], names: Mapping[tuple[str, int], str]) -> dict[str, str]:
    return {
        name: names[name if name in HINTS else "customer", row[f"label_{name}"]] if row[f"label_{name}"] else ""
        for name in LABELS
    }


async def dangling(world: World) -> list[str]:
    """What refers to a row that is not here, as "ENTITY.COLUMN KEY"."""
    parts: list[str] = []
    for entity in MODEL.entities.values():
        table = f"biz.{entity.name}"
        parts += (
            f"select '{entity.name}.{ref.column} ' || t.source_key as told from {table} t"
            f" where t.{ref.column} is not null and not exists (select from biz.{ref.to} r where r.id = t.{ref.column})"
            for ref in entity.refs()
        )
        here = f"entity = '{entity.name}' and not exists (select from {table} r where r.id = target_id)"
        parts.append(f"select 'identity of {entity.name} ' || source_key from core.identity where {here}")
        parts.append(f"select 'lookup ' || via || ' ' || key from biz.lookup where {here}")
    return [row["told"] for row in await world.rows(" union all ".join(parts))]


async def wipe(world: World) -> None:
    """Empty the copy; the sources and the decisions stay."""
    async with await psycopg.AsyncConnection.connect(world.dsn, autocommit=True) as admin:
        await admin.execute(_WIPE)


@dataclass(frozen=True, kw_only=True)
class Account:
    """Which items are one thing, worked out record by record."""

    sources: Mapping[str, Sequence[SourceRecord]]
    """In the order added."""
    rules: Mapping[str, Sequence[str]]
    decisions: Mapping[tuple[str, str], Verdict]
    group: dict[str, int] = field(default_factory=dict[str, int])
    doubtful: set[str] = field(default_factory=set[str])

    def groups(self) -> set[frozenset[str]]:
        """As `groups` reads them from the copy."""
        ranked = sorted(self.sources, key=lambda name: (bool(self.rules.get(name)), list(self.sources).index(name)))
        for place, source in enumerate(ranked):
            self._place(source, ranked[:place])
        members: dict[int, set[str]] = defaultdict(set)
        for key, number in self.group.items():
            members[number].add(key)
        return {frozenset(keys) for keys in members.values()}

    def _place(self, source: str, before: Sequence[str]) -> None:
        mine = {f"{source}/{each.key}": each for each in self.sources[source] if each.entity == "item"}
        earlier = {key: number for key, number in self.group.items() if key.partition("/")[0] in before}
        wanted: dict[str, dict[str, set[int]]] = {}
        decided: dict[str, int | str] = {}
        for key in sorted(mine):
            first = self._first(key, before, earlier, mine)
            if first is not None and first != key:
                decided[key] = earlier.get(first, first)
            else:
                wanted[key] = self._wants(source, mine[key], earlier, key)
        asked: dict[int, int] = defaultdict(int)
        for by_rule in wanted.values():
            for number in set().union(*by_rule.values()):
                asked[number] += 1
        taken = {number for number in decided.values() if isinstance(number, int)}
        for key, by_rule in wanted.items():
            found: set[int] = set().union(*by_rule.values())
            number = next(iter(found), -1)
            clear = len(found) == 1 and asked[number] == 1 and number not in taken
            clear = clear and not self._contradicted(mine[key], number, earlier)
            if found and not clear:
                self.doubtful.add(key)
            self.group[key] = number if clear else max(self.group.values(), default=0) + 1
        for key, target in decided.items():
            self.group[key] = target if isinstance(target, int) else self.group[target]

    def _first(
        self, key: str, before: Sequence[str], earlier: Mapping[str, int], mine: Mapping[str, SourceRecord]
    ) -> str | None:
        same = [other for other in self._same(key) if other in earlier or other in mine]
        order = [*before, key.partition("/")[0]]
        return min(
            same, key=lambda other: (order.index(other.partition("/")[0]), other.partition("/")[2]), default=None
        )

    def _same(self, key: str) -> set[str]:
        known, waiting = {key}, [key]
        while waiting:
            place = waiting.pop()
            for (one, other), verdict in self.decisions.items():
                for here, there in ((one, other), (other, one)):
                    if verdict == "same" and here == place and there not in known:
                        known.add(there)
                        waiting.append(there)
        return known

    def _wants(self, source: str, mine: SourceRecord, earlier: Mapping[str, int], key: str) -> dict[str, set[int]]:
        shut = {
            earlier[there]
            for (one, other), verdict in self.decisions.items()
            if verdict == "different"
            for here, away in ((one, other), (other, one))
            if here in self._same(key)
            for there in self._same(away)
            if there in earlier
        }
        return {rule: self._found(rule, mine, earlier) - shut for rule in self.rules.get(source, ())}

    def _found(self, rule: str, mine: SourceRecord, earlier: Mapping[str, int]) -> set[int]:
        if rule == "part_number":
            numbers = {_number(mine.values.get("number")), (_gtin(mine) or "").lstrip("0")} - {""}
            return {number for number, values in self._aliases(earlier).items() if values & numbers}
        form = _gtin if rule == "gtin" else lambda each: _number(each.values.get("number"))
        own = form(mine)
        return {number for key, number in earlier.items() if own and form(self._record(key)) == own}

    def _contradicted(self, mine: SourceRecord, number: int, earlier: Mapping[str, int]) -> bool:
        theirs = {_gtin(self._record(key)) for key, where in earlier.items() if where == number} - {None}
        own = _gtin(mine)
        known = self._aliases(earlier).get(number, set())
        return bool(own and theirs and own not in theirs and own.lstrip("0") not in known)

    def _aliases(self, earlier: Mapping[str, int]) -> dict[int, set[str]]:
        found: dict[int, set[str]] = defaultdict(set)
        for source, records in self.sources.items():
            for each in records:
                key = f"{source}/{each.values.get('item')}"
                if each.entity == "item_alias" and key in earlier:
                    found[earlier[key]].add(_number(each.values.get("value")).lstrip("0"))
        return found

    def _record(self, key: str) -> SourceRecord:
        source, _, own = key.partition("/")
        return next(each for each in self.sources[source] if each.entity == "item" and each.key == own)


def _number(value: object) -> str:
    return "".join(letter for letter in str(value or "").upper() if letter.isalnum())


def _gtin(each: SourceRecord) -> str | None:
    digits = _number(each.values.get("gtin"))
    if len(digits) not in (8, 12, 13, 14) or not digits.isdigit():
        return None
    padded = digits.zfill(14)
    weighed = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(padded))
    return padded if weighed % 10 == 0 and int(padded) else None


def by_key(records: Iterable[SourceRecord]) -> dict[str, SourceRecord]:
    """Source key -> record."""
    return {each.key: each for each in records}
