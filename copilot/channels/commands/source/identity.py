"""`erp-copilot source identity`: the records that rules could not place, for a person to decide on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from copilot.channels.commands.source.action import Action
from copilot.errors import SourceConfigError
from copilot.ingest.identity_decisions import Decision, Place
from copilot.ingest.identity_listing import Candidate, Listing, Open, open_identities
from copilot.ingest.identity_rules import allowed_rules
from copilot.semantic.model import Entity, load_model
from copilot.store.roles import Role
from copilot.wiring import Runtime

_LIMIT = 50
_REASONS = {
    "several": "a rule finds several",
    "different": "the rules find different ones",
    "contested": "another record of its source may be the same one",
    "contradicted": "another number of theirs contradicts it",
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entity", nargs="?", metavar="ENTITY", help="item, customer, supplier or site; all if left out")
    parser.add_argument("--limit", type=int, default=_LIMIT, help=f"unmatched records shown of each ({_LIMIT})")
    parser.add_argument("--json", action="store_true", help="as JSON, for another program")


async def _identity(runtime: Runtime, options: argparse.Namespace) -> int:
    if options.limit < 1:
        raise SourceConfigError(f"--limit {options.limit!r} shows nothing; give 1 or more")
    sources = {source.id: source for source in await runtime.sources.load()}
    async with runtime.database.connection(Role.LOADER) as connection:
        listings = [
            await open_identities(connection, entity, sources.values(), limit=options.limit)
            for entity in _entities(options.entity)
        ]
    names = {ident: source.name for ident, source in sources.items()}
    if options.json:
        print(json.dumps({listing.entity.name: _as_json(listing, names) for listing in listings}, indent=2))
    else:
        _print(listings, names)
    return 0


def _entities(name: str | None) -> list[Entity]:
    judged = [entity for entity in load_model().entities.values() if allowed_rules(entity)]
    chosen = [entity for entity in judged if name in (None, entity.name)]
    if not chosen:
        known = ", ".join(entity.name for entity in judged)
        raise SourceConfigError(f"{name!r} is nothing that rules recognise; that is: {known}")
    return chosen


def _print(listings: list[Listing], names: Mapping[int, str]) -> None:
    for listing in listings:
        for each in listing.open:
            print(f"{each.state:<9}  {listing.entity.name:<8} {_told(each.place, each.number, each.name, names)}")
            if each.reason:
                print(f"           {_REASONS[each.reason]}")
            for candidate in each.candidates:
                told = _told(candidate.place, candidate.number, candidate.name, names)
                print(f"           maybe  {told}, by {', '.join(candidate.rules)}")
            for decision in each.decisions:
                print(f"           decided  {_decided(decision, each.place, names)}")
        if listing.more:
            print(f"           {listing.more} more unmatched; see them with --limit {listing.more + len(listing.open)}")
    if not any(listing.open for listing in listings):
        print("nothing to decide: every record of a source with rules has its place")


def _told(place: Place, number: str | None, name: str | None, names: Mapping[int, str]) -> str:
    return f"{names[place.source]} {place.key!r}: {number or 'no number'}, {name or 'not here'}"


def _decided(decision: Decision, place: Place, names: Mapping[int, str]) -> str:
    other = decision.about(place)
    than = f"{names[other.source]} {other.key!r}" if other else ""
    words = "the same as" if decision.verdict == "same" else "not the same as"
    return f"{words} {than} by {decision.person} on {decision.at:%Y-%m-%d}: {decision.why}"


def _as_json(listing: Listing, names: Mapping[int, str]) -> dict[str, object]:
    return {"open": [_open(each, names) for each in listing.open], "more_unmatched": listing.more}


def _open(each: Open, names: Mapping[int, str]) -> dict[str, object]:
    return {
        "state": each.state,
        **_at(each.place, names),
        "number": each.number,
        "name": each.name,
        "reason": each.reason,
        "candidates": [_candidate(candidate, names) for candidate in each.candidates],
        "decisions": [
            {
                "verdict": decision.verdict,
                **_at(decision.about(each.place) or each.place, names),
                "by": decision.person,
                "at": decision.at.isoformat(),
                "why": decision.why,
            }
            for decision in each.decisions
        ],
    }


def _candidate(candidate: Candidate, names: Mapping[int, str]) -> dict[str, object]:
    found = {"number": candidate.number, "name": candidate.name, "rules": list(candidate.rules)}
    return {**_at(candidate.place, names), **found}


def _at(place: Place, names: Mapping[int, str]) -> dict[str, object]:
    return {"source": names[place.source], "key": place.key}


IDENTITY = Action(
    name="identity",
    help="records that may be the same as others and wait for a person's decision",
    arguments=_arguments,
    run=_identity,
)
