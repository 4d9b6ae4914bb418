"""What is taken from somebody is gone at their next question, on a chat that stays open and through the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import dict_row

from copilot.ask import Asking
from copilot.channels.web.session import SESSION_COOKIE
from copilot.domain.evidence import Evidence
from evals.chat import Chat, Served, served
from tests.company import Company, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO = "rep.us"
GONE: LiteralString = "delete from directory.grant where subject = 'rep.us'"
ENDED: LiteralString = "update directory.grant set valid_to = '2026-11-20T15:00:00Z' where subject = 'rep.us'"
MOVED: LiteralString = (
    "update directory.grant set regions = array[(select id from biz.region where code = 'DE')] where subject = 'rep.us'"
)
OTHER_ROLE: LiteralString = "update directory.grant set role = 'warehouse' where subject = 'rep.us'"
NO_ROLE: LiteralString = "update directory.grant set role = 'auditor' where subject = 'rep.us'"
DISABLED: LiteralString = "update directory.person set disabled = true where subject = 'rep.us'"
REMOVED: LiteralString = "delete from directory.person where subject = 'rep.us'"


@dataclass(frozen=True, slots=True)
class Open:
    """A chat that is open, the same person's session for the API, and the superuser."""

    chat: Chat
    front: Served
    cookie: str
    admin: psycopg.Connection[dict[str, Any]]
    order: str

    async def api(self, text: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.front.address, timeout=30) as browser:
            browser.cookies.set(SESSION_COOKIE, self.cookie)
            return await browser.post("/api/v1/ask", json={"question": text})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(company: Company, database: str, home: Path) -> AsyncGenerator[Open]:
    async with running(company, database, home) as runtime, served(runtime) as front, front.chat(WHO) as chat:
        with psycopg.connect(company.dsn(database), autocommit=True, row_factory=dict_row) as admin:
            row = admin.execute(
                "select o.number from biz.sales_order o join biz.sales_order_amount a on a.order_id = o.id"
                " where o.label_region = (select id from biz.region where code = 'US') order by o.id limit 1"
            ).fetchone()
            assert row is not None
            yield Open(chat, front, await front.cookie(WHO), admin, row["number"])


@pytest.fixture(autouse=True)
def given_back(opened: Open) -> Generator[None]:
    """The directory as it was, after each test."""
    person = opened.admin.execute("select * from directory.person where subject = %s", (WHO,)).fetchone()
    grants = opened.admin.execute("select * from directory.grant where subject = %s", (WHO,)).fetchall()
    assert person is not None
    yield
    opened.admin.execute("delete from directory.person where subject = %s", (WHO,))
    opened.admin.execute(
        "insert into directory.person (subject, name, home_region, demo)"
        " values (%(subject)s, %(name)s, %(home_region)s, %(demo)s)",
        person,
    )
    for grant in grants:
        opened.admin.execute(
            "insert into directory.grant (subject, role, regions, sites, channels, accounts, valid_from)"
            " values (%(subject)s, %(role)s, %(regions)s, %(sites)s, %(channels)s, %(accounts)s, %(valid_from)s)",
            grant,
        )


@pytest.mark.parametrize("taken", [GONE, ENDED, NO_ROLE])
async def test_without_a_grant_nothing_is_read_any_more(opened: Open, taken: LiteralString) -> None:
    status = f"where is {opened.order}?"
    assert opened.order in (await opened.chat.ask(status)).text
    opened.admin.execute(taken)
    said = await opened.chat.ask(status)
    assert opened.order not in said.text
    assert "reads no business records" in said.text
    body = (await opened.api(status)).json()
    assert (body["verdict"], body["reason"]) == ("declined", "no_access")
    assert (body["facts"], body["sources"]) == ([], [])


@pytest.mark.parametrize("taken", [DISABLED, REMOVED])
async def test_a_person_who_is_out_is_told_to_sign_in(opened: Open, taken: LiteralString) -> None:
    status = f"where is {opened.order}?"
    assert opened.order in (await opened.chat.ask(status)).text
    opened.admin.execute(taken)
    said = await opened.chat.ask(status)
    assert said.failed
    assert "[Sign in again](/signin)" in said.text
    assert opened.order not in said.text
    response = await opened.api(status)
    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")


async def test_a_grant_moved_elsewhere_hides_what_it_showed(opened: Open) -> None:
    status = f"where is {opened.order}?"
    assert "Order" in (await opened.chat.ask(status)).text
    opened.admin.execute(MOVED)
    hidden, missing = await opened.api(status), await opened.api("where is SO-99999999?")
    assert (hidden.json()["verdict"], hidden.json()["reason"]) == ("declined", "not_found")
    assert hidden.json()["answer"].replace(opened.order, "…") == missing.json()["answer"].replace("SO-99999999", "…")
    said = await opened.chat.ask(status)
    assert "delivered" not in said.text


async def test_another_role_reads_other_classes_from_the_next_question_on(opened: Open) -> None:
    value = f"value of order {opened.order}"
    assert not (await opened.chat.ask(value)).failed
    assert (await opened.api(value)).json()["verdict"] == "verified"
    opened.admin.execute(OTHER_ROLE)
    assert (await opened.api(value)).json()["verdict"] == "declined"
    assert "USD" not in (await opened.chat.ask(value)).text
    assert opened.order in (await opened.chat.ask(f"where is {opened.order}?")).text


async def test_a_follow_up_shows_nothing_of_what_was_asked_before(opened: Open) -> None:
    """What the conversation is about is kept by reference, and read again under what is granted now."""
    await opened.chat.ask(f"where is {opened.order}?")
    opened.admin.execute(MOVED)
    said = await opened.chat.ask("and its value?")
    assert opened.order not in said.text
    assert "USD" not in said.text


@pytest.mark.parametrize("taken", [GONE, DISABLED, MOVED])
async def test_an_answer_under_way_keeps_to_the_grants_that_it_began_with(
    opened: Open, monkeypatch: pytest.MonkeyPatch, taken: LiteralString
) -> None:
    """Grants are read once, when a question comes in: what is taken away meanwhile counts from the next one on. The
    audit row says by which grants it was answered."""
    status = f"where is {opened.order}?"
    reading, go_on = asyncio.Event(), asyncio.Event()
    usual = Asking.retrieve

    async def held_up(self: Asking, *given: Any) -> Evidence:
        reading.set()
        await go_on.wait()
        return await usual(self, *given)

    monkeypatch.setattr(Asking, "retrieve", held_up)
    await opened.chat.begin(status)
    await asyncio.wait_for(reading.wait(), 20)
    opened.admin.execute(taken)
    go_on.set()
    under_way = await opened.chat.end()
    assert opened.order in under_way.text
    row = opened.admin.execute("select subject, policy, verdict from audit.entry order by id desc limit 1").fetchone()
    assert row is not None
    assert (row["subject"], row["policy"]["roles"], row["policy"]["outcome"]) == (WHO, ["customer_service"], "allowed")
    after = await opened.chat.ask(status)
    assert "delivered" not in after.text
    assert opened.order not in after.text or "not" in after.text.lower()
