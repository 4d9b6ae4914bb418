"""Who gets which answer, and what an answer rests on: scope, age, conversations, the audit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest

from copilot.domain.answer import Answer, Reason, Verdict
from copilot.domain.question import SessionSubject
from copilot.errors import AuditError, SignInError
from copilot.store.audit_verify import verify
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, moment, plain, sound, truth_of, verified
from tests.company import NOW, Company, ask, running, scratch_folder


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


@asynccontextmanager
async def own_copy(company: Company) -> AsyncGenerator[tuple[Runtime, Truth]]:
    """The copilot over a copy that a test may spoil."""
    with scratch_folder() as folder, company.clone() as name, truth_of(company, name) as truth:
        async with running(company, name, folder / "home") as runtime:
            yield runtime, truth


def lasting(answer: Answer, *echoes: str) -> Mapping[str, Any]:
    """All that an answer says, without ids, time taken and the words echoed."""
    body = answer.to_json() | {"kind": answer.kind}
    text = str(body.pop("answer"))
    for echo in echoes:
        text = text.replace(echo, "…")
    return {k: v for k, v in body.items() if k not in ("conversation", "audit_id", "elapsed_ms")} | {"answer": text}


# --- hidden and missing ------------------------------------------------------------------------------------

OUTSIDE: tuple[tuple[str, str, LiteralString, str, str], ...] = (
    (
        "rep.de",
        "where is {}?",
        "select number from biz.sales_order where label_region = 3 order by id desc",
        "sales_order",
        "SO-99999",
    ),
    (
        "rep.de",
        "what is late on {} and why?",
        "select number from biz.sales_order where label_region = 2 order by id desc",
        "sales_order",
        "SO-99999",
    ),
    (
        "rep.us",
        "where is PO {}?",
        "select customer_po from biz.sales_order where label_region = 1 and customer_po is not null order by id desc",
        "sales_order",
        "2026-99999",
    ),
    (
        "rep.us",
        "track {}",
        "select tracking_number from biz.shipment where label_region = 2 and status = 'delivered' order by id desc",
        "shipment",
        "TBX99999999999",
    ),
    (
        "rep.us",
        "open orders of {}",
        "select number from biz.customer where label_region = 1 order by id desc",
        "customer",
        "C-99999",
    ),
    (
        "rep.de",
        "is invoice {} paid?",
        "select number from biz.invoice where label_region = 3 order by id desc",
        "invoice",
        "INV-999999",
    ),
    (
        "rep.us",
        "status of purchase order {}",
        "select number from biz.purchase_order where label_region = 1 order by id desc",
        "purchase_order",
        "PO-99999",
    ),
    (
        "warehouse.sg",
        "where is {}?",
        "select number from biz.sales_order where label_region = 2 and label_site <> 8 order by id desc",
        "sales_order",
        "SO-99999",
    ),
    (
        "planner",
        "is invoice {} paid?",
        "select number from biz.invoice where label_region = 3 order by id desc",
        "invoice",
        "INV-999999",
    ),
    (
        "buyer",
        "open orders of {}",
        "select number from biz.customer where label_region = 3 order by id desc",
        "customer",
        "C-99999",
    ),
)


@pytest.mark.parametrize(("subject", "text", "hidden", "entity", "never"), OUTSIDE)
async def test_a_hidden_record_reads_like_one_that_never_was(
    runtime: Runtime, truth: Truth, subject: str, text: str, hidden: LiteralString, entity: str, never: str
) -> None:
    name = truth.number(hidden)
    first = sound(await ask(runtime, subject, text.format(name)), NOW, Verdict.DECLINED)
    second = sound(await ask(runtime, subject, text.format(never)), NOW, Verdict.DECLINED)
    assert first.reason is Reason.NOT_FOUND
    assert lasting(first, name) == lasting(second, never)
    row = truth.one("select plan, records, claims from audit.entry where audit_id = %(id)s", id=UUID(first.audit_id))
    assert (row["plan"], row["records"], row["claims"]) == (None, [], []), entity


async def test_the_very_same_question_before_and_after_the_record_is_gone(company: Company) -> None:
    async with own_copy(company) as (runtime, truth):
        before: dict[tuple[str, str], Mapping[str, Any]] = {}
        gone: list[tuple[str, str]] = []
        for subject, text, hidden, entity, _ in OUTSIDE:
            name = truth.number(hidden)
            before[subject, text.format(name)] = lasting(await ask(runtime, subject, text.format(name)))
            gone.append((entity, name))
        who = truth.one(
            "select number, name from biz.customer where label_region = 3 and name like 'Acme%%' order by id"
        )
        for subject in ("rep.de", "buyer", "auditor"):
            question = f"open orders for {who['name']}"
            before[subject, question] = lasting(await ask(runtime, subject, question))
        gone.append(("customer", who["number"]))
        for entity, name in gone:
            remove(truth, entity, name)
        for (subject, question), answer in before.items():
            assert lasting(await ask(runtime, subject, question)) == answer, (subject, question)


def remove(truth: Truth, entity: str, name: str) -> None:
    """Remove a record and its names as if it had never been."""
    tables: Mapping[str, tuple[LiteralString, LiteralString]] = {
        "sales_order": (
            "select id from biz.sales_order where %(name)s in (number, customer_po)",
            "delete from biz.sales_order where id = %(id)s",
        ),
        "shipment": (
            "select id from biz.shipment where tracking_number = %(name)s",
            "delete from biz.shipment where id = %(id)s",
        ),
        "customer": (
            "select id from biz.customer where number = %(name)s",
            "delete from biz.customer where id = %(id)s",
        ),
        "invoice": ("select id from biz.invoice where number = %(name)s", "delete from biz.invoice where id = %(id)s"),
        "purchase_order": (
            "select id from biz.purchase_order where number = %(name)s",
            "delete from biz.purchase_order where id = %(id)s",
        ),
    }
    find, delete = tables[entity]
    for row in truth.all(find, name=name):
        truth.change(
            "delete from biz.lookup where entity = %(entity)s and target_id = %(id)s", entity=entity, id=row["id"]
        )
        truth.change(delete, id=row["id"])


CLASSES: tuple[tuple[str, str, str, LiteralString, LiteralString], ...] = (
    (
        "rep.us",
        "buyer",
        "cost of {}",
        "select id, number from biz.item order by id",
        "delete from biz.item_cost where item_id = %(id)s",
    ),
    (
        "planner",
        "finance",
        "value of {}",
        "select id, number from biz.sales_order order by id desc",
        "delete from biz.sales_order_amount where order_id = %(id)s",
    ),
    (
        "planner",
        "buyer",
        "value of purchase order {}",
        "select id, number from biz.purchase_order order by id desc",
        "delete from biz.purchase_order_amount where purchase_order_id = %(id)s",
    ),
    (
        "rep.us",
        "finance",
        "credit of {}",
        "select id, number from biz.customer where label_region = 3 order by id",
        "delete from biz.customer_credit where customer_id = %(id)s",
    ),
    (
        "planner",
        "buyer",
        "terms of {}",
        "select id, number from biz.supplier order by id",
        "delete from biz.supplier_terms where supplier_id = %(id)s",
    ),
    (
        "planner",
        "rep.us",
        "who do I call at {}",
        "select id, number from biz.customer where label_region = 3 order by id",
        "delete from biz.customer_contact where customer_id = %(id)s",
    ),
)


async def test_a_class_not_granted_reads_like_a_field_that_is_not_recorded(company: Company) -> None:
    async with own_copy(company) as (runtime, truth):
        for without, granted, text, find, delete in CLASSES:
            row = truth.one(find)
            question = text.format(row["number"])
            refused = lasting(sound(await ask(runtime, without, question), NOW, Verdict.DECLINED))
            await verified(runtime, granted, question)
            truth.change(delete, id=row["id"])
            assert lasting(await ask(runtime, granted, question)) == refused, question
            assert lasting(await ask(runtime, without, question)) == refused, question
            assert row["number"] in refused["answer"]


async def test_a_part_that_a_role_may_not_see_is_left_out_without_a_word(runtime: Runtime, truth: Truth) -> None:
    """Who signed is an address; the planner's answer does not even say that there is more."""
    row = truth.one(
        """select h.number, r.signed_by from biz.shipment h join biz.shipment_recipient r on r.shipment_id = h.id
            where h.label_region = 3 and h.proof_of_delivery = 'signed' and r.signed_by is not null
            order by h.id desc"""
    )
    seen = await verified(runtime, "rep.us", f"who signed for {row['number']}?")
    hidden = await verified(runtime, "planner", f"who signed for {row['number']}?")
    assert f"signed by {row['signed_by']}" in plain(seen)
    assert row["signed_by"] not in str(hidden.to_json())
    assert {source.entity for source in seen.sources} - {source.entity for source in hidden.sources} == {
        "shipment_recipient"
    }


