"""Organisations and ladders drawn at random, some with a way around the second person or below a threshold in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from copilot.policy.findings import Delegation, Person

_PLAIN = ("customer_service", "planner", "buyer", "warehouse", "finance")
_AUTHOR, _APPROVER = "administrator", "governance_officer"


def organisation(random: Random, today: date, *, planted: bool) -> tuple[tuple[Person, ...], str | None]:
    """People with delegations, and who could author and approve; None where nobody could.

    An author and an approver each have delegates of their own; with a way planted, one person comes to both by chains
    of up to four delegations that all hold today.
    """
    people = {f"p{i}": Person(subject=f"p{i}", roles=frozenset({random.choice(_PLAIN)})) for i in range(14)}
    people["author"] = Person(subject="author", roles=frozenset({_AUTHOR}))
    people["approver"] = Person(subject="approver", roles=frozenset({_APPROVER}))
    left = [f"p{i}" for i in range(14)]
    random.shuffle(left)
    for end, names in (("author", left[:5]), ("approver", left[5:10])):
        chain = names[: random.randint(1, 4)]
        for holder, of in zip(chain, (end, *chain), strict=False):
            _delegate(people, holder, of, random, today)
    if not planted:
        over = Delegation(of="approver", first=today - timedelta(days=9), last=today - timedelta(days=2))
        stale = left[0]
        people[stale] = replace(people[stale], delegations=(*people[stale].delegations, over))
        return tuple(people.values()), None
    culprit = left[10]
    for end, through in (("author", left[11:13]), ("approver", left[13:])):
        chain = [culprit, *through[: random.randint(0, len(through))]]
        for holder, of in zip(chain, (*chain[1:], end), strict=True):
            _delegate(people, holder, of, random, today)
    return tuple(people.values()), culprit


def _delegate(people: dict[str, Person], holder: str, of: str, random: Random, today: date) -> None:
    first = today - timedelta(days=random.randint(0, 20))
    known = Delegation(of=of, first=first, last=today + timedelta(days=random.randint(0, 20)))
    people[holder] = replace(people[holder], delegations=(*people[holder].delegations, known))


def ladder(random: Random, *, planted: bool) -> str:
    """An approval rule of an enterprise: with a way planted its steps count single actions, else sums over days."""
    threshold = random.randrange(100, 90_000, 50)
    party, days = random.choice(("customer", "supplier")), random.randint(7, 90)
    per = "action" if planted else f"{{party: {party}, days: {days}}}"
    steps = f"[{{from: 0, to: {threshold}, approvals: 0}}, {{from: {threshold}, approvals: 1, by: [finance]}}]"
    return f"{{action: grant_refund, currencies: [EUR, USD, SGD], per: {per}, steps: {steps}}}"
