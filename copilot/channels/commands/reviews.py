"""`erp-copilot reviews`: the answers that people called wrong, each with its trace, and closing one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from copilot.channels.cli import Command, say
from copilot.errors import CopilotError
from copilot.settings import read_settings
from copilot.store.reviews import Review
from copilot.wiring import Runtime, open_runtime

_LONGEST = 2_000


class UnknownReviewError(CopilotError):
    """There is no open review of this number; `erp-copilot reviews` lists the open ones."""

    code = "unknown_review"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the open reviews as JSON")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    close = actions.add_parser("close", help="close a review")
    close.add_argument("number", type=int)
    close.add_argument("--by", required=True, type=_words, metavar="NAME", help="who looked at it")
    close.add_argument("--note", required=True, type=_words, metavar="TEXT", help="what came of it, without values")


def _words(text: str) -> str:
    """Something said. Raises ArgumentTypeError for nothing and for too much."""
    said = " ".join(text.split())
    if not said or len(said) > _LONGEST:
        raise argparse.ArgumentTypeError(f"it takes 1 to {_LONGEST} characters, not {len(said)}")
    return said


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        if options.action == "close":
            return await _close(runtime, options.number, by=options.by, note=options.note)
        reviews = await runtime.reviews.listed()
    if options.json:
        print(json.dumps([review.to_json() for review in reviews], indent=2, ensure_ascii=False))
        return 0
    for review in reviews:
        print("\n".join(_told(review)))
    say(f"{len(reviews)} open reviews" if len(reviews) != 1 else "1 open review")
    return 0


async def _close(runtime: Runtime, number: int, *, by: str, note: str) -> int:
    masked = await runtime.asking.pseudonyms.removed(note)
    if not await runtime.reviews.close(number, by=by, note=masked):
        raise UnknownReviewError(f"there is no open review {number!r}; `erp-copilot reviews` lists the open ones")
    print(f"review {number} is closed")
    return 0


def _told(review: Review) -> Iterator[str]:
    """One review with its trace."""
    yield f"review {review.number}, {review.opened_at:%Y-%m-%d %H:%M} UTC, by {review.subject}: {review.words}"
    trace: dict[str, Any] | None = review.trace
    if trace is None:
        yield f"  the audit has no row {review.audit_id}; check it with `erp-copilot audit verify`"
        return
    yield f"  asked     {trace['masked_question']}"
    reason = f" ({trace['reason']})" if trace["reason"] else ""
    yield f"  answered  {trace['at']}, {trace['kind'] or 'no plan'}: {trace['verdict']}{reason}"
    yield f"  audit     {review.audit_id}"
    for record in trace["records"]:
        system = record["system"] or "several systems"
        yield f"  record    {record['ref']} {record['entity']} {record['row_id']} of {system}"
    for claim in trace["claims"]:
        yield f"  claim     {claim['claim']}: {claim['verdict']}, from {', '.join(claim['refs']) or 'nothing'}"


COMMAND = Command("list the answers that people called wrong, with their traces; close one", _arguments, _run)
