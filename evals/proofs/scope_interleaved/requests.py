"""What somebody asks of the shared connections, drawn, and which rows the owner's reading says they may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from random import Random
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from evals.proofs.oracle import LABEL_COLUMNS, Actor, Row, World

_WHOLE = 1_500
_IDS = 25
_WORDS = 4
_NAMED = 400
Hit = tuple[Any, ...]
"""A row that came: its entity and id, and for names what it was found by."""


class Way(StrEnum):
    """How rows are asked for."""

    TABLE = "every row of a table"
    RECORDS = "records by id through retrieval"
    NUMBERS = "numbers that people type"
    NAMES = "names"
    TOGETHER = "rows where other classes may be read too"
    UNSCOPED = "a connection without a scope"
    DOOR = "a question"


_OFTEN: Mapping[Way, int] = {
    Way.TABLE: 30, Way.RECORDS: 25, Way.NUMBERS: 15, Way.NAMES: 10, Way.TOGETHER: 12, Way.UNSCOPED: 5, Way.DOOR: 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `words` are numbers or names, `classes` those that must be readable beside a row's own."""

    way: Way
    entity: str = ""
    ids: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    classes: frozenset[str] = frozenset()


@dataclass
class Truth:
    """What the owner reads, and what follows from it for each actor."""

    world: World
    names: Sequence[Row]
    """Rows of the table of names by which the words drawn are found, each with its `word`."""
    _shown: dict[tuple[str, str], frozenset[int]] = field(default_factory=dict[tuple[str, str], frozenset[int]])
    _named: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])

    def __post_init__(self) -> None:
        for row in self.names:
            self._named.setdefault(row["word"], []).append(row)

    @cached_property
    def small(self) -> Sequence[str]:
        """Entities of which all rows can be read at once, leaving those out that have none."""
        return [name for name, rows in self.world.rows.items() if 0 < len(rows) <= _WHOLE]

    @cached_property
    def filled(self) -> Sequence[str]:
        """Entities that have rows."""
        return [name for name, rows in self.world.rows.items() if rows]

    def words(self, kind: str) -> Sequence[str]:
        """The words that are numbers, or names."""
        return sorted({row["word"] for row in self.names if (row["kind"] == "name") == (kind == "name")})

    def meant(self, request: Request, actor: Actor) -> frozenset[Hit]:
        """The rows that an actor may be shown for a request; of a question the record that it names."""
        match request.way:
            case Way.TABLE:
                return self._all(request.entity, actor)
            case Way.RECORDS | Way.DOOR:
                return self._all(request.entity, actor) & {(request.entity, ident) for ident in request.ids}
            case Way.TOGETHER:
                return frozenset(hit for hit in self._all(request.entity, actor) if self._beside(hit, request, actor))
            case Way.NUMBERS | Way.NAMES:
                return frozenset(self._found(request, actor))
            case Way.UNSCOPED:
                return frozenset()

    def _all(self, entity: str, actor: Actor) -> frozenset[Hit]:
        key = (entity, actor.subject)
        if key not in self._shown:
            rows = self.world.rows[entity].values()
            seen = {group: actor.sees(dict(zip(_COLUMNS, group, strict=True))) for group in set(map(_group, rows))}
            self._shown[key] = frozenset(row["id"] for row in rows if seen[_group(row)])
        return frozenset((entity, ident) for ident in self._shown[key])

    def _beside(self, hit: Hit, request: Request, actor: Actor) -> bool:
        row = self.world.rows[request.entity][hit[1]]
        return all(actor.sees({**row, "record_class": name}) for name in request.classes)

    def _found(self, request: Request, actor: Actor) -> Iterator[Hit]:
        for word in request.words:
            for row in self._named.get(word, ()):
                if actor.sees(row):
                    yield (row["entity"], row["target_id"], word)


@dataclass(frozen=True, slots=True)
class Drawer:
    """Draws requests."""

    truth: Truth
    numbers: Sequence[str]
    names: Sequence[str]

    def request(self, random: Random) -> Request:
        """The next one."""
        way = random.choices([*_OFTEN], [*_OFTEN.values()])[0]
        world = self.truth.world
        match way:
            case Way.TABLE | Way.UNSCOPED:
                return Request(way=way, entity=random.choice(self.truth.small))
            case Way.TOGETHER:
                classes = frozenset(random.sample(sorted(world.model.classes), random.randint(1, 2)))
                entity = random.choice(self.truth.small)
                return Request(way=way, entity=entity, classes=classes | {world.model[entity].record_class})
            case Way.RECORDS:
                entity = random.choice(self.truth.filled)
                known = [*world.rows[entity]]
                return Request(way=way, entity=entity, ids=tuple(random.sample(known, min(_IDS, len(known)))))
            case Way.NUMBERS:
                return Request(way=way, words=tuple(random.sample(self.numbers, _WORDS)))
            case Way.NAMES:
                return Request(way=way, words=tuple(random.sample(self.names, _WORDS)))
            case Way.DOOR:
                return Request(way=way, entity="sales_order", ids=(random.choice([*world.rows["sales_order"]]),))


def read_truth(admin: Connection[Any], world: World, seed: int) -> Truth:
    """What is known of some numbers and names, as the superuser reads them."""
    rows = admin.cursor(row_factory=dict_row).execute(
        "with drawn as (select key, kind from biz.lookup where kind in ('number', 'name')"
        " group by key, kind having count(*) <= 20 order by md5(key || %(seed)s) limit %(most)s)"
        " select distinct l.entity, l.target_id, l.kind, d.key as word, l.label_region, l.label_site, l.label_channel,"
        " l.label_account, l.record_class from drawn d join biz.lookup l on l.key = d.key and l.kind = d.kind",
        {"seed": str(seed), "most": _NAMED},
    )
    return Truth(world, rows.fetchall())


_COLUMNS = ("record_class", *LABEL_COLUMNS)


def _group(row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in _COLUMNS)
