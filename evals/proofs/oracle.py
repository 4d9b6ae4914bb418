"""Who may see which row, worked out from the policy's YAML and the demo people by code of its own.

It shares nothing with `copilot.policy` and the row policies but the files that say what is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from psycopg import Connection, sql
from psycopg.rows import dict_row

from copilot.demo.people import PEOPLE
from copilot.semantic.model import Entity, SemanticModel

Row = Mapping[str, Any]
LABEL_COLUMNS = ("label_region", "label_site", "label_channel", "label_account")
_KIND = ("record_class", *LABEL_COLUMNS)
NOBODY = "nobody.at.all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who asks, and what the policy means them to see by their first grant: record classes and, per label
    column, the ids (None for every one). Each further grant is somebody of the same name."""

    subject: str
    role: str = ""
    classes: frozenset[str] = frozenset()
    labels: Mapping[str, frozenset[int] | None] = field(default_factory=dict[str, frozenset[int] | None])
    further: tuple[Actor, ...] = ()

    @property
    def grants(self) -> tuple[Actor, ...]:
        """Each grant as somebody who has no other one."""
        return (replace(self, further=()), *self.further)

    @property
    def all_classes(self) -> frozenset[str]:
        """The record classes of all grants."""
        return frozenset(name for grant in self.grants for name in grant.classes)

    def hidden_by(self, row: Row) -> tuple[str, ...]:
        """What keeps a row from this person: "class" or label columns, of each grant; nothing where they may see it."""
        reasons = [grant.kept_by(row) for grant in self.grants]
        return tuple(reason for each in reasons for reason in each) if all(reasons) else ()

    def kept_by(self, row: Row) -> tuple[str, ...]:
        """What keeps a row from this person's first grant."""
        reasons = [] if row["record_class"] in self.classes else ["class"]
        for column, ids in self.labels.items():
            if ids is not None and row[column] != 0 and row[column] not in ids:
                reasons.append(column)
        return tuple(reasons)

    def sees(self, row: Row) -> bool:
        """Whether this person may see a row."""
        return not self.hidden_by(row)


@dataclass(slots=True)
class World:
    """Every current business record as the superuser reads it, by entity and id."""

    model: SemanticModel
    rows: Mapping[str, Mapping[int, Row]]
    sources: Mapping[int, str]
    purposes: Mapping[int, str]
    """Source -> what it is for."""
    keys: frozenset[str]
    """Every text by which a number can be looked up."""
    _kinds: list[Row] | None = None
    _indexes: dict[tuple[str, str], dict[Any, list[Row]]] = field(default_factory=dict[Any, Any])
    _spoken: list[tuple[Row, set[str]]] | None = None

    def where(self, entity: str, column: str, values: Iterable[Any]) -> Iterator[Row]:
        """The rows of an entity that hold one of the values."""
        index = self._indexes.get((entity, column))
        if index is None:
            index = self._indexes[entity, column] = {}
            for row in self.rows[entity].values():
                index.setdefault(row[column], []).append(row)
        for value in dict.fromkeys(values):
            yield from index.get(value, ())

    def kinds_of_rows(self) -> Sequence[Row]:
        """The record class and labels of every row, each combination once."""
        if self._kinds is None:
            found = {kind_of(row) for _, row in self.all_rows()}
            self._kinds = [dict(zip(_KIND, each, strict=True)) for each in sorted(found)]
        return self._kinds

    def spoken(self, words: Callable[[Entity, Row], Iterable[str]]) -> Sequence[tuple[Row, set[str]]]:
        """What `words` gives for the rows of each record class and labels, each combination once. It is kept: whoever
        asks, the words are the same."""
        if self._spoken is None:
            found: dict[tuple[Any, ...], set[str]] = {}
            for entity, row in self.all_rows():
                found.setdefault(kind_of(row), set()).update(words(entity, row))
            self._spoken = [(dict(zip(_KIND, kind, strict=True)), said) for kind, said in found.items()]
        return self._spoken

    def all_rows(self) -> Iterator[tuple[Entity, Row]]:
        """Every row with its entity."""
        for name, rows in self.rows.items():
            for row in rows.values():
                yield self.model[name], row


def kind_of(row: Row) -> tuple[Any, ...]:
    """What decides who may see a row: its record class and its labels."""
    return tuple(row[column] for column in _KIND)


def read_world(admin: Connection[Any], model: SemanticModel) -> World:
    """Read everything."""
    rows: dict[str, dict[int, Row]] = {}
    for name in model.entities:
        statement = sql.SQL("select * from {} order by id").format(sql.Identifier("biz", name))
        rows[name] = {row["id"]: row for row in _all(admin, statement)}
    known = _all(admin, sql.SQL("select id, name, purpose from core.source"))
    sources = {row["id"]: row["name"] for row in known}
    purposes = {row["id"]: row["purpose"] for row in known}
    numbers = sql.SQL("select distinct key from biz.lookup where kind in ('number', 'loose', 'digits')")
    keys = frozenset(row["key"] for row in _all(admin, numbers))
    return World(model=model, rows=rows, sources=sources, purposes=purposes, keys=keys)