async def test_a_total_says_whose_records_it_adds_up(runtime: Runtime, truth: Truth) -> None:
    item = truth.one(
        """select i.number from biz.item i join biz.stock s on s.item_id = i.id and s.source_id = 1
            group by i.id having count(distinct s.label_region) = 3 order by i.id"""
    )
    said = {
        subject: plain(await ask(runtime, subject, f"stock of {item['number']}")) for subject in ("planner", "rep.us")
    }
    assert said["planner"].split(":")[1] != said["rep.us"].split(":")[1]
    assert all("in the records you may see" in text.split("\n")[0] for text in said.values())


# --- age ---------------------------------------------------------------------------------------------------


async def test_every_source_says_how_old_it_is(company: Company, database: str, home: Path, truth: Truth) -> None:
    later = NOW + timedelta(minutes=95)
    number = truth.number("select number from biz.sales_order where status = 'confirmed' order by id desc")
    async with running(company, database, home, later) as runtime:
        answer = sound(await ask(runtime, "planner", f"where is {number}?"), later, Verdict.VERIFIED)
        assert {source.age_seconds for source in answer.sources} == {95 * 60}
        body: Any = answer.to_json()
        assert {source["age"] for source in body["sources"]} == {95 * 60}


async def test_what_cannot_be_confirmed_in_time_is_partial_and_says_since_when(company: Company) -> None:
    """Five hours on, without a sync, and the source does not answer."""
    later = NOW + timedelta(hours=5)
    with scratch_folder() as folder, company.clone() as name, truth_of(company, name) as truth:
        truth.change("update core.source set system = 'odoo', settings = '{}'")
        row = truth.one(
            """select o.number, s.time_zone from biz.sales_order o join biz.site s on s.id = o.site_id
                where o.status = 'delivered' and o.label_region = 1 order by o.id desc"""
        )
        async with running(company, name, folder / "home", later) as runtime:
            answer = await ask(runtime, "planner", f"where is {row['number']}?")
            assert (answer.verdict, answer.reason) == (Verdict.PARTIAL, Reason.STALE)
            assert f"Last confirmed on {moment(NOW, row['time_zone'])}" in plain(answer)
            assert f"Order {row['number']} of" in plain(answer)
            item = truth.number("select number from biz.item order by id")
            fresh = await ask(runtime, "planner", f"list price of {item}")
            assert fresh.reason is not Reason.STALE


