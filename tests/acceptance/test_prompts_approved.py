"""Only approved templates run: what two people signed is said from the next question on, and ends as fast."""

from __future__ import annotations

import argparse
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import yaml

from copilot.channels.commands.prompts import COMMAND
from copilot.domain.answer import Answer
from copilot.domain.prompts import PromptChange, PromptText, SuiteResult
from copilot.domain.question import Question, SessionSubject
from copilot.errors import DatabaseError, PolicyError, UnapprovedTemplateError
from copilot.policy.signing import make_key, sign
from copilot.store.roles import Role
from copilot.wiring import Runtime
from copilot.wiring.prompt_changes import Wish, bring_into_force, draft_change, draft_text, submit
from copilot.wiring.prompts_in_force import ApprovedPrompts
from copilot.wiring.replaying import replay
from tests.company import NOW, Company, running, scratch_folder

_PASSPHRASE = "a passphrase of tests"
_PASSED = SuiteResult(cases=3, failed=0, digest="0" * 64)
_ORDERS = "claims/orders"
_LATER = "2027-06-30"


@dataclass
class Signing:
    """People with keys of their own, over a copilot of their own."""

    runtime: Runtime
    company: Company
    database: str
    home: Path
    keys: Mapping[str, Path]
    order: str
    now: list[datetime]

    def signed(self, what: PromptText | PromptChange, key: str) -> bytes:
        return sign(what.payload(), self.keys[key], _PASSPHRASE)

    def shipped(self, ident: str) -> bytes:
        return self.runtime.prompts.shipped[ident][0].text

    async def submitted(self, ident: str, text: bytes) -> PromptText:
        draft = await draft_text(self.runtime, ident, text, "admin", "better words")
        made = replace(draft, signature=self.signed(draft, "admin"))
        await submit(self.runtime, made)
        return made

    async def changed(self, wish: Wish) -> PromptChange:
        suite = _PASSED if wish.kind == "approve" else None
        draft = await draft_change(self.runtime, wish, "officer", "checked", suite)
        change = replace(draft, signature=self.signed(draft, "officer"))
        await bring_into_force(self.runtime, change)
        return change

    async def approved(self, ident: str, text: bytes, **more: object) -> PromptChange:
        made = await self.submitted(ident, text)
        values: dict[str, object] = {"until": _LATER, **more}
        return await self.changed(Wish(kind="approve", id=ident, version=made.version, **values))  # pyright: ignore[reportArgumentType]

    async def ask(self, text: str) -> Answer:
        return await self.runtime.ask(Question(text=text, channel="api"), SessionSubject("rep.us"))

    async def said(self) -> Answer:
        return await self.ask(f"where is {self.order}")

    def as_owner(self, statement: str) -> None:
        """What somebody with the whole database in their hands could do."""
        with psycopg.connect(self.company.dsn(self.database), autocommit=True) as admin:
            for table in ("prompt_text", "prompt_change"):
                admin.execute(f"alter table governance.{table} disable trigger all")  # pyright: ignore[reportArgumentType]
            admin.execute(statement)  # pyright: ignore[reportArgumentType]

    def again(self) -> Signing:
        """The same as another program, started now, sees it."""
        runtime = self.runtime
        prompts = ApprovedPrompts(runtime.prompts.store, runtime.prompts.signers, self.clock, home=self.home)
        sentences = type(runtime.sentences)(prompts, runtime.language, runtime.asking.model)
        return replace(self, runtime=replace(runtime, prompts=prompts, sentences=sentences))

    def clock(self) -> datetime:
        return self.now[0]


@asynccontextmanager
async def _signing(company: Company, place: Path) -> AsyncGenerator[Signing]:
    keys = {name: place / f"{name}.pem" for name in ("admin", "officer", "stranger")}
    public = {name: make_key(file, _PASSPHRASE) for name, file in keys.items()}
    with company.clone() as database:
        with psycopg.connect(company.dsn(database)) as admin:
            row = admin.execute(
                "select min(o.number) from biz.sales_order o join biz.region r on r.id = o.label_region"
                " where r.code = 'US'"
            ).fetchone()
        async with running(company, database, place / "home") as runtime:
            duties = {"admin": "author", "officer": "approve"}
            signers = {name: [{"key": public[name], "may": may}] for name, may in duties.items()}
            (place / "home" / "signers.yaml").write_text(yaml.safe_dump({"signers": signers}))
            made = Signing(runtime, company, database, place / "home", keys, str(row and row[0]), [NOW])
            again = made.again()
            yield replace(again, runtime=replace(again.runtime, clock=again.clock))


