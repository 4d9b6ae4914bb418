"""How sound data is, worked out from what was published per place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from copilot.domain.evidence import Record
from copilot.retrieval.measures.quality import data_finding, data_set_aside, data_soundness
from tests.unit.records import NOW, context, record

LIMITS: dict[str, Any] = {"warn_over": "0.01", "stop_over": "0.5", "at_least": 20}


def counted(site: int, checked: int, failing: int, *, entity: str = "stock", system: str = "erp") -> Record:
    return row(
        f"S{site}{entity}",
        system,
        what="records",
        records_of=entity,
        checked=checked,
        failing=failing,
        checks=4,
        site=site,
    )


def finding(site: int, checked: int, failing: int, *, check: str = "stock.x", system: str = "erp") -> Record:
    values: dict[str, Any] = {"check_id": check, "title": f"title of {check}", "site": site, **LIMITS}
    return row(
        f"F{site}{check}", system, what="finding", records_of="stock", checked=checked, failing=failing, **values
    )


def row(source: str, system: str, **values: Any) -> Record:
    return record("stock_soundness", source, system=system, subject="stock", area="stock", **values)


def told(figures: Any) -> list[dict[str, Any]]:
    return [dict(each.values) for each in figures]


def test_records_and_checks_are_added_up_over_places_and_entities() -> None:
    rows = [counted(1, 100, 0), counted(2, 300, 0), counted(2, 50, 0, entity="transfer")]
    (sound,) = told(data_soundness(context(), rows))
    assert (sound["checked"], sound["failing"], sound["checks"], sound["verdict"]) == (450, 0, 8, "sound")


def test_one_bad_place_is_not_made_up_for_by_sound_ones() -> None:
    rows = [counted(1, 100_000, 0), counted(2, 100, 2), finding(2, 100, 2)]
    (sound,) = told(data_soundness(context(), rows))
    assert (sound["failing"], sound["share"], sound["verdict"]) == (2, 20, "doubtful")
    (found,) = told(data_finding(context(), rows))
    assert (found["failing"], found["places"], found["state"], found["worst_share"]) == (2, 1, "over", 20_000)


def test_a_finding_within_its_limit_leaves_the_data_sound_and_is_told() -> None:
    rows = [counted(1, 1000, 10), finding(1, 1000, 10)]
    assert told(data_soundness(context(), rows))[0]["verdict"] == "sound"
    assert told(data_finding(context(), rows))[0]["state"] == "within"


def test_far_over_takes_the_share_and_the_number() -> None:
    assert told(data_soundness(context(), [counted(1, 30, 19), finding(1, 30, 19)]))[0]["verdict"] == "doubtful"
    assert told(data_soundness(context(), [counted(1, 30, 20), finding(1, 30, 20)]))[0]["verdict"] == "unsound"
    assert told(data_soundness(context(), [counted(1, 90, 40), finding(1, 90, 40)]))[0]["verdict"] == "doubtful"


def test_the_worst_comes_first_with_its_place() -> None:
    rows = [
        finding(1, 1000, 9, check="a"), finding(2, 100, 3, check="b"), finding(3, 100, 50, check="b"),
        finding(3, 30, 30, check="c"),
    ]  # fmt: skip
    found = told(data_finding(context(), rows))
    assert [(each["title"], each["failing"], each["site"], each["state"]) for each in found] == [
        ("title of c", 30, 3, "far over"), ("title of b", 53, 3, "over"), ("title of a", 9, 1, "within"),
    ]  # fmt: skip


def test_each_source_is_told_by_itself() -> None:
    rows = [counted(1, 10, 0), counted(1, 20, 1, system="wms"), finding(1, 20, 1, system="wms")]
    assert [(each["system"], each["verdict"]) for each in told(data_soundness(context(), rows))] == [
        ("erp", "sound"), ("wms", "doubtful"),
    ]  # fmt: skip


def test_nothing_checked_is_no_figure_and_neither_is_a_list_that_was_cut() -> None:
    assert told(data_soundness(context(), [])) == []
    assert told(data_soundness(context(), [counted(1, 0, 0)])) == []
    cut = replace(context(), complete=False)
    assert told(data_soundness(cut, [counted(1, 5, 0)])) == told(data_finding(cut, [finding(1, 5, 5)])) == []


def test_checked_at_is_the_oldest() -> None:
    old = replace(counted(1, 5, 0), confirmed_at=NOW - timedelta(hours=9))
    assert told(data_soundness(context(), [counted(2, 5, 0), old]))[0]["checked_at"] == NOW - timedelta(hours=9)


def test_what_was_set_aside_is_added_up_also_where_it_is_nothing() -> None:
    aside = [row(f"A{n}", "erp", what="set_aside", records_of=f"e{n}", failing=n) for n in range(3)]
    rows = [counted(1, 5, 0)]
    assert told(data_set_aside(context(), aside, rows)) == [{"system": "erp", "subject": "stock", "records": 3}]
    assert told(data_set_aside(context(), aside[:1], rows))[0]["records"] == 0
    assert told(data_set_aside(context(), aside[:1], [])) == []
