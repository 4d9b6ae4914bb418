"""What is refused before a policy is read at all, and that it is read as it was written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from copilot.errors import PolicyError
from copilot.policy.effective import effective
from copilot.policy.reading import read_document, read_folder, read_texts
from tests.unit.policies import NOW, TOP, document, policy

RULE = "fresh_for:\n  a: {classes: [stock], hours: 4}\n"
GOVERNS = "governs:\n  g: {figure: on_hand, order: [erp]}\n"
BUY = "approval:\n  x: {action: b, currencies: [EUR], per: action, steps: "
HEAD = "policy: 1\nversion: v1\nlayer: enterprise\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no mapping"),
        ("[1]", "is no mapping"),
        ("a: [", "p:1"),
        (HEAD + "a: &x [1]\nb: *x\n", "p:5 has an alias"),
        (HEAD + RULE + RULE, "p:6 says 'fresh_for' twice"),
        (HEAD + "fresh_for:\n  a: {classes: [stock], hours: 4, hours: 5}\n", "says 'hours' twice"),
        (HEAD + "fresh_for:\n  a: !!python/name:os.system x\n", "could not determine a constructor"),
        ("a: " + "[" * 2000, "is no YAML"),
        (HEAD, "it has no rule"),
        ("policy: 1\nversion: v1\n" + RULE, "'layer' is a required property"),
        ("policy: 1\nversion: v1\nlayer: region\n" + RULE, "'region' is a required property"),
        (HEAD + "region: SG\n" + RULE, "it: "),
        (HEAD + "nonsense: {}\n" + RULE, "'nonsense' was unexpected"),
        (HEAD + RULE.replace("hours: 4", "hours: 0"), "fresh_for.a.hours: 0 is less than or equal"),
        (HEAD + RULE.replace("hours: 4", "hours: .inf"), "fresh_for.a.hours"),
        (HEAD + RULE.replace("a:", "A b:"), "does not match"),
        (HEAD + RULE.replace("4}", "4, exception: {until: 2026-07-01}}"), "'why' is a required property"),
        (HEAD + RULE.replace("4}", "4, exception: {why: a move}}"), "'until' is a required property"),
        (HEAD + RULE.replace("4}", "4, exception: {why: a move, until: 2026-02-30}}"), "'2026-02-30' is no day"),
        (HEAD + RULE.replace("4}", "4, exception: {why: a move, until: 2026-03-30, classes: [x]}}"), "unexpected"),
        (HEAD + RULE + "autonomy:\n  a: {actions: [x], autonomy: approve}\n", "autonomy.a: fresh_for has a rule"),
        (HEAD + RULE + "may_loosen: [a, a]\n", "'a' is named twice"),
        (HEAD + RULE + "may_loosen: [{rule: a, within: {places: [SG]}}]\n", "may_loosen: a: "),
        (HEAD + GOVERNS + "may_loosen: [{rule: g, within: {order: [wms]}}]\n", "may_loosen: g"),
        (HEAD + "retention:\n  r: {classes: [x], least_days: 9, most_days: 8}\n", "at most 8 days, and for at least 9"),
        (HEAD + "settings:\n  s: {setting: promise_within_days, value: [erp]}\n", r"\['erp'\] is no value of promise"),
        (HEAD + BUY + "[{from: 5, to: 5, approvals: 0}]}\n", "approval.x: the step from 5 ends at 5"),
        (HEAD + BUY + "[{from: 5, approvals: 1}]}\n", "'by' is a required property"),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_refused(text: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        read_document(text, "p")


def test_all_faults_of_all_files_are_named_at_once() -> None:
    with pytest.raises(PolicyError) as raised:
        read_texts({"one": HEAD, "two": HEAD + RULE.replace("4", "0").replace("stock", "Stock")})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == ["one", "two", "two"]


def test_words_stay_the_words_that_they_are() -> None:
    rule = (
        "{action: buy, currencies: [EUR], countries: [NO], risks: [on], per: action, steps: [{from: 0, approvals: 0}]}"
    )
    here = effective(policy(document("enterprise", TOP, f"approval:\n  a: {rule}")), None, None, None, at=NOW)
    assert here.approval("buy", "EUR", country="NO", risk="on").rule == "a"
    assert here.approval("buy", "EUR", country="NO").rule == ""


def test_a_folder_is_read_whole_and_an_empty_one_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="there is no policy in"):
        read_folder(tmp_path)
    with pytest.raises(PolicyError, match="can't be read"):
        read_folder(tmp_path / "missing")
    (tmp_path / "top.yaml").write_text(HEAD + RULE)
    (tmp_path / "sg.yaml").write_text(document("region SG", RULE.replace("4", "2.5")))
    here = effective(read_folder(tmp_path), "SG", None, None, at=NOW)
    assert here.fresh_for("stock").value == timedelta(hours=2.5)
    assert here.version == "v1 + v1"
