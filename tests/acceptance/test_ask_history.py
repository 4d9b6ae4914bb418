"""What changed and how often a promised date moved, by who asks: whole histories, partly hidden ones and none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest

from copilot.domain.answer import Answer, Reason, Verdict
from copilot.domain.question import SessionSubject
from copilot.wiring import Runtime
from copilot.wiring.demo import bring_demo_to_today
from tests.acceptance.oracle import Row, Truth, truth_of
from tests.company import NOW, Company, ask, running, scratch_folder, silent

LATER = NOW + timedelta(days=2, hours=4)
"""A Sunday, when everything has been synced once more."""
FIRST, SECOND = NOW + timedelta(hours=1), NOW + timedelta(hours=30)
OLD, MIDDLE, NEW = date(2026, 12, 1), date(2026, 12, 7), date(2026, 12, 4)


class Past:
    """A copy of the company that went on for two days, and in which promised dates were moved on the way."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.us, self.de = (
            truth.one("select id, label_region from biz.site where country = %(c)s order by id", c=country)
            for country in ("US", "DE")
        )
        self.moved, self.still, self.wanderer, self.gone = truth.all(
            "select * from biz.sales_order o where label_region = %(r)s and status = 'confirmed' and valid_from = %(t)s"
            " and promised_date is not null and not exists"
            " (select from biz.sales_order_line l where l.order_id = o.id and l.valid_from <> %(t)s)"
            " order by id desc limit 4",
            r=self.us["label_region"],
            t=NOW,
        )

    def plant(self) -> None:
        for row in (self.moved, self.wanderer):
            self.at(NOW, "update biz.sales_order set promised_date = %(d)s where id = %(i)s", d=OLD, i=row["id"])
        self.move("sales_order", "id", self.moved, FIRST, MIDDLE)
        self.move("sales_order", "id", self.moved, SECOND, NEW)
        self.move("sales_order_line", "order_id", self.moved, SECOND, NEW)
        # Moved in the other region, and only then ours.
        self.move("sales_order", "id", self.wanderer, FIRST, MIDDLE)
        self.at(
            SECOND,
            "update biz.sales_order set label_region = %(r)s, label_site = %(s)s, valid_from = %(t)s where id = %(i)s",
            r=self.de["label_region"], s=self.de["id"], i=self.wanderer["id"],
        )  # fmt: skip
        self.truth.change(
            "update biz.lookup set label_region = %(r)s, label_site = %(s)s"
            " where row_entity = 'sales_order' and row_id = %(i)s",
            r=self.de["label_region"], s=self.de["id"], i=self.wanderer["id"],
        )  # fmt: skip
        self.at(SECOND, "delete from biz.sales_order where id = %(i)s", i=self.gone["id"])
        self.truth.change("update core.coverage set confirmed_at = %(t)s", t=LATER)

    def move(self, entity: LiteralString, column: LiteralString, order: Row, at: datetime, to: date) -> None:
        statement: LiteralString = "update biz." + entity + " set promised_date = %(d)s, valid_from = %(t)s, "
        self.at(at, statement + "changed_at = %(t)s where " + column + " = %(i)s", d=to, i=order["id"])

    def at(self, moment: datetime, statement: LiteralString, **values: Any) -> None:
        """Change records at a moment, as a merge does."""
        with self.truth.connection.transaction():
            self.truth.connection.execute("select set_config('copilot.now', %s, true)", (moment.isoformat(),))
            self.truth.connection.execute(statement, {"t": moment, **values})


@pytest.fixture(scope="module")
def place(company: Company) -> Generator[tuple[str, Path, Past]]:
    with scratch_folder() as folder, company.clone() as name:
        asyncio.run(_go_on(company, name, folder / "home"))
        with truth_of(company, name) as truth:
            past = Past(truth)
            past.plant()
            yield name, folder / "home", past


async def _go_on(company: Company, name: str, home: Path) -> None:
    async with running(company, name, home, now=NOW + timedelta(hours=29)) as runtime:
        await bring_demo_to_today(runtime, silent)


@pytest.fixture
def past(place: tuple[str, Path, Past]) -> Past:
    return place[2]


