"""A policy that two people sign comes into force at the next question, holds where it says, and goes back as fast."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
import yaml

from copilot.channels.commands.policy import COMMAND
from copilot.domain.answer import Answer
from copilot.domain.governance import Change, Version
from copilot.domain.question import Question, SessionSubject
from copilot.errors import DatabaseError, PolicyError, PolicyNotInForceError
from copilot.policy.reading import BASELINE
from copilot.policy.signing import make_key, sign
from copilot.settings import Settings
from copilot.store.roles import Role
from copilot.wiring import Runtime
from copilot.wiring.policy_changes import (
    bring_into_force,
    draft_approval,
    draft_rollback,
    draft_version,
    signed_change,
    submit,
)
from copilot.wiring.policy_in_force import PolicyInForce
from tests.company import Company, running, scratch_folder

_ENTERPRISE = (BASELINE / "enterprise.yaml").read_text()
_DE = """
policy: 1
version: de-1
layer: region
region: DE
access:
  de_customer_service: {role: customer_service, without: [invoice, invoice_amount]}
fresh_for:
  de_sales: {classes: [sales], hours: 1}
"""
_OPENED = """
policy: 1
version: us-1
layer: region
region: US
access:
  us_customer_service: {role: customer_service, also: [item_cost]}
"""
_ALLOWING = _ENTERPRISE + "\nmay_loosen:\n  - customer_service_reads\n"
_PASSPHRASE = "a passphrase of tests"


@dataclass
class Signing:
    """People with keys of their own, over a copilot of their own."""

    runtime: Runtime
    company: Company
    database: str
    home: Path
    keys: Mapping[str, Path]

    def signed(self, what: Version | Change, key: str) -> bytes:
        return sign(what.payload(), self.keys[key], _PASSPHRASE)

    async def submitted(self, **documents: str) -> Version:
        texts = {f"{name}.yaml": text for name, text in {"enterprise": _ENTERPRISE, **documents}.items()}
        draft = await draft_version(self.runtime, texts, "admin", "as the regions asked")
        version = replace(draft, signature=self.signed(draft, "admin"))
        await submit(self.runtime, version)
        return version

    async def approved(self, number: int) -> Change:
        draft = await draft_approval(self.runtime, number, "officer", "checked")
        change = replace(draft, signature=self.signed(draft, "officer"))
        await bring_into_force(self.runtime, change)
        return change

    async def ask(self, who: str, text: str) -> Answer:
        return await self.runtime.ask(Question(text=text, channel="api"), SessionSubject(who))

    def as_owner(self, statement: str, *, unguarded: str = "") -> None:
        """What somebody with the whole database in their hands could do."""
        with psycopg.connect(self.company.dsn(self.database), autocommit=True) as admin:
            if unguarded:
                admin.execute(f"alter table {unguarded} disable trigger all")  # pyright: ignore[reportArgumentType]
            admin.execute(statement)  # pyright: ignore[reportArgumentType]

    def again(self) -> PolicyInForce:
        """The policy as another program, started now, reads it."""
        was = self.runtime.policy
        return PolicyInForce(
            was.versions, self.runtime.directory, was.signers, self.runtime.clock, home=self.home, embedded=True,
            classes=self.runtime.asking.model.classes, here="",
        )  # fmt: skip


@asynccontextmanager
async def _signing(company: Company, place: Path) -> AsyncGenerator[Signing]:
    keys = {name: place / f"{name}.pem" for name in ("admin", "officer", "stranger")}
    public = {name: make_key(file, _PASSPHRASE) for name, file in keys.items()}
    with company.clone() as database:
        async with running(company, database, place / "home") as runtime:
            duties = {"admin": "author", "officer": "approve"}
            signers = {name: [{"key": public[name], "may": may}] for name, may in duties.items()}
            (place / "home" / "signers.yaml").write_text(yaml.safe_dump({"signers": signers}))
            yield Signing(runtime, company, database, place / "home", keys)


@pytest.fixture
async def signing(company: Company) -> AsyncGenerator[Signing]:
    with scratch_folder() as place:
        async with _signing(company, place) as ready:
            yield ready


_INVOICES = "how many invoices are there"


async def test_a_region_that_reads_less_does_so_from_the_next_question_on_and_no_other(signing: Signing) -> None:
    before = {who: (await signing.ask(who, _INVOICES)).verdict.value for who in ("rep.us", "rep.de", "finance")}
    assert before == {"rep.us": "verified", "rep.de": "verified", "finance": "verified"}
    version = await signing.submitted(de=_DE)
    assert (await signing.ask("rep.de", _INVOICES)).verdict.value == "verified", "submitted is not approved"
    await signing.approved(version.number)
    after = {who: (await signing.ask(who, _INVOICES)).verdict.value for who in ("rep.us", "rep.de", "finance")}
    assert after == {"rep.us": "verified", "rep.de": "declined", "finance": "verified"}
    assert (await signing.runtime.policy()).version == "v1"


async def test_what_only_one_region_opens_is_seen_there_alone(signing: Signing) -> None:
    costs = "select count(*) as n from biz.item_cost"

    async def seen(who: str) -> int:
        line = await signing.runtime.line()
        from copilot.policy.policy import scope_for

        scope = scope_for(await line.authenticate(SessionSubject(who)), line.policy)
        async with signing.runtime.database.scoped_transaction(scope) as connection:
            row = await (await connection.execute(costs)).fetchone()  # pyright: ignore[reportArgumentType]
        return int(row["n"]) if row else 0

    assert await seen("rep.us") == await seen("rep.de") == 0
    version = await signing.submitted(enterprise=_ALLOWING, us=_OPENED)
    await signing.approved(version.number)
    with psycopg.connect(signing.company.dsn(signing.database)) as admin:
        us = admin.execute(
            "select count(*) from biz.item_cost c join biz.region r on r.id = c.label_region where r.code = 'US'"
        ).fetchone()
    assert us
    assert await seen("rep.us") == us[0]
    assert await seen("rep.de") == 0


async def test_a_rollback_is_one_command_and_holds_for_the_next_question(signing: Signing) -> None:
    for document in (_DE.replace("without: [invoice, invoice_amount]", "without: [invoice_amount]"), _DE):
        await signing.approved((await signing.submitted(de=document)).number)
    assert (await signing.ask("rep.de", _INVOICES)).verdict.value == "declined"
    begun = time.perf_counter()
    draft = await draft_rollback(signing.runtime, None, "officer", "too tight")
    await bring_into_force(signing.runtime, replace(draft, signature=signing.signed(draft, "officer")))
    assert (await signing.runtime.policy()).version == "v1"
    assert time.perf_counter() - begun < 30  # against hanging: tests measure no time
    assert (await signing.ask("rep.de", _INVOICES)).verdict.value == "verified"


async def test_nobody_approves_what_they_wrote_and_nobody_without_the_duty_does(signing: Signing) -> None:
    version = await signing.submitted(de=_DE)
    for who, fault in (("admin", "may not approve"), ("rep.us", "may not approve"), ("nobody", "may not approve")):
        with pytest.raises(PolicyError, match=fault):
            await draft_approval(signing.runtime, version.number, who, "why not")
    with pytest.raises(PolicyError, match="may not author"):
        await draft_version(signing.runtime, {"enterprise.yaml": _ENTERPRISE}, "officer", "mine")
    values = "('admin', 'governance_officer', '2020-01-01')"
    signing.as_owner(f"insert into directory.grant (subject, role, valid_from) values {values}")
    with pytest.raises(PolicyError, match="two people"):
        await draft_approval(signing.runtime, version.number, "admin", "why not")
    with pytest.raises(PolicyError, match="admin may author a change of policy"):
        await draft_version(signing.runtime, {"enterprise.yaml": _ENTERPRISE}, "admin", "mine")
    with pytest.raises(PolicyError, match="reason"):
        await draft_approval(signing.runtime, version.number, "officer", " ")


async def test_a_policy_with_errors_is_not_even_submitted(signing: Signing) -> None:
    with pytest.raises(PolicyError, match="there is no region 'XX'"):
        await signing.submitted(xx=_DE.replace("region: DE", "region: XX"))
    with pytest.raises(PolicyError, match="loosens"):
        await signing.submitted(us=_OPENED)
    assert await signing.runtime.policy.versions.all() == ()


@pytest.mark.parametrize("key", ["stranger", "admin"])
async def test_only_the_key_of_the_approver_approves(signing: Signing, key: str) -> None:
    version = await signing.submitted(de=_DE)
    draft = await draft_approval(signing.runtime, version.number, "officer", "checked")
    with pytest.raises(PolicyError, match="no key of 'officer'"):
        await bring_into_force(signing.runtime, replace(draft, signature=signing.signed(draft, key)))
    forged = replace(draft, signature=signing.signed(draft, key))
    await signing.runtime.policy.versions.bring_into_force(forged)  # as whoever has the governor's password
    with pytest.raises(PolicyNotInForceError, match="no key of 'officer'"):
        await signing.ask("rep.us", _INVOICES)


async def test_a_word_once_given_is_not_taken_twice(signing: Signing) -> None:
    first = await signing.approved((await signing.submitted(de=_DE)).number)
    second = await signing.submitted()
    await signing.approved(second.number)
    with pytest.raises(PolicyError, match="came into force meanwhile"):
        await signing.runtime.policy.versions.bring_into_force(first)
    again = replace(first, sequence=3)
    with pytest.raises(PolicyError, match="no key of 'officer'"):
        await bring_into_force(signing.runtime, again)
    with pytest.raises(PolicyError, match="not this change"):
        signed_change(await draft_rollback(signing.runtime, 1, "officer", "x"), first.payload(), first.signature)


async def test_rows_are_only_ever_added(signing: Signing) -> None:
    await signing.approved((await signing.submitted(de=_DE)).number)
    for statement in (
        "update governance.policy_version set why = 'x'", "delete from governance.policy_change",
        "truncate governance.policy_change",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            signing.as_owner(statement)
    for role in (Role.APP, Role.STATE, Role.AUDIT_WRITER, Role.LOADER, Role.WORKER):
        with pytest.raises(DatabaseError):
            async with signing.runtime.database.connection(role) as connection:
                await connection.execute("insert into governance.policy_change select * from governance.policy_change")


@pytest.mark.parametrize(
    ("statement", "table", "fault"),
    [
        ("update governance.policy_version set documents = jsonb_set(documents, '{de.yaml}', '\"layer: x\"')",
         "governance.policy_version", "not those that were signed"),
        ("update governance.policy_version set author = 'officer'", "governance.policy_version", "no key by which"),
        ("update governance.policy_change set why = 'another'", "governance.policy_change", "no key of 'officer'"),
        ("update governance.policy_change set previous = 'x'", "governance.policy_change", "no key of 'officer'"),
    ],
)  # fmt: skip
async def test_what_was_changed_in_the_database_is_not_in_force(
    signing: Signing, statement: str, table: str, fault: str
) -> None:
    await signing.approved((await signing.submitted(de=_DE)).number)
    await signing.runtime.policy()
    signing.as_owner(statement, unguarded=table)
    with pytest.raises(PolicyNotInForceError, match=fault):
        await signing.again()()


async def test_a_change_that_vanished_is_missed(signing: Signing) -> None:
    await signing.approved((await signing.submitted(de=_DE)).number)
    assert (await signing.ask("rep.de", _INVOICES)).verdict.value == "declined"
    signing.as_owner("delete from governance.policy_change", unguarded="governance.policy_change")
    with pytest.raises(PolicyNotInForceError, match="set back"):
        await signing.ask("rep.de", _INVOICES)
    with pytest.raises(PolicyNotInForceError, match="set back"):
        await signing.again()()


async def test_a_key_that_is_taken_out_of_the_file_no_longer_stands_for_anything(signing: Signing) -> None:
    await signing.approved((await signing.submitted(de=_DE)).number)
    await signing.runtime.policy()
    (signing.home / "signers.yaml").write_text("signers: {}")
    with pytest.raises(PolicyNotInForceError):
        await signing.ask("rep.us", _INVOICES)


async def test_the_shipped_policy_holds_with_the_embedded_default_alone(signing: Signing) -> None:
    was = signing.runtime.policy
    elsewhere = PolicyInForce(
        was.versions, signing.runtime.directory, was.signers, signing.runtime.clock, home=signing.home,
        embedded=Settings(home=signing.home, database_url="postgresql://elsewhere/erp").embedded,
        classes=signing.runtime.asking.model.classes, here="",
    )  # fmt: skip
    assert not (await elsewhere()).roles
    assert "customer_service" in (await was()).roles
    await signing.approved((await signing.submitted()).number)
    assert "customer_service" in (await elsewhere()).roles


async def test_what_may_lie_elsewhere_only_is_not_read_here(signing: Signing) -> None:
    held = _ENTERPRISE.replace(
        'anywhere: {classes: ["*"], places: ["*"]}',
        'anywhere: {classes: ["*"], places: ["*"]}\n  invoices_in_de: {classes: [invoice], places: [DE]}',
    )
    await signing.approved((await signing.submitted(enterprise=held)).number)
    assert (await signing.ask("finance", _INVOICES)).verdict.value == "declined"
    there = replace(signing.runtime, policy=signing.again())
    there.policy._here = "DE"
    answer = await there.ask(Question(text=_INVOICES, channel="api"), SessionSubject("finance"))
    assert answer.verdict.value == "verified"
    assert {source.residency.places for source in answer.sources} == {frozenset({"DE"})}


async def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    COMMAND.arguments(parser)
    return await COMMAND.run(parser.parse_args(arguments))


@pytest.fixture
def opened(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> Signing:
    """The commands' runtime is the one of the test."""

    @asynccontextmanager
    async def open_it(*_: object, **__: object) -> AsyncGenerator[Runtime]:
        yield signing.runtime

    monkeypatch.setattr("copilot.wiring.open_runtime", open_it, raising=False)
    monkeypatch.setattr("copilot.wiring.opening.open_governed", open_it)
    monkeypatch.setenv("COPILOT_HOME", str(signing.home))
    monkeypatch.setenv("COPILOT_KEY_PASSPHRASE", _PASSPHRASE)
    return signing


