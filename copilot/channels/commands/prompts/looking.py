"""Lists templates with their versions, tells what differs, and tries a file."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from copilot.channels.cli import say
from copilot.channels.commands.prompts.reading import read_template
from copilot.domain.prompts import WHOLE, PromptText
from copilot.errors import UnapprovedTemplateError
from copilot.settings import read_settings
from prompts.errors import TemplateError
from prompts.prompt import parse
from prompts.shipped import CLAIMS

if TYPE_CHECKING:
    from copilot.policy.prompt_chain import Standing
    from copilot.wiring.opening import Governing
    from copilot.wiring.prompts_in_force import Approvals

_COLUMNS = ("id", "version", "state", "label", "approver", "until", "share")


async def look(options: argparse.Namespace) -> int:
    """Run one of them."""
    from copilot.wiring.opening import open_governed

    async with open_governed(read_settings(), progress=say, linger=True) as governed:
        match options.action:
            case "list":
                return await _list(governed, as_json=options.json)
            case "diff":
                return await _diff(governed, options)
            case _:
                return await _test(governed, options)


async def _list(governed: Governing, *, as_json: bool) -> int:
    approvals, texts = await governed.prompts(), (await governed.prompts.texts()).values()
    rows = [row for each in sorted(texts, key=lambda each: (each.id, each.version)) for row in _row(approvals, each)]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        table = [_COLUMNS, *(tuple(str(row[column]) for column in _COLUMNS) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for line in table:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
    for told in filter(None, (approvals.fault, *(each.fault for each in approvals.standings.values()))):
        say(told)
    return 1 if approvals.fault else 0


def _row(approvals: Approvals, text: PromptText) -> Iterator[dict[str, object]]:
    """One version as it stands; the fault of one that is held back is told with it."""
    standing = approvals.standings.get(text.id)
    if standing is None:
        return
    found = standing.approved.get(text.version)
    mine = found is not None and found.text.sha256 == text.sha256
    staged = standing.staged if standing.staged and standing.staged.version == text.version else None
    label = "production" if standing.production == text.version else "staging" if staged else ""
    share = f"{staged.share} % of {', '.join(staged.roles) or 'all'}" if staged else f"{WHOLE} %" if label else ""
    yield {
        "id": text.id, "version": text.version, "state": _state(standing, approvals, text, mine=mine),
        "label": label if mine else "", "approver": found.approver if found and mine else "",
        "until": str(found.until or "") if found and mine else "", "share": share if mine else "",
        "sha256": text.sha256, "author": text.author, "fault": standing.fault or standing.faults.get(text.version, ""),
    }  # fmt: skip


def _state(standing: Standing, approvals: Approvals, text: PromptText, *, mine: bool) -> str:
    if standing.fault or text.version in standing.faults:
        return "held back"
    if not mine:
        return "revoked" if text.version in standing.revoked else "not approved"
    if not standing.in_force(text.version, approvals.today):
        return "ended"
    placed = text.version == standing.production or (standing.staged and standing.staged.version == text.version)
    return "in force" if placed else "approved"


async def _diff(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.wiring.prompt_changes import text_of

    if len(options.versions) not in (0, 2):
        raise UnapprovedTemplateError(f"{len(options.versions)} versions can't be compared; name an old and a new one")
    if options.versions:
        old, new = [await text_of(governed, options.what, number) for number in options.versions]
        name, text = f"{new.id} {new.version}", new.text
    else:
        ident, text = read_template(Path(options.what), options.ident)
        old, name = await text_of(governed, ident, None), options.what
    for line in difflib.unified_diff(_lines(old.text), _lines(text), f"{old.id} {old.version}", name, lineterm=""):
        print(line)
    return 0


def _lines(text: bytes) -> list[str]:
    """The lines as a terminal may show them: nothing in a template moves its cursor."""
    lines = text.decode(errors="replace").split("\n")
    return ["".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line) for line in lines]


async def _test(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.channels.commands.prompts.trying import tried
    from copilot.wiring.prompt_changes import check_template

    ident, text = read_template(options.file, options.ident)
    check_template(governed, ident, text)
    if not ident.startswith(f"{CLAIMS}/"):
        _show(text)
    found = await tried(ident, text)
    for fault in found.faults:
        print(fault)
    say(f"{ident}: {found.cases} cases, {found.failed} failed")
    return 1 if found.failed or not found.cases else 0


def _show(text: bytes) -> None:
    """What a model would be told of each example."""
    try:
        prompt = parse(text)
        for number, example in enumerate(prompt.examples, start=1):
            messages = prompt.render(example)
            print(f"# example {number}\n{messages.system}\n\n{messages.user}\n")
    except TemplateError as error:
        raise UnapprovedTemplateError(str(error)) from error
