"""Everybody who asks: each role of the policy, by region, site, channel and own accounts, several grants, and none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from psycopg import Connection

from evals.proofs.oracle import LABEL_COLUMNS, Actor, World, read_roles

MOVED = "moved.between.turns"
"""Somebody whose grants are others with every turn."""
NEW_GRANT: LiteralString = (
    "insert into directory.grant (subject, role, regions, sites, channels, accounts, valid_from) "
    "values (%s, %s, %s, %s, %s, %s, '2026-01-01')"
)
_NONE: Mapping[str, frozenset[int] | None] = dict.fromkeys(LABEL_COLUMNS)


@dataclass(frozen=True, slots=True)
class _Places:
    """The ids that grants name."""

    world: World

    def code(self, entity: str, code: str) -> dict[str, frozenset[int]]:
        """The label of one region, site or channel."""
        row = next(row for row in self.world.rows[entity].values() if row["code"] == code)
        return {f"label_{entity}": frozenset({int(row["id"])})}

    def busiest(self, number: int, skipped: int = 0) -> dict[str, frozenset[int]]:
        """The accounts of those customers who have most orders."""
        orders = Counter(row["customer_id"] for row in self.world.rows["sales_order"].values())
        ranked = sorted(orders, key=lambda customer: (-orders[customer], customer))
        return {"label_account": frozenset(ranked[skipped : skipped + number])}

    def every(self, step: int) -> dict[str, frozenset[int]]:
        """The accounts of every so many customers."""
        return {"label_account": frozenset(sorted(self.world.rows["customer"])[::step])}


def everybody(world: World) -> tuple[Actor, ...]:
    """The people of this suite, with the grants that they are to have."""
    at = _Places(world)
    us, de, sg = (at.code("region", code) for code in ("US", "DE", "SG"))
    tuas, channel = at.code("site", "TUA"), {"label_channel": frozenset({min(world.rows["channel"])})}
    site = {"label_site": frozenset({min(world.rows["site"])})}
    grants = {
        "service.us": (_grant("customer_service", **us),),
        "service.de": (_grant("customer_service", **de),),
        "service.channel": (_grant("customer_service", **channel),),
        "service.site": (_grant("customer_service", **site),),
        "sales.own": (_grant("sales", **at.every(6)),),
        "sales.us": (_grant("sales", **us, **at.every(3)),),
        "planner.all": (_grant("planner"),),
        "planner.de": (_grant("planner", **de),),
        "buyer.all": (_grant("buyer"),),
        "buyer.site": (_grant("buyer", **site),),
        "warehouse.tuas": (_grant("warehouse", **sg, **tuas),),
        "warehouse.us": (_grant("warehouse", **us),),
        "finance.all": (_grant("finance"),),
        "finance.us": (_grant("finance", **us),),
        "operations.all": (_grant("operations_manager"),),
        "operations.sg": (_grant("operations_manager", **sg),),
        "executive.all": (_grant("executive"),),
        "executive.de": (_grant("executive", **de),),
        "customer.one": (_grant("customer_contact", **at.busiest(1)),),
        "customer.two": (_grant("customer_contact", **at.busiest(2, skipped=3)),),
        "several.two": (_grant("customer_service", **us), _grant("planner", **de)),
        "several.three": (_grant("finance", **de), _grant("warehouse", **site), _grant("sales", **at.every(5))),
        "several.channel": (_grant("buyer", **us), _grant("customer_service", **sg, **channel)),
        "governance": (_grant("governance_officer"),),
        "auditor.all": (_grant("auditor"),),
        "administrator": (_grant("administrator"),),
        "nothing.granted": (),
    }
    return tuple(_person(subject, those) for subject, those in grants.items())


def admit(admin: Connection[Any], actors: Iterable[Actor]) -> None:
    """Add the people with their grants, and the one whose grants change."""
    for actor in (*actors, Actor(subject=MOVED)):
        admin.execute("insert into directory.person (subject, name) values (%s, %s)", (actor.subject, actor.subject))
        for grant in granted(actor):
            admin.execute(NEW_GRANT, grant)
    admin.commit()


def granted(actor: Actor) -> list[tuple[Any, ...]]:
    """What NEW_GRANT takes for each grant of a person."""
    grants = [grant for grant in actor.grants if grant.role]
    lists = [[grant.labels[column] for column in LABEL_COLUMNS] for grant in grants]
    return [
        (actor.subject, grant.role, *(None if ids is None else sorted(ids) for ids in labels))
        for grant, labels in zip(grants, lists, strict=True)
    ]


def renamed(actor: Actor, subject: str) -> Actor:
    """Somebody else with the same grants."""
    return replace(actor, subject=subject, further=tuple(replace(each, subject=subject) for each in actor.further))


def _grant(role: str, **narrow: frozenset[int]) -> Actor:
    return Actor(subject="", role=role, classes=read_roles()[role], labels={**_NONE, **narrow})


def _person(subject: str, grants: tuple[Actor, ...]) -> Actor:
    if not grants:
        return Actor(subject=subject)
    return renamed(replace(grants[0], further=grants[1:]), subject)