async def test_a_source_that_answers_confirms_what_is_old(company: Company) -> None:
    """Five hours on the demo company's own systems are asked again: either in time, or the answer says so."""
    later = NOW + timedelta(hours=5)
    with scratch_folder() as folder, company.clone() as name, truth_of(company, name) as truth:
        number = truth.number("select number from biz.sales_order where status = 'delivered' order by id limit 1")
        async with running(company, name, folder / "home", later) as runtime:
            answer = await ask(runtime, "planner", f"where is {number}?")
            if answer.reason is Reason.STALE:
                assert "Last confirmed on" in plain(answer)
            else:
                assert answer.verdict is Verdict.VERIFIED
                assert answer.sources[0].age_seconds == 0


# --- conversations -----------------------------------------------------------------------------------------


@contextmanager
def granted(truth: Truth, subject: str, role: str, region: int | None) -> Generator[None]:
    """Another role for a while."""
    regions = None if region is None else [region]
    before = truth.one("select role, regions from directory.grant where subject = %(subject)s", subject=subject)
    statement: LiteralString = "update directory.grant set role = %(role)s, regions = %(r)s where subject = %(subject)s"
    truth.change(statement, role=role, r=regions, subject=subject)
    try:
        yield
    finally:
        truth.change(statement, role=before["role"], r=before["regions"], subject=subject)


