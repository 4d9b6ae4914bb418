"""`erp-copilot audit verify`: finds any audit row that was edited, deleted, reordered or cut off, and names it."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.settings import read_settings
from copilot.store.audit_verify import verify
from copilot.wiring import open_runtime


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["verify"])


async def _run(options: argparse.Namespace) -> int:
    del options
    settings = read_settings()
    async with open_runtime(settings, progress=say, linger=True) as runtime:
        report = await verify(runtime.database, settings.home)
    for note in report.notes:
        print(f"note: {note}")
    for finding in report.findings:
        print(f"{finding.problem}: {finding.text}")
    if report.found > len(report.findings):
        print(f"and {report.found - len(report.findings)} more")
    print(f"{report.rows} rows, {'the chain holds' if report.ok else f'{report.found} faults'}")
    return 0 if report.ok else 1


COMMAND = Command("check the audit chain against itself and its signed checkpoint", _arguments, _run)
