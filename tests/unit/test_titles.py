"""The heads of composed answers: what was counted, with every limit and time, in few words."""

from __future__ import annotations

from datetime import date

import pytest

from copilot.domain.composition import Composition, Part, Split
from copilot.domain.query import AnyOf, Bucket, Compare, Is
from copilot.semantic.conditions import load_segments
from copilot.semantic.kpis import load_kpis
from copilot.semantic.model import load_model
from copilot.understanding.compose.say import Saying, phrases
from copilot.understanding.compose.span_words import span_said
from copilot.understanding.time.calendar import Days
from copilot.understanding.vocabulary import load_vocabulary

LABELS = {("customer", 7): "Acme", ("site", 1): "Dallas", ("site", 2): "Reno"}


def saying(composition: Composition) -> Saying:
    kpi = load_kpis()[composition.measure] if composition.measure else None
    return Saying(load_model(), load_vocabulary(), composition, kpi, LABELS)


def segment(entity: str, name: str, *, path: tuple[str, ...] = ()) -> Part:
    own = load_segments()[entity][name]
    conditions = tuple(Compare((*path, *c.path), c.how, c.value) if isinstance(c, Compare) else c for c in own)
    return Part(role="segment", about=name, conditions=conditions, text=name.replace("_", " "))


def listed(measure: str) -> Part:
    kpi = load_kpis()[measure]
    return Part(role="segment", about=measure, conditions=(*kpi.where, *kpi.figure.where), text=kpi.title)


def time(about: str, since: date, until: date) -> Part:
    path = tuple(about.split("."))
    return Part(role="time", about=about, conditions=(Compare(path, Is.AT_LEAST, since), Compare(path, Is.LESS, until)))


OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
WEEK = (date(2026, 11, 9), date(2026, 11, 16))
SALES = "sales_order"
OF_ACME, AT_DALLAS = Part(role="record", about="customer", ids=(7,)), Part(role="record", about="site", ids=(1,))
MONEY = Part(role="limit", about="value", text="more than 5")
HELD = Part(role="segment", about="on_hold", conditions=load_segments()["order_hold"]["active"], text="on hold")
TITLES = [
    (Composition(entity=SALES, parts=(time("promised_date", *WEEK), OF_ACME, segment(SALES, "open"),
                                      Part(role="limit", about="worth", text="over 10k (USD)"))),
     "Open sales orders of Acme over 10k (USD) promised from 9 to 15 Nov 2026"),
    (Composition(entity="service_case", parts=(listed("open_cases"), OF_ACME)), "Open cases of Acme"),
    (Composition(entity=SALES, parts=(listed("orders_shipped_late"), time("shipped_date", *OCTOBER))),
     "Orders shipped late in Oct 2026"),
    (Composition(entity="invoice", parts=(segment("invoice", "overdue"),
                                          Part(role="limit", about="overdue_days", text="overdue more than 30 days"))),
     "Invoices overdue more than 30 days"),
    (Composition(entity="invoice", parts=(segment("invoice", "credit_note"), time("invoice_date", *OCTOBER))),
     "Credit notes issued in Oct 2026"),
    (Composition(entity=SALES, parts=(segment("customer", "blocked", path=("customer",)),)),
     "Sales orders of blocked customers"),
    (Composition(entity=SALES, parts=(Part(role="with", about="order_hold", inner=(HELD, AT_DALLAS), text="on hold"),)),
     "Sales orders on hold at Dallas"),
    (Composition(entity="item", parts=(Part(role="with", about="availability", text="out of stock", inner=(
        Part(role="segment", about="out_of_stock", text="out of stock"), AT_DALLAS)),
        Part(role="with", about="availability", negated=True, inner=(Part(role="segment", about="out_of_stock"),)))),
     "Items out of stock at Dallas"),
    (Composition(entity="customer", parts=(Part(role="with", about=SALES, negated=True, inner=(
        time("order_date", date(2026, 1, 1), date(2027, 1, 1)),)),)),
     "Customers without sales orders placed in 2026"),
    (Composition(measure="fill_rate", splits=(Split(entity="site"),),
                 parts=(time("order.shipped_date", *OCTOBER),)), "Line fill rate shipped in Oct 2026 by site"),
    (Composition(measure="late_receipts", parts=(MONEY, time("received_date", *OCTOBER)),
                 splits=(Split(entity="supplier"),)), "Late receipts in Oct 2026 by supplier, more than 5"),
    (Composition(measure="invoiced", splits=(Split(entity="customer"), Split(bucket=Bucket.MONTH)), descending=False),
     "Invoiced value by customer by month, lowest first"),
    (Composition(entity=SALES, order=("order_date",), descending=True, limit=3),
     "Sales orders, latest order date first"),
    (Composition(entity=SALES, order=("lateness",), descending=True, limit=3),
     "Sales orders, highest days past the promised date first"),
    (Composition(entity="transfer", parts=(Part(role="record", about="site", ids=(1, 2)), Part(
        role="code", about="from_site", conditions=(Compare(("from_site",), Is.IN, (3,)),), text="Chicago"))),
     "Transfers to Dallas and Reno from Chicago"),
]  # fmt: skip


@pytest.mark.parametrize(("composition", "title"), TITLES)
def test_a_title_says_what_was_counted(composition: Composition, title: str) -> None:
    assert saying(composition).title() == title


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((date(2026, 11, 13), date(2026, 11, 14)), "on 13 Nov 2026"),
        (WEEK, "from 9 to 15 Nov 2026"),
        ((date(2026, 10, 28), date(2026, 11, 4)), "from 28 Oct to 3 Nov 2026"),
        ((date(2025, 12, 28), date(2026, 1, 4)), "from 28 Dec 2025 to 3 Jan 2026"),
        (OCTOBER, "in Oct 2026"),
        ((date(2026, 7, 1), date(2026, 10, 1)), "from Jul to Sep 2026"),
        ((date(2025, 10, 1), date(2026, 10, 1)), "from Oct 2025 to Sep 2026"),
        ((date(2026, 1, 1), date(2027, 1, 1)), "in 2026"),
        ((date(2026, 3, 1), None), "from 1 Mar 2026 on"),
        ((None, date(2026, 12, 1)), "up to 30 Nov 2026"),
        ((None, None), ""),
    ],
)
def test_a_span_is_said_the_short_way(days: Days, said: str) -> None:
    assert span_said(phrases()["spans"], days) == said


def test_a_head_names_each_period_and_what_is_not_over_yet() -> None:
    path = ("order_date",)
    july_and_november = Part(role="time", about="order_date", conditions=(
        Compare(path, Is.AT_LEAST, date(2026, 7, 1)), Compare(path, Is.LESS, date(2026, 12, 1)),
        AnyOf((Compare(path, Is.LESS, date(2026, 8, 1)), Compare(path, Is.AT_LEAST, date(2026, 11, 1)))),
    ))  # fmt: skip
    split = (Split(bucket=Bucket.MONTH),)
    asked = Composition(entity=SALES, counted=True, parts=(july_and_november,), splits=split)
    said = Saying(load_model(), load_vocabulary(), asked, None, LABELS, today=date(2026, 11, 20))
    assert said.title() == "Sales orders placed in Jul 2026 and in Nov 2026 so far by month"
    assert "from 1 Jul 2026 to 31 Jul 2026 and" in said.understood()