async def test_a_change_is_made_by_commands_with_the_keys_elsewhere(
    opened: Signing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "enterprise.yaml").write_text(_ENTERPRISE)
    (tmp_path / "new" / "de.yaml").write_text(_DE)
    folder, page = str(tmp_path / "new"), str(tmp_path / "page.json")
    said = ("--as", "admin", "--why", "DE asked")
    assert await _run("submit", folder, *said, "--to-sign", page) == 0
    assert await opened.runtime.policy.versions.all() == ()
    assert await _run("sign", page, "--key", str(opened.keys["admin"])) == 0
    assert await _run("submit", folder, *said, "--signed", page) == 0
    key = str(opened.keys["officer"])
    assert await _run("approve", "1", "--as", "officer", "--why", "seen", "--key", key) == 0
    assert (await opened.ask("rep.de", _INVOICES)).verdict.value == "declined"
    with pytest.raises(PolicyError, match="in force already"):
        await _run("approve", "1", "--as", "officer", "--why", "again", "--key", key)
    with pytest.raises(PolicyError, match="no approved version"):
        await _run("rollback", "--as", "officer", "--why", "back", "--key", key)
    capsys.readouterr()
    assert await _run("list") == 0
    assert "approved by officer" in capsys.readouterr().out
    assert await _run("show", "1") == 0
    assert "de_customer_service" in capsys.readouterr().out


