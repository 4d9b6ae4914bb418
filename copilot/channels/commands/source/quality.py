"""`erp-copilot source quality`: whether what was copied is sound, check by check."""

from __future__ import annotations

import argparse
import json

from copilot.channels.commands.source.action import Action, chosen, one_or_all
from copilot.errors import SourceConfigError
from copilot.ingest.quality import Quality, Result, read_quality
from copilot.semantic.model import load_model
from copilot.store.roles import Role
from copilot.wiring import Runtime

_TREND = 10


def _arguments(parser: argparse.ArgumentParser) -> None:
    one_or_all(parser)
    parser.add_argument("--entity", help="only this entity, such as stock")
    parser.add_argument("--trend", action="store_true", help=f"the last {_TREND} results of each check")
    parser.add_argument("--json", action="store_true", help="as JSON, for another program")


async def _quality(runtime: Runtime, options: argparse.Namespace) -> int:
    if options.entity is not None and options.entity not in load_model().entities:
        raise SourceConfigError(f"there is no entity {options.entity!r}; erp-copilot source map --draft names them all")
    limit = _TREND if options.trend else 2
    found: dict[str, Quality] = {}
    async with runtime.database.connection(Role.LOADER) as connection:
        for name in chosen(runtime, options.name):
            source = runtime.sources.source(name)
            found[name] = await read_quality(connection, source.id, entity=options.entity, limit=limit)
    if options.json:
        print(json.dumps({name: _as_json(quality) for name, quality in found.items()}, indent=2))
    else:
        for name, quality in found.items():
            _print(name, quality, trend=options.trend)
    return int(any(result.state == "stop" for quality in found.values() for result in quality.results))


def _print(name: str, quality: Quality, *, trend: bool) -> None:
    print(name if quality.results else f"{name}: no results yet; they come with: erp-copilot source sync {name}")
    for result in quality.results:
        print(_line(result))
        if result.example_keys:
            print(f"       such as {', '.join(map(repr, result.example_keys))}")
        if trend:
            print(f"       newest first: {', '.join(f'{share:.2%}' for share in (result.share, *result.before))}")
    for entity, reason, rows in quality.quarantined:
        print(f"  set aside  {entity:<22} {reason:<20} {rows:>8}")


def _line(result: Result) -> str:
    change = "first result" if result.change is None else f"{result.change:+.2%}"
    figures = f"{result.failing:>8} of {result.rows:>8} {result.share:>8.2%}"
    return f"  {result.state:<4} {result.check.id:<42} {figures} {change:>12}  {result.check.title}"


def _as_json(quality: Quality) -> dict[str, object]:
    return {
        "checks": [
            {
                "check": result.check.id,
                "entity": result.check.entity,
                "title": result.check.title,
                "state": result.state,
                "rows": result.rows,
                "failing": result.failing,
                "share": result.share,
                "before": list(result.before),
                "example_keys": list(result.example_keys),
                "checked_at": result.checked_at.isoformat(),
            }
            for result in quality.results
        ],
        "quarantined": [
            {"entity": entity, "reason": reason, "rows": rows} for entity, reason, rows in quality.quarantined
        ],
    }


QUALITY = Action(name="quality", help="whether what was copied is sound", arguments=_arguments, run=_quality)
