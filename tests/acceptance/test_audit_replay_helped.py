"""Answers in which a model had a part come about again without it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from copilot.domain.answer import Answer, Verdict
from copilot.domain.question import SessionSubject
from copilot.errors import ModelError
from copilot.models.saying import Request, Said
from copilot.wiring import Runtime
from copilot.wiring.replaying import replay
from tests.acceptance.helped import asked
from tests.acceptance.oracle import Truth, truth_of
from tests.acceptance.test_ask_arranged import LATE, SUPPLIER, claims_of, say, told_of
from tests.acceptance.test_ask_helped import READ, SLIPPED, with_readings
from tests.company import Company


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


async def same_again(runtime: Runtime, subject: str, answer: Answer) -> None:
    """The answer comes about again, whole."""
    found = await replay(runtime, SessionSubject(subject), answer.audit_id)
    assert (found.identical, found.values, found.findings) == (True, "shown", ()), (found.broke, found.differences)
    assert found.answer is not None
    assert found.answer["answer"] == answer.answer
    assert (found.answer["engine"], found.answer["fallback"]) == (answer.engine, answer.fallback)


async def test_a_draft_that_a_model_put_in_order(runtime: Runtime) -> None:
    answer, _ = await asked(runtime, "draft", "buyer", SUPPLIER, lambda r: say(*reversed(claims_of(r))))
    assert answer.engine == "model"
    await same_again(runtime, "buyer", answer)


async def test_values_that_a_model_stressed_behind_its_connectives(runtime: Runtime) -> None:
    def script(request: Request) -> Said:
        first, second, third, *rest = claims_of(request)
        ref = f"{third['records']['delay']}.promised_date"
        return say(first, {"connective": "also"}, {**third, "stress": ref}, second, *rest)

    answer, _ = await asked(runtime, "draft", "rep.us", LATE, script)
    assert "past the promised **" in answer.answer
    await same_again(runtime, "rep.us", answer)


async def test_words_that_a_model_quoted(runtime: Runtime, truth: Truth) -> None:
    note = truth.one(
        "select c.name, n.body from biz.customer_note n join biz.customer c on c.id = n.customer_id "
        "where length(n.body) > 30 and c.name ~ '(Inc|LLC|Corp)[.]?$' order by n.id limit 1"
    )

    words = " ".join(note["body"].split())

    def script(request: Request) -> Said:
        notes = [each["id"] for each in told_of(request)["evidence"] if each["entity"] == "customer_note"]
        return say(*claims_of(request), *({"quote": f"{note}.body", "words": words} for note in notes))

    answer, _ = await asked(runtime, "draft", "rep.us", f"notes on {note['name']}", script)
    assert [fact.text for fact in answer.facts if fact.quoted] == [words]
    await same_again(runtime, "rep.us", answer)


async def test_a_reading_of_a_model_that_was_asked_back(runtime: Runtime) -> None:
    answer, _ = await asked(runtime, "plan", "rep.us", SLIPPED, [READ])
    assert (answer.verdict, len(answer.choices)) == (Verdict.DECLINED, 1)
    await same_again(runtime, "rep.us", answer)


async def test_a_reading_of_a_model_that_was_told(runtime: Runtime) -> None:
    answer = await with_readings(runtime, "told", READ)
    assert "I read **slipslided** as" in answer.answer
    await same_again(runtime, "rep.us", answer)


async def test_what_the_rules_answered_when_a_model_was_down(runtime: Runtime) -> None:
    answer, _ = await asked(runtime, "draft", "rep.us", LATE, [ModelError("down")])
    assert answer.fallback == "failed"
    await same_again(runtime, "rep.us", answer)