async def test_keys_are_not_kept_on_the_server(opened: Signing) -> None:
    with pytest.raises(PolicyError, match="data folder"):
        await _run("key", str(opened.home / "mine.pem"))
    with pytest.raises(PolicyError, match="exists already"):
        await _run("key", str(opened.keys["admin"]))


async def test_a_simulation_names_what_would_change_and_by_which_rule(
    opened: Signing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "enterprise.yaml").write_text(_ENTERPRISE)
    (tmp_path / "de.yaml").write_text(_DE)
    asked = {who: (await opened.ask(who, _INVOICES)).audit_id for who in ("rep.us", "rep.de", "finance")}
    assert await _run("simulate", str(tmp_path), "--json") == 0
    flips = json.loads(capsys.readouterr().out)
    mine = {flip["audit_id"]: flip for flip in flips if flip["audit_id"] in asked.values()}
    assert set(mine) == {asked["rep.de"]}
    found = mine[asked["rep.de"]]
    assert (found["what"], found["place"], found["rule"]) == (
        "invoice would not be read at all", "region DE", "de_customer_service",
    )  # fmt: skip


async def test_a_template_that_a_place_withholds_says_nothing_there(signing: Signing) -> None:
    with psycopg.connect(signing.company.dsn(signing.database)) as admin:
        rows = admin.execute(
            "select r.code, min(o.number) from biz.sales_order o join biz.region r on r.id = o.label_region"
            " where r.code in ('US', 'DE') group by 1"
        ).fetchall()
    orders = dict(rows)
    held = _DE[: _DE.index("access:")] + "templates:\n  de_words: {without: [order_headline]}\n"
    await signing.approved((await signing.submitted(de=held)).number)
    us, de = [await signing.ask(f"rep.{code.lower()}", f"where is {orders[code]}") for code in ("US", "DE")]
    assert orders["US"] in us.answer
    assert us.verdict.value == "verified"
    assert de.verdict.value != "verified"
