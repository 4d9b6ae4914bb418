"""Two systems with an item of the same number: asked back until a person says what is what, on the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Generator
from decimal import Decimal

import pytest

from connectors.base import SourceRecord, Value
from connectors.memory import MemoryConnector
from copilot.channels.commands.source import ACTIONS
from copilot.domain.answer import Answer, Reason, Verdict
from copilot.errors import CopilotError
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, plain, sound, truth_of
from tests.company import NOW, Company, ask

DEPOT = "Depot"


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


def _record(entity: str, key: str, labels: dict[str, str] | None = None, **values: Value) -> SourceRecord:
    return SourceRecord(entity=entity, company="", key=key, changed_at=NOW, values=values, labels=labels or {})


def depot(number: str, unit: str) -> MemoryConnector:
    """A system with a store of its own in the US, some of our item there, and one nobody else has."""
    return MemoryConnector("memory", ("region", "site", "item", "stock"), [
        _record("region", "r", code="R", name="Here"),
        _record("site", "d", code="DEPOT1", name="Depot One", region="r", time_zone="America/New_York"),
        _record("item", "77", {"region": "*"}, number=number, name="Their words for it", base_unit=unit),
        _record("item", "78", {"region": "*"}, number="ZZ-1", name="Their own", base_unit=unit),
        _record("stock", "77/d", item="77", site="d", on_hand=Decimal(7), available=Decimal(7), unit=unit),
    ])  # fmt: skip


async def sync(runtime: Runtime, connector: MemoryConnector, rules: str | None = None) -> None:
    settings = {} if rules is None else {"identity": {"item": rules}}
    await runtime.ingest.add_source(DEPOT, "memory", settings, {"region": {"r": "US"}})
    await runtime.sources.load()
    await runtime.ingest.sync(runtime.sources.source(DEPOT), connector)


async def command(runtime: Runtime, *arguments: str) -> int:
    """`erp-copilot source …` on this runtime."""
    parser = argparse.ArgumentParser()
    actions = parser.add_subparsers(dest="action", required=True)
    for action in ACTIONS:
        action.arguments(actions.add_parser(action.name))
    options = parser.parse_args(arguments)
    return await next(action for action in ACTIONS if action.name == options.action).run(runtime, options)


def asks_back(answer: Answer) -> bool:
    return (answer.verdict, answer.reason, len(answer.choices)) == (Verdict.DECLINED, Reason.AMBIGUOUS, 2)


async def test_a_person_says_what_is_the_same_and_answers_follow(
    runtime: Runtime, truth: Truth, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = truth.one(
        "select i.source_key, i.number, i.base_unit from biz.item i join biz.stock s on s.item_id = i.id"
        " where s.source_id = 1 and s.on_hand > 0 and s.lot is null order by i.id"
    )
    asked = f"how many {ours['number']} do we have?"
    system = depot(ours["number"], ours["base_unit"])
    assert "Depot One" not in plain(sound(await ask(runtime, "planner", asked), NOW, Verdict.VERIFIED, Verdict.PARTIAL))

    await sync(runtime, system)
    assert asks_back(await ask(runtime, "planner", asked))

    pair = (DEPOT, "item", "77", "Demo ERP", ours["source_key"])
    assert await command(runtime, "same", *pair, "--by", "dana", "--why", "same data sheet") == 0
    assert "it counts from the next sync of 'Depot' on" in capsys.readouterr().err
    await sync(runtime, system)
    said = plain(sound(await ask(runtime, "planner", asked), NOW, Verdict.VERIFIED, Verdict.PARTIAL))
    assert "Depot One: 7" in said
    demo_site = truth.one(
        "select p.name from biz.stock s join biz.site p on p.id = s.site_id join biz.item i on i.id = s.item_id"
        " where s.source_id = 1 and i.number = %(number)s order by s.on_hand desc", number=ours["number"],
    )  # fmt: skip
    assert demo_site["name"] in said

    with pytest.raises(CopilotError, match="same by dana on"):
        await command(runtime, "different", *pair, "--by", "erik", "--why", "another colour")
    assert await command(runtime, "different", *pair, "--by", "erik", "--why", "another colour", "--change") == 0
    await sync(runtime, system)
    assert asks_back(await ask(runtime, "planner", asked))


async def test_what_waits_for_a_person_is_listed(
    runtime: Runtime, truth: Truth, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = truth.one("select source_key, number, base_unit from biz.item where source_id = 1 order by id desc")
    system = depot(ours["number"], ours["base_unit"])
    system.put(_record("item", "79", {"region": "*"}, number=ours["number"], name="Twice", base_unit="pcs"))
    await sync(runtime, system, "gtin,number")
    capsys.readouterr()
    assert await command(runtime, "identity", "item", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["item"]["open"]
    by_key = {each["key"]: each for each in listed if each["source"] == DEPOT}
    assert {key: (each["state"], each["reason"]) for key, each in by_key.items()} == {
        "77": ("doubtful", "contested"),
        "78": ("unmatched", None),
        "79": ("doubtful", "contested"),
    }
    maybe = by_key["79"]["candidates"]
    assert [(each["source"], each["key"], each["rules"]) for each in maybe] == [
        ("Demo ERP", ours["source_key"], ["number"])
    ]
    assert await command(runtime, "identity") == 0
    said = capsys.readouterr().out
    assert f"doubtful   item     Depot '79': {ours['number']}, Twice" in said
    assert "another record of its source may be the same one" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("same", "Nobody", "item", "1", "Demo ERP", "2"), "there is no source 'Nobody'; there are: Demo ERP"),
        (("same", "Demo ERP", "order", "1", "Demo ERP", "2"), "'order' is no entity that sources share"),
        (("different", "Demo ERP", "item", "no-such", "Demo WMS", "2"), "the key 'no-such' that was ever read here"),
        (("identity", "invoice"), "'invoice' is nothing that rules recognise"),
        (("identity", "--limit", "0"), "--limit 0 shows nothing"),
    ],
)
async def test_what_can_t_be_decided_is_said(runtime: Runtime, arguments: tuple[str, ...], said: str) -> None:
    reasons = () if arguments[0] == "identity" else ("--by", "dana", "--why", "looked")
    with pytest.raises(CopilotError, match=said):
        await command(runtime, *arguments, *reasons)