async def test_a_conversation_goes_on_and_is_kept_masked(runtime: Runtime, truth: Truth) -> None:
    number = truth.number(
        "select number from biz.sales_order where label_region = 3 and status = 'delivered' order by id"
    )
    first = await ask(runtime, "rep.us", f"where is {number}? mail jo.doe@buyer.example or call +1 202 555 0143")
    second = await ask(runtime, "rep.us", "open orders for Acme", first.conversation)
    assert second.conversation == first.conversation
    turns = await runtime.turns("rep.us", first.conversation)
    assert [turn.audit_id for turn in turns] == [first.audit_id, second.audit_id]
    assert [turn.position for turn in turns] == [0, 1]
    kept = truth.all("select * from state.turn where conversation_id = %(id)s", id=UUID(first.conversation))
    titles = truth.all("select title from state.conversation where id = %(id)s", id=UUID(first.conversation))
    rows = truth.all("select masked_question from audit.entry where audit_id = %(id)s", id=UUID(first.audit_id))
    for held in (str(kept), str(titles), str(rows)):
        assert "jo.doe" not in held
        assert "202 555 0143" not in held
    assert "<EMAIL_1>" in kept[0]["question"]
    customer = truth.number(
        "select name from biz.customer c join biz.sales_order o on o.customer_id = c.id where o.number = %(n)s",
        n=number,
    )
    assert customer in plain(first)
    assert customer not in str(kept)


async def test_somebody_elses_conversation_starts_a_new_one(runtime: Runtime, truth: Truth) -> None:
    mine = await ask(runtime, "rep.us", "open orders for Acme")
    for given in (mine.conversation, str(uuid4()), "no-such-id", "' or 1=1"):
        theirs = await ask(runtime, "rep.de", "open orders for Acme", given)
        assert theirs.conversation not in (mine.conversation, given)
    assert await runtime.turns("rep.de", mine.conversation) == ()
    with pytest.raises(SignInError):
        await runtime.reopen(SessionSubject("rep.de"), mine.conversation, 0)
    await runtime.forget("rep.de", mine.conversation)
    assert len(await runtime.turns("rep.us", mine.conversation)) == 1
    await runtime.forget("rep.us", mine.conversation)
    assert await runtime.turns("rep.us", mine.conversation) == ()


