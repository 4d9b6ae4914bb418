"""What is kept of a question is masked with what the records know, and its owner sees what today's scope shows."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from copilot.domain.question import SessionSubject
from copilot.errors import NoAccessError
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, truth_of
from tests.company import Company, ask, running, scratch_folder

TITLE = 120


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


@pytest.fixture(scope="module")
def contact(truth: Truth) -> Mapping[str, Any]:
    """A contact of a customer in the region US, whose name is of two plain words and nobody else's elsewhere."""
    return truth.one("""
        select k.id, k.name, k.email, k.phone, c.name as company, c.number, split_part(k.name, ' ', 1) as first,
               split_part(k.name, ' ', 2) as last
          from biz.customer_contact k join biz.customer c on c.id = k.customer_id
          join biz.region r on r.id = k.label_region
         where r.code = 'US' and k.name ~ '^[A-Za-z]+ [A-Za-z]+$' and c.kind = 'business'
           and c.name !~ split_part(k.name, ' ', 2)
           and not exists (select 1 from biz.customer_contact o where o.name = k.name and o.label_region <> r.id)
           and not exists (select 1 from biz.supplier_contact o where o.name = k.name)
         order by k.id""")


def held(truth: Truth, conversation: str) -> str:
    """All that is kept of a conversation in the clear, and of its questions in the audit."""
    ident = UUID(conversation)
    rows = [
        *truth.all("select title from state.conversation where id = %(id)s", id=ident),
        *truth.all("select question, plan::text from state.turn where conversation_id = %(id)s", id=ident),
        *truth.all("select to_jsonb(e)::text from audit.entry e where conversation = %(id)s", id=ident),
    ]
    return str(rows)


async def test_no_name_or_address_of_the_records_is_kept_in_the_clear(
    runtime: Runtime, truth: Truth, contact: Mapping[str, Any]
) -> None:
    forms = (
        contact["name"], f"{contact['last']}, {contact['first']}", f"{contact['first'][0]}. {contact['last'].upper()}",
        contact["email"], contact["phone"], contact["phone"].replace(" ", ""), contact["company"],
    )  # fmt: skip
    conversation: str | None = None
    for form in forms:
        answer = await ask(runtime, "rep.us", f"open orders of {form}", conversation)
        conversation = answer.conversation
        kept = held(truth, conversation)
        assert form not in kept, kept[max(0, kept.find(form) - 300) : kept.find(form) + 60]
        assert contact["last"] not in kept
    turns = await runtime.turns("rep.us", conversation or "")
    assert [turn.question for turn in turns] == [f"open orders of {form}" for form in forms]
    (view,) = [each for each in await runtime.conversations("rep.us") if each.id == conversation]
    assert view.title == f"open orders of {forms[0]}"[:TITLE]


async def test_the_same_words_have_one_token_in_a_conversation_and_numbers_of_ours_none(
    runtime: Runtime, truth: Truth, contact: Mapping[str, Any]
) -> None:
    number = truth.number("select number from biz.sales_order order by id")
    first = await ask(runtime, "rep.us", f"where is {number} for {contact['name']}?")
    await ask(runtime, "rep.us", f"{contact['name']} asked about {number}", first.conversation)
    await ask(runtime, "rep.us", "and who is <PERSON_1>?", first.conversation)
    kept = truth.all(
        "select question from state.turn where conversation_id = %(id)s order by position", id=UUID(first.conversation)
    )
    assert [row["question"] for row in kept] == [
        f"where is {number} for <PERSON_1>?", f"<PERSON_1> asked about {number}", "and who is <TEXT_1>?",
    ]  # fmt: skip
    assert (await runtime.turns("rep.us", first.conversation))[2].question == "and who is <PERSON_1>?"


async def test_a_choice_that_names_a_customer_can_still_be_taken(runtime: Runtime, truth: Truth) -> None:
    word = truth.number("""
        select split_part(c.name, ' ', 1) as word from biz.customer c join biz.region r on r.id = c.label_region
         where r.code = 'US' and c.kind = 'business' group by 1 having count(distinct c.name) between 2 and 5
         order by 1""")
    asked = await ask(runtime, "rep.us", f"open orders of {word}")
    assert len(asked.choices) > 1
    kept = held(truth, asked.conversation)
    assert "<ACCOUNT_1>" in kept
    taken = await ask(runtime, "rep.us", "the second", asked.conversation)
    again = await ask(runtime, "rep.us", asked.choices[1].question)
    assert (taken.kind, taken.answer) == (again.kind, again.answer)