@pytest.fixture
async def later(company: Company, place: tuple[str, Path, Past]) -> AsyncGenerator[Runtime]:
    async with running(company, place[0], place[1], now=LATER) as runtime:
        yield runtime


def facts(answer: Answer, field: str) -> list[Any]:
    return [fact.value for fact in answer.facts if fact.ref.endswith(f".{field}")]


async def test_how_often_a_promised_date_moved_and_when(later: Runtime, past: Past) -> None:
    number = past.moved["number"]
    answer = await ask(later, "rep.us", f"when did the promised date of {number} move, and how often?")
    assert (answer.verdict, answer.kind) == (Verdict.VERIFIED, "date_moves"), answer.answer
    assert f"The promised date of **{number}** has moved **2 times** since" in answer.answer
    assert facts(answer, "from_date")[:2] == [OLD, MIDDLE]
    assert facts(answer, "to_date")[:2] == [MIDDLE, NEW]
    assert facts(answer, "noticed_at")[:2] == [FIRST, SECOND]
    assert (facts(answer, "days"), facts(answer, "working_days")) == ([3], [3])
    former = [source.version for source in answer.sources if source.title == "sales order, former version"]
    assert former == [True, True]


@pytest.mark.parametrize("question", ["how often has the promised date of {} moved since yesterday", "{} moved today?"])
async def test_only_moves_of_the_time_asked_about_count(later: Runtime, past: Past, question: str) -> None:
    answer = await ask(later, "rep.us", question.format(past.moved["number"]))
    assert answer.verdict is Verdict.VERIFIED, answer.answer
    # The second move was noticed on Saturday afternoon in the Americas; it is Sunday there.
    assert ("has moved **1 time**" if "yesterday" in question else "has **not moved** since") in answer.answer
    assert facts(answer, "last_date") == [NEW]


async def test_an_order_whose_date_stood_still_says_so(later: Runtime, past: Past) -> None:
    answer = await ask(later, "rep.us", f"how often has the promised date of {past.still['number']} moved?")
    assert "has **not moved** since" in answer.answer
    assert facts(answer, "last_date") == [past.still["promised_date"]]


@pytest.mark.parametrize(("subject", "reason"), [("rep.de", Reason.NOT_FOUND), ("auditor", Reason.NO_ACCESS)])
@pytest.mark.parametrize("question", ["how often has the promised date of {} moved?", "what changed on {}?"])
async def test_whoever_may_not_see_the_order_learns_nothing(
    later: Runtime, past: Past, subject: str, reason: Reason, question: str
) -> None:
    number = past.moved["number"]
    hidden = await ask(later, subject, question.format(number))
    missing = await ask(later, subject, question.format("SO-99999"))
    assert (hidden.verdict, hidden.reason, hidden.facts, hidden.sources) == (Verdict.DECLINED, reason, (), ())
    assert hidden.answer.replace(number, "…") == missing.answer.replace("SO-99999", "…")


async def test_an_order_that_came_from_elsewhere_has_no_count_for_those_who_see_only_its_end(
    later: Runtime, past: Past
) -> None:
    question = f"how often has the promised date of {past.wanderer['number']} moved?"
    now_theirs = await ask(later, "rep.de", question)
    assert (now_theirs.verdict, now_theirs.facts) == (Verdict.DECLINED, ())
    assert "Nothing is recorded about that" in now_theirs.answer
    no_more_theirs = await ask(later, "rep.us", question)
    assert no_more_theirs.reason is Reason.NOT_FOUND
    whole = await ask(later, "planner", question)
    assert facts(whole, "moves") == [1]


async def test_what_came_into_sight_is_no_change_and_neither_is_what_left_it(later: Runtime, past: Past) -> None:
    """The order was relabelled: for one side it begins in the middle, for the other it ends there."""
    number = past.wanderer["number"]
    seen = await ask(later, "rep.de", f"what changed on {number} since Friday?")
    assert "Changes" not in seen.answer
    assert MIDDLE.isoformat() not in str(seen.to_json())
    customer = past.truth.one("select * from biz.customer where id = %(i)s", i=past.wanderer["customer_id"])
    left = await ask(later, "rep.us", f"what changed for {customer['number']} since Friday?")
    assert f"Order {number} was" not in left.answer