async def test_reopened_it_is_answered_under_todays_scope(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        "select id, number from biz.sales_order where label_region = 3 and status = 'delivered' order by id desc"
    )
    first = await verified(runtime, "rep.us", f"value of {row['number']}")
    again = sound(await runtime.reopen(SessionSubject("rep.us"), first.conversation, 0), NOW)
    assert lasting(again) == lasting(first)
    assert again.audit_id != first.audit_id
    with granted(truth, "rep.us", "customer_service", 1):  # moved to another region
        moved = sound(await runtime.reopen(SessionSubject("rep.us"), first.conversation, 0), NOW, Verdict.DECLINED)
    with granted(truth, "rep.us", "planner", None):  # sees the order, not its prices
        planner = sound(await runtime.reopen(SessionSubject("rep.us"), first.conversation, 0), NOW, Verdict.DECLINED)
    with granted(truth, "rep.us", "auditor", None):
        nothing = await runtime.reopen(SessionSubject("rep.us"), first.conversation, 0)
    assert (moved.reason, planner.reason, nothing.reason) == (Reason.NOT_FOUND, Reason.NOT_FOUND, Reason.NO_ACCESS)
    for refused in (moved, planner, nothing):
        assert not refused.facts
        assert not refused.sources
        assert first.facts[1].text not in plain(refused)
    assert lasting(await runtime.reopen(SessionSubject("rep.us"), first.conversation, 0)) == lasting(first)


async def test_a_person_shut_out_gets_nothing(runtime: Runtime, truth: Truth) -> None:
    first = await ask(runtime, "finance", "open orders for Acme")
    truth.change("update directory.person set disabled = true where subject = 'finance'")
    try:
        with pytest.raises(SignInError):
            await ask(runtime, "finance", "open orders for Acme")
        with pytest.raises(SignInError):
            await runtime.reopen(SessionSubject("finance"), first.conversation, 0)
    finally:
        truth.change("update directory.person set disabled = false where subject = 'finance'")
    with pytest.raises(SignInError):
        await ask(runtime, "nobody", "open orders for Acme")


# --- the audit ---------------------------------------------------------------------------------------------


async def test_no_audit_no_answer(runtime: Runtime, truth: Truth) -> None:
    number = truth.number("select number from biz.sales_order where label_region = 3 order by id desc")
    first = await ask(runtime, "rep.us", f"where is {number}?")
    for fault, mended in (
        (
            "revoke insert on audit.entry from copilot_audit_writer",
            "grant insert on audit.entry to copilot_audit_writer",
        ),
        ("revoke insert on audit.blob from copilot_audit_writer", "grant insert on audit.blob to copilot_audit_writer"),
        ("alter table audit.entry rename to gone", "alter table audit.gone rename to entry"),
    ):
        rows = truth.number("select count(*) from audit.entry")
        truth.change(fault)
        try:
            with pytest.raises(AuditError):
                await ask(runtime, "rep.us", f"where is {number}?", first.conversation)
            with pytest.raises(AuditError):
                await runtime.reopen(SessionSubject("rep.us"), first.conversation, 0)
        finally:
            truth.change(mended)
        assert truth.number("select count(*) from audit.entry") == rows
        assert len(await runtime.turns("rep.us", first.conversation)) == 1
    await verified(runtime, "rep.us", f"where is {number}?")


async def test_the_audit_row_is_there_when_the_answer_is(runtime: Runtime, truth: Truth) -> None:
    number = truth.number("select number from biz.sales_order where label_region = 3 order by id desc")
    answer = await verified(runtime, "rep.us", f"where is {number}?")
    row = truth.one("select * from audit.entry where audit_id = %(id)s", id=UUID(answer.audit_id))
    assert (row["subject"], row["channel"], row["verdict"], row["kind"]) == (
        "rep.us",
        "cli",
        "verified",
        "order_status",
    )
    assert [product["regions"] for product in row["policy"]["scope"]] == [[3]]
    assert {record["entity"] for record in row["records"]} >= {"sales_order", "customer"}
    customer = truth.number(
        "select name from biz.customer c join biz.sales_order o on o.customer_id = c.id where o.number = %(n)s",
        n=number,
    )
    assert customer in plain(answer)
    assert customer not in str(row)


async def test_the_audit_of_all_this_holds(runtime: Runtime) -> None:
    report = await verify(runtime.database, runtime.settings.home)
    assert report.ok, report.findings
    assert report.rows >= 30
