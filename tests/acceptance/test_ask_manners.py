"""Manners by actor: what is said beside questions, help that works, explanations of the last answer, and reviews."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import psycopg
import pytest

from copilot.channels.commands import reviews
from copilot.domain.answer import Answer, Reason, Verdict
from copilot.domain.question import SessionSubject
from copilot.errors import DatabaseError
from copilot.semantic.kpis import load_kpis
from copilot.store.roles import Role
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, plain, truth_of
from tests.company import Company, ask

READERS = ("rep.us", "rep.de", "planner", "buyer", "warehouse.sg", "finance")
FORBIDDEN = {
    "planner": ("invoices", "prices", "credit", "supplier terms", "service cases"),
    "buyer": ("invoices", "credit", "shipments", "returns", "contacts"),
    "warehouse.sg": ("invoices", "prices", "credit", "supplier terms", "contacts"),
    "finance": ("stock", "transfers", "service cases"),
    "rep.us": ("credit", "supplier terms"),
}
OPEN_ORDER = """select o.number, c.name as customer
  from biz.sales_order o join biz.customer c on c.id = o.customer_id
 where o.status = 'confirmed' and o.label_region = (select id from biz.region where code = 'US')
 order by o.id limit 1"""


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


async def mannerly(runtime: Runtime, subject: str, text: str, conversation: str | None = None) -> Answer:
    answer = await ask(runtime, subject, text, conversation)
    assert answer.verdict is Verdict.VERIFIED, (text, answer)
    assert (answer.kind or "").startswith("manners_"), (text, answer.kind)
    return answer


@pytest.mark.parametrize("subject", READERS)
async def test_help_offers_questions_that_work(runtime: Runtime, subject: str) -> None:
    answer = await mannerly(runtime, subject, "what can you do?")
    assert 4 <= len(answer.choices) <= 6, answer.choices
    for choice in answer.choices:
        assert choice.question in plain(answer)
        found = await ask(runtime, subject, choice.question)
        assert found.verdict is Verdict.VERIFIED, choice
    for word in FORBIDDEN.get(subject, ()):
        assert word not in plain(answer).split("Ask in your own words")[0], word


@pytest.mark.parametrize("subject", ["auditor", "admin"])
async def test_a_role_without_records_is_told_so_and_offered_nothing(runtime: Runtime, subject: str) -> None:
    for text in ("what can i ask you", "hello"):
        answer = await mannerly(runtime, subject, text)
        assert "reads no business records" in plain(answer)
        assert not answer.choices


async def test_a_greeting_offers_what_help_offers(runtime: Runtime) -> None:
    greeted, helped = await mannerly(runtime, "rep.us", "good morning!"), await mannerly(runtime, "rep.us", "help")
    assert greeted.choices == helped.choices
    assert greeted.kind == "manners_greeting"
    assert not greeted.facts
    assert not greeted.sources


async def test_a_greeting_in_front_of_a_question_is_no_greeting(runtime: Runtime, truth: Truth) -> None:
    number = truth.one(OPEN_ORDER)["number"]
    bare = await ask(runtime, "rep.us", f"where is {number}?")
    for text in (f"Hello, hope you had a nice week. Where is {number}?", f"hi, quick one: where is {number}? thx!"):
        assert (await ask(runtime, "rep.us", text)).answer == bare.answer, text


async def test_the_last_answer_is_explained_with_its_sources_and_their_age(runtime: Runtime, truth: Truth) -> None:
    number = truth.one(OPEN_ORDER)["number"]
    first = await ask(runtime, "rep.us", f"where is {number}?")
    for text in (
        "how do you know?",
        "how old is that?",
        "what did you understand?",
        "where does this come from",
        "why?",
    ):
        answer = await mannerly(runtime, "rep.us", text, first.conversation)
        said = plain(answer)
        assert number in said, text
        assert "last confirmed" in said, text
        assert {source.key for source in answer.sources} == {source.key for source in first.sources}
        assert any(fact.ref.endswith(".confirmed_at") for fact in answer.facts)
    why = plain(await mannerly(runtime, "rep.us", "explain", first.conversation))
    assert f"Order {number} of" in why, "why repeats what was said, causes among it"


async def test_a_measure_is_explained_by_its_definition(runtime: Runtime) -> None:
    first = await ask(runtime, "planner", "how many late orders are there?")
    assert first.verdict is Verdict.VERIFIED
    said = plain(await mannerly(runtime, "planner", "how is that calculated?", first.conversation))
    kpi = load_kpis()["late_order_count"]
    assert f"{kpi.title}, version {kpi.version}: {kpi.formula}." in said
    assert "It is computed over the records that you may see." in said


async def test_an_explanation_shows_no_more_than_the_reader_may_see(runtime: Runtime, truth: Truth) -> None:
    """Somebody else's conversation explains nothing, whoever knows its id."""
    number = truth.one(OPEN_ORDER)["number"]
    first = await ask(runtime, "rep.us", f"where is {number}?")
    answer = await mannerly(runtime, "rep.de", "how do you know?", first.conversation)
    assert number not in answer.answer
    assert not answer.sources
    assert answer.conversation != first.conversation


async def test_without_an_answer_there_is_nothing_to_explain_or_review(runtime: Runtime) -> None:
    assert "no answer in this conversation" in plain(await mannerly(runtime, "rep.us", "how do you know?"))
    assert "I have given no answer" in plain(await mannerly(runtime, "rep.us", "that's wrong"))
    declined = await ask(runtime, "rep.us", "where is SO-999999?")
    assert declined.reason is Reason.NOT_FOUND
    said = plain(await mannerly(runtime, "rep.us", "how do you know?", declined.conversation))
    assert "I answered nothing to your last question" in said


