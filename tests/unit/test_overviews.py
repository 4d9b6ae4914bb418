"""Questions about a time to come: which days they are about, and what their steps read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from copilot.domain.plan import Figures, Listing, Period, Survey
from copilot.domain.query import Compare, Function, Is, Linked
from copilot.errors import ModelDefinitionError
from copilot.retrieval.measures import MEASURES
from copilot.semantic.conditions import load_segments
from copilot.understanding.kinds import load_kinds, make_plan
from copilot.understanding.planner import replan
from copilot.understanding.scoped import make_scoped
from copilot.understanding.times import ahead_period
from tests.unit.records import context, record

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""A Friday; in Singapore it is 23:00."""
WEEK = Period(since=datetime(2026, 11, 20, tzinfo=UTC), until=datetime(2026, 11, 27, tzinfo=UTC))


def days(period: Period | None) -> tuple[str, str]:
    assert period
    assert period.since
    assert period.until
    return period.since.isoformat(), period.until.isoformat()


def test_the_usual_days_begin_today_where_it_is_asked() -> None:
    week = ahead_period("week", None, NOW, "Asia/Singapore")
    assert days(week) == ("2026-11-20T00:00:00+08:00", "2026-11-27T00:00:00+08:00")
    assert week
    assert not week.given
    assert days(ahead_period("today", None, NOW, "UTC")) == ("2026-11-20T00:00:00+00:00", "2026-11-21T00:00:00+00:00")


def test_what_is_over_of_the_time_named_is_left_out() -> None:
    named = Period(since=datetime(2026, 11, 16, tzinfo=UTC), until=datetime(2026, 11, 23, tzinfo=UTC))
    assert days(ahead_period("today", named, NOW, "UTC")) == ("2026-11-20T00:00:00+00:00", "2026-11-23T00:00:00+00:00")
    ahead = Period(since=datetime(2026, 11, 23, tzinfo=UTC), until=datetime(2026, 11, 30, tzinfo=UTC))
    assert days(ahead_period("week", ahead, NOW, "UTC")) == ("2026-11-23T00:00:00+00:00", "2026-11-30T00:00:00+00:00")


@pytest.mark.parametrize("until", [None, datetime(2026, 11, 20, tzinfo=UTC)])
def test_a_time_that_is_over_or_has_no_end_is_none_to_come(until: datetime | None) -> None:
    assert ahead_period("week", Period(since=datetime(2026, 11, 16, tzinfo=UTC), until=until), NOW, "UTC") is None


def test_a_count_is_over_all_that_a_list_shows_a_few_of() -> None:
    body = {"where": {"is": ["open"]}, "during": "promised_date", "at": ["site", "customer"], "limit": 2}
    count = make_scoped("n", {"count": "sales_order", "noun": "open order", **body}, {"site": (4,)}, WEEK)
    few = make_scoped("few", {"list": "sales_order", "order": ["-promised_date"], **body}, {"site": (4,)}, WEEK)
    assert isinstance(count, Figures)
    assert isinstance(few, Listing)
    assert count.query.where == few.query.where
    assert few.query.where[1:] == (
        Compare(("promised_date",), Is.AT_LEAST, date(2026, 11, 20)),
        Compare(("promised_date",), Is.LESS, date(2026, 11, 27)),
        Compare(("site",), Is.IN, (4,)),
    )
    assert (few.query.limit, few.query.order[0].descending, few.probe) == (2, True, True)
    assert count.query.figures[0].function is Function.COUNT


def test_supply_is_compared_with_the_days_up_to_the_end_of_the_time() -> None:
    step = make_scoped("low", {"list": "availability", "lasts": "days_of_supply"}, {}, WEEK)
    assert isinstance(step, Listing)
    assert step.query.where == (Compare(("days_of_supply",), Is.LESS, 7_000_000),)


def test_a_survey_is_narrowed_by_what_the_question_names() -> None:
    body = {"survey": "short_line", "reads": ["sales_order"], "limit": 5}
    step = make_scoped("short", body, {"region": (2,), "customer": (9,)}, WEEK)
    assert isinstance(step, Survey)
    assert (step.sites, step.regions, step.customers) == ((), (2,), (9,))
    assert (step.since, step.until) == (date(2026, 11, 20), date(2026, 11, 27))


def test_a_step_that_nothing_narrows_as_it_says_is_refused() -> None:
    with pytest.raises(ModelDefinitionError, match="no way from 'atp_bucket' to 'sales_order'"):
        make_scoped("n", {"count": "atp_bucket", "at": ["sales_order"]}, {}, WEEK)
    with pytest.raises(ModelDefinitionError, match="beginning and an end"):
        make_scoped("n", {"count": "sales_order", "during": "promised_date"}, {}, None)


def test_a_kept_question_without_its_time_is_not_asked_again() -> None:
    assert replan("risk_summary", {}) is None
    again = replan("risk_summary", {"site": (4,)}, WEEK)
    assert again == make_plan(load_kinds()["risk_summary"], {"site": (4,)}, period=WEEK)


def test_a_purchase_line_is_unreliable_by_the_rate_of_the_supplier_of_its_order() -> None:
    linked = next(c for c in load_segments()["purchase_line"]["unreliable"] if isinstance(c, Linked))
    assert (linked.entity, linked.by, linked.at) == ("supplier_rate", "supplier", ("purchase_order", "supplier"))
    assert linked.where == (Compare(("on_time_rate",), Is.LESS, 800_000),)


def test_the_days_asked_about_are_told_with_their_last_one() -> None:
    (told,) = MEASURES["overview_span"](replace(context(), period=WEEK), [record("site")])
    values = told.values
    assert (values["since"], values["last"], values["single"]) == (date(2026, 11, 20), date(2026, 11, 26), False)
    assert (values["assumed"], values["poor_rate"]) == (False, 800_000)
    assert not [*MEASURES["overview_span"](context(), [record("site")])]
