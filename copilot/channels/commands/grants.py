"""What the commands of the directory share: the arguments that say what a grant is for, and how grants are printed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from copilot.wiring import Runtime
from copilot.wiring.directory import Asked

_KINDS = ("region", "site", "channel")


def grant_arguments(parser: argparse.ArgumentParser) -> None:
    """What a grant is for; what is left out is every one."""
    parser.add_argument("--role", required=True)
    for label in _KINDS:
        parser.add_argument(f"--{label}", action="append", metavar="CODE", help=f"only this {label}; may be repeated")
    parser.add_argument("--customer", action="append", metavar="NUMBER", help="only this customer; may be repeated")
    parser.add_argument("--class", dest="classes", action="append", metavar="CLASS", help="only these record classes")
    time_arguments(parser)


def time_arguments(parser: argparse.ArgumentParser, *, end_required: bool = False) -> None:
    """From when on, and until before when."""
    parser.add_argument("--from", dest="first", metavar="DAY", help="from this day in UTC, or a time (default: now)")
    parser.add_argument("--to", dest="last", metavar="DAY", required=end_required, help="ends before this day or time")


def asked(options: argparse.Namespace) -> Asked:
    """The grant that was typed."""
    return Asked(
        role=options.role, regions=options.region, sites=options.site, channels=options.channel,
        customers=options.customer, classes=options.classes, first=options.first, last=options.last,
    )  # fmt: skip


async def where(runtime: Runtime, grants: Sequence[Mapping[str, Any]]) -> list[str]:
    """The places of grants in words."""
    ids = await runtime.directory.label_ids()
    names = {kind: {number: code for code, number in those.items()} for kind, those in ids.items()}
    return [_where(grant, names) for grant in grants]


def _where(grant: Mapping[str, Any], names: Mapping[str, Mapping[int, str]]) -> str:
    told = [
        f"{kind} {', '.join(names[kind].get(number, '?') for number in grant[f'{kind}s'])}"
        for kind in _KINDS
        if grant.get(f"{kind}s") is not None
    ]
    if grant.get("accounts") is not None:
        told.append(f"{len(grant['accounts'])} customers")
    if grant.get("classes") is not None:
        told.append(f"only {', '.join(grant['classes'])}")
    return " and ".join(told) or "all regions"


def during(first: datetime, last: datetime | None, now: datetime) -> str:
    """When something holds, and whether it does."""
    state = "over" if last is not None and last <= now else "holds" if first <= now else "to come"
    return f"{state}: from {minute(first)}{f' until {minute(last)}' if last else ''}"


def minute(at: datetime) -> str:
    """A time to the minute, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
