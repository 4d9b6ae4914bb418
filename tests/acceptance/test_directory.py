"""People, grants, delegations and service accounts: what each sees is exactly what was given, and only while it was."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from copilot.channels.cli import Command
from copilot.channels.commands import delegate, directory, grant, person, policy, service
from copilot.channels.web.app import create_app
from copilot.domain.question import BearerToken, Question, SessionSubject
from copilot.domain.scope import Scope
from copilot.errors import SettingsError, SignInError, TokenRefusedError
from copilot.identity.authenticate import Authenticator
from copilot.policy.policy import scope_for
from copilot.store.roles import Role
from copilot.wiring import Runtime
from tests.company import NOW, Company, ask

DAY = timedelta(days=1)
COMMANDS = {"delegate": delegate, "directory": directory, "grant": grant, "person": person, "service": service}


@pytest.fixture
def opened(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """The runtime that the commands open."""

    @asynccontextmanager
    async def open_it(*_: Any, **__: Any) -> AsyncGenerator[Runtime]:
        yield runtime

    monkeypatch.setattr("copilot.wiring.open_runtime", open_it)
    for module in COMMANDS.values():
        monkeypatch.setattr(module, "open_runtime", open_it)
    return runtime


def options_of(command: Command, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return parser.parse_args(arguments)


async def run(command: str, *arguments: str) -> int:
    module = COMMANDS[command]
    return await module.COMMAND.run(options_of(module.COMMAND, *arguments))


async def sees(runtime: Runtime, subject: str, at: datetime = NOW) -> Scope:
    """What somebody may see at a moment; nothing for one who can't come in."""
    try:
        who = Authenticator(runtime.directory, lambda: at)
        return scope_for(await who(SessionSubject(subject)), await runtime.policy())
    except SignInError:
        return Scope()


async def added(runtime: Runtime, subject: str, *arguments: str) -> Scope:
    """Somebody new, and what they see."""
    assert await run("person", "add", subject, *arguments) == 0
    return await sees(runtime, subject)


async def test_a_grant_holds_from_its_beginning_until_just_before_its_end(opened: Runtime) -> None:
    nothing_yet = await added(opened, "ada", "--role", "planner", "--from", "2026-11-25", "--to", "2026-11-27")
    assert not nothing_yet
    first, last = datetime(2026, 11, 25, tzinfo=NOW.tzinfo), datetime(2026, 11, 27, tzinfo=NOW.tzinfo)
    moment = timedelta(microseconds=1)
    seen = [bool(await sees(opened, "ada", at)) for at in (first - moment, first, last - moment, last)]
    assert seen == [False, True, True, False]


