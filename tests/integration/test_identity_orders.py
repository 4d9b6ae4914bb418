"""Whatever the order of records, rules, decisions and syncs: in the end the copy is that of a full reload."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.errors import SourceConfigError
from tests.integration.identity_support import (
    GTIN,
    OTHER_GTIN,
    SITES,
    Account,
    customer,
    dangling,
    decide,
    groups,
    item,
    told,
    wipe,
)
from tests.integration.ingest_support import World, line, order, record, regions, stock

pytest_plugins = ("tests.integration.ingest_support",)

KEYS = ("a", "b", "c")
NUMBERS = ("DESK-7", "desk 7", "LAMP-1", "PAL 9", None)
GTINS = (GTIN, f"0{GTIN}", OTHER_GTIN, "4006381333932", None, None)
VALUES = ("DESK 7", GTIN, "PAL-9", "Other")
RULES = ("", "", "number", "gtin", "gtin,number", "number,part_number", "gtin,number,part_number")
SYSTEMS = ("erp", "wms", "shop")
ENTITIES = ("region", "channel", "site", "customer", "item", "item_alias", "sales_order", "sales_order_line", "stock")


class Play:
    """Three systems, of which anything may change at any moment."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.systems = {name: MemoryConnector(name, ENTITIES, _start(name)) for name in SYSTEMS}
        self.rules = dict.fromkeys(SYSTEMS, "")
        self.decisions: dict[tuple[str, str], str] = {}

    async def step(self) -> None:
        """Change something, or sync."""
        self.world.clock.move(minutes=1)
        name = self.dice.choice(SYSTEMS)
        move = self.dice.choices((self.change, self.drop, self.rule, self.judge, self.sync), (5, 2, 1, 3, 5))[0]
        await move(name)

    async def change(self, name: str) -> None:
        key, now = self.dice.choice(KEYS), self.world.clock.now
        values = {"number": self.dice.choice(NUMBERS), "gtin": self.dice.choice(GTINS)}
        changed = self.dice.choice((
            item(f"{name}-{key}", **values, at=now),
            record("item_alias", f"{name}-{key}", item=f"{name}-{key}", value=self.dice.choice(VALUES), at=now),
            _customer(f"{name}-{key}", self.dice, now),
        ))  # fmt: skip
        self.systems[name].put(changed)

    async def drop(self, name: str) -> None:
        found = [each for entity in ("item", "item_alias", "stock") for each in self.systems[name].all(entity)]
        if found:
            gone = self.dice.choice(found)
            self.systems[name].drop(gone.entity, "", gone.key)

    async def rule(self, name: str) -> None:
        self.rules[name] = self.dice.choice(RULES)
        identity = {"item": self.rules[name], "customer": "tax_number"} if self.rules[name] else {}
        labels = {"site": SITES} if name == "wms" and self.dice.random() < 0.7 else {}
        await self.world.add(name, {"identity": identity} if identity else {}, **labels)

    async def judge(self, name: str) -> None:
        one, other = f"{name}/{name}-{self.dice.choice(KEYS)}", self._any()
        entity = self.dice.choice(("item", "item", "customer"))
        verdict = self.dice.choice(("same", "same", "different"))
        try:
            await decide(self.world, verdict, entity, one, other, change=self.dice.random() < 0.5)
        except SourceConfigError:
            return
        if entity == "item":
            self.decisions[min(one, other), max(one, other)] = verdict

    async def sync(self, name: str) -> None:
        await self.world.sync(self.systems[name], full=self.dice.random() < 0.2)
        assert await dangling(self.world) == []

    def _any(self) -> str:
        name = self.dice.choice(SYSTEMS)
        return f"{name}/{name}-{self.dice.choice(KEYS)}"

    async def settle(self) -> None:
        """Sync every source until what one has changed has reached the others."""
        for _ in range(3):
            for name in SYSTEMS:
                self.world.clock.move(minutes=1)
                await self.world.sync(self.systems[name])

    def account(self) -> Account:
        return Account(
            sources={name: [*each.all("item"), *each.all("item_alias")] for name, each in self.systems.items()},
            rules={name: rules.split(",") for name, rules in self.rules.items() if rules},
            decisions=self.decisions,
        )


def _customer(key: str, dice: random.Random, now: datetime) -> SourceRecord:
    """A customer, one time in four without a region or channel to stand in."""
    made = customer(key, "K1", dice.choice(("DE 12.34.56", "de123456", None)), at=now)
    return made if dice.random() < 0.75 else replace(made, labels={})


def _start(name: str) -> list[SourceRecord]:
    site = "w-nyc" if name == "erp" else "lager"
    place = regions() if name == "erp" else [record("site", "lager", code=f"L-{name}", region="r-us")]
    return [
        *place,
        *([] if name == "erp" else [record("region", "r-us", code=f"R-{name}"), record("channel", "c-web", code=name)]),
        customer("k-1", "K1"),
        *(item(f"{name}-{key}", number, base) for key, number, base in zip(KEYS, NUMBERS[1:], GTINS, strict=False)),
        *(stock(f"{name}-{key}/{site}", on_hand=Decimal(1), available=Decimal(1)) for key in KEYS),
        order("o-1", site=site),
        line("o-1.1", item=f"{name}-a"),
    ]


SEEDS = (7,)
"""More were tried when this was written: the first thirty."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_in_the_end_the_copy_is_that_of_a_full_reload(world: World, seed: int) -> None:
    play = Play(world, seed)
    for name in SYSTEMS:
        await play.rule(name)
    for _ in range(40):
        await play.step()
    await play.settle()
    stands = await told(world)
    assert await groups(world) == play.account().groups()
    await wipe(world)
    await play.settle()
    again = await told(world)
    assert stands.keys() == again.keys()
    for part in stands:
        assert stands[part] == again[part], part
