"""What a policy is held against: the names of the semantic model, and the people and places of the running copilot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from copilot.policy.explain import Held, Holder
from copilot.policy.findings import Delegation, Known, Person
from copilot.policy.policy import counted_grants
from copilot.semantic.model import load_model
from copilot.store.directory import Given
from copilot.wiring.opening import Governing
from prompts.template import load_approved


def known_names() -> Known:
    """The names that files give: record classes and approved templates."""
    return Known(classes=load_model().classes, templates=frozenset(load_approved()))


async def known_places(runtime: Governing) -> Known:
    """Those, and the regions, sites and channels that there are."""
    ids = await runtime.directory.label_ids()
    return replace(
        known_names(),
        regions=frozenset(ids["region"]),
        sites=await runtime.directory.site_regions(),
        channels=frozenset(ids["channel"]),
    )


async def all_people(runtime: Governing) -> tuple[Person, ...]:
    """Every person with all roles in force, whether or not the grant counts for reading, and what others gave them."""
    roles = await runtime.directory.roles(runtime.clock())
    return tuple(
        Person(subject=subject, roles=those, delegations=tuple(map(_delegation, given)))
        for subject, (those, given) in roles.items()
    )


def _delegation(given: Given) -> Delegation:
    """By days, on each of which it may hold; a delegation gives one's own grants of one role."""
    last = (given.last - timedelta(microseconds=1)).date()
    return Delegation(of=given.of, first=given.first.date(), last=last, roles=frozenset({given.role}), passes=False)


async def holder(runtime: Governing, subject: str) -> Holder:
    """A person with the grants that count, their labels as codes. Raises SignInError for one who is not known."""
    person = await runtime.directory.principal(subject, runtime.clock())
    ids = await runtime.directory.label_ids()
    grants = tuple(
        Held(
            role=grant.role,
            regions=_codes(grant.regions, ids["region"]),
            sites=_codes(grant.sites, ids["site"]),
            channels=_codes(grant.channels, ids["channel"]),
            own=grant.accounts is not None,
            classes=grant.classes,
            giver=grant.giver,
        )
        for grant in counted_grants(person, await runtime.policy())
    )
    return Holder(subject=subject, grants=grants)


def _codes(ids: Iterable[int] | None, known: Mapping[str, int]) -> frozenset[str] | None:
    """The codes of labels; an id that no longer has one is nowhere."""
    if ids is None:
        return None
    wanted = frozenset(ids)
    return frozenset(code for code, number in known.items() if number in wanted)