async def test_several_grants_are_a_sum_and_each_ends_alone(
    opened: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    us = await added(opened, "ben", "--role", "customer_service", "--region", "US")
    assert us == await sees(opened, "rep.us")
    assert await run("grant", "add", "ben", "--role", "warehouse", "--region", "SG", "--site", "TUA") == 0
    number = capsys.readouterr().out.split()[-1]
    assert await sees(opened, "ben") == us | await sees(opened, "warehouse.sg")
    assert await run("grant", "end", number) == 0
    assert await sees(opened, "ben") == us


async def test_a_grant_can_be_held_to_classes_and_customers(opened: Runtime, company: Company, database: str) -> None:
    with psycopg.connect(company.dsn(database)) as admin:
        rows = admin.execute(
            "select c.number, c.label_account from biz.customer c join biz.region r on r.id = c.label_region"
            " where r.code = 'US' order by c.id limit 2"
        ).fetchall()
    (number, account), (other, _) = rows
    seen = await added(
        opened, "cleo", "--role", "sales", "--customer", number, "--class", "customer", "--class", "sales"
    )
    assert seen.classes == {"customer", "sales"}
    assert {reach.accounts for reach in seen.reaches} == {frozenset({account})}
    with psycopg.connect(company.dsn(database)) as admin:
        names = dict(
            admin.execute("select number, name from biz.customer where number in (%s, %s)", (number, other)).fetchall()
        )
    hidden = await ask(opened, "cleo", f"open orders for {names[other]}")
    assert hidden.verdict == "declined"
    assert not hidden.sources
    assert not hidden.facts
    open_one = await ask(opened, "cleo", f"open orders for {names[number]}")
    assert open_one.verdict == "verified"


async def test_a_delegate_sees_exactly_the_sum_and_nothing_after_the_end(opened: Runtime) -> None:
    own = await sees(opened, "rep.us")
    given = await sees(opened, "warehouse.sg")
    before = [await sees(opened, name) for name in ("warehouse.sg", "rep.de", "buyer")]
    assert await run(
        "delegate", "add", "warehouse.sg", "rep.us", "--role", "warehouse", "--from", "2026-11-23", "--to", "2026-11-24"
    ) == 0  # fmt: skip
    first, last = datetime(2026, 11, 23, tzinfo=NOW.tzinfo), datetime(2026, 11, 24, tzinfo=NOW.tzinfo)
    moment = timedelta(microseconds=1)
    assert await sees(opened, "rep.us", first - moment) == own
    assert await sees(opened, "rep.us", first) == own | given
    assert await sees(opened, "rep.us", last - moment) == own | given
    assert await sees(opened, "rep.us", last) == own
    assert [await sees(opened, name, first) for name in ("warehouse.sg", "rep.de", "buyer")] == before


async def test_a_delegation_follows_the_giver_at_every_question(
    opened: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    await added(opened, "dan", "--role", "planner", "--region", "US")
    own = await added(opened, "eve", "--role", "auditor")
    assert not own
    assert await run("delegate", "add", "dan", "eve", "--role", "planner", "--to", "2026-12-20") == 0
    assert await sees(opened, "eve") == await sees(opened, "dan")
    await run("grant", "add", "dan", "--role", "planner", "--region", "DE", "--to", "2026-12-01")
    await run("grant", "add", "dan", "--role", "buyer")
    wider = await sees(opened, "eve")
    assert not wider.allows("purchase_price")  # a role that was not given
    assert wider != await sees(opened, "eve", datetime(2026, 12, 2, tzinfo=NOW.tzinfo))
    assert await run("person", "disable", "dan") == 0
    assert await sees(opened, "eve") == own
    assert not await sees(opened, "dan")
    assert await run("person", "enable", "dan") == 0
    assert await sees(opened, "eve") == wider
    async with opened.database.connection(Role.OWNER) as connection:
        await connection.execute("update directory.grant set valid_to = %s where subject = 'dan'", (NOW,))
    assert await sees(opened, "eve") == own


async def test_an_account_disabled_at_the_provider_ends_what_it_gave(opened: Runtime) -> None:
    await added(opened, "oidc:gil", "--role", "planner")
    own = await added(opened, "hal", "--role", "auditor")
    await run("delegate", "add", "oidc:gil", "hal", "--role", "planner", "--to", "2026-12-01")
    put = (
        "insert into directory.identity (issuer, external, subject, enabled, confirmed_at)"
        " values ('https://id', 'gil', 'oidc:gil', %s, %s)"
        " on conflict (issuer, external) do update set enabled = excluded.enabled"
    )
    for enabled, seen in ((True, await sees(opened, "oidc:gil")), (False, own)):
        async with opened.database.connection(Role.OWNER) as connection:
            await connection.execute(put, (enabled, NOW))
        assert await sees(opened, "hal") == seen


async def test_what_was_given_is_not_passed_on(opened: Runtime) -> None:
    await added(opened, "ida", "--role", "planner")
    await added(opened, "jon", "--role", "warehouse", "--region", "SG")
    own = await added(opened, "kim", "--role", "auditor")
    await run("delegate", "add", "ida", "jon", "--role", "planner", "--to", "2026-12-01")
    with pytest.raises(SettingsError, match="has no grant of 'planner' of their own"):
        await run("delegate", "add", "jon", "kim", "--role", "planner", "--to", "2026-12-01")
    await run("delegate", "add", "jon", "kim", "--role", "warehouse", "--to", "2026-12-01")
    async with opened.database.connection(Role.OWNER) as connection:  # as somebody might by hand
        await connection.execute(
            "insert into directory.delegation (giver, taker, role, valid_from, valid_to)"
            " values ('jon', 'kim', 'planner', %s, %s)",
            (NOW, NOW + DAY),
        )
    seen = await sees(opened, "kim")
    assert own != seen
    assert not seen.allows("item_cost")  # which planners read, and warehouses do not


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("delegate", "add", "planner", "planner", "--role", "planner", "--to", "2026-12-01"), "to themselves"),
        (
            ("delegate", "add", "admin", "planner", "--role", "administrator", "--to", "2026-12-01"),
            "can't be delegated",
        ),
        (("delegate", "add", "planner", "buyer", "--role", "emperor", "--to", "2026-12-01"), "no role 'emperor'"),
        (("delegate", "add", "planner", "buyer", "--role", "buyer", "--to", "2026-12-01"), "has no grant of 'buyer'"),
        (("delegate", "add", "planner", "nobody", "--role", "planner", "--to", "2026-12-01"), "nobody 'nobody'"),
        (("delegate", "add", "planner", "buyer", "--role", "planner", "--to", "2027-03-01"), "at most 90 days"),
        (("delegate", "add", "planner", "buyer", "--role", "planner", "--to", "2026-11-01"), "does not come after"),
        (
            ("delegate", "add", "planner", "buyer", "--role", "planner", "--from", "2026-10-01", "--to", "2026-11-01"),
            "is over already",
        ),
        (("delegate", "add", "planner", "buyer", "--role", "planner", "--to", "soon"), "'soon' is no day"),
        (("delegate", "end", "999999"), "no delegation 999999"),
        (("grant", "add", "planner", "--role", "buyer", "--region", "MOON"), "there is no region 'MOON'"),
        (("grant", "add", "planner", "--role", "buyer", "--site", "MOON"), "there is no site 'MOON'"),
        (("grant", "add", "planner", "--role", "buyer", "--customer", "MOON"), "'MOON' is no customer's number"),
        (("grant", "add", "planner", "--role", "buyer", "--class", "moon"), "no record class 'moon'"),
        (("grant", "add", "planner", "--role", "buyer", "--class", "credit"), "'buyer' does not read 'credit'"),
        (("grant", "add", "planner", "--role", "sales"), "name them with --customer"),
        (("grant", "add", "planner", "--role", "planner"), "exactly this grant of 'planner'"),
        (("grant", "add", "nobody", "--role", "planner"), "nobody 'nobody'"),
        (("grant", "add", "buyer", "--role", "planner", "--from", "2026-12-02", "--to", "2026-12-01"), "does not come"),
        (("grant", "end", "999999"), "no grant 999999"),
        (("person", "add", "planner", "--role", "planner"), "known already"),
        (("person", "disable", "nobody"), "nobody 'nobody'"),
        (("person", "enable", "planner"), "enabled already"),
        (("person", "show", "nobody"), "nobody 'nobody'"),
        (("service", "rotate", "planner"), "no service account"),
        (("service", "add", "shop", "--role", "planner", "--days", "400"), "1 to 365 days"),
    ],
)
async def test_what_can_t_be_done_is_said_and_leaves_nothing(
    opened: Runtime, arguments: tuple[str, ...], said: str
) -> None:
    before = await logged(opened)
    with pytest.raises(SettingsError, match=said):
        await run(*arguments)
    assert await logged(opened) == before