def read_baseline() -> Mapping[str, Any]:
    """What the YAML of the enterprise's policy says about stock and promises."""
    document = _enterprise()
    settings = {rule["setting"]: rule["value"] for rule in document["settings"].values()}
    return settings | {
        "stock_governed_by": {rule["figure"]: rule["order"] for rule in document["governs"].values()},
    }


def read_roles() -> Mapping[str, frozenset[str]]:
    """Role -> record classes, as the policy's YAML says."""
    return {rule["role"]: frozenset(rule["classes"]) for rule in _enterprise()["access"].values()}


@cache
def _enterprise() -> Mapping[str, Any]:
    return yaml.safe_load((files("copilot.policy") / "baseline" / "enterprise.yaml").read_text())


def demo_actors(world: World) -> tuple[Actor, ...]:
    """The people of the demo company with the grants they are meant to have, whatever the database says."""
    roles = read_roles()
    codes = {
        f"label_{kind}": {row["code"]: row["id"] for row in world.rows[kind].values()}
        for kind in ("region", "site", "channel")
    }

    def ids(column: str, wanted: tuple[str, ...] | None) -> frozenset[int] | None:
        return None if wanted is None else frozenset(codes[column][code] for code in wanted)

    return tuple(
        Actor(
            subject=user.subject,
            role=user.role,
            classes=roles[user.role],
            labels={
                "label_region": ids("label_region", user.regions),
                "label_site": ids("label_site", user.sites),
                "label_channel": ids("label_channel", user.channels),
                "label_account": None,
            },
        )
        for user in PEOPLE
    )


def narrow_actors(world: World) -> tuple[Actor, ...]:
    """More people: nobody of the demo company is held to a channel or to accounts, and those labels count as well; nor
    has anybody there several grants."""
    regions = {row["code"]: row["id"] for row in world.rows["region"].values()}
    accounts = frozenset(sorted(world.rows["customer"])[::7])
    some_accounts = _grant("customer_service", label_account=accounts)
    return (
        _person("rep.one-channel", _grant("customer_service", label_channel=frozenset({min(world.rows["channel"])}))),
        _person("rep.key-accounts", some_accounts),
        _person(
            "rep.us-and-planner.de",
            _grant("customer_service", label_region=frozenset({regions["US"]})),
            _grant("planner", label_region=frozenset({regions["DE"]})),
        ),
        _person(
            "finance.de-standing-in",
            _grant("finance", label_region=frozenset({regions["DE"]})),
            _grant("warehouse", label_site=frozenset({min(world.rows["site"])})),
            some_accounts,
        ),
    )


def _grant(role: str, **narrow: frozenset[int]) -> Actor:
    """A role for everything but what is narrowed."""
    return Actor(subject="", role=role, classes=read_roles()[role], labels=dict.fromkeys(LABEL_COLUMNS) | narrow)


def _person(subject: str, *grants: Actor) -> Actor:
    """Somebody with one grant or several."""
    first, *further = [replace(grant, subject=subject) for grant in grants]
    return replace(first, further=tuple(further))


def label_faults(world: World) -> Iterator[str]:
    """Rows whose labels are not those that the semantic model derives from the records they refer to."""
    for entity, row in world.all_rows():
        for column in LABEL_COLUMNS:
            wanted = _meant(world, entity, row, column)
            if wanted is not None and row[column] != wanted:
                yield f"{entity.name} {row['source_key']!r}: {column} is {row[column]}, its references say {wanted}"


def _meant(world: World, entity: Entity, row: Row, column: str) -> int | None:
    """One label of a row by the model's rule; None where only its source knows."""
    name = column.removeprefix("label_")
    rule = entity.labels.own.get(name)
    if rule in ("hint", "hint?"):
        return None
    if rule == "self":
        return int(row["id"])
    if rule is not None and (not rule.endswith("?") or row[f"{rule[:-1]}_id"] is not None):
        return _label_of(world, entity, row, rule.removesuffix("?"), column)
    return 0 if entity.labels.parent is None else _label_of(world, entity, row, entity.labels.parent, column)


def _label_of(world: World, entity: Entity, row: Row, reference: str, column: str) -> int | None:
    spec = entity.fields[reference]
    parent = world.rows[str(spec.to)].get(row[spec.column])
    return None if parent is None else int(parent[column])


def _all(admin: Connection[Any], statement: sql.SQL | sql.Composed) -> list[dict[str, Any]]:
    return admin.cursor(row_factory=dict_row).execute(statement).fetchall()
