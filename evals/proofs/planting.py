"""Adds to a copy of the demo company what a short one lacks, and takes from one what an actor may not see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from psycopg import Connection, sql

from evals.proofs.oracle import LABEL_COLUMNS, Actor, World

_COMMON: LiteralString = (
    "source_id, company, source_key, changed_at, confirmed_at, valid_from, batch_id, "
    "label_region, label_site, label_channel, label_account"
)
_KEPT: LiteralString = (
    "p.source_id, p.company, 'planted/' || p.source_key, p.changed_at, p.confirmed_at, p.valid_from, p.batch_id, "
    "p.label_region, p.label_site, p.label_channel, p.label_account"
)
_PLANTED: dict[str, tuple[LiteralString, LiteralString]] = {
    "tracking_event": (
        "shipment_id, happened_at, event, place",
        "p.id, p.shipped_at, 'picked_up', 'Depot ' || md5(p.number) from biz.shipment p where p.shipped_at is not null",
    ),
    "shipment_recipient": (
        "shipment_id, signed_by, street, city, country",
        "p.id, 'Signed ' || md5(p.number), md5('s' || p.number) || ' Road', 'Nowhere', 'US' from biz.shipment p",
    ),
    "stock_move": (
        "item_id, site_id, quantity, unit, kind, moved_at, document",
        "p.item_id, p.site_id, 1000000, p.unit, 'adjustment', p.confirmed_at, md5(p.source_key) from biz.stock p",
    ),
}
"""Entity -> columns and values; the row `p` beside it gives the labels."""


def plant(admin: Connection[Any], entities: Iterable[str]) -> None:
    """Rows for entities that have none, and a history for every entity. `admin` is the superuser."""
    for name in entities:
        if (
            name in _PLANTED
            and not admin.execute(sql.SQL("select from {} limit 1").format(sql.Identifier("biz", name))).fetchone()
        ):
            columns, values = _PLANTED[name]
            admin.execute(
                sql.SQL("insert into {} ({}, {}) select {}, {} order by p.id % 7, p.id limit 600").format(
                    sql.Identifier("biz", name), sql.SQL(_COMMON), sql.SQL(columns), sql.SQL(_KEPT), sql.SQL(values)
                )
            )
        admin.execute("select set_config('copilot.now', '2026-11-20T15:00:01Z', true)")
        admin.execute(
            sql.SQL("update {} set valid_from = '2026-11-20T15:00:01Z' where id % 5 = 0").format(
                sql.Identifier("biz", name)
            )
        )
    admin.commit()


def add_people(admin: Connection[Any], actors: Iterable[Actor]) -> None:
    """People with exactly the grants of these actors."""
    for actor in actors:
        admin.execute("insert into directory.person (subject, name) values (%s, %s)", (actor.subject, actor.subject))
        for grant in actor.grants:
            lists = [None if ids is None else sorted(ids) for ids in (grant.labels[column] for column in LABEL_COLUMNS)]
            admin.execute(
                "insert into directory.grant (subject, role, regions, sites, channels, accounts, valid_from) "
                "values (%s, %s, %s, %s, %s, %s, '2026-01-01')",
                (actor.subject, grant.role, *lists),
            )
    admin.commit()


def forget_hidden(admin: Connection[Any], world: World, actor: Actor) -> None:
    """Make a database in which nothing exists that the actor may not see. Derived rows stay as published."""
    admin.execute("set session_replication_role = replica")  # no history of what never was
    for name in (*world.model.entities, "lookup"):
        for schema in ("biz", "hist") if name != "lookup" else ("biz",):
            table = sql.Identifier(schema, name)
            admin.execute(sql.SQL("delete from {} where not ({})").format(table, _seen_by(actor)))
    admin.commit()


def _seen_by(actor: Actor) -> sql.Composed:
    return sql.SQL(" or ").join([sql.SQL("({})").format(_shown_by(grant)) for grant in actor.grants])


def _shown_by(actor: Actor) -> sql.Composed:
    terms = [sql.SQL("record_class = any ({})").format(sql.Literal(sorted(actor.classes)))]
    for column, ids in actor.labels.items():
        if ids is not None:
            allowed = sql.Literal(sorted(ids | {0}))
            terms.append(sql.SQL("{} = any ({})").format(sql.Identifier(column), allowed))
    return sql.SQL(" and ").join(terms)
