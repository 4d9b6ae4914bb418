"""`erp-copilot erase`: what is kept of somebody is destroyed, everywhere, and stays destroyed."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import asdict
from pathlib import Path

from copilot.channels.cli import Command, say
from copilot.errors import SettingsError
from copilot.settings import read_settings
from copilot.store.erasing import Erased, Erasing, Replayed
from copilot.store.erasure_list import ERASURES
from copilot.store.erasures import Removed
from copilot.wiring import Runtime, open_runtime

_NAMED = {
    "conversations": "conversations", "turns": "questions in them", "vaults": "vaults of pseudonyms",
    "ratings": "ratings", "reviews": "complaints' words", "sessions": "sessions", "accounts": "accounts at a provider",
    "tokens": "service tokens", "grants": "grants ended", "delegations": "delegations ended",
    "names": "lines of the directory's log with a name",
}  # fmt: skip
_KEPT = """\
kept: the audit rows with the subject, masked text and references to records, so that the chain verifies; the subject in
      the directory, its log and its delegations, without a name; what others said of this person
      what the records of your ERP say of this person: that is for the ERP to remove
out of reach: copies of the folder `keys` and backups that lie elsewhere (what comes back with them is erased again
      here, by {list}: keep a copy of that file elsewhere too), the blocks of old disks, logs of other programs"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", nargs="?", help="what they sign in as, or did: see `person list` and the audit")
    parser.add_argument("--yes", action="store_true", help="do not ask to type the subject again")
    parser.add_argument(
        "--replay", nargs="?", const="", metavar="FILE",
        help="instead: bring every erasure of the list about again, with the lines of a copy of it kept elsewhere",
    )  # fmt: skip


async def _run(options: argparse.Namespace) -> int:
    if (options.subject is None) == (options.replay is None):
        raise SettingsError("say whom to erase, or --replay to bring all erasures about again")
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        erasing = erasing_with(runtime)
        if options.replay is not None:
            _tell_replayed(await erasing.replay(Path(options.replay) if options.replay else None))
            return 0
        await erasing.check(options.subject)
        if not options.yes:
            _confirm(options.subject)
        _tell(options.subject, await erasing.erase(options.subject), runtime.settings.home)
    return 0


def erasing_with(runtime: Runtime) -> Erasing:
    """Erasures by whoever runs the program."""
    return Erasing(
        runtime.database, runtime.settings.home, runtime.clock, runtime.audit, runtime.admin_dsn, getpass.getuser(),
        runtime.policy.last_version(),
    )  # fmt: skip


def _confirm(subject: str) -> None:
    if not sys.stdin.isatty():
        raise SettingsError(
            f"this can't be undone: run it at a terminal, or with --yes; nothing of {subject!r} was changed"
        )
    say(f"Everything kept of {subject!r} will be unreadable for good.")
    if input("Type the subject again to erase them: ").strip() != subject:
        raise SettingsError("that is another subject, so nothing was changed")


def _tell(subject: str, done: Erased, home: Path) -> None:
    if done.before:
        print(f"{subject} was erased already, on {done.before}; gone through again:")
    else:
        print(f"{subject} is erased:")
    print(f"  keys destroyed: {done.keys}")
    for line in _lines(done.removed):
        print(line)
    if done.copies:
        print(f"  databases that restores left behind, gone through too: {done.copies}")
    print(_KEPT.format(list=home / ERASURES))


def _lines(removed: Removed) -> list[str]:
    found = [f"  {_NAMED[name]}: {count}" for name, count in asdict(removed).items() if count]
    return found or ["  nothing else was kept"]


def _tell_replayed(done: Replayed) -> None:
    lacked = done.added + done.about.from_record
    print(f"{done.listed} erasures on the list" + (f", of which it lacked {lacked}" if lacked else ""))
    print(f"brought about again: {done.about.erasures} people's rows, {done.about.keys} keys")
    if done.recorded:
        print(f"put on record again: {done.recorded}")


COMMAND = Command("destroy what is kept of somebody, for good", _arguments, _run)
