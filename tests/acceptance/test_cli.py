"""The command line as people use it: a process of its own for each command, on a data folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from copilot.domain.question import MAX_QUESTION
from copilot.settings import Settings
from copilot.store import embedded
from copilot.wiring import open_runtime
from copilot.wiring.demo import bring_demo_to_today
from tests.company import scratch_folder, silent

REPOSITORY = Path(__file__).parents[2]
ANSWER = {
    "answer",
    "verdict",
    "reason",
    "engine",
    "fallback",
    "understood",
    "facts",
    "sources",
    "choices",
    "next_steps",
    "conversation",
    "audit_id",
    "elapsed_ms",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody at a terminal with a data folder."""

    home: Path
    order: str
    """An order of the US."""

    def run(self, *arguments: str, python: tuple[str, ...] = (), **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; its terminal never shows a stack trace."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COPILOT_")}
        done = subprocess.run(
            [sys.executable, *python, "-m", "copilot.channels.cli", *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env={**kept, "COPILOT_HOME": str(self.home), **settings},
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return done

    def good(self, *arguments: str) -> str:
        """What a command that ends well prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sentence(self, *arguments: str, status: int = 1, **settings: str) -> str:
        """The one sentence of a command that fails."""
        done = self.run(*arguments, **settings)
        assert done.returncode == status, (done.returncode, done.stderr)
        said = done.stderr.strip()
        assert said.startswith("erp-copilot: ")
        assert "\n" not in said
        return said.removeprefix("erp-copilot: ")

    def answer(self, text: str, *more: str, subject: str = "rep.us") -> dict[str, Any]:
        """A question's answer as JSON."""
        done = self.run("ask", text, "--as", subject, "--json", *more)
        body = json.loads(done.stdout)
        assert done.returncode == (3 if body["verdict"] == "declined" else 0)
        return body


@pytest.fixture(scope="module")
def desk() -> Generator[Desk]:
    """A data folder with a small demo company, up to now by the real clock."""
    with scratch_folder() as folder:
        home = folder / "home"
        order = asyncio.run(_install(home))
        try:
            yield Desk(home, order)
        finally:
            embedded.stop(home)


async def _install(home: Path) -> str:
    async with open_runtime(Settings(home=home), progress=silent) as runtime:
        await bring_demo_to_today(runtime, silent, epoch=(datetime.now(UTC) - timedelta(days=45)).date())
        async with await psycopg.AsyncConnection.connect(runtime.admin_dsn, row_factory=dict_row) as admin:
            statement = """select o.number from biz.sales_order o join biz.region r on r.id = o.label_region
                            where r.code = 'US' and o.status = 'delivered' order by o.id"""
            row = await (await admin.execute(statement)).fetchone()
    assert row
    return row["number"]


def test_a_question_answered_as_text(desk: Desk) -> None:
    done = desk.run("ask", f"where is {desk.order}?", "--as", "rep.us")
    assert done.returncode == 0
    assert desk.order in done.stdout
    assert "delivered" in done.stdout
    assert re.search(r"\[verified, oldest source \d+ min, \d+ ms\]\s*$", done.stderr)


def test_a_question_answered_as_json(desk: Desk) -> None:
    body = desk.answer(f"where is {desk.order}?")
    assert set(body) == ANSWER
    assert (body["verdict"], body["reason"], body["engine"], body["choices"]) == ("verified", None, "rules", [])
    assert {key for fact in body["facts"] for key in fact} == {"ref", "value", "unit", "text"}
    assert {key for source in body["sources"] for key in source} == {
        "id",
        "kind",
        "system",
        "entity",
        "key",
        "age",
        "residency",
        "link",
        "fields",
    }
    ids = {source["id"] for source in body["sources"]}
    assert {fact["ref"].partition(".")[0] for fact in body["facts"]} <= ids
    number = next(fact for fact in body["facts"] if fact["text"] == desk.order)
    assert (number["value"], number["unit"]) == (desk.order, None)


def test_a_conversation_goes_on_for_its_owner_alone(desk: Desk) -> None:
    first = desk.answer(f"where is {desk.order}?")
    mine = desk.answer("open orders for Acme", "--conversation", first["conversation"])
    theirs = desk.answer("open orders for Acme", "--conversation", first["conversation"], subject="rep.de")
    assert mine["conversation"] == first["conversation"]
    assert theirs["conversation"] != first["conversation"]


def test_what_is_declined_ends_with_status_three_and_says_what_to_do(desk: Desk) -> None:
    done = desk.run("ask", "where is SO-99999?", "--as", "rep.us")
    assert done.returncode == 3
    assert "SO-99999" in done.stdout
    assert "→ " in done.stdout
    assert "[declined: not_found" in done.stderr
    choices = desk.run("ask", "open orders for Acme", "--as", "rep.us")
    assert choices.returncode == 3
    assert len(re.findall(r"^ +ask: open orders for C-\d+$", choices.stdout, re.MULTILINE)) == 2
    assert desk.answer(f"where is {desk.order}?", subject="rep.de")["reason"] == "not_found"


def test_a_warm_question_imports_nothing_of_the_web(desk: Desk) -> None:
    done = desk.run("ask", f"where is {desk.order}?", "--as", "rep.us", python=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "psycopg" in imported
    assert imported.isdisjoint(
        {
            "chainlit",
            "fastapi",
            "starlette",
            "uvicorn",
            "socketio",
            "engineio",
            "llama_index",
            "presidio_analyzer",
            "numpy",
        }
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ask", "where is SO-1?", "--as", "nobody.at.all"), "'nobody.at.all' is not known here"),
        (("ask", "", "--as", "rep.us"), f"a question has 1 to {MAX_QUESTION} characters; this one has 0"),
        (("ask", " \n\t ", "--as", "rep.us"), f"a question has 1 to {MAX_QUESTION} characters; this one has 0"),
        (("ask", "x" * (MAX_QUESTION + 1), "--as", "rep.us"), f"this one has {MAX_QUESTION + 1}"),
        (("token", "--as", "nobody.at.all"), "'nobody.at.all' is not known here"),
        (("person", "add", "anna", "--role", "emperor"), "there is no role 'emperor'"),
        (("person", "add", "anna", "--role", "buyer", "--region", "MOON"), "there is no region 'MOON'"),
        (("source", "sync", "No Such"), "there is no source 'No Such'"),
        (("source", "add", "odoo"), "is missing"),
        (("restore", "/no/such/file"), "/no/such/file"),
        (("backup", "/no/such/folder/file"), "/no/such/folder"),
    ],
)
def test_a_mistake_is_one_sentence(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    assert said in desk.sentence(*arguments)


def test_a_setting_that_cannot_be_used_is_named(desk: Desk) -> None:
    assert "COPILOT_PORT is 'eighty'" in desk.sentence("run", COPILOT_PORT="eighty")
    url = "postgresql://someone:hidden-word@127.0.0.1:9/none"
    said = desk.sentence("ask", "where is SO-1?", "--as", "rep.us", COPILOT_DATABASE_URL=url)
    assert said.startswith("the database at 127.0.0.1:9 could not be prepared")
    assert "hidden-word" not in said
    assert "COPILOT_HOME" in desk.sentence("doctor", COPILOT_HOME="/dev/null/home")


def test_an_unknown_command_lists_those_there_are(desk: Desk) -> None:
    done = desk.run("frobnicate")
    assert done.returncode == 2
    assert done.stderr == "erp-copilot: there is no command 'frobnicate'\n"
    listed = desk.good("help")
    assert listed == done.stdout
    for command in ("ask", "audit", "backup", "doctor", "person", "restore", "run", "source", "token"):
        assert re.search(rf"^  {command} +\w", listed, re.MULTILINE), command
    missing = desk.run("ask", "where is SO-1?")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "--as" in missing.stderr


def test_a_token_is_three_parts_and_nothing_else(desk: Desk) -> None:
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", desk.good("token", "--as", "rep.us"))


def test_a_text_is_masked_with_why(desk: Desk, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(f"Call +49 30 901820 about {desk.order}, dear Mr. Zyxwin Quorble\n", encoding="utf-8")
    told = desk.good("redact", str(letter), "--why")
    assert told.splitlines()[0] == f"Call <PHONE_1> about {desk.order}, dear Mr. <PERSON_1>"
    assert "has the form (PHONE)" in told
    assert "the words around it (title)" in told
    body = json.loads(desk.good("redact", str(letter), "--for", "logs", "--json"))
    assert [(piece["kind"], piece["shown"]) for piece in body["pieces"]] == [("PHONE", "token"), ("PERSON", "token")]
    assert [piece["text"] for piece in body["pieces"]] == ["+49 30 901820", "Zyxwin Quorble"]
    assert desk.good("redact") == "\n"  # nothing on stdin


def test_a_text_that_cannot_be_read_is_told(desk: Desk, tmp_path: Path) -> None:
    assert "can't be read" in desk.sentence("redact", str(tmp_path / "none.txt"))
    odd = tmp_path / "odd.txt"
    odd.write_bytes(b"Anna \xff")
    assert "byte 5 is 0xff" in desk.sentence("redact", str(odd))
    assert "COPILOT_NAMES_MODEL" in desk.sentence("redact", COPILOT_NAMES_MODEL="no_such_model")


def test_the_sources_are_listed(desk: Desk) -> None:
    listed = desk.good("source", "list")
    every = r"\d+ records set aside; every 60 min, due in \d+ min"
    assert re.search(rf"^Demo ERP +demo_erp +synced \d+ min ago, {every}$", listed, re.MULTILINE)
    assert re.search(r"^Demo WMS +demo_wms +synced", listed, re.MULTILINE)
    assert "Demo ERP" in desk.good("source", "check", "Demo ERP")


def test_people_are_added_and_listed(desk: Desk) -> None:
    before = desk.good("person", "list")
    assert re.search(r"^rep\.us +customer_service +region US +Dana Whitlock$", before, re.MULTILINE)
    desk.good("person", "add", "anna", "--name", "Anna Example", "--role", "warehouse", "--region", "US")
    assert re.search(r"^anna +warehouse +region US +Anna Example$", desk.good("person", "list"), re.MULTILINE)
    assert desk.answer(f"where is {desk.order}?", subject="anna")["verdict"] == "verified"
    assert desk.answer(f"value of {desk.order}", subject="anna")["reason"] == "not_found"


def test_the_doctor_finds_all_well(desk: Desk) -> None:
    said = desk.good("doctor")
    assert said.splitlines()[-1] == "all well"
    for part in ("data folder", "database", "audit", "audit chain", "copy: Demo ERP", "source: Demo WMS"):
        assert part in said


def test_the_audit_is_verified_and_a_changed_row_named(desk: Desk) -> None:
    desk.answer(f"where is {desk.order}?")
    assert re.search(r"^\d+ rows, the chain holds$", desk.good("audit", "verify"), re.MULTILINE)


def test_backup_destroy_restore(desk: Desk) -> None:
    kept = desk.answer(f"where is {desk.order}?")
    file = desk.home.parent / "copy.backup"
    assert re.match(rf"{re.escape(str(file))}: [\d,]+ bytes, audit up to row \d+\n", desk.good("backup", str(file)))
    assert str(file) in desk.sentence("backup", str(file))  # it exists
    embedded.stop(desk.home)
    shutil.rmtree(desk.home / "pg18")
    restored = desk.good("restore", str(file))
    assert "the chain holds" in restored
    assert "the policy in force is baseline" in restored
    assert "the chain holds" in desk.good("audit", "verify")
    again = desk.answer(f"where is {desk.order}?", "--conversation", kept["conversation"])
    assert again["answer"] == kept["answer"]
    assert again["conversation"] == kept["conversation"]
    assert desk.good("doctor").splitlines()[-1] == "all well"


def test_a_file_that_is_no_backup_changes_nothing(desk: Desk) -> None:
    file = desk.home.parent / "junk"
    file.write_text("no backup at all")
    assert str(file) in desk.sentence("restore", str(file))
    assert desk.answer(f"where is {desk.order}?")["verdict"] == "verified"


def test_a_changed_audit_row_is_named(desk: Desk) -> None:
    desk.answer(f"where is {desk.order}?")
    server = embedded.ensure_running(desk.home, progress=silent)
    try:
        with psycopg.connect(make_conninfo(server.superuser_dsn, dbname="copilot"), autocommit=True) as admin:
            admin.execute("alter table audit.entry disable trigger kept")
            admin.execute("update audit.entry set subject = 'somebody.else' where id = 2")
    finally:
        server.leave()
    done = desk.run("audit", "verify")
    assert done.returncode == 1
    assert re.search(r"^altered: .*\b2\b", done.stdout, re.MULTILINE)
    assert re.search(r"^\d+ rows, [1-9]\d* faults$", done.stdout, re.MULTILINE)
    sick = desk.run("doctor")
    assert sick.returncode == 1
    assert sick.stdout.splitlines()[-1] == "1 to mend"
