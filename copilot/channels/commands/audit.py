"""`erp-copilot audit verify` and `audit replay`: finds any row that was edited, deleted, reordered or cut off, and
makes an answer again from what was sealed of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from copilot.channels.cli import Command, say
from copilot.channels.commands.ask import plain
from copilot.replay.replayed import Replayed
from copilot.replay.since import Since
from copilot.settings import read_settings
from copilot.store.audit_verify import verify
from copilot.wiring import open_runtime
from copilot.wiring.replaying import replay

_MOST = 20
"""Differences and changed records that are told on a terminal; --json has them all."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("verify", help="check the whole chain against itself and its signed checkpoint")
    replayed = actions.add_parser("replay", help="make an answer again from what was sealed of it, and compare")
    replayed.add_argument("audit_id", metavar="ID", help="the `audit_id` of the answer, as `ask --json` shows it")
    replayed.add_argument("--as", dest="subject", required=True, metavar="USER", help="whoever asked, or an auditor")
    replayed.add_argument("--json", action="store_true", help="print all of it as JSON")


async def _run(options: argparse.Namespace) -> int:
    return await (_verify() if options.action == "verify" else _replay(options))


async def _verify() -> int:
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


async def _replay(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        found = await replay(runtime, await runtime.signed_in(options.subject), options.audit_id)
    if options.json:
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_told(found)))
    return 0 if found.ok else 1


def _told(found: Replayed) -> Iterator[str]:
    row = found.row
    yield f"row {found.id} of the audit, {row['at']}, asked by {row['subject']}: {row['verdict']}"
    yield f"  asked     {row['masked_question']}"
    if row.get("help"):
        yield f"  models    {json.dumps(row['help'], ensure_ascii=False)}"
    whole = f"as written, with {found.sealed} sealed values as written; `audit verify` proves the chain in whole"
    for fault in found.findings or (whole,):
        yield f"  row       {fault}"
    yield f"  replay    {_outcome(found)}"
    yield from _otherwise(found)
    if found.since is not None:
        yield from _since(found.since)
    if found.values == "shown" and found.answer is not None:
        yield ""
        yield plain(str(found.answer["answer"]))


def _outcome(found: Replayed) -> str:
    match found.values:
        case "erased" if found.erased_at:
            return f"the values were erased on {found.erased_at}; the digests above prove what is left of them"
        case "erased":
            return "the key of the values is not in this data folder, and no erasure says why: look for its backup"
        case "damaged":
            return "not made again: the sealed values are not what was written"
        case "not_kept":
            return "not made again: what it was made from is not in this row"
        case "hidden" if found.since is None:
            return "not made again: it stands on what you may not read now"
        case _:
            made = "not whole" if found.identical is None else "identical" if found.identical else "NOT identical"
            shown = "" if found.values == "shown" else "; it stands on what you may not read, so no value is shown"
            return f"{made}, {found.bytes} bytes{shown}"


def _otherwise(found: Replayed) -> Iterator[str]:
    for name in found.gone:
        yield f"  gone      the text of then of the template {name!r}: what was said by it stands as it was kept"
    for broke in found.broke[:_MOST]:
        yield f"  broke     {broke.stage}: {broke.what}"
    for each in found.differences[:_MOST]:
        values = f": {json.dumps(each.then, ensure_ascii=False)} → {json.dumps(each.now, ensure_ascii=False)}"
        yield f"  differs   {each.path}{values if found.values == 'shown' else ''}"
    if len(found.differences) > _MOST:
        yield f"  differs   at {len(found.differences) - _MOST} more places; --json has them"


def _since(since: Since) -> Iterator[str]:
    for record in (since.records or ())[:_MOST]:
        fields = "; ".join(f"{each.title} {each.then or '–'} → {each.now or '–'}" for each in record.fields)
        yield f"  since     {record.ref} {record.entity} {record.key}: {'gone' if record.gone else fields}"
    if since.records is not None and len(since.records) > _MOST:
        yield f"  since     {len(since.records) - _MOST} more records changed; --json has them"
    for name, what in since.templates.items():
        yield f"  since     template {name}: {what}"
    if since.policy is not None:
        yield f"  since     policy {since.policy[0]} → {since.policy[1]}"
    for name, what in since.prompts.items():
        yield f"  since     prompt {name}: {what}"
    for name in since.models:
        yield f"  since     model {name}: not set up any more"
    if since.records == () and not (since.templates or since.policy or since.prompts or since.models):
        yield "  since     nothing that it stands on has changed"


COMMAND = Command("verify the audit chain, or make an answer again from its row", _arguments, _run)