_LOGGED = "select operator, action, subject from directory.log order by id"


async def logged(runtime: Runtime) -> list[tuple[str, str, str]]:
    async with runtime.database.connection(Role.OWNER) as connection:
        rows = await (await connection.execute(_LOGGED)).fetchall()
    return [(row["operator"], row["action"], row["subject"]) for row in rows]


async def test_every_change_is_a_line_that_stays(
    opened: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "opal")
    before = len(await logged(opened))
    await run("person", "add", "lea", "--role", "planner", "--name", "Lea")
    await run("grant", "add", "lea", "--role", "buyer")
    number = capsys.readouterr().out.split()[-1]
    await run("grant", "end", number)
    await run("delegate", "add", "lea", "buyer", "--role", "planner", "--to", "2026-12-01")
    await run("delegate", "end", capsys.readouterr().out.split()[-1])
    await run("person", "disable", "lea")
    actions = [
        "person add", "grant add", "grant add", "grant end", "delegate add", "delegate end", "disable",
    ]  # fmt: skip
    assert (await logged(opened))[before:] == [("opal", action, "lea") for action in actions]
    capsys.readouterr()
    await run("directory", "log", "lea")
    told = capsys.readouterr().out.splitlines()
    assert len(told) == len(actions)
    assert told[0].startswith("2026-11-20 15:00  opal        person add      lea ")
    await run("person", "show", "lea")
    shown = capsys.readouterr().out
    assert "lea: Lea, disabled" in shown
    assert "planner of lea to buyer; over" in shown
    for change in ("update directory.log set operator = 'x'", "delete from directory.log", "truncate directory.log"):
        with pytest.raises(Exception, match="database refused"):
            async with opened.database.connection(Role.OWNER) as connection:
                await connection.execute(change)


