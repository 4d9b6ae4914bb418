"""Decides recorded decisions again under another policy, and says of each that would change why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from copilot.domain.principal import Grant
from copilot.domain.scope import Scope
from copilot.policy.effective import Decided
from copilot.policy.policy import Policy, Rules
from copilot.policy.words import in_words

_STOCK = "stock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A record that an answer stood on: its class and labels, and how old its word was."""

    ref: str
    record_class: str
    labels: tuple[int, ...]
    age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One recorded decision. `classes` are those that the plan read, `scope` what was allowed then."""

    audit_id: str
    subject: str
    grants: tuple[Grant, ...]
    classes: frozenset[str]
    scope: Scope
    cited: tuple[Cited, ...] = ()
    templates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """What would be otherwise with one decision, and the place and the rule that make it so."""

    audit_id: str
    subject: str
    what: str
    place: str
    rule: str

    def __str__(self) -> str:
        return f"{self.audit_id} {self.subject}: {self.what} ({self.rule or 'no rule'} of {self.place or 'no place'})"


@dataclass
class Simulation:
    """Holds decisions against a proposed policy. Decisions of the same grants over the same classes are judged once."""

    before: Policy
    after: Policy
    _reading: dict[tuple[object, ...], tuple[tuple[str, str, str], ...]] = field(
        default_factory=dict[tuple[object, ...], tuple[tuple[str, str, str], ...]]
    )

    def flips(self, decision: Decision) -> Iterator[Flip]:
        """Everything that would be otherwise with one decision; nothing where it would come out the same."""
        told = dict.fromkeys((*self._read(decision), *self._about_records(decision)))
        for what, place, rule in told:
            yield Flip(audit_id=decision.audit_id, subject=decision.subject, what=what, place=place, rule=rule)

    def scope(self, grants: tuple[Grant, ...]) -> Scope:
        """What these grants would show."""
        return self.after.scope_of(*grants)

    def _read(self, decision: Decision) -> Sequence[tuple[str, str, str]]:
        """The classes of the plan that would be read elsewhere than they were."""
        key = decision.grants, decision.classes, decision.scope
        if key not in self._reading:
            now = self.scope(decision.grants)
            self._reading[key] = tuple(self._altogether(decision, now)) + tuple(
                self._other_reach(decision, name, now)
                for name in sorted(decision.classes)
                if _of_class(decision.scope, name) != _of_class(now, name)
            )
        return self._reading[key]

    def _altogether(self, decision: Decision, now: Scope) -> Iterator[tuple[str, str, str]]:
        """Whether a person would no longer read anything, or begin to: then every answer is another."""
        if bool(decision.scope) != bool(now):
            what = "records would be read, where none was" if now else "no record would be read any more"
            yield what, *self._why(decision.grants, min(decision.scope.classes ^ now.classes))

    def _other_reach(self, decision: Decision, name: str, now: Scope) -> tuple[str, str, str]:
        then = _of_class(decision.scope, name)
        after = _of_class(now, name)
        if not after:
            what = f"{name} would not be read at all"
        elif not then:
            what = f"{name} would be read, which was not"
        elif after & then == after:
            what = f"{name} would be read at fewer places"
        elif after & then == then:
            what = f"{name} would be read at more places"
        else:
            what = f"{name} would be read at other places"
        return what, *self._why(decision.grants, name)

    def _why(self, grants: tuple[Grant, ...], name: str) -> tuple[str, str]:
        """The place and the rule by which a class is read otherwise, the highest place first."""
        spots = dict.fromkeys((*self.before.spots(), *self.after.spots()))
        for spot in sorted(spots, key=lambda each: (each.narrowest().depth, str(each))):
            before, after = self.before.rules_at(spot).here, self.after.rules_at(spot).here
            for role in dict.fromkeys(grant.role for grant in grants):
                audience = self.after.audience(role)
                pairs: tuple[tuple[Decided[Any], Decided[Any]], ...] = (
                    (before.may_read(role, name), after.may_read(role, name)),
                    (before.accounts(role), after.accounts(role)),
                    (before.masking(name, audience), after.masking(name, audience)),
                    (before.residency(name), after.residency(name)),
                )
                for was, is_now in pairs:
                    if was.value != is_now.value:
                        return _decider(is_now, was)
        return "", ""

    def _about_records(self, decision: Decision) -> Iterator[tuple[str, str, str]]:
        now = self.scope(decision.grants)
        for cited in decision.cited:
            before, after = self.before.at(cited.labels), self.after.at(cited.labels)
            if not now.sees(cited.record_class, cited.labels):
                place, rule = self._why(decision.grants, cited.record_class)
                yield f"{cited.ref}, a record of {cited.record_class}, would not be read", place, rule
            yield from _otherwise_fresh(cited, before, after)
            yield from _otherwise_governed(cited, before, after)
            yield from _otherwise_lying(cited, before, after)
            yield from _otherwise_worded(decision, before, after)


def _of_class(scope: Scope, name: str) -> Scope:
    return scope.without(*(scope.classes - {name}))


def _decider(decided: Decided[Any], otherwise: Decided[Any]) -> tuple[str, str]:
    """Who decides; where nobody does any more, who did."""
    told = decided if decided.rule else otherwise
    return str(told.place or ""), told.rule


def _otherwise_fresh(cited: Cited, before: Rules, after: Rules) -> Iterator[tuple[str, str, str]]:
    was, is_now = before.here.fresh_for(cited.record_class), after.here.fresh_for(cited.record_class)
    if (cited.age > was.value) != (cited.age > is_now.value):
        now = "stale" if cited.age > is_now.value else "fresh"
        limit = in_words("fresh_for", is_now.value)
        yield f"{cited.ref}, a record of {cited.record_class}, would be {now}: {limit}", *_decider(is_now, was)


def _otherwise_governed(cited: Cited, before: Rules, after: Rules) -> Iterator[tuple[str, str, str]]:
    if cited.record_class != _STOCK:
        return
    for figure in sorted({*before.stock_governed_by, *after.stock_governed_by}):
        was, is_now = before.here.governs(figure), after.here.governs(figure)
        if was.value != is_now.value:
            order = in_words("governs", is_now.value)
            yield f"{figure} of {cited.ref} would be governed by {order}", *_decider(is_now, was)
    for setting in ("stock_kept_whole_by", "promise_within_days"):
        was, is_now = before.here.setting(setting), after.here.setting(setting)
        if was.value != is_now.value:
            yield f"{setting} of {cited.ref} would be {in_words('settings', is_now.value)}", *_decider(is_now, was)


def _otherwise_lying(cited: Cited, before: Rules, after: Rules) -> Iterator[tuple[str, str, str]]:
    was, is_now = before.here.residency(cited.record_class), after.here.residency(cited.record_class)
    if was.value != is_now.value:
        told = in_words("residency", is_now.value)
        yield f"{cited.ref}, a record of {cited.record_class}, might be processed {told}", *_decider(is_now, was)


def _otherwise_worded(decision: Decision, before: Rules, after: Rules) -> Iterator[tuple[str, str, str]]:
    for name in sorted(decision.templates):
        was, is_now = before.here.template(name), after.here.template(name)
        if was.value != is_now.value:
            verb = "might be used" if is_now.value else "might not be used"
            yield f"the template {name} {verb}", *_decider(is_now, was)
