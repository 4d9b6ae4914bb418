"""Every way for one person to author a change and to approve it, and changes that nobody could make at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from copilot.policy.documents import PolicySet
from copilot.policy.findings import Finding, Person
from copilot.policy.layers import Place
from copilot.policy.values import Duty

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class _Right:
    """That somebody may act in a role, over the people who pass it on, within days that are not over yet."""

    role: str
    through: tuple[str, ...]
    first: date
    last: date

    def __str__(self) -> str:
        return f"as {self.role}" + "".join(f" for {subject}" for subject in self.through)


def self_approvals(policy: PolicySet, people: Sequence[Person], at: datetime) -> Iterator[Finding]:
    """A finding for each role that is on both sides, and for each way of each person.

    Authoring and approving need not happen on one day: two delegations that follow each other are a way as well, as
    long as the one to author does not begin after the one to approve has ended. A chain needs a day on which all of it
    holds.
    """
    known = {person.subject: person for person in people}
    for document in policy.documents:
        for rule in document.rules:
            if rule.section == "duties":
                for (change,), duty in rule.at(at).items():
                    yield from _of(document.place, rule.name, change, duty, known, at)


def unheld(policy: PolicySet, people: Sequence[Person], at: datetime) -> Iterator[Finding]:
    """A finding for each side of a change that nobody of the directory holds: a policy that nobody could approve could
    not be taken back either. Who holds it by a group at the provider is not known here."""
    held = frozenset[str]().union(*(person.roles for person in people))
    for document in policy.documents if people else ():
        for rule in document.rules:
            if rule.section == "duties":
                for (change,), duty in rule.at(at).items():
                    for verb, roles in (("author", duty.author), ("approve", duty.approve)):
                        if not roles & held:
                            text = (
                                f"nobody in the directory is {' or '.join(sorted(roles)) or 'named'}, so nobody there"
                            )
                            text += f" may {verb} a change of {change}"
                            yield Finding("warning", "nobody_may", document.place, rule.name, text)


def _of(
    place: Place, rule: str, change: str, duty: Duty, people: Mapping[str, Person], at: datetime
) -> Iterator[Finding]:
    for role in sorted(duty.author & duty.approve):
        text = f"whoever is {role} may author a change of {change} and approve it"
        yield Finding("error", "self_approval", place, rule, text)
    ways = (
        (person, author, approve) for person in people.values() for author, approve in _ways(person, duty, people, at)
    )
    for person, author, approve in islice(ways, _MOST):
        text = f"{person.subject} may author a change of {change} {author} and approve it {approve}"
        yield Finding("error", "self_approval", place, rule, text)
    if next(ways, None):
        text = f"there are more than {_MOST} ways for one person to author and approve a change of {change}"
        yield Finding("error", "self_approval", place, rule, text)


def _ways(person: Person, duty: Duty, people: Mapping[str, Person], at: datetime) -> Iterator[tuple[_Right, _Right]]:
    if not _may_reach(person, duty, people):
        return
    for author in _rights(person, duty.author, people, at):
        for approve in _rights(person, duty.approve, people, at):
            if author.first <= approve.last:
                yield author, approve


def _may_reach(person: Person, duty: Duty, people: Mapping[str, Person]) -> bool:
    """Whether the person comes to both sides at all, days left aside: spares the walk over every chain."""
    reached, left = {person.subject}, [person]
    while left:
        for delegation in left.pop().delegations:
            if delegation.of in people and delegation.of not in reached:
                reached.add(delegation.of)
                left.append(people[delegation.of])
    roles = frozenset[str]().union(*(people[subject].roles for subject in reached))
    return bool(roles & duty.author) and bool(roles & duty.approve)


def _rights(person: Person, roles: frozenset[str], people: Mapping[str, Person], at: datetime) -> Iterator[_Right]:
    """By every chain of delegations without a person twice, in which all of them hold on one day from now on."""
    left: list[tuple[Person, frozenset[str], bool, tuple[str, ...], date, date]] = [
        (person, roles, True, (), at.date(), date.max)
    ]
    while left:
        holder, sought, further, through, first, last = left.pop(0)
        yield from (_Right(role, through, first, last) for role in sorted(holder.roles & sought))
        for delegation in holder.delegations if further else ():
            of = people.get(delegation.of)
            begin, end = max(first, delegation.first or date.min), min(last, delegation.last or date.max)
            if of is not None and begin <= end and delegation.of not in (person.subject, *through):
                those = sought if delegation.roles is None else sought & delegation.roles
                left.append((of, those, delegation.passes, (*through, delegation.of), begin, end))