@pytest.fixture
async def signing(company: Company) -> AsyncGenerator[Signing]:
    with scratch_folder() as place:
        async with _signing(company, place) as ready:
            yield ready


def _words(text: bytes) -> bytes:
    """The shipped sentences with the headline of an order in other words."""
    changed = text.replace(
        b'"Order **{order.number}** of {customer.name} is', b'"The order **{order.number}** of {customer.name} is'
    )
    assert changed != text
    return changed


async def test_a_claim_that_was_changed_and_approved_is_what_the_next_answer_says(signing: Signing) -> None:
    before = await signing.said()
    assert before.verdict.value == "verified"
    assert before.answer.startswith("Order **")
    made = await signing.submitted(_ORDERS, _words(signing.shipped(_ORDERS)))
    assert (await signing.said()).answer == before.answer, "submitted is not approved"
    await signing.changed(Wish(kind="approve", id=_ORDERS, version=made.version, until=_LATER))
    after = await signing.said()
    assert after.verdict.value == "verified"
    assert after.answer == before.answer.replace("Order **", "The order **", 1)
    assert (await signing.again().said()).answer == after.answer


async def test_an_answer_is_replayed_in_the_words_of_then_and_says_what_became_of_them(signing: Signing) -> None:
    who = SessionSubject("rep.us")
    shipped = await signing.said()
    await signing.approved(_ORDERS, _words(signing.shipped(_ORDERS)))
    changed = await signing.said()
    assert changed.answer != shipped.answer
    of_shipped, of_changed = [await replay(signing.runtime, who, each.audit_id) for each in (shipped, changed)]
    assert (of_shipped.identical, of_changed.identical) == (True, True), (of_shipped.broke, of_changed.broke)
    assert of_shipped.since is not None
    assert of_shipped.since.templates == {"order_headline": "changed"}
    assert of_changed.since is not None
    assert of_changed.since.templates == {}
    await signing.changed(Wish(kind="revoke", id=_ORDERS, version=2))
    ended = await signing.said()
    for answer in (shipped, changed, ended):
        found = await replay(signing.runtime, who, answer.audit_id)
        assert found.identical is True, found.broke
        assert found.answer is not None
        assert found.answer["answer"] == answer.answer
        assert found.since is not None
        assert found.since.templates.get("order_headline") == "revoked"


async def test_a_revoked_claim_is_not_said_from_the_next_question_on_and_a_rollback_brings_it_back(
    signing: Signing,
) -> None:
    before = await signing.said()
    await signing.approved(_ORDERS, _words(signing.shipped(_ORDERS)))
    await signing.changed(Wish(kind="revoke", id=_ORDERS, version=2))
    ended = await signing.said()
    assert (ended.verdict.value, ended.reason) == ("declined", "unverifiable")
    assert signing.order not in ended.answer
    begun = time.perf_counter()
    await signing.changed(Wish(kind="rollback", id=_ORDERS))
    assert (await signing.said()).answer == before.answer
    assert time.perf_counter() - begun < 30  # against hanging: tests measure no time


async def test_a_shipped_claim_can_be_revoked_too(signing: Signing) -> None:
    await signing.changed(Wish(kind="revoke", id=_ORDERS, version=1))
    for copilot in (signing, signing.again()):
        assert (await copilot.said()).reason == "unverifiable"
    with pytest.raises(UnapprovedTemplateError, match="no approved version"):
        await signing.changed(Wish(kind="rollback", id=_ORDERS))
    with pytest.raises(UnapprovedTemplateError, match="not approved, or was revoked"):
        await signing.changed(Wish(kind="rollback", id=_ORDERS, version=1))
    await signing.changed(Wish(kind="approve", id=_ORDERS, version=1, until=_LATER))
    assert (await signing.said()).verdict.value == "verified"


