"""Names in a policy that nothing has: roles, record classes, places, actions, templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from copilot.policy.documents import Document, PolicySet, Rule
from copilot.policy.findings import Finding, Known, Person
from copilot.policy.layers import ENTERPRISE
from copilot.policy.sections import EVERY

_CLASSES = ("classes", "without", "also")


def name_findings(policy: PolicySet, known: Known, people: Sequence[Person]) -> Iterator[Finding]:
    """Roles are those to which the enterprise gives or denies record classes, actions those whose autonomy it says."""
    top = [rule for document in policy.at(ENTERPRISE) for rule in document.rules]
    roles = {rule.body["role"] for rule in top if rule.section == "access"}
    actions = {name for rule in top if rule.section == "autonomy" for name in rule.body["actions"]}
    for document in policy.documents:
        yield from _place(document, known)
        for rule in document.rules:
            yield from _told(document, rule, "role", _roles(rule), roles)
            yield from _told(document, rule, "record class", _classes(document, rule), known.classes)
            yield from _told(document, rule, "template", _templates(document, rule), known.templates)
            if rule.section == "residency":
                yield from _told(document, rule, "region", rule.body["places"], known.regions)
            if rule.section in ("approval", "autonomy"):
                named = rule.body["actions"] if rule.section == "autonomy" else (rule.body["action"],)
                yield from _told(document, rule, "action", named, actions)
    for person in people:
        for role in sorted(person.roles - roles):
            text = f"{person.subject} has the role {role!r}, which the enterprise does not name; it reads nothing"
            yield Finding("error", "unknown_role", ENTERPRISE, "", text)


def _place(document: Document, known: Known) -> Iterator[Finding]:
    there: Mapping[str, Iterable[str] | None] = {
        "region": known.regions, "site": known.sites, "channel": known.channels,
    }  # fmt: skip
    codes = there.get(document.place.layer)
    if codes is not None and document.place.code not in codes:
        near = _near(document.place.code, codes)
        text = f"there is no {document.place.layer} {document.place.code!r}{near}, so the document holds nowhere"
        yield Finding("error", f"unknown_{document.place.layer}", document.place, "", text)


def _told(
    document: Document, rule: Rule, kind: str, named: Iterable[str], there: Iterable[str] | None
) -> Iterator[Finding]:
    if there is None:
        return
    for name in sorted(set(named) - set(there) - {EVERY}):
        text = f"there is no {kind} {name!r}{_near(name, there)}"
        yield Finding("error", f"unknown_{kind.rpartition(' ')[2]}", document.place, rule.name, text)


def _near(name: str, there: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(there), n=1)
    return f" (is {close[0]!r} meant?)" if close else ""


def _bodies(document: Document, rule: Rule) -> Iterator[Mapping[str, Any]]:
    """All that a rule says by names: itself, its exception, and how far it may be loosened."""
    yield rule.body
    yield rule.body.get("exception", {})
    allowance = document.allowance(rule.name)
    yield (allowance.within if allowance else None) or {}


def _roles(rule: Rule) -> Iterator[str]:
    for body in (rule.body, rule.body.get("exception", {})):
        yield from (body[key] for key in ("role",) if key in body)
        for key in ("roles", "author", "approve"):
            yield from body.get(key, ())
        if body.get("setting") == "roles_of_customers":
            yield from body["value"]
        for step in body.get("steps", ()):
            yield from step.get("by", ())


def _classes(document: Document, rule: Rule) -> Iterator[str]:
    if rule.section == "templates":
        return
    for body in _bodies(document, rule):
        for key in _CLASSES:
            yield from body.get(key, ())


def _templates(document: Document, rule: Rule) -> Iterator[str]:
    if rule.section != "templates":
        return
    for body in _bodies(document, rule):
        for key in ("templates", "without", "also"):
            yield from body.get(key, ())