async def test_a_program_asks_by_its_token_through_the_api_alone(
    opened: Runtime, capsys: pytest.CaptureFixture[str], company: Company, database: str
) -> None:
    assert await run("service", "add", "shop", "--role", "planner", "--region", "US", "--days", "30") == 0
    token = capsys.readouterr().out.strip()
    question = Question(text="how many open orders are there", channel="api")
    answer = await opened.ask(question, BearerToken(token))
    assert answer.verdict == "verified"
    with psycopg.connect(company.dsn(database)) as admin:
        kept = admin.execute("select row_to_json(t)::text from directory.service_token t").fetchall()
        log = admin.execute("select told::text from directory.log").fetchall()
    assert token not in str(kept) + str(log)
    with pytest.raises(SignInError):  # no chat
        await opened.person_name(SessionSubject("shop"))
    with pytest.raises(SignInError):  # nor a token of the other kind
        await opened.ask(question, BearerToken(opened.tokens.issue("shop")))
    assert "shop" not in {each.subject for each in await opened.demo_people()}
    with pytest.raises(TokenRefusedError):
        await opened.ask(question, BearerToken(f"{token}x"))
    later = Authenticator(opened.directory, lambda: NOW + 30 * DAY)
    with pytest.raises(TokenRefusedError):
        await later(BearerToken(token))
    assert await run("service", "rotate", "shop") == 0
    another = capsys.readouterr().out.strip()
    with pytest.raises(TokenRefusedError):
        await opened.ask(question, BearerToken(token))
    assert (await opened.ask(question, BearerToken(another))).verdict == "verified"
    assert await run("service", "disable", "shop") == 0
    with pytest.raises(SignInError):
        await opened.ask(question, BearerToken(another))


async def test_a_program_s_token_opens_no_page(opened: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("service", "add", "bot", "--role", "planner") == 0
    token = capsys.readouterr().out.strip()
    transport = httpx.ASGITransport(create_app(opened, opened.settings), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        bearer = {"Authorization": f"Bearer {token}"}
        asked = await client.post("/api/v1/ask", json={"question": "how many open orders are there"}, headers=bearer)
        assert (asked.status_code, asked.json()["verdict"]) == (200, "verified")
        assert (await client.get("/", headers=bearer)).status_code == 303
        assert (await client.get("/user", headers=bearer)).status_code == 401
        assert "bot" not in (await client.get("/signin")).text


async def test_the_policy_knows_delegations(opened: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    await added(opened, "max", "--role", "planner", "--region", "US")
    await added(opened, "nia", "--role", "auditor")
    await run("delegate", "add", "max", "nia", "--role", "planner", "--to", "2026-12-01")
    capsys.readouterr()
    assert await policy.COMMAND.run(options_of(policy.COMMAND, "explain", "--as", "nia", "item_cost", "in", "US")) == 0
    told = capsys.readouterr().out
    assert "nia may read item_cost at region US, as planner for max, within the grant: region US." in told
    assert await policy.COMMAND.run(options_of(policy.COMMAND, "check", "--live")) == 0
