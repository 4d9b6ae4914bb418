"""What is wrong with the thresholds of approvals: gaps, overlaps, and how one may stay below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import combinations

from copilot.policy.documents import Document, Rule
from copilot.policy.findings import Finding
from copilot.policy.sections import EVERY, Key
from copilot.policy.values import Ladder


def threshold_findings(document: Document, at: datetime) -> Iterator[Finding]:
    """All of a document, as it stands at a moment."""
    rules = [rule for rule in document.rules if rule.section == "approval"]
    for rule in rules:
        for level, kind, text in _of_ladders(rule.at(at)):
            yield Finding(level, kind, document.place, rule.name, text)
    for one, other in combinations(rules, 2):
        text = _both_hold(one, other, at)
        if text:
            yield Finding("error", "overlap", document.place, other.name, text)


def _of_ladders(said: Mapping[Key, Ladder]) -> Iterator[tuple[str, str, str]]:
    """Each fault once, whatever number of tiers, countries and risks the rule is for."""
    seen: set[tuple[str, str, str]] = set()
    for (action, currency, *_), ladder in said.items():
        what = f"{action} in {currency}"
        for found in (*_gaps(what, ladder), *_overlaps(what, ladder), *_falls(what, ladder), *_splits(what, ladder)):
            if found not in seen:
                seen.add(found)
                yield found


def _gaps(what: str, ladder: Ladder) -> Iterator[tuple[str, str, str]]:
    edges = ladder.edges()
    for index, edge in enumerate(edges):
        if not any(step.holds(edge) for step in ladder.steps):
            upper = f" up to {edges[index + 1]:,}" if index + 1 < len(edges) else ""
            yield "error", "gap", f"no step of {what} is for amounts from {edge:,}{upper}, so nobody may approve them"


def _overlaps(what: str, ladder: Ladder) -> Iterator[tuple[str, str, str]]:
    for one, other in combinations(ladder.steps, 2):
        start = max(one.start, other.start)
        if one.holds(start) and other.holds(start):
            yield "error", "overlap", f"two steps of {what} are for amounts from {start:,}: {one}, and {other}"


def _falls(what: str, ladder: Ladder) -> Iterator[tuple[str, str, str]]:
    for edge, before, after in ladder.thresholds():
        if before is not None and after is not None and after.approvals < before.approvals:
            text = f"{what} asks for {before} below {edge:,} and only for {after} from there on"
            yield "error", "falls", text


def _splits(what: str, ladder: Ladder) -> Iterator[tuple[str, str, str]]:
    """A step up can be stayed below where each action is judged by itself."""
    if ladder.party:
        return
    for edge, before, after in ladder.thresholds():
        if before is not None and (after is None or not before.no_looser(after)):
            needed = f"{what} of {edge:,} needs {after or 'what nobody may give'}"
            text = f"{needed}, but split into several each part needs {before}"
            yield "error", "splitting", f"{text}: say `per` a customer or supplier and a number of days"


def _both_hold(one: Rule, other: Rule, at: datetime) -> str:
    """That two rules are for the same case, neither narrower than the other, and say different things."""
    for first, ladder in one.at(at).items():
        for second, against in other.at(at).items():
            if first == second or ladder == against or not _meet(first, second):
                continue
            if not (_covers(first, second) or _covers(second, first)):
                case = [a if b == EVERY else b for a, b in zip(first, second, strict=True)]
                named = ", ".join(part for part in case[2:] if part != EVERY)
                return f"{one.name} and it both are for {case[0]} in {case[1]} ({named}), and neither is narrower"
    return ""


def _meet(one: Key, other: Key) -> bool:
    return all(a == b or EVERY in (a, b) for a, b in zip(one, other, strict=True))


def _covers(one: Key, other: Key) -> bool:
    return all(a in (b, EVERY) for a, b in zip(one, other, strict=True))
