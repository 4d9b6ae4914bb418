"""`erp-copilot source quality`: whether what was copied is sound, check by check."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from copilot.channels.commands.source.action import Action, chosen, one_or_all
from copilot.errors import SourceConfigError
from copilot.ingest.quality import Load, Quality, Result, load_parts, read_quality
from copilot.store.roles import Role
from copilot.wiring import Runtime

_TREND = 10


def _arguments(parser: argparse.ArgumentParser) -> None:
    one_or_all(parser)
    parser.add_argument("--all", action="store_true", help="also the checks that found nothing")
    parser.add_argument("--entity", help="only this entity, such as stock")
    parser.add_argument("--trend", action="store_true", help=f"the last {_TREND} results of each check")
    parser.epilog = "The exit code is 1 where a check is over the limit that stops a load."
    parser.add_argument("--json", action="store_true", help="as JSON, for another program")


async def _quality(runtime: Runtime, options: argparse.Namespace) -> int:
    if options.entity is not None and options.entity not in load_parts():
        raise SourceConfigError(f"no check looks at {options.entity!r}; checked are: {', '.join(sorted(load_parts()))}")
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
            _print(name, quality, options)
    return int(any(result.state == "stop" for quality in found.values() for result in quality.results))


def _print(name: str, quality: Quality, options: argparse.Namespace) -> None:
    about = f"{name}, {options.entity}" if options.entity else name
    if quality.results:
        print(f"{about}: {_summary(quality.results)}")
    else:
        print(f"{about}: no results; where the source delivers it: erp-copilot source sync {shlex.quote(name)}")
    for result in quality.results:
        if options.all or options.trend or result.failing:
            _print_result(result, trend=options.trend)
    for entity, reason, rows in quality.quarantined:
        print(f"  set aside  {entity:<22} {reason:<20} {rows:>8}")
    for load in quality.loads:
        _print_load(load)


def _summary(results: Sequence[Result]) -> str:
    """How many checks found nothing, with the time of the newest."""
    clean = sum(1 for result in results if not result.failing)
    newest = max(result.checked_at for result in results)
    return f"{clean} of {len(results)} checks found nothing (last judged {_moment(newest)})"


def _print_result(result: Result, *, trend: bool) -> None:
    print(_line(result))
    if result.example_keys:
        print(f"       such as {', '.join(map(repr, result.example_keys))}")
    if trend:
        print(f"       newest first: {', '.join(f'{share:.2%}' for share in (result.share, *result.before))}")


def _print_load(load: Load) -> None:
    what = "; ".join(f"{check}: {failing} of {rows}" for check, rows, failing in load.stopped)
    if load.accepted_by is None:
        end = "stopped"
    else:
        how = "let through" if load.loaded else "would have been let through, but failed"
        end = f"{how} by {load.accepted_by}, {load.accepted_why!r}"
    print(f"  load {load.batch} of {_moment(load.started_at)} {end} ({what})")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


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
        "loads": [
            {
                "batch": load.batch,
                "started_at": load.started_at.isoformat(),
                "loaded": load.loaded,
                "stopped": [{"check": check, "rows": rows, "failing": bad} for check, rows, bad in load.stopped],
                "accepted_by": load.accepted_by,
                "accepted_why": load.accepted_why,
            }
            for load in quality.loads
        ],
    }


QUALITY = Action(name="quality", help="whether what was copied is sound", arguments=_arguments, run=_quality)