async def test_why_does_not_repeat_what_may_no_longer_be_said(signing: Signing) -> None:
    first = await signing.said()
    await signing.changed(Wish(kind="revoke", id=_ORDERS, version=1))
    question = Question(text="why", channel="api", conversation=first.conversation)
    told = await signing.runtime.ask(question, SessionSubject("rep.us"))
    assert "**confirmed**" not in told.answer
    assert first.answer.split(".")[0] not in told.answer


async def test_an_approval_ends_with_its_last_day_and_no_clock_brings_it_back(signing: Signing) -> None:
    today = NOW.date()
    await signing.approved(_ORDERS, _words(signing.shipped(_ORDERS)), until=today.isoformat())
    assert (await signing.said()).verdict.value == "verified"
    signing.now[0] = NOW + timedelta(days=1)
    assert (await signing.said()).reason == "unverifiable"
    signing.now[0] = NOW
    for copilot in (signing, signing.again()):
        assert (await copilot.said()).reason == "unverifiable"


async def test_nobody_approves_their_own_or_without_the_duty_or_by_another_key(signing: Signing) -> None:
    made = await signing.submitted(_ORDERS, _words(signing.shipped(_ORDERS)))
    wish = Wish(kind="approve", id=_ORDERS, version=made.version, until=_LATER)
    for who in ("admin", "rep.us", "nobody"):
        with pytest.raises(PolicyError, match="may not approve a template"):
            await draft_change(signing.runtime, wish, who, "why not", _PASSED)
    with pytest.raises(PolicyError, match="may not author a template"):
        await draft_text(signing.runtime, _ORDERS, made.text, "officer", "mine")
    values = "('admin', 'governance_officer', '2020-01-01')"
    signing.as_owner(f"insert into directory.grant (subject, role, valid_from) values {values}")
    with pytest.raises(PolicyError, match="two people"):
        await draft_change(signing.runtime, wish, "admin", "why not", _PASSED)
    draft = await draft_change(signing.runtime, wish, "officer", "checked", _PASSED)
    for key in ("admin", "stranger"):
        forged = replace(draft, signature=signing.signed(draft, key))
        with pytest.raises(PolicyError, match="no key of 'officer'"):
            await bring_into_force(signing.runtime, forged)
    await signing.runtime.prompts.store.bring_into_force(forged)  # as whoever has the governor's password
    assert (await signing.said()).reason == "unverifiable"
    await signing.changed(wish)
    assert (await signing.said()).answer.startswith("The order **")


async def test_an_approval_without_a_suite_that_passed_is_none(signing: Signing) -> None:
    made = await signing.submitted(_ORDERS, _words(signing.shipped(_ORDERS)))
    wish = Wish(kind="approve", id=_ORDERS, version=made.version, until=_LATER)
    for suite in (None, SuiteResult(cases=3, failed=1, digest=""), SuiteResult(cases=0, failed=0, digest="")):
        draft = await draft_change(signing.runtime, wish, "officer", "checked", suite)
        with pytest.raises(PolicyError, match="passed its suite"):
            await bring_into_force(signing.runtime, replace(draft, signature=signing.signed(draft, "officer")))


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        (Wish(kind="approve", id=_ORDERS, version=2, until="2026-11-19"), "is over"),
        (Wish(kind="approve", id=_ORDERS, version=2, until="soon"), "is no day"),
        (Wish(kind="approve", id=_ORDERS, version=3, until=_LATER), "no version 3"),
        (Wish(kind="approve", id=_ORDERS, version=2, until=_LATER, roles=("planner",)), "not staged"),
        (Wish(kind="approve", id=_ORDERS, version=2, until=_LATER, share=101), "share of 101"),
        (Wish(kind="label", id=_ORDERS, version=2, label="production"), "not approved"),
        (Wish(kind="approve", id="claims/../orders", version=2, until=_LATER), "no version 2"),
    ],
)
async def test_what_can_not_be_is_refused_with_its_value(signing: Signing, wish: Wish, fault: str) -> None:
    await signing.submitted(_ORDERS, _words(signing.shipped(_ORDERS)))
    with pytest.raises((UnapprovedTemplateError, PolicyError), match=fault):
        await signing.changed(wish)


