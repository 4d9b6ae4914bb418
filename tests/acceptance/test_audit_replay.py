"""`erp-copilot audit replay`: answers of every kind come about again byte for byte, for who may read them now."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import pytest

from copilot.channels.commands import audit
from copilot.channels.commands.ask import plain
from copilot.channels.commands.erase import erasing_with
from copilot.domain.answer import Answer, Verdict
from copilot.domain.question import SessionSubject
from copilot.errors import SettingsError, UnknownAnswerError
from copilot.replay.replayed import Replayed
from copilot.wiring import Runtime
from copilot.wiring.people import add_person
from copilot.wiring.replaying import replay
from tests.acceptance.oracle import Truth, truth_of
from tests.company import Company, ask

ORDER: LiteralString = (
    "select o.id, o.number from biz.sales_order o join biz.region r on r.id = o.label_region"
    " where r.code = 'US' and o.status = 'confirmed' order by o.id limit 1"
)
CUSTOMER: LiteralString = (
    "select c.name from biz.customer c join biz.region r on r.id = c.label_region"
    " where r.code = 'US' order by c.id limit 1"
)


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


async def replayed(runtime: Runtime, subject: str, answer: Answer) -> Replayed:
    """The answer again, for somebody."""
    return await replay(runtime, SessionSubject(subject), answer.audit_id)


QUESTIONS = (
    ("open orders", Verdict.VERIFIED),
    ("what is at risk this week", Verdict.VERIFIED),
    ("top 5 customers by order value", Verdict.VERIFIED),
    ("how many late orders are there", Verdict.VERIFIED),
    ("how many late orders are there from Narnia", Verdict.DECLINED),
    ("where is SO-999999", Verdict.DECLINED),
    ("hello", Verdict.VERIFIED),
    ("what can you do", Verdict.VERIFIED),
    ("blorp", Verdict.DECLINED),
    ("how many open orders are there and what are the overdue invoices?", Verdict.VERIFIED),
)


@pytest.mark.parametrize(("text", "verdict"), QUESTIONS)
async def test_an_answer_comes_about_again_byte_for_byte(runtime: Runtime, text: str, verdict: Verdict) -> None:
    answer = await ask(runtime, "rep.us", text)
    assert answer.verdict is verdict, answer.answer
    found = await replayed(runtime, "rep.us", answer)
    assert (found.identical, found.values, found.findings) == (True, "shown", ()), (found.broke, found.differences)
    assert found.answer == answer.to_json() | {"elapsed_ms": found.answer and found.answer["elapsed_ms"]}
    assert found.since is not None
    assert (found.since.records, found.since.policy, found.since.templates) == ((), None, {})


async def test_what_stood_behind_a_class_that_was_refused_is_replayed_too(runtime: Runtime, truth: Truth) -> None:
    name = truth.one(CUSTOMER)["name"]
    answer = await ask(runtime, "rep.us", f"how much credit has {name} got left")
    assert answer.verdict is Verdict.DECLINED
    assert (await replayed(runtime, "rep.us", answer)).identical is True


async def test_explanations_of_the_last_answer_come_about_again(runtime: Runtime, truth: Truth) -> None:
    number = truth.one(ORDER)["number"]
    before = await ask(runtime, "rep.us", f"where is {number}")
    assert before.verdict is Verdict.VERIFIED
    for text in ("why", "how do you know", "how old is this", "what did you understand", "that's wrong", "thanks"):
        answer = await ask(runtime, "rep.us", text, before.conversation)
        assert (await replayed(runtime, "rep.us", answer)).identical is True, text


async def test_who_did_not_ask_learns_as_much_as_of_an_answer_that_there_never_was(runtime: Runtime) -> None:
    answer = await ask(runtime, "rep.us", "open orders")
    told: list[str] = []
    for audit_id in (answer.audit_id, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(UnknownAnswerError) as refused:
            await replay(runtime, SessionSubject("planner"), audit_id)
        told.append(str(refused.value).replace(audit_id, "ID"))
    assert told[0] == told[1]
    with pytest.raises(SettingsError, match="is no id of an answer"):
        await replay(runtime, SessionSubject("rep.us"), "12")


async def test_an_auditor_proves_it_and_sees_no_value(runtime: Runtime, truth: Truth) -> None:
    number = truth.one(ORDER)["number"]
    answer = await ask(runtime, "rep.us", f"where is {number}")
    found = await replayed(runtime, "auditor", answer)
    assert (found.identical, found.values) == (True, "hidden")
    told = json.dumps(found.to_json())
    assert found.since is not None
    assert found.since.records is None
    values = [fact.text for fact in answer.facts if len(fact.text) > 3 and fact.text != number]  # which was asked for
    assert values
    assert not [text for text in (answer.answer, *values) if text in told]


async def test_it_tells_which_records_are_others_now(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(ORDER)
    answer = await ask(runtime, "rep.us", f"where is {row['number']}")
    before = truth.one("select promised_date from biz.sales_order where id = %(id)s", id=row["id"])
    truth.change("update biz.sales_order set promised_date = '2031-02-03' where id = %(id)s", id=row["id"])
    try:
        found = await replayed(runtime, "rep.us", answer)
    finally:
        truth.change("update biz.sales_order set promised_date = %(d)s where id = %(id)s",
                     id=row["id"], d=before["promised_date"])  # fmt: skip
    assert found.identical is True
    assert found.since is not None
    assert found.since.records is not None
    fields = [each for record in found.since.records if record.entity == "sales_order" for each in record.fields]
    assert [each.now for each in fields] == ["3 Feb 2031"]


async def test_who_may_not_read_all_of_it_any_more_is_shown_nothing(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(ORDER)
    order = await ask(runtime, "rep.us", f"where is {row['number']}")
    figure = await ask(runtime, "rep.us", "how many late orders are there")
    region = truth.one("select label_region from biz.sales_order where id = %(id)s", id=row["id"])["label_region"]
    truth.change("update biz.sales_order set label_region = 0 - id where id = %(id)s", id=row["id"])
    try:
        moved = await replayed(runtime, "rep.us", order)
    finally:
        truth.change("update biz.sales_order set label_region = %(r)s where id = %(id)s", id=row["id"], r=region)
    assert (moved.values, moved.identical, moved.answer, moved.since) == ("hidden", None, None, None)
    grants = truth.all("select id, regions from directory.grant where subject = 'rep.us'")
    truth.change("update directory.grant set regions = array[(select id from biz.region where code = 'DE')]"
                 " where subject = 'rep.us'")  # fmt: skip
    try:
        for answer in (order, figure):
            found = await replayed(runtime, "rep.us", answer)
            assert (found.values, found.identical, found.answer, found.findings) == ("hidden", None, None, ())
            assert answer.answer not in json.dumps(found.to_json(), ensure_ascii=False)
    finally:
        for grant in grants:
            truth.change("update directory.grant set regions = %(r)s where id = %(id)s",
                         r=grant["regions"], id=grant["id"])  # fmt: skip
    assert (await replayed(runtime, "rep.us", figure)).values == "shown"


@pytest.mark.parametrize("kind", ["making", "answer"])
async def test_a_sealed_value_that_was_altered_is_found(runtime: Runtime, truth: Truth, kind: str) -> None:
    answer = await ask(runtime, "rep.us", "how many late orders are there")
    values = {"kind": kind, "audit_id": answer.audit_id}
    with truth.connection.transaction():
        truth.connection.execute("set local session_replication_role = replica")
        truth.connection.execute(
            "update audit.blob b set ciphertext = b.ciphertext || 'x' from audit.entry e where e.id = b.entry_id"
            " and b.kind = %(kind)s and e.audit_id = %(audit_id)s", values,
        )  # fmt: skip
    found = await replayed(runtime, "rep.us", answer)
    assert (found.values, found.identical, found.ok) == ("damaged", None, False)
    assert f"the sealed {kind}" in found.findings[0]


async def test_a_row_that_was_altered_is_found(runtime: Runtime, truth: Truth) -> None:
    answer = await ask(runtime, "rep.us", "how many late orders are there")
    with truth.connection.transaction():
        truth.connection.execute("set local session_replication_role = replica")
        truth.connection.execute(
            "update audit.entry set verdict = 'partial' where audit_id = %(id)s", {"id": answer.audit_id}
        )
    found = await replayed(runtime, "rep.us", answer)
    assert not found.ok
    assert "is not what was written" in found.findings[0]
    assert [each.what for each in found.broke] == ["the row's verdict"]


async def test_after_an_erasure_the_digests_are_proved_and_it_says_when(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await add_person(runtime, "rosa", "Rosa Quill", "planner")
    answer = await ask(runtime, "rosa", "how many late orders are there")
    assert (await replayed(runtime, "auditor", answer)).identical is True
    await erasing_with(runtime).erase("rosa")
    found = await replayed(runtime, "auditor", answer)
    assert (found.values, found.identical, found.answer, found.ok) == ("erased", None, None, True)
    assert (found.findings, found.sealed) == ((), 3)
    assert found.erased_at is not None
    told = await run(runtime, monkeypatch, capsys, "replay", answer.audit_id, "--as", "auditor")
    assert f"erased on {found.erased_at}" in told
    assert "3 sealed values as written" in told


async def run(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> str:
    """What the command prints."""

    @asynccontextmanager
    async def open_it(*_: Any, **__: Any) -> AsyncGenerator[Runtime]:
        yield runtime

    monkeypatch.setattr(audit, "open_runtime", open_it)
    parser = argparse.ArgumentParser()
    audit.COMMAND.arguments(parser)
    capsys.readouterr()
    assert await audit.COMMAND.run(parser.parse_args(arguments)) == 0
    return capsys.readouterr().out


async def test_the_command(
    runtime: Runtime, truth: Truth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await ask(runtime, "rep.us", f"where is {truth.one(ORDER)['number']}")
    told = await run(runtime, monkeypatch, capsys, "replay", answer.audit_id, "--as", "rep.us")
    assert "replay    identical" in told
    assert "nothing that it stands on has changed" in told
    assert plain(answer.answer) in told
    hidden = await run(runtime, monkeypatch, capsys, "replay", answer.audit_id, "--as", "auditor")
    assert "no value is shown" in hidden
    assert plain(answer.answer) not in hidden
    whole = json.loads(await run(runtime, monkeypatch, capsys, "replay", answer.audit_id, "--as", "rep.us", "--json"))
    assert (whole["identical"], whole["answer"]["answer"]) == (True, answer.answer)
