"""Turns the body of a rule, as its schema allows it, into what it says for each key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from itertools import product
from typing import Any

from copilot.policy.sections import EVERY, Key
from copilot.policy.values import Duty, Keep, Ladder, Step

Body = Mapping[str, Any]
Statements = dict[Key, Any]


def statements(section: str, body: Body) -> Statements:
    """Key -> value of a rule."""
    return _SAYS[section](body)


def bounds(section: str, body: Body, within: Body) -> Statements:
    """Key -> the loosest value that lower layers may set in place of what the rule says."""
    if section == "access":
        return {(body["role"], name): True for name in within["classes"]}
    if section == "templates":
        return {(name,): True for name in within["templates"]}
    return statements(section, {**body, **within})


def whole(section: str, body: Body) -> Key | None:
    """What the keys begin with of which the rule gives the whole list, so that an earlier list no longer counts."""
    if section == "access" and "classes" in body:
        return (body["role"],)
    return () if section == "templates" and "templates" in body else None


def _listed(body: Body, named: str, begin: Key) -> Statements:
    """A whole list leaves nothing else; `without` and `also` change single entries."""
    said: Statements = {}
    if named in body:
        said[(*begin, EVERY)] = False
        said |= {(*begin, name): True for name in body[named]}
    said |= {(*begin, name): True for name in body.get("also", ())}
    return said | {(*begin, name): False for name in body.get("without", ())}


def _access(body: Body) -> Statements:
    return _listed(body, "classes", (body["role"],))


def _templates(body: Body) -> Statements:
    return _listed(body, "templates", ())


def _each(names: Iterable[str], value: Any) -> Statements:
    return {(name,): value for name in names}


def _accounts(body: Body) -> Statements:
    return _each(body["roles"], body["accounts"])


def _fresh_for(body: Body) -> Statements:
    return _each(body["classes"], timedelta(hours=body["hours"]))


def _masking(body: Body) -> Statements:
    return dict.fromkeys(product(body["classes"], body["audiences"]), body["shown"])


def _governs(body: Body) -> Statements:
    return {(body["figure"],): tuple(body["order"])}


def _settings(body: Body) -> Statements:
    value = body["value"]
    return {(body["setting"],): frozenset(value) if isinstance(value, list) else value}  # pyright: ignore[reportUnknownArgumentType]


def _retention(body: Body) -> Statements:
    return _each(body["classes"], Keep(least=body["least_days"], most=body.get("most_days")))


def _residency(body: Body) -> Statements:
    return _each(body["classes"], frozenset(body["places"]))


def _vendors(body: Body) -> Statements:
    return _each(body["classes"], frozenset(body["vendors"]))


def _approval(body: Body) -> Statements:
    per = body["per"]
    ladder = Ladder(
        steps=tuple(map(_step, body["steps"])),
        party="" if per == "action" else per["party"],
        days=0 if per == "action" else per["days"],
    )
    conditions = (body.get(name, [EVERY]) for name in ("tiers", "countries", "risks"))
    return dict.fromkeys(product([body["action"]], body["currencies"], *conditions), ladder)


def _step(body: Body) -> Step:
    return Step(start=body["from"], end=body.get("to"), approvals=body["approvals"], by=frozenset(body.get("by", ())))


def _autonomy(body: Body) -> Statements:
    return _each(body["actions"], body["autonomy"])


def _duties(body: Body) -> Statements:
    return {(body["change"],): Duty(author=frozenset(body["author"]), approve=frozenset(body["approve"]))}


_SAYS: Mapping[str, Callable[[Body], Statements]] = {
    "access": _access,
    "accounts": _accounts,
    "fresh_for": _fresh_for,
    "masking": _masking,
    "templates": _templates,
    "governs": _governs,
    "settings": _settings,
    "retention": _retention,
    "residency": _residency,
    "vendors": _vendors,
    "approval": _approval,
    "autonomy": _autonomy,
    "duties": _duties,
}
