"""The quality checks as data: the shipped ones are sound, and a faulty one is refused with its fault named."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from copilot.errors import ModelDefinitionError
from copilot.ingest.quality.after import due_checks
from copilot.ingest.quality.checks import Kind, load_checks, parse_checks
from copilot.semantic.model import load_model

_GOOD: dict[str, Any] = {
    "id": "stock.x",
    "entity": "stock",
    "kind": "negative",
    "field": "on_hand",
    "title": "x",
    "warn_over": 0,
    "stop_over": 0.5,
}


def parse(*specs: dict[str, Any]) -> None:
    """Read these as the shipped file is read."""
    parse_checks({"currencies": ["EUR"], "checks": list(specs)}, load_model())


def test_the_shipped_checks_cover_every_kind() -> None:
    checks = load_checks().checks.values()
    assert {check.kind for check in checks} == set(get_args(Kind))
    assert {check.codes for check in checks if check.kind == "unknown_code"} == {"currency", "unit"}
    assert all(len(code) == 3 and code.isupper() for code in load_checks().currencies)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"entity": "stocks"}, "stocks"),
        ({"field": "on_hands"}, "no field of stock"),
        ({"field": "lot"}, "of type 'ident'"),
        ({"kind": "odd"}, "unknown kind"),
        ({"fields": ["on_hand"]}, "unknown .'fields'"),
        ({"stop_over": 1.5}, "warn_over <= stop_over"),
        ({"warn_over": 0.6}, "warn_over <= stop_over"),
        ({"at_least": 0}, "at_least"),
        ({"when": {"lot": ["x"]}}, "code 'x'"),
        ({"kind": "sum"}, "plus"),
        ({"kind": "orphan", "field": None}, "lines"),
        ({"kind": "orphan", "field": None, "lines": "sales_order_line"}, "belong to another"),
        ({"kind": "unknown_code", "field": "unit"}, "codes"),
        ({"kind": "impossible_date", "field": "expires", "not_before": "lot"}, "no date"),
        ({"kind": "sum", "field": "on_hand", "plus": ["nothing"]}, "no field of stock"),
        ({"field": None}, "needs a field"),
    ],
)
def test_a_faulty_check_is_refused(change: dict[str, Any], fault: str) -> None:
    parse(_GOOD)
    with pytest.raises(ModelDefinitionError, match=fault):
        parse(_GOOD | change)


def test_one_id_is_given_once_and_nothing_may_lack() -> None:
    with pytest.raises(ModelDefinitionError, match="two quality checks"):
        parse(_GOOD, _GOOD)
    with pytest.raises(ModelDefinitionError, match="warn_over"):
        parse({key: value for key, value in _GOOD.items() if key != "warn_over"})


def test_few_failing_rows_never_stop_a_load() -> None:
    check = load_checks().checks["stock.on_hand_negative"]
    assert not check.stops(2, 2)
    assert not check.stops(19, 19)
    assert check.stops(20, 20)
    assert not check.stops(1000, 100)
    assert check.warns(1000, 1)
    assert not check.warns(0, 0)


def test_only_what_may_have_changed_is_judged_and_only_what_is_delivered_whole() -> None:
    offered = {"stock", "sales_order", "item"}
    due = {check.id for check in due_checks(load_model(), offered, {"stock"}, set(load_checks().checks))}
    assert "stock.available_sum" in due
    assert not any(name.startswith("sales_order") for name in due)
    first = {check.id for check in due_checks(load_model(), offered, (), ())}
    assert "sales_order.number_missing" in first
    assert "sales_order.without_lines" not in first  # its lines are not delivered
    item = {check.id for check in due_checks(load_model(), offered, {"item"}, set(load_checks().checks))}
    assert "stock.unit_unknown" in item
