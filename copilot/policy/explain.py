"""Says what holds for a person and a record class, an action or a setting, and which layer and rule decided it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from copilot.policy.documents import PolicySet
from copilot.policy.effective import Decided, Effective, Said, effective
from copilot.policy.findings import Known
from copilot.policy.layers import Spot
from copilot.policy.question import Asked, read_question
from copilot.policy.sections import EVERY, SECTIONS, Key
from copilot.policy.values import Ladder
from copilot.policy.words import in_words

_OUTCOMES = {
    "refused": "; that loosens what stands above without being allowed by name, so it has no effect",
    "yields": "; as a default it does not loosen what is named above",
    "unclear": "; another rule of this place says something else, so neither has an effect",
    "loosened": "; allowed by name above",
    "holds": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A grant that counts: a role within places by code, None every one; `own`: for certain customers only."""

    role: str
    regions: frozenset[str] | None = None
    sites: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    own: bool = False
    classes: frozenset[str] | None = None
    """Record classes it is held to; None for all that the role reads."""
    giver: str | None = None
    """Whose it is, where somebody else gave it for a while."""

    def covers(self, spot: Spot) -> bool:
        """Whether something at a spot may be within the grant, as far as the spot says where it is."""
        pairs = ((self.regions, spot.region), (self.sites, spot.site), (self.channels, spot.channel))
        return all(codes is None or code is None or code in codes for codes, code in pairs)

    def where(self) -> str:
        """The places of the grant in words."""
        kinds = (("region", self.regions), ("site", self.sites), ("channel", self.channels))
        told = [f"{kind} {', '.join(sorted(codes)) or 'none'}" for kind, codes in kinds if codes is not None]
        return " and ".join(told) or "everywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A person with the grants that count, the oldest first."""

    subject: str
    grants: tuple[Held, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One value: the outcome, the place and rule that decided it, and what every layer said from the top down."""

    section: str
    key: Key
    outcome: str
    place: str
    rule: str
    said: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The same as JSON."""
        return {**asdict(self), "key": list(self.key), "said": list(self.said)}

    def sentences(self) -> Iterator[str]:
        """All of it, a sentence each."""
        yield self.outcome
        yield f"Decided by the rule {self.rule} of {self.place}." if self.rule else "No rule says anything."
        yield from self.said


def explain(policy: PolicySet, person: Holder, what: str, known: Known, *, at: datetime) -> tuple[Explained, ...]:
    """What holds for a person at a place, by each thing that `what` may mean.

    `what` is a record class, an action with or without an amount, a figure of stock, a setting, or a section and a name
    in it, then places: "invoice_amount in SG", "fresh_for stock at TUA", "grant_refund 300 EUR in DE via WEB".
    Raises PolicyError for what the policy does not know.
    """
    asked = read_question(policy, what, known)
    here = effective(policy, asked.spot.region, asked.spot.site, asked.spot.channel, at=at)
    found: list[Explained] = []
    for section, key in asked.keys:
        if section == "access":
            found += _access(policy, person, key[0], here)
        else:
            decided = here.tables[section].find(key)
            found.append(_explained(policy, here, section, key, decided, _value(section, key, decided, asked)))
    return tuple(found)


def _access(policy: PolicySet, person: Holder, record_class: str, here: Effective) -> Iterator[Explained]:
    """By each grant that counts; by none where the person has none."""
    for held in person.grants:
        decided = here.may_read(held.role, record_class)
        own = held.own or here.accounts(held.role).value != "own"
        inside = held.covers(here.spot)
        held_to = held.classes is None or record_class in held.classes
        may = "may" if decided.value and inside and own and held_to else "may not"
        through = f" for {held.giver}" if held.giver else ""
        outcome = f"{person.subject} {may} read {record_class} at {here.spot}, as {held.role}{through}"
        if decided.value and not inside:
            outcome += f": the grant is for {held.where()} only"
        elif decided.value and not held_to:
            outcome += f": the grant is for {', '.join(sorted(held.classes or ())) or 'nothing'} only"
        elif decided.value and not own:
            outcome += ": the role reads the records of certain customers, and the grant names none"
        elif decided.value:
            limits = [held.where()] if held.where() != "everywhere" else []
            limits += ["of the customers that the grant names"] if held.own else []
            outcome += f", within the grant: {', '.join(limits)}" if limits else ""
        yield _explained(policy, here, "access", (held.role, record_class), decided, f"{outcome}.")
    if not person.grants:
        text = f"{person.subject} may not read {record_class} at {here.spot}: no grant counts."
        yield Explained(section="access", key=(record_class,), outcome=text, place="", rule="", said=())


def _value(section: str, key: Key, decided: Decided[Any], asked: Asked) -> str:
    name = " ".join(part for part in key if part != EVERY) or "everything"
    told = in_words(section, decided.value)
    if isinstance(decided.value, Ladder) and asked.amount is not None:
        told = f"{asked.amount:,} {key[1]}: {decided.value.required(asked.amount) or 'nobody may'}"
        sums = (
            f", of the sum in {decided.value.days} days with one {decided.value.party}" if decided.value.party else ""
        )
        return f"approval of {key[0]} at {asked.spot}: {told}{sums}."
    return f"{section} of {name} at {asked.spot}: {told}."


def _explained(
    policy: PolicySet, here: Effective, section: str, key: Key, decided: Decided[Any], outcome: str
) -> Explained:
    said = [_said(section, each) for each in decided.trail]
    said += _exceptions(policy, here.at, section, decided.trail)
    return Explained(
        section=section,
        key=key,
        outcome=outcome,
        place=str(decided.place or ""),
        rule=decided.rule,
        said=tuple(said),
    )


def _said(section: str, said: Said[Any]) -> str:
    parts = zip(SECTIONS[section].parts, said.key, strict=True)
    others = " for all that it does not name" if any(part == EVERY for _, part in parts) else ""
    return f"{said.place}, {said.rule}: {in_words(section, said.value)}{others}{_OUTCOMES[said.outcome]}."


def _exceptions(policy: PolicySet, at: datetime, section: str, trail: Sequence[Said[Any]]) -> Iterator[str]:
    for said in trail:
        for document in policy.at(said.place):
            rule = document.rule(said.rule)
            if rule and rule.section == section and rule.exempt and not rule.exempt.over(at):
                yield f"{said.place}, {said.rule} is an exception until {rule.exempt.until}: {rule.exempt.why}."
