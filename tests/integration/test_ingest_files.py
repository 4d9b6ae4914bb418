"""Files through the ingest into PostgreSQL: what is broken is set aside, what is unchanged is left alone."""

from __future__ import annotations

import os
from pathlib import Path

from connectors.base import Connector
from connectors.files.connector import from_answers
from copilot.ingest import SyncReport
from copilot.semantic.model import load_model
from tests.integration.ingest_support import World

pytest_plugins = ("tests.integration.ingest_support",)

MAPPING = """
mapping: 1
system: paper
entities:
  item:
    from: items-*.csv
    key: sku
    fields: {number: sku, name: name, base_unit: {constant: ea}}
    labels: {region: {constant: "*"}}
"""
TYPES = {
    name: {field.name: field.type for field in entity.fields.values()} for name, entity in load_model().entities.items()
}


def paper(folder: Path) -> Connector:
    return from_answers({"location": str(folder), "mapping": MAPPING}, TYPES)


def write(folder: Path, name: str, text: str, changed: int) -> None:
    (folder / name).write_text(text)
    os.utime(folder / name, (changed, changed))


async def sync(world: World, folder: Path) -> SyncReport:
    return await world.sync(paper(folder))  # pyright: ignore[reportArgumentType] -- any connector will do


async def names(world: World) -> dict[str, str]:
    return {row["source_key"]: row["name"] for row in await world.rows("select source_key, name from biz.item")}


async def test_files_reach_the_copy(world: World, tmp_path: Path) -> None:
    write(tmp_path, "items-1.csv", "sku,name\nA,Anvil\nB,Bolt\nC,Clamp\n", 1_700_000_000)
    write(tmp_path, "items-2.csv", "sku,name\nC,Better clamp\nD\n,Nameless\n", 1_700_000_000)
    await sync(world, tmp_path)
    assert await names(world) == {"A": "Anvil", "B": "Bolt", "C": "Better clamp"}
    broken = {("item", "D"): "bad_value", ("item", "items-2.csv:4"): "bad_value"}
    assert await world.quarantine() == broken
    before = await world.physical()
    assert (await sync(world, tmp_path)).changed == 0
    assert await world.physical() == before

    write(tmp_path, "items-2.csv", "sku,name\nC,Clamp again\nD,Drill\n", 1_700_000_100)
    await sync(world, tmp_path)
    assert await names(world) == {"A": "Anvil", "B": "Bolt", "C": "Clamp again", "D": "Drill"}
    assert await world.quarantine() == {}

    write(tmp_path, "items-1.csv", "sku,name\nA,Anvil\nB,Bolt\n", 1_700_000_100)
    (tmp_path / "items-2.csv").unlink()
    await sync(world, tmp_path)
    assert set(await names(world)) == {"A", "B"}

    (tmp_path / "items-1.csv").rename(tmp_path / "other.csv")
    report = await sync(world, tmp_path)
    assert report.entities["item"].skipped
    assert set(await names(world)) == {"A", "B"}
