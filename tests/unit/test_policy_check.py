"""`policy check`: a clean policy has no finding, and each planted fault is found with its place, rule and sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from copilot.policy.check import check
from copilot.policy.findings import Delegation, Finding, Known, Person
from copilot.policy.reading import baseline
from copilot.semantic.model import load_model
from prompts.template import load_approved
from tests.unit.policies import NOW, TOP, document, policy

KNOWN = Known(
    classes=frozenset({"item", "stock", "item_cost", "purchasing"}),
    templates=frozenset({"order_status"}),
    regions=frozenset({"SG", "DE"}),
    sites={"TUA": "SG", "HAM": "DE"},
    channels=frozenset({"WEB"}),
)
CLEAN = document("enterprise", TOP)
EUR = "action: buy, currencies: [EUR]"
WINDOW = "per: {party: supplier, days: 30}"
STEPS = "steps: [{from: 0, to: 5000, approvals: 0}, {from: 5000, approvals: 1, by: [buyer]}]"


def _found(*documents: str, people: Sequence[Person] = ()) -> tuple[Finding, ...]:
    return check(policy(*documents), KNOWN, people, at=NOW)


def _region(text: str) -> tuple[str, str]:
    return CLEAN, document("region SG", text)


def _top(text: str) -> tuple[str]:
    return (document("enterprise", TOP, text),)


def test_the_shipped_policy_has_no_finding() -> None:
    known = Known(classes=load_model().classes, templates=frozenset(load_approved()))
    people = [Person(subject=role, roles=frozenset({role})) for role in ("administrator", "governance_officer")]
    assert check(baseline(), known, people, at=NOW) == ()


def test_a_policy_that_only_tightens_has_no_finding() -> None:
    region = document(
        "region SG",
        f"""
        access: {{sg: {{role: planner, without: [item_cost]}}}}
        fresh_for: {{sg_stock: {{classes: [stock], hours: 2}}}}
        approval: {{sg_buy: {{{EUR}, {WINDOW}, {STEPS}}}}}
        autonomy: {{sg_acts: {{actions: [buy], autonomy: approve}}}}
        """,
    )
    site = document(
        "site TUA", "fresh_for:\n  tua: {classes: [stock], hours: 1, exception: {why: test, until: 2027-01-01}}"
    )
    top = document("enterprise", TOP, f"approval:\n  buys: {{{EUR}, {WINDOW}, {STEPS}}}")
    assert _found(top, region, site) == ()


_FAULTS = Path(__file__).parents[1] / "data" / "policy" / "faults.yaml"
_PLANTED: Sequence[dict[str, Any]] = yaml.safe_load(_FAULTS.read_text())


def _written(text: str) -> str:
    """A document of the planted faults: its first line says which, or which place, the rest are its sections."""
    head, _, sections = text.partition("\n")
    if head.startswith("clean"):
        return document("enterprise", TOP, sections)
    return document(head, sections)


def _line(finding: Finding) -> str:
    return f"{finding.level} {finding.kind} {finding.place} {finding.rule}: {finding.sentence}"


@pytest.mark.parametrize("planted", _PLANTED, ids=[planted["finding"][:60] for planted in _PLANTED])
def test_a_planted_fault_is_found(planted: dict[str, Any]) -> None:
    found = _found(*map(_written, planted["documents"]))
    assert planted["finding"] in [_line(finding) for finding in found]


def test_a_person_with_a_role_that_there_is_not_is_named() -> None:
    sentence = "anna has the role 'picker', which the enterprise does not name; it reads nothing"
    assert sentence in [f.sentence for f in _found(CLEAN, people=[Person(subject="anna", roles=frozenset({"picker"}))])]


def test_a_role_emptied_in_a_region_is_not_told_again_for_its_sites() -> None:
    site = document("site TUA", "fresh_for:\n  tua: {classes: [stock], hours: 1}")
    found = _found(*_region("access:\n  a: {role: buyer, classes: []}"), site)
    assert [finding.sentence for finding in found] == ["everything is taken away from buyer at region SG"]


def test_errors_come_first_and_the_findings_are_the_same_for_any_order_of_documents() -> None:
    texts = CLEAN, *_region("access:\n  a: {role: buyer, classes: []}\n  b: {role: planner, also: [purchasing]}")[1:]
    found = _found(*texts)
    assert [finding.level for finding in found] == ["error", "warning"]
    assert check(policy(*reversed(texts)), KNOWN, (), at=NOW) == found


# -- one person on both sides

ADMIN, OFFICER = frozenset({"administrator"}), frozenset({"governance_officer"})
TODAY = NOW.date()


def _day(days: int) -> date:
    return TODAY + timedelta(days=days)


def _person(subject: str, *roles: str, **acts_for: tuple[int | None, int | None]) -> Person:
    """`acts_for`: of whom, and from and to which day from today."""
    days = {of: [None if day is None else _day(day) for day in span] for of, span in acts_for.items()}
    return Person(
        subject=subject,
        roles=frozenset(roles),
        delegations=tuple(Delegation(of=of, first=first, last=last) for of, (first, last) in days.items()),
    )


_A, _O = "administrator", "governance_officer"
_DIRECT = "duties:\n  d: {change: policy, author: [administrator, planner], approve: [governance_officer, planner]}"
_SELF: Sequence[tuple[str, list[Person], list[str]]] = (
    (_DIRECT, [], ["whoever is planner may author a change of policy and approve it"]),
    (_DIRECT, [_person("p", "planner")], ["whoever is planner may author a change of policy and approve it",
                                          "p may author a change of policy as planner and approve it as planner"]),
    ("", [_person("p", _A, _O)],
     ["p may author a change of policy as administrator and approve it as governance_officer"]),
    ("", [_person("p", "buyer", _O, _A)],
     ["p may author a change of policy as administrator and approve it as governance_officer"]),
    ("", [_person("p", _A, q=(0, 9)), _person("q", _O)],
     ["p may author a change of policy as administrator and approve it as governance_officer for q"]),
    ("", [_person("p", _O, q=(0, 9)), _person("q", _A)],
     ["p may author a change of policy as administrator for q and approve it as governance_officer"]),
    ("", [_person("p", _A, q=(None, None)), _person("q", _O)],
     ["p may author a change of policy as administrator and approve it as governance_officer for q"]),
    ("", [_person("p", _A, q=(20, 30)), _person("q", _O)],
     ["p may author a change of policy as administrator and approve it as governance_officer for q"]),
    ("", [_person("p", "buyer", q=(0, 9), r=(0, 9)), _person("q", _A), _person("r", _O)],
     ["p may author a change of policy as administrator for q and approve it as governance_officer for r"]),
    ("", [_person("p", "buyer", q=(0, 3), r=(5, 9)), _person("q", _A), _person("r", _O)],
     ["p may author a change of policy as administrator for q and approve it as governance_officer for r"]),
    ("", [_person("p", _A, q=(0, 9)), _person("q", "buyer", r=(0, 9)), _person("r", _O)],
     ["p may author a change of policy as administrator and approve it as governance_officer for q for r"]),
    ("", [_person("p", _A, q=(0, 9)), _person("q", "buyer", r=(9, 12)), _person("r", "buyer", s=(1, None)),
          _person("s", _O)],
     ["p may author a change of policy as administrator and approve it as governance_officer for q for r for s"]),
    ("", [_person("p", "buyer", q=(0, 9)), _person("q", _A, _O)],
     ["p may author a change of policy as administrator for q and approve it as governance_officer for q",
      "q may author a change of policy as administrator and approve it as governance_officer"]),
    ("", [_person("p", _A, q=(0, 9)), _person("q", _O, p=(0, 9))],
     ["p may author a change of policy as administrator and approve it as governance_officer for q",
      "q may author a change of policy as administrator for p and approve it as governance_officer"]),
    ("", [_person("p", _A, q=(0, 9), r=(0, 9)), _person("q", "buyer", s=(0, 9)), _person("r", "buyer", s=(0, 9)),
          _person("s", _O)],
     ["p may author a change of policy as administrator and approve it as governance_officer for q for s",
      "p may author a change of policy as administrator and approve it as governance_officer for r for s"]),
    ("duties:\n  d: {change: template, author: [buyer], approve: [planner]}", [_person("p", "buyer", "planner")],
     ["p may author a change of template as buyer and approve it as planner"]),
)  # fmt: skip


@pytest.mark.parametrize(("text", "people", "sentences"), _SELF)
def test_every_way_to_approve_ones_own_change_is_found(text: str, people: list[Person], sentences: list[str]) -> None:
    found = [f for f in _found(*(_top(text) if text else (CLEAN,)), people=people) if f.kind != "nobody_may"]
    assert sorted(f.sentence for f in found) == sorted(sentences)
    assert {(f.level, f.kind) for f in found} == {("error", "self_approval")}


@pytest.mark.parametrize(
    "people",
    [
        [_person("p", _A), _person("q", _O)],
        [_person("p", _A, q=(0, 9)), _person("q", _A)],
        [_person("p", _A, q=(-9, -1)), _person("q", _O)],  # over
        [_person("p", _A, q=(0, 4)), _person("q", "buyer", r=(5, 9)), _person("r", _O)],  # no day for the whole chain
        [_person("p", "buyer", q=(5, 9), r=(0, 3)), _person("q", _A), _person("r", _O)],  # approving ends before
        [_person("p", _A, q=(0, 9)), _person("r", _O)],  # for somebody who is not there
        [_person("p", _A), _person("q", _O), _person("s", "buyer", p=(0, 9))],
    ],
)
def test_people_who_are_apart_are_not_reported(people: list[Person]) -> None:
    assert [f for f in _found(CLEAN, people=people) if f.kind != "nobody_may"] == []


def test_a_change_that_nobody_could_make_is_said() -> None:
    found = _found(CLEAN, people=[_person("p", _A)])
    assert {(f.level, f.kind, f.rule) for f in found} == {("warning", "nobody_may", "policy_changes")}
    assert "may approve a change of policy" in found[0].sentence
    assert _found(CLEAN, people=[_person("p", _A), _person("q", _O)]) == ()
    assert _found(CLEAN, people=[]) == (), "without a directory nobody is known"


def test_a_delegation_of_a_role_gives_that_role_and_nothing_passed_on() -> None:
    of_officer = _person("q", _O, "planner")
    given = Delegation(of="q", roles=frozenset({"planner"}), passes=False)
    assert _found(CLEAN, people=[Person(subject="p", roles=ADMIN, delegations=(given,)), of_officer]) == ()
    passing = Person(subject="q", roles=frozenset({"buyer"}), delegations=(Delegation(of="r"),))
    for passes, ways in ((False, 0), (True, 1)):
        person = Person(subject="p", roles=ADMIN, delegations=(Delegation(of="q", passes=passes),))
        found = _found(CLEAN, people=[person, passing, Person(subject="r", roles=OFFICER)])
        assert len([finding for finding in found if finding.sentence.startswith("p may")]) == ways


def test_a_web_of_delegations_is_told_up_to_a_limit() -> None:
    names = [f"p{number}" for number in range(9)]
    web = [_person(name, _A, _O, **{of: (0, 9) for of in names if of != name}) for name in names]
    found = _found(CLEAN, people=web)
    assert len(found) == 1_001
    assert "there are more than 1000 ways for one person to author and approve a change of policy" in {
        finding.sentence for finding in found
    }


# -- staying below a threshold

_NONE, _ONE, _TWO = "approvals: 0", "approvals: 1, by: [buyer]", "approvals: 2, by: [buyer]"


def _ladder(per: str, *steps: str, more: str = "", name: str = "a") -> str:
    return f"approval:\n  {name}: {{{EUR}, per: {per}{more}, steps: [{', '.join(f'{{{step}}}' for step in steps)}]}}"


_SPLIT: Sequence[tuple[str, list[int]]] = (
    (_ladder("action", f"from: 0, to: 50, {_NONE}", f"from: 50, {_ONE}"), [50]),
    (_ladder("action", f"from: 0, to: 50, {_ONE}", f"from: 50, {_TWO}"), [50]),
    (_ladder("action", f"from: 0, to: 50, {_NONE}", f"from: 50, to: 90, {_ONE}", f"from: 90, {_TWO}"), [50, 90]),
    (_ladder("action", f"from: 50, {_ONE}", f"from: 0, to: 50, {_NONE}"), [50]),
    (_ladder("action", f"from: 0, to: 50, {_NONE}", f"from: 50, {_ONE}", more=", risks: [high]"), [50]),
    (_ladder("action", f"from: 0, to: 50, {_NONE}", f"from: 50, {_ONE}", more=", tiers: [x], countries: [NO]"), [50]),
    (_ladder("action", f"from: 0, to: 50, {_NONE}"), [50]),
    (_ladder("action", "from: 0, to: 50, approvals: 1, by: [buyer, planner]", f"from: 50, {_ONE}"), [50]),
    (_ladder("{party: customer, days: 9}", f"from: 0, to: 50, {_NONE}", f"from: 50, {_ONE}",
             more=", exception: {why: a busy month, until: 2026-12-31, per: action}"), [50]),
    (_ladder("action", f"from: 0, to: 50, {_NONE}", f"from: 50, {_ONE}",
             more=", exception: {why: a quiet month, until: 2026-12-31, per: {party: customer, days: 9}}"), [50]),
)  # fmt: skip


@pytest.mark.parametrize(("text", "thresholds"), _SPLIT)
def test_every_threshold_that_splitting_stays_below_is_found(text: str, thresholds: list[int]) -> None:
    found = [finding for finding in _found(*_top(text)) if finding.kind == "splitting"]
    assert sorted(int(f.sentence.split(" of ")[1].split(" ")[0]) for f in found) == thresholds
    assert {finding.level for finding in found} == {"error"}


def test_the_sentence_says_what_splitting_gains_and_what_helps() -> None:
    text = _ladder("action", f"from: 0, to: 5000, {_NONE}", f"from: 5000, {_ONE}")
    (finding,) = _found(*_top(text))
    assert finding.sentence == (
        "buy in EUR of 5,000 needs 1 approval by buyer, but split into several each part needs no approval: "
        "say `per` a customer or supplier and a number of days"
    )


@pytest.mark.parametrize(
    "text",
    [
        _ladder("{party: supplier, days: 30}", f"from: 0, to: 50, {_NONE}", f"from: 50, {_ONE}"),
        _ladder("{party: customer, days: 1}", f"from: 0, to: 50, {_ONE}", f"from: 50, {_TWO}"),
        _ladder("action", f"from: 0, {_ONE}"),
        _ladder("action", f"from: 0, to: 50, {_ONE}", f"from: 50, {_ONE}"),
    ],
)
def test_a_threshold_over_a_time_and_a_rule_without_one_are_not_reported(text: str) -> None:
    assert _found(*_top(text)) == ()
