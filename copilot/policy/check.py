"""Finds what is wrong with a policy: names, rules that nothing reaches, conflicts, guardrails loosened from below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Any

from copilot.policy.documents import Document, PolicySet
from copilot.policy.effective import Effective, InEffect, Said, Table, sheet
from copilot.policy.findings import Finding, Known, Person
from copilot.policy.layers import ENTERPRISE, Place, Spot
from copilot.policy.names import name_findings
from copilot.policy.sections import SECTIONS, Key, Section
from copilot.policy.separation import self_approvals, unheld
from copilot.policy.splitting import threshold_findings


def check(policy: PolicySet, known: Known, people: Sequence[Person], *, at: datetime) -> tuple[Finding, ...]:
    """All findings, errors first. What exceptions change is checked for while they hold and for afterwards."""
    found = {*_layout(policy), *name_findings(policy, known, people), *_allowances(policy), *_ended(policy, at)}
    for moment in moments(policy, at):
        found |= {
            *_at_spots(policy, known, moment),
            *self_approvals(policy, people, moment),
            *unheld(policy, people, moment),
        }
        for document in policy.documents:
            found |= {*_shadowed(document, moment), *threshold_findings(document, moment)}
    return tuple(sorted(found, key=_order))


def moments(policy: PolicySet, at: datetime) -> tuple[datetime, ...]:
    """The given one, and for each exception the first moment after it."""
    exempts = [rule.exempt for document in policy.documents for rule in document.rules if rule.exempt]
    ends = {each.until for each in exempts if not each.over(at) and each.until < date.max}
    return (at, *(datetime.combine(day + timedelta(days=1), time(), UTC) for day in sorted(ends)))


def _order(finding: Finding) -> tuple[Any, ...]:
    place = finding.place or ENTERPRISE
    return finding.level, place.depth, place.code, finding.rule, finding.kind, finding.sentence


def _layout(policy: PolicySet) -> Iterator[Finding]:
    """One enterprise document, and no two for one place."""
    if not policy.at(ENTERPRISE):
        yield Finding("error", "no_enterprise", ENTERPRISE, "", "no document is for the enterprise, so all is closed")
    for place in {document.place for document in policy.documents}:
        those = sorted(document.file or document.version for document in policy.at(place))
        if len(those) > 1:
            text = (
                f"{len(those)} documents are for this place: {', '.join(those)}; where they differ the tightest holds"
            )
            yield Finding("error", "conflict", place, "", f"{text}, or neither")


def _allowances(policy: PolicySet) -> Iterator[Finding]:
    for document in policy.documents:
        for allowance in document.allowances:
            rule = document.rule(allowance.rule)
            if rule is None:
                text = "may_loosen names a rule that this document does not have; only its own can be loosened by name"
                yield Finding("error", "not_own", document.place, allowance.rule, text)
            elif allowance.bounds is None and SECTIONS[rule.section].ordered:
                text = "lower layers may loosen it without any bound; say `within`"
                yield Finding("warning", "unbounded", document.place, rule.name, text)


def _ended(policy: PolicySet, at: datetime) -> Iterator[Finding]:
    for document in policy.documents:
        for rule in document.rules:
            if rule.exempt and rule.exempt.over(at):
                ends = "the rule says nothing any more" if rule.exempt.statements is None else "it has no effect"
                text = f"its exception ended on {rule.exempt.until} ({rule.exempt.why}); {ends}, so take it out"
                yield Finding("warning", "unreachable", document.place, rule.name, text)


def _shadowed(document: Document, at: datetime) -> Iterator[Finding]:
    """Rules of which every key is spoken for by a later one."""
    for section in SECTIONS:
        spoken = sheet(document, section, at)
        for index, rule in enumerate(document.rules):
            said = rule.at(at)
            if rule.section == section and said and rule.name not in spoken.values():
                later = {spoken.get(key, "") for key in said} | _wholes(document, index)
                text = f"nothing reaches it: {', '.join(sorted(later - {''}))} says the same keys later in the document"
                yield Finding("warning", "unreachable", document.place, rule.name, text)


def _wholes(document: Document, index: int) -> set[str]:
    """Later rules that give the whole list of what this one speaks of."""
    rule = document.rules[index]
    return {
        later.name
        for later in document.rules[index + 1 :]
        if later.section == rule.section and later.whole is not None and _begins(rule.statements, later.whole)
    }


def _begins(keys: Iterable[Key], whole: Key) -> bool:
    return any(key[: len(whole)] == whole for key in keys)


@dataclass(frozen=True, slots=True)
class _About:
    """What is the same of what a rule says for several keys."""

    place: Place
    rule: str
    outcome: str
    against: tuple[Place, str] | None

    @classmethod
    def of(cls, said: Said[Any]) -> _About:
        """Of what was said for one key."""
        return cls(said.place, said.rule, said.outcome, said.against)


def _at_spots(policy: PolicySet, known: Known, at: datetime) -> Iterator[Finding]:
    base: Effective | None = None
    unsaid: dict[tuple[str, _About], set[Key]] = {}
    in_effect = InEffect(policy, at=at)
    seen: set[Table] = set()
    for region, site, channel in _spots(policy, known):
        here = in_effect.at(Spot(region=region, site=site, channel=channel))
        base = base or here
        for name, table in here.tables.items():
            trails = ((key, said) for key, decided in table.decisions() for said in decided.trail)
            for key, said in trails if table not in seen else ():
                if said.outcome in ("refused", "unclear"):
                    unsaid.setdefault((name, _About.of(said)), set()).add(key)
            seen.add(table)
        yield from _emptied(base, here)
    for (name, about), keys in unsaid.items():
        yield _unsaid(SECTIONS[name], about, keys)


def _spots(policy: PolicySet, known: Known) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Every combination of places with documents, a site within its region alone where that is known; first none."""
    codes = {layer: _codes(policy, layer) for layer in ("region", "site", "channel")}
    for region, site, channel in product(codes["region"], codes["site"], codes["channel"]):
        home = (known.sites or {}).get(site or "")
        if site is None or home is None or region == home or (region is None and home not in codes["region"]):
            yield region, site, channel