@pytest.mark.parametrize(
    ("ident", "old", "new", "fault"),
    [
        (_ORDERS, b"order_quotation:", b"order_quoted:", "in only one"),
        (_ORDERS, b"Promised for **{order.promised_date}**", b"Promised for **{order.order_date}**", "slots"),
        (_ORDERS, b"It was cancelled", b"It was cancelled 2 days ago", "outside a slot"),
        ("plan/question", b"version: 1", b"version: 7", "the next one is 2"),
        ("plan/question", b"risk_tier: medium", b"risk_tier: harmless", "risk_tier"),
        ("plan/question", b"{{ question | tojson }}", b"{{ question }}", "as JSON"),
        ("claims/other", b"It was", b"It had been", "no template 'claims/other'"),
    ],
)
async def test_a_template_that_is_not_as_it_must_be_is_not_even_submitted(
    signing: Signing, ident: str, old: bytes, new: bytes, fault: str
) -> None:
    text = signing.shipped(ident if ident != "claims/other" else _ORDERS)
    assert old in text
    with pytest.raises(UnapprovedTemplateError, match=fault):
        await signing.submitted(ident, text.replace(old, new, 1))


async def test_rows_are_only_ever_added(signing: Signing) -> None:
    await signing.approved(_ORDERS, _words(signing.shipped(_ORDERS)))
    with psycopg.connect(signing.company.dsn(signing.database), autocommit=True) as admin:
        for statement in (
            "update governance.prompt_text set text = 'x'", "delete from governance.prompt_change",
            "truncate governance.prompt_text",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                admin.execute(statement)  # pyright: ignore[reportArgumentType]
    for role in (role for role in Role if role not in (Role.GOVERNOR, Role.OWNER)):
        with pytest.raises(DatabaseError):
            async with signing.runtime.database.connection(role) as connection:
                await connection.execute("insert into governance.prompt_change select * from governance.prompt_change")
    with pytest.raises(DatabaseError):
        async with signing.runtime.database.connection(Role.GOVERNOR) as connection:
            await connection.execute("update governance.prompt_change set until = '2099-01-01'")


@pytest.mark.parametrize(
    "statement",
    [
        "update governance.prompt_text set text = replace(text, 'The order', 'Trust me, order')",
        "update governance.prompt_text set author = 'officer'",
        "update governance.prompt_change set until = '2099-01-01'",
        "update governance.prompt_change set id = 'claims/items'",
        "update governance.prompt_change set sequence = 7",
        "delete from governance.prompt_text",
        "delete from governance.prompt_change",
    ],
)
async def test_what_was_altered_in_the_database_is_not_said(signing: Signing, statement: str) -> None:
    await signing.approved(_ORDERS, _words(signing.shipped(_ORDERS)))
    assert (await signing.said()).verdict.value == "verified"
    signing.as_owner(statement)
    assert (await signing.again().said()).reason == "unverifiable"


async def test_one_prompt_is_for_all_and_a_staged_one_for_some(signing: Signing) -> None:
    prompts = signing.runtime.prompts
    assert (made := await prompts.for_role("plan", "planner", "anna"))
    assert made.version == 1
    text = signing.shipped("plan/question").replace(b"version: 1", b"version: 2")
    await signing.approved("plan/question", text, roles=("planner",))
    found = {role: await prompts.for_role("plan", role, "anna") for role in ("planner", "buyer")}
    assert {role: each and each.version for role, each in found.items()} == {"planner": 2, "buyer": 1}
    await signing.changed(Wish(kind="label", id="plan/question", version=2, label="staging", share=30))
    people = [f"p{n}" for n in range(400)]
    first = [getattr(await prompts.for_role("plan", "buyer", each), "version", 0) for each in people]
    assert 80 < first.count(2) < 160
    assert first == [getattr(await prompts.for_role("plan", "buyer", each), "version", 0) for each in people]
    await signing.changed(Wish(kind="label", id="plan/question", version=2, label="production"))
    assert {getattr(await prompts.for_role("plan", "buyer", each), "version", 0) for each in people[:40]} == {2}
    await signing.changed(Wish(kind="revoke", id="plan/question", version=2))
    assert await prompts.for_role("plan", "buyer", "anna") is None
    assert (await signing.said()).verdict.value == "verified", "the rules answer without it"
    await signing.changed(Wish(kind="rollback", id="plan/question"))
    assert getattr(await prompts.for_role("plan", "buyer", "anna"), "version", 0) == 1


async def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    COMMAND.arguments(parser)
    return await COMMAND.run(parser.parse_args(arguments))


@pytest.fixture
def opened(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> Signing:
    """The commands' runtime is the one of the test, and the suite is quick."""

    @asynccontextmanager
    async def open_it(*_: object, **__: object) -> AsyncGenerator[Runtime]:
        yield signing.runtime

    async def tried(ident: str, text: bytes) -> SuiteResult:
        bad = int(b"Trust me" in text)
        return SuiteResult(cases=4, failed=bad, digest="ab", faults=("it boasts",) * bad)

    monkeypatch.setattr("copilot.wiring.opening.open_governed", open_it)
    monkeypatch.setattr("copilot.channels.commands.prompts.trying.tried", tried)
    monkeypatch.setenv("COPILOT_HOME", str(signing.home))
    monkeypatch.setenv("COPILOT_KEY_PASSPHRASE", _PASSPHRASE)
    return signing


async def test_a_template_is_changed_by_commands(
    opened: Signing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, boast = tmp_path / "orders.yaml", tmp_path / "boast.yaml"
    file.write_bytes(_words(opened.shipped(_ORDERS)))
    boast.write_bytes(opened.shipped(_ORDERS).replace(b"It was cancelled", b"Trust me, it was cancelled"))
    author = ("--as", "admin", "--why", "better", "--key", str(opened.keys["admin"]))
    officer = ("--as", "officer", "--why", "seen", "--key", str(opened.keys["officer"]))
    assert await _run("diff", str(file)) == 0
    assert '+order_headline: "The order' in capsys.readouterr().out
    assert await _run("test", str(file)) == 0
    assert await _run("test", str(boast), "--id", _ORDERS) == 1
    assert await _run("submit", str(file), *author) == 0
    assert await _run("submit", str(boast), "--id", _ORDERS, *author) == 0
    assert await _run("approve", _ORDERS, "2", "--until", _LATER, *officer) == 0
    assert (await opened.said()).answer.startswith("The order **")
    with pytest.raises(UnapprovedTemplateError, match="1 of 4 cases"):
        await _run("approve", _ORDERS, "3", "--until", _LATER, *officer)
    assert await _run("revoke", _ORDERS, "2", *officer) == 0
    assert (await opened.said()).reason == "unverifiable"
    assert await _run("rollback", _ORDERS, *officer) == 0
    assert (await opened.said()).answer.startswith("Order **")
    capsys.readouterr()
    assert await _run("list") == 0
    listed = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith(_ORDERS)]
    assert [(line[1], line[2]) for line in listed] == [("1", "in"), ("2", "revoked"), ("3", "not")]
    assert await _run("diff", _ORDERS, "1", "2") == 0
    with pytest.raises(UnapprovedTemplateError, match="can't be read"):
        await _run("submit", str(tmp_path / "none.yaml"), *author)
    with pytest.raises(UnapprovedTemplateError, match="no id of a template"):
        await _run("submit", str(file), "--id", "claims/../../etc/passwd", *author)


async def test_a_key_elsewhere_signs_by_way_of_a_file(opened: Signing, tmp_path: Path) -> None:
    from copilot.channels.commands.policy import COMMAND as POLICY

    page = tmp_path / "page.json"
    change = ("revoke", _ORDERS, "1", "--as", "officer", "--why", "wrong")
    assert await _run(*change, "--to-sign", str(page)) == 0
    assert (await opened.said()).verdict.value == "verified"
    parser = argparse.ArgumentParser()
    POLICY.arguments(parser)
    await POLICY.run(parser.parse_args(["sign", str(page), "--key", str(opened.keys["officer"])]))
    assert await _run(*change, "--signed", str(page)) == 0
    assert (await opened.said()).reason == "unverifiable"
    with pytest.raises(PolicyError, match="not this change"):
        await _run(*change, "--signed", str(page))