async def test_what_changed_for_a_customer_names_new_moved_and_removed_records(later: Runtime, past: Past) -> None:
    for row, said in ((past.moved, "promised date moved from"), (past.gone, "was **removed** from its system")):
        customer = past.truth.one("select * from biz.customer where id = %(i)s", i=row["customer_id"])
        answer = await ask(later, "rep.us", f"what's new with {customer['number']} since Friday?")
        assert (answer.verdict, answer.kind) == (Verdict.VERIFIED, "customer_changes"), answer.answer
        assert f"- Order {row['number']}" in answer.answer
        assert said in answer.answer
        assert "since **20 Nov 2026, 00:00 " in answer.answer
        hidden = await ask(later, "rep.de", f"what's new with {customer['number']} since Friday?")
        assert hidden.reason is Reason.NOT_FOUND


async def test_orders_that_came_after_the_first_load_are_new_and_no_others(later: Runtime, past: Past) -> None:
    row = past.truth.one(
        "select o.number, o.status, c.number as customer from biz.sales_order o join biz.customer c"
        " on c.id = o.customer_id where o.label_region = %(r)s and o.began_at > %(t)s order by o.id desc",
        r=past.us["label_region"], t=NOW,
    )  # fmt: skip
    answer = await ask(later, "rep.us", f"what changed for {row['customer']} since 2026-11-19")
    assert f"- Order {row['number']} is **new**" in answer.answer
    began = past.truth.all(
        "select o.number from biz.sales_order o join biz.customer c on c.id = o.customer_id"
        " where c.number = %(c)s and o.began_at <= %(t)s",
        c=row["customer"], t=NOW,
    )  # fmt: skip
    assert not [old for old in began if f"Order {old['number']} is **new**" in answer.answer]
    assert "History is kept here only since **20 Nov 2026, 0" in answer.answer


async def test_nothing_changed_is_an_answer_and_a_question_without_a_time_says_what_it_took(
    later: Runtime, past: Past
) -> None:
    answer = await ask(later, "planner", f"what changed on {past.still['number']} today?")
    assert "itself and its lines did not change since 22 Nov 2026, 00:00 " in answer.answer  # no invoices for them
    answer = await ask(later, "rep.us", f"what changed on {past.still['number']} in the last 2 hours?")
    assert "**Nothing changed** on" in answer.answer
    answer = await ask(later, "rep.us", f"what changed on {past.moved['number']}?")
    assert "You named no time, so these are the changes of the past week." in answer.answer


@pytest.mark.parametrize("time", ["since easter", "since 2027-01-01", "this morning", "since Tuesday evening"])
async def test_a_time_that_is_not_known_is_declined(later: Runtime, past: Past, time: str) -> None:
    answer = await ask(later, "rep.us", f"what changed on {past.moved['number']} {time}?")
    assert (answer.verdict, answer.reason) == (Verdict.DECLINED, Reason.UNSUPPORTED), answer.answer


async def test_the_history_of_an_order_and_moves_of_purchase_orders_are_answered(later: Runtime, past: Past) -> None:
    answer = await ask(later, "rep.us", f"history of {past.moved['number']}")
    assert answer.kind == "order_history"
    assert answer.answer.startswith(f"All changes of **{past.moved['number']}** since 20 Nov 2026, ")
    assert "promised date moved from" in answer.answer
    number = past.truth.number("select number from biz.purchase_order where promised_date is not null order by id desc")
    answer = await ask(later, "buyer", f"did the supplier move the date on {number}?")
    assert (answer.verdict, answer.kind) == (Verdict.VERIFIED, "purchase_date_moves"), answer.answer
    assert "has **not moved** since" in answer.answer


async def test_a_reopened_answer_is_about_the_same_moment(
    company: Company, place: tuple[str, Path, Past], later: Runtime, past: Past
) -> None:
    asked = await ask(later, "rep.us", f"what changed on {past.moved['number']} since yesterday?")
    since = facts(asked, "since")
    assert since == [datetime(2026, 11, 21, 6, tzinfo=UTC)]
    async with running(company, place[0], place[1], now=LATER + timedelta(hours=2)) as runtime:
        again = await runtime.reopen(SessionSubject("rep.us"), asked.conversation, 0)
    assert facts(again, "since") == since