def _codes(policy: PolicySet, layer: str) -> list[str | None]:
    return [None, *sorted({each.place.code for each in policy.documents if each.place.layer == layer})]


def _unsaid(section: Section, said: _About, keys: Iterable[Key]) -> Finding:
    """What a document says for some keys and what does not take effect."""
    what = f"{section.name} of {', '.join(' '.join(key) for key in sorted(keys))}"
    if said.outcome == "unclear":
        text = f"for {what} it says something else than another rule of this place, and neither is tighter"
        return Finding("error", "conflict", said.place, said.rule, f"{text}; neither holds")
    place, rule = said.against or (None, "")
    above = f"{rule} of {place}" if place else "what is closed where nothing is said"
    verb = "loosens" if section.ordered else "changes"
    text = f"{verb} {above} for {what}, which is not allowed by name, so what stands above holds"
    return Finding("error", "loosened", said.place, said.rule, text)


def _emptied(base: Effective, here: Effective) -> Iterator[Finding]:
    """Roles that read something in the enterprise and nothing here."""
    if here.tables["access"] is base.tables["access"]:
        return
    for role in sorted(_readers(base) - _readers(here)):
        decisions = [each for key, each in here.tables["access"].decisions() if key[0] == role]
        taken = max(decisions, key=lambda each: (each.place or ENTERPRISE).depth)
        if taken.place != here.spot.narrowest():
            continue  # said where it happens
        text = f"everything is taken away from {role} at {here.spot}"
        yield Finding("warning", "nothing_left", taken.place, taken.rule, text)


def _readers(here: Effective) -> frozenset[str]:
    return frozenset(key[0] for key, each in here.tables["access"].decisions() if each.value)
