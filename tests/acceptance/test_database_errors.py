"""Whatever PostgreSQL says, nobody is told: errors are provoked in a real one and looked for in API and chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from copilot.channels.web.session import SESSION_COOKIE
from copilot.wiring import Runtime
from evals.chat import Chat, Said, Served, served
from tests.company import Company, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "what only the server says"
NEVER = (
    SECRET,
    "postgres",
    "psycopg",
    "copilot_app",
    "biz.",
    "audit.",
    "state.",
    "select ",
    "Traceback",
    "line 1",
    "sqlstate",
)
CODES = (
    "57014", "57P01", "08006", "53100", "53200", "53300", "42501", "42P01", "22003", "22021", "22P05", "40001", "40P01",
    "25006", "XX000", "XX001", "P0001",
)  # fmt: skip
READING: LiteralString = "alter policy scope on biz.lookup using (core.fault())"
WRITING: LiteralString = (
    "create trigger fault before insert on {} for each statement execute function core.fault_at_writing()"
)
AUDIT, TURNS = WRITING.replace("{}", "audit.entry"), WRITING.replace("{}", "state.turn")
FUNCTION: LiteralString = (
    "create or replace function core.{name}() returns {kind} language plpgsql as"
    " $$begin raise exception '{words}' using errcode = '{code}', detail = '{words}', hint = '{words}'; end$$"
)
QUESTION = "where is SO-10482?"


@dataclass(frozen=True, slots=True)
class Window:
    """Both ways in, and the superuser who breaks things."""

    front: Served
    chat: Chat
    cookie: str
    runtime: Runtime
    dsn: str

    async def api(self, text: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.front.address, timeout=30) as browser:
            browser.cookies.set(SESSION_COOKIE, self.cookie)
            return await browser.post("/api/v1/ask", json={"question": text})

    def admin(self, *statements: LiteralString | sql.Composed) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(company: Company, database: str, home: Path) -> AsyncGenerator[Window]:
    async with running(company, database, home) as runtime, served(runtime) as front, front.chat("rep.us") as chat:
        made = Window(front, chat, await front.cookie("rep.us"), runtime, company.dsn(database))
        assert (await made.api(QUESTION)).status_code == 200
        yield made


@pytest.fixture
def condition(window: Window) -> Generator[str]:
    """The condition that guards the names, put back afterwards."""
    with psycopg.connect(window.dsn) as admin:
        row = admin.execute(
            "select pg_get_expr(polqual, polrelid) from pg_policy where polrelid = 'biz.lookup'::regclass"
            " and polname = 'scope'"
        ).fetchone()
    assert row is not None
    yield row[0]
    window.admin(sql.SQL("alter policy scope on biz.lookup using ({})").format(sql.SQL(row[0])))


def faulty(code: str) -> list[sql.Composed]:
    """Functions that fail with a code, as a condition and as a trigger."""
    kinds = {"fault": "boolean", "fault_at_writing": "trigger"}
    return [
        sql.SQL(
            FUNCTION.replace("{name}", name).replace("{kind}", kind).replace("{words}", SECRET).replace("{code}", code)
        )
        + sql.SQL("")
        for name, kind in kinds.items()
    ]


def says_nothing(text: str) -> None:
    told = [words for words in NEVER if words.lower() in text.lower()]
    assert told == [], text


def is_refusal(response: httpx.Response, *codes: str) -> None:
    says_nothing(response.text)
    assert response.status_code == 503, response.text
    assert response.json()["code"] in codes


def is_sentence(said: Said) -> None:
    says_nothing(said.text)
    assert said.failed
    assert said.text.endswith((".", ")"))


async def refused_both_ways(window: Window, *codes: str) -> None:
    is_refusal(await window.api(QUESTION), *codes)
    is_sentence(await window.chat.ask(QUESTION))


async def answered(window: Window) -> None:
    assert (await window.api(QUESTION)).status_code == 200
    assert not (await window.chat.ask(QUESTION)).failed


@pytest.mark.parametrize("code", CODES)
async def test_errors_at_reading(window: Window, condition: str, code: str) -> None:
    window.admin(*faulty(code), READING)
    await refused_both_ways(window, "database")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("fault", "table", "said"), [(AUDIT, "audit.entry", "audit"), (TURNS, "state.turn", "database")]
)
async def test_errors_at_writing(
    window: Window, code: str, fault: LiteralString, table: LiteralString, said: str
) -> None:
    window.admin(*faulty(code), fault)
    try:
        await refused_both_ways(window, said, "database")
    finally:
        window.admin(sql.SQL("drop trigger fault on {}").format(sql.SQL(table)))
    await answered(window)


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        ("revoke select on biz.lookup from copilot_app", "grant select on biz.lookup to copilot_app"),
        ("alter table biz.lookup rename column key to other", "alter table biz.lookup rename column other to key"),
        ("alter table biz.lookup rename to gone", "alter table biz.gone rename to lookup"),
        ("revoke select on directory.person from copilot_app", "grant select on directory.person to copilot_app"),
        (
            "revoke insert on audit.entry from copilot_audit_writer",
            "grant insert on audit.entry to copilot_audit_writer",
        ),
        ("revoke usage on schema state from copilot_state", "grant usage on schema state to copilot_state"),
        ("alter role copilot_app connection limit 0", "alter role copilot_app connection limit -1"),
    ],
)
async def test_a_database_in_another_state_than_it_should_be(
    window: Window, break_it: LiteralString, mend_it: LiteralString
) -> None:
    if "connection limit" in break_it:
        killed(window)
    window.admin(break_it)
    if "connection limit" in break_it:
        killed(window)
    try:
        response = await window.api(QUESTION)
        said = await window.chat.ask(QUESTION)
    finally:
        window.admin(mend_it)
    says_nothing(response.text)
    assert response.status_code in (401, 503)
    is_sentence(said)
    await settled(window)
    await answered(window)


def killed(window: Window) -> None:
    """End every connection of the role that answers."""
    window.admin(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where usename = 'copilot_app' and datname = current_database()"
    )


async def settled(window: Window) -> None:
    """Until the pool has connections again."""
    for _ in range(100):
        if (await window.runtime.health()).components["database"] == "ok":
            return
        await asyncio.sleep(0.1)


@contextmanager
def locked(window: Window) -> Generator[None]:
    """Nobody can read the names meanwhile: questions wait in the middle of a statement."""
    with psycopg.connect(window.dsn) as holder:
        holder.execute("lock table biz.lookup in access exclusive mode")
        yield


@asynccontextmanager
async def waiting(window: Window) -> AsyncGenerator[asyncio.Task[httpx.Response]]:
    """A question in each way that waits for the lock."""
    asked = asyncio.create_task(window.api(QUESTION))
    await window.chat.begin(QUESTION)
    with psycopg.connect(window.dsn, autocommit=True) as admin:
        for _ in range(200):
            row = admin.execute(
                "select count(*) from pg_stat_activity where usename = 'copilot_app' and wait_event_type = 'Lock'"
                " and datname = current_database()"
            ).fetchone()
            if row and row[0] == 2:
                break
            await asyncio.sleep(0.05)
        yield asked


@pytest.mark.parametrize("how", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_connections_that_are_killed_in_the_middle_of_a_statement(window: Window, how: str) -> None:
    with locked(window):
        async with waiting(window) as asked:
            window.admin(
                sql.SQL(
                    "select {}(pid) from pg_stat_activity where usename = 'copilot_app' and wait_event_type = 'Lock'"
                    " and datname = current_database()"
                ).format(sql.Identifier(how))
            )
            is_refusal(await asked, "database")
            is_sentence(await window.chat.end())
    await settled(window)
    await answered(window)


async def test_a_statement_that_takes_too_long(window: Window) -> None:
    usual = window.runtime.database._statement_ms
    window.runtime.database._statement_ms = 300
    killed(window)
    await settled(window)
    try:
        with locked(window):
            async with waiting(window) as asked:
                is_refusal(await asked, "database")
                is_sentence(await window.chat.end())
    finally:
        window.runtime.database._statement_ms = usual
        killed(window)
        await settled(window)
    await answered(window)


@pytest.mark.parametrize(
    "text",
    [
        "where is order 99999999999999999999999999999999?",
        "where is SO-99999999999999999999999999999999?",
        "orders over 99999999999999999999999999999999 euros",
        "can I promise 99999999999999999999999999 of BE-22950 by Friday",
        "orders since 31.12.9999999",
        "open orders for \U0001f4a3\U0010ffff",
        "open orders for %s %(x)s {} $1 \\x00 \\u0000",
        "open orders for '; drop table biz.customer; --",
        "first 99999999999999999999 orders",
        "line 9223372036854775808 of SO-10482",
    ],
)
async def test_what_no_column_could_hold_is_answered_or_declined(window: Window, text: str) -> None:
    response = await window.api(text)
    assert response.status_code == 200, response.text
    said = await window.chat.ask(text)
    assert not said.failed, said.text
    assert SECRET not in said.text


@pytest.mark.parametrize("text", ["where is SO-1\x00?", "\x00", "where is \udc80?"])
async def test_what_cannot_be_sent_to_a_database_never_is(window: Window, text: str) -> None:
    if "\udc80" not in text:
        response = await window.api(text)
        assert response.status_code == 422
        says_nothing(response.text)
        is_sentence(await window.chat.ask(text))
        return
    async with httpx.AsyncClient(base_url=window.front.address) as browser:
        browser.cookies.set(SESSION_COOKIE, window.cookie)
        body = '{"question": "where is \\udc80?"}'
        response = await browser.post("/api/v1/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    says_nothing(response.text)
