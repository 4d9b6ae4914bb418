"""`erp-copilot source same`: a person says that two records are one and the same thing."""

from __future__ import annotations

import argparse

from copilot.channels.cli import say
from copilot.channels.commands.source.action import Action
from copilot.errors import SourceConfigError
from copilot.ingest.identity import ranks
from copilot.ingest.identity_decisions import Decision, Place, Verdict, Verdicts
from copilot.ingest.identity_rules import shared
from copilot.semantic.model import Entity, load_model
from copilot.store.roles import Role
from copilot.wiring import Runtime


def arguments(parser: argparse.ArgumentParser) -> None:
    """Two records, and who decides why."""
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("entity", metavar="ENTITY", help="such as item, customer, supplier or site")
    parser.add_argument("key", metavar="KEY", help="the record's key in its source, as source identity shows it")
    parser.add_argument("other_source", metavar="OTHER_SOURCE")
    parser.add_argument("other_key", metavar="OTHER_KEY")
    parser.add_argument("--by", required=True, metavar="PERSON", help="who decides")
    parser.add_argument("--why", required=True, metavar="REASON", help="what it rests on")
    parser.add_argument("--change", action="store_true", help="decide otherwise than before about these two")


async def decide(runtime: Runtime, options: argparse.Namespace, verdict: Verdict) -> int:
    """Take the decision down and say which sync carries it out."""
    entity = _entity(options.entity)
    sources = {source.id: source for source in await runtime.sources.load()}
    one, other = runtime.sources.source(options.source), runtime.sources.source(options.other_source)
    decision = Decision(
        one=Place(one.id, options.key),
        other=Place(other.id, options.other_key),
        verdict=verdict,
        person=options.by,
        at=runtime.clock(),
        why=options.why,
    )
    async with runtime.database.connection(Role.LOADER) as connection:
        await Verdicts(connection=connection, entity=entity, sources=sources).decide(decision, change=options.change)
    order = ranks(tuple(sources.values()), entity)
    judged = max((one, other), key=lambda source: order.index(source.id))
    said = "the same as" if verdict == "same" else "not the same as"
    say(
        f"noted: {entity.title} {options.key!r} of {one.name!r} is {said} {options.other_key!r} of {other.name!r};"
        f" it counts from the next sync of {judged.name!r} on"
    )
    return 0


def _entity(name: str) -> Entity:
    known = {entity.name: entity for entity in load_model().entities.values() if shared(entity)}
    if name not in known:
        raise SourceConfigError(f"{name!r} is no entity that sources share; those are: {', '.join(known)}")
    return known[name]


async def _same(runtime: Runtime, options: argparse.Namespace) -> int:
    return await decide(runtime, options, "same")


SAME = Action(
    name="same", help="decide that two records, mostly of two sources, are one thing", arguments=arguments, run=_same
)
