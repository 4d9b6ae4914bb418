"""`erp-copilot source disagreements`: where the systems say different things about stock, and whose figure counts."""

from __future__ import annotations

import argparse
import json

from copilot.answering.printing import print_value, wire_value
from copilot.channels.cli import say
from copilot.channels.commands.source.action import Action
from copilot.domain.evidence import Record
from copilot.domain.json import Json
from copilot.retrieval.disagreements import Disagreement
from copilot.wiring import Runtime

_KINDS = {
    "stock_difference": "differs",
    "stock_incomparable": "not comparable",
    "stock_absent": "not recorded",
}
"""Measure -> what is said of it."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="subject", required=True, metavar="USER", help="whose records to compare")
    parser.add_argument("--site", metavar="CODE", help="only at this site")
    parser.add_argument("--json", action="store_true", help="as JSON, for another program")


async def _disagreements(runtime: Runtime, options: argparse.Namespace) -> int:
    found = [each async for each in runtime.disagreements(options.subject, site=options.site)]
    if options.json:
        print(json.dumps([_as_json(each) for each in found], indent=2, ensure_ascii=False))
        return 0
    for each in found:
        print(_line(each))
    say(f"{len(found)} disagreements, in the records that {options.subject} may see")
    return 0


def _line(each: Disagreement) -> str:
    place = f"{_text(each.item, 'number'):<16} {_text(each.site, 'code'):<8} {_KINDS[each.record.entity]:<15}"
    record = each.record
    if record.entity == "stock_absent":
        ours = f"{_text(record, 'system')}: {_text(record, 'on_hand')} on hand"
        return f"{place} {ours}; {_text(record, 'other_system')}: no record"
    ours = f"{_text(record, 'governing_system')}: {_text(record, 'quantity')} {_text(record, 'figure')} (governs)"
    return f"{place} {ours}; {_text(record, 'other_system')}: {_text(record, 'other_quantity')}"


def _text(record: Record, field: str) -> str:
    return print_value(record, record.values[field]) or "—"


def _as_json(each: Disagreement) -> dict[str, Json]:
    values: dict[str, Json] = {
        "item": each.item.key,
        "number": _wire(each.item, "number"),
        "site": _wire(each.site, "code"),
        "finding": _KINDS[each.record.entity],
    }
    named = (name for name, value in each.record.values.items() if value.type != "ref" and value.raw is not None)
    return values | {name: _wire(each.record, name) for name in named}


def _wire(record: Record, field: str) -> Json:
    value = wire_value(record.values[field])
    return value if value is None or isinstance(value, str | int | bool) else value.isoformat()


DISAGREEMENTS = Action(
    name="disagreements",
    help="where the systems say different things about stock",
    arguments=_arguments,
    run=_disagreements,
)
