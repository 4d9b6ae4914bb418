"""`erp-copilot source sync` and `list`: bring the copy up to its sources, and say how fresh it is."""

from __future__ import annotations

import argparse

from copilot.channels.cli import say
from copilot.channels.commands.source.action import Action, chosen, one_or_all
from copilot.ingest import SyncReport
from copilot.wiring import Runtime


def _arguments(parser: argparse.ArgumentParser) -> None:
    one_or_all(parser)
    parser.add_argument("--full", action="store_true", help="read everything again")


async def _sync(runtime: Runtime, options: argparse.Namespace) -> int:
    for each in chosen(runtime, options.name):
        source, connector = runtime.sources.source(each), runtime.sources.connector(each)
        _print_report(await runtime.ingest.sync(source, connector, full=options.full, progress=say))
    return 0


async def _list(runtime: Runtime, _: argparse.Namespace) -> int:
    states = await runtime.sources.states()
    for state in states:
        print(f"{state.name:<20} {state.system:<10} {state.told(runtime.clock())}")
    if not states:
        print("no sources yet; add one: erp-copilot source add odoo")
    return 0


def _print_report(report: SyncReport) -> None:
    print(f"{report.source}: {report.changed} changed, {report.removed} removed, {report.quarantined} set aside")
    for name, entity in report.entities.items():
        if entity.read or entity.removed or entity.skipped:
            skipped = f"  not readable: {entity.skipped}" if entity.skipped else ""
            print(
                f"  {name:<22} {entity.read:>8} read {entity.changed:>8} changed {entity.removed:>6} removed{skipped}"
            )


def _nothing(_: argparse.ArgumentParser) -> None:
    """No arguments."""


SYNC = Action(name="sync", help="bring the copy up to a source", arguments=_arguments, run=_sync)
LIST = Action(name="list", help="the sources and how fresh they are", arguments=_nothing, run=_list)
