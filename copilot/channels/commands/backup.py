"""`erp-copilot backup` and `restore`: what cannot be regenerated, in one file."""

from __future__ import annotations

import argparse
from pathlib import Path

from copilot.channels.cli import Command, say
from copilot.channels.commands.erase import erasing_with
from copilot.domain.clock import system_clock
from copilot.errors import PolicyNotInForceError
from copilot.settings import read_settings
from copilot.store import embedded
from copilot.store.audit_verify import verify
from copilot.store.backup import RestoreReport, backup, restore
from copilot.store.erasure_list import ERASURES
from copilot.store.erasures import faults_of
from copilot.store.roles import Role
from copilot.store.setup import make_roles
from copilot.wiring import open_runtime
from copilot.wiring.opening import database_dsn


def _backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="where to write the backup; it must not exist yet")


async def _backup(options: argparse.Namespace) -> int:
    settings = read_settings()
    async with open_runtime(settings, progress=say, linger=True) as runtime:
        programs = embedded.server_binaries()
        report = await backup(runtime.admin_dsn, programs, options.file, settings.home, runtime.clock)
    print(f"{report.file}: {report.size:,} bytes, audit up to row {report.head}")
    print(f"the keys in {settings.home / 'keys'} are not in it: keep them apart, or erased data could come back")
    print(
        f"those erased later are erased again when it is restored, by {settings.home / ERASURES}: keep a copy of that"
    )
    return 0


def _restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a backup made by this program")


async def _restore(options: argparse.Namespace) -> int:
    settings = read_settings()
    async with database_dsn(settings, progress=say) as dsn:
        settings.home.mkdir(parents=True, exist_ok=True)
        await make_roles(dsn, settings.home)
        report = await restore(dsn, embedded.server_binaries(), options.file, settings.home, system_clock)
    print(f"restored the backup of {report.made_at}, audit up to row {report.head}")
    if report.signed > report.head:
        print(f"audit rows {report.head + 1} to {report.signed} came after it and are gone; the checkpoint says so")
    if report.previous:
        print(f"the database that was there is kept as {report.previous}")
    _tell_erased(report)
    async with open_runtime(settings, progress=say, linger=True) as runtime:
        await erasing_with(runtime).replay()
        async with runtime.database.connection(Role.OWNER) as owner:
            for fault in await faults_of(owner, settings.home):
                print(f"note: {fault}")
        found = await verify(runtime.database, settings.home)
        for note in found.notes:
            print(f"note: {note}")
        try:
            print(f"the policy in force is {(await runtime.policy()).version}")
        except PolicyNotInForceError as error:  # changes of it that came after the backup are gone
            print(f"note: nobody is answered until this is settled: {error}")
        if fault := (await runtime.prompts()).fault:  # likewise
            print(f"note: templates that were approved here are not used until this is settled: {fault}")
    print(f"{found.rows} audit rows, {'the chain holds' if found.ok else f'{found.found} faults'}")
    return 0 if found.ok else 1


def _tell_erased(report: RestoreReport) -> None:
    if report.listed_again:
        print(f"the list of erasures had lost {report.listed_again}; they are back from the audit or the backup")
    if report.erased.erasures or report.erased.keys:
        print(f"erased since the backup, and now again: people {report.erased.erasures}, keys {report.erased.keys}")


BACKUP = Command("write a backup of the database", _backup_arguments, _backup)
RESTORE = Command("put a backup in the database's place", _restore_arguments, _restore)