async def test_a_token_is_no_right_to_its_value(company: Company, contact: Mapping[str, Any]) -> None:
    """Who sees the region no more sees only the token of what they once typed, and nobody else sees even that."""
    with scratch_folder() as folder, company.clone() as name, truth_of(company, name) as truth:
        async with running(company, name, folder / "home") as runtime:
            first = await ask(runtime, "rep.us", f"mail of {contact['name']}, iban DE89370400440532013000")
            shown = (await runtime.turns("rep.us", first.conversation))[0].question
            assert contact["name"] in shown
            truth.change("update directory.grant set regions = '{1}' where subject = 'rep.us'")
            shown = (await runtime.turns("rep.us", first.conversation))[0].question
            assert shown.startswith("mail of <PERSON_1>, iban ")
            assert contact["name"] not in str(await runtime.conversations("rep.us"))
            truth.change(
                "update directory.grant set regions = null, role = 'operations_manager' where subject = 'rep.us'"
            )
            shown = (await runtime.turns("rep.us", first.conversation))[0].question
            assert shown.startswith("mail of <PERSON_1>, iban ")
            assert await runtime.turns("rep.de", first.conversation) == ()


async def test_what_a_sync_brings_is_masked_soon(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copilot.masking.company._LOOKED_EVERY_S", 0.0)
    with scratch_folder() as folder, company.clone() as name, truth_of(company, name) as truth:
        async with running(company, name, folder / "home") as runtime:
            answer = await ask(runtime, "rep.us", "orders of Zyxwina Quorble")
            assert "Quorble" in held(truth, answer.conversation)
            truth.change("update biz.customer_contact set name = 'Zyxwina Quorble' where id = 5")
            truth.change(
                "insert into core.batch (source_id, started_at, finished_at, outcome) select id, now(), now(), 'merged'"
                " from core.source limit 1"
            )
            answer = await ask(runtime, "rep.us", "orders of Quorble, Zyxwina")
            assert "Quorble" not in held(truth, answer.conversation)


async def test_forgetting_a_conversation_forgets_its_values(
    runtime: Runtime, truth: Truth, contact: Mapping[str, Any]
) -> None:
    answer = await ask(runtime, "rep.us", f"orders of {contact['name']}")
    stored = "select count(*) as n from state.vault where conversation_id = %(id)s"
    assert truth.number(stored, id=UUID(answer.conversation)) == 1
    await runtime.forget("rep.us", answer.conversation)
    assert truth.number(stored, id=UUID(answer.conversation)) == 0


async def test_a_comment_keeps_nothing_personal(runtime: Runtime, truth: Truth, contact: Mapping[str, Any]) -> None:
    answer = await ask(runtime, "rep.us", "open orders")
    await runtime.rate("rep.us", answer.audit_id, helpful=False, comment=f"{contact['name']} says it is wrong")
    row = truth.one("select comment from state.feedback where audit_id = %(id)s", id=UUID(answer.audit_id))
    assert row["comment"] == "<PERSON> says it is wrong"


async def test_a_contact_may_be_named_in_no_log(
    runtime: Runtime, contact: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    import logging

    from copilot.masking.logs import masked_logs

    await runtime.know_values()
    with masked_logs(lambda: runtime.asking.pseudonyms.company.latest):
        logging.getLogger("elsewhere").warning("no mail for %s", contact["email"])
    assert "no mail for <EMAIL>" in caplog.text


async def test_only_administrators_try_what_is_masked(runtime: Runtime, contact: Mapping[str, Any]) -> None:
    for subject in ("rep.us", "planner", "auditor"):
        with pytest.raises(NoAccessError):
            await runtime.try_redaction(SessionSubject(subject), contact["name"], "logs")
    trial = await runtime.try_redaction(SessionSubject("admin"), f"ask {contact['name']}", "logs")
    assert trial.masked == "ask <PERSON_1>"
    assert trial.pieces[0].why.startswith("known: name of a customer contact")


def test_the_vault_of_a_data_folder_has_keys_of_its_own(runtime: Runtime) -> None:
    keys = Path(runtime.settings.home) / "keys" / "vault"
    assert [file.stat().st_mode & 0o777 for file in keys.glob("*.key")] == [0o600]
    assert replace(runtime.settings).home == runtime.settings.home
