"""`erp-copilot source sync` and `list`: bring the copy up to its sources, and say how fresh it is."""

from __future__ import annotations

import argparse
import getpass
import math
import os
from datetime import datetime

from copilot.channels.cli import say
from copilot.channels.commands.source.action import Action, chosen, one_or_all
from copilot.errors import SourceConfigError
from copilot.ingest import Consent, Source, SyncReport
from copilot.wiring import Runtime
from copilot.wiring.schedule import interval, last_syncs, next_due


def _arguments(parser: argparse.ArgumentParser) -> None:
    one_or_all(parser)
    parser.add_argument("--full", action="store_true", help="read everything again")
    accept = "load also what the quality checks would stop, this once; why is kept with your name"
    parser.add_argument("--accept", metavar="WHY", help=accept)


async def _sync(runtime: Runtime, options: argparse.Namespace) -> int:
    consent = None if options.accept is None else _consent(options.accept)
    for each in chosen(runtime, options.name):
        source, connector = runtime.sources.source(each), runtime.sources.connector(each)
        report = await runtime.ingest.sync(source, connector, full=options.full, consent=consent, progress=say)
        _print_report(report)
    return 0


def _consent(why: str) -> Consent:
    """Raises SourceConfigError for no reason at all."""
    if not why.strip():
        raise SourceConfigError("--accept needs a reason, such as --accept 'stock-taking, corrected by Monday'")
    return Consent(by=_account(), why=why.strip())


def _account() -> str:
    """The account that runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # one without a name
        return f"account {os.getuid()}"


async def _list(runtime: Runtime, _: argparse.Namespace) -> int:
    states = await runtime.sources.states()
    synced = await last_syncs(runtime.database)
    plan = {
        source.name: _plan(source, synced.get(source.name), runtime.clock()) for source in await runtime.sources.load()
    }
    for state in states:
        print(
            f"{state.name:<20} {state.system:<10} {state.told(runtime.clock())}; {plan.get(state.name, 'just added')}"
        )
    if not states:
        print("no sources yet; add one: erp-copilot source add odoo")
    return 0


def _plan(source: Source, synced: datetime | None, now: datetime) -> str:
    due = next_due(source, synced)
    when = "now" if due is None or due <= now else f"in {math.ceil((due - now).total_seconds() / 60)} min"
    return f"every {interval(source).total_seconds() / 60:.0f} min, due {when}"


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