async def test_a_complaint_opens_one_review_with_the_trace_and_no_value(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(OPEN_ORDER)
    before = {review.number for review in await runtime.reviews.listed()}
    first = await ask(runtime, "rep.us", f"where is {row['number']}?")
    words = "that's wrong, I have it from dana@example.com"
    answer = await mannerly(runtime, "rep.us", words, first.conversation)
    (review,) = [each for each in await runtime.reviews.listed() if each.number not in before]
    assert f"review {review.number}" in plain(answer)
    assert (review.subject, review.audit_id) == ("rep.us", first.audit_id)
    assert review.trace is not None
    assert review.trace["kind"] == first.kind
    kept = json.dumps(review.to_json(), default=str)
    assert "dana@example.com" not in kept
    assert row["customer"] not in kept
    again = await mannerly(runtime, "rep.us", "no, that can't be right", first.conversation)
    assert f"review {review.number}" in plain(again), "one open review an answer"


async def test_reviews_are_of_ones_own_answers_and_closed_by_a_person(runtime: Runtime) -> None:
    first = await ask(runtime, "planner", "how many late orders are there?")
    conversation = first.conversation
    assert await runtime.reviews.open("buyer", conversation, first.audit_id, "wrong") is None
    stranger = await mannerly(runtime, "buyer", "that's wrong", conversation)
    assert "I have given no answer" in plain(stranger)
    number = await runtime.reviews.open("planner", conversation, first.audit_id, "wrong")
    assert number is not None
    assert await runtime.reviews.close(number, by="Priya", note="checked, it is right")
    assert not await runtime.reviews.close(number, by="Priya", note="again")
    assert number not in {review.number for review in await runtime.reviews.listed()}


async def test_reopening_a_complaint_opens_no_review(runtime: Runtime) -> None:
    first = await ask(runtime, "planner", "how many late orders are there?")
    said = await mannerly(runtime, "planner", "that's wrong", first.conversation)
    number = next(r.number for r in await runtime.reviews.listed() if r.audit_id == first.audit_id)
    await runtime.reviews.close(number, by="Priya", note="done")
    reopened = await runtime.reopen(SessionSubject("planner"), first.conversation, 1)
    assert (reopened.answer, reopened.verdict) == (said.answer, Verdict.VERIFIED)
    assert first.audit_id not in {review.audit_id for review in await runtime.reviews.listed()}


async def test_stop_lets_go_of_what_was_talked_about(runtime: Runtime, truth: Truth) -> None:
    number = truth.one(OPEN_ORDER)["number"]
    first = await ask(runtime, "rep.us", f"where is {number}?")
    assert (await mannerly(runtime, "rep.us", "stop", first.conversation)).kind == "manners_stop"
    after = await mannerly(runtime, "rep.us", "how do you know?", first.conversation)
    assert number not in after.answer


async def test_the_command_lists_reviews_and_closes_one(
    runtime: Runtime, truth: Truth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @asynccontextmanager
    async def opened(*_: object, **__: object) -> AsyncGenerator[Runtime]:
        yield runtime

    monkeypatch.setattr(reviews, "open_runtime", opened)
    row = truth.one(OPEN_ORDER)
    first = await ask(runtime, "rep.us", f"order status {row['number']}")
    await mannerly(runtime, "rep.us", "that's wrong", first.conversation)
    number = next(r.number for r in await runtime.reviews.listed() if r.audit_id == first.audit_id)
    parser = argparse.ArgumentParser()
    reviews.COMMAND.arguments(parser)
    assert await reviews.COMMAND.run(parser.parse_args([])) == 0
    told = capsys.readouterr().out
    assert f"review {number}, " in told
    assert "sales_order" in told
    assert "backed" in told
    assert row["customer"] not in told
    assert await reviews.COMMAND.run(parser.parse_args(["--json"])) == 0
    assert first.audit_id in {each["audit_id"] for each in json.loads(capsys.readouterr().out)}
    closing = parser.parse_args(["close", str(number), "--by", "Priya", "--note", "it is right"])
    assert await reviews.COMMAND.run(closing) == 0
    with pytest.raises(reviews.UnknownReviewError):
        await reviews.COMMAND.run(closing)


async def test_who_may_do_what_with_reviews(runtime: Runtime) -> None:
    refused = {
        Role.APP: "select 1 from state.review",
        Role.AUDIT_WRITER: "select 1 from state.review",
        Role.AUDITOR: "update state.review set note = 'x'",
        Role.STATE: "update state.review set words = 'x'",
        Role.WORKER: "select 1 from state.review",
    }
    for role, statement in refused.items():
        with pytest.raises(DatabaseError) as caught:
            async with runtime.database.connection(role) as connection:
                await connection.execute(statement)
        assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege), role


async def test_a_decline_says_how_to_get_to_questions_that_work(runtime: Runtime) -> None:
    declined = await ask(runtime, "rep.us", "what is the meaning of life")
    assert declined.reason is Reason.UNSUPPORTED
    assert any("what can you do" in step for step in declined.next_steps)


async def test_a_manner_is_on_record_like_any_answer(runtime: Runtime) -> None:
    answer = await mannerly(runtime, "rep.us", "thanks!")
    assert answer.audit_id
    assert answer.conversation
