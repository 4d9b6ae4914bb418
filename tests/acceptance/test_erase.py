"""`erp-copilot erase` as it is typed, beside a copilot that answers."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from copilot.channels.cli import Command
from copilot.channels.commands import doctor, erase, person
from copilot.errors import SettingsError, SignInError
from copilot.store.erasure_list import ERASURES
from copilot.wiring import Runtime
from tests.company import Company, ask

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def opened(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """The runtime that the commands open."""

    @asynccontextmanager
    async def open_it(*_: Any, **__: Any) -> AsyncGenerator[Runtime]:
        yield runtime

    for module in (erase, person):
        monkeypatch.setattr(module, "open_runtime", open_it)
    return runtime


async def run(command: Command, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return await command.run(parser.parse_args(arguments))


async def added(runtime: Runtime, subject: str) -> None:
    """Somebody new, who has asked."""
    assert await run(person.COMMAND, "add", subject, "--role", "planner", "--name", f"{subject.title()} Quill") == 0
    assert (await ask(runtime, subject, "how many open orders are there")).verdict == "verified"


async def test_the_next_question_is_refused_and_the_words_say_what_stays(
    opened: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    await added(opened, "ada")
    capsys.readouterr()
    assert await run(erase.COMMAND, "ada", "--yes") == 0
    told = capsys.readouterr().out
    for part in ("ada is erased", "keys destroyed: 1", "conversations: 1", "kept: the audit rows", "out of reach"):
        assert part in told
    with pytest.raises(SignInError):
        await ask(opened, "ada", "how many open orders are there")
    assert await opened.conversations("ada") == ()
    assert await run(erase.COMMAND, "ada", "--yes") == 0
    assert "was erased already" in capsys.readouterr().out
    assert await run(person.COMMAND, "enable", "ada", "--name", "Ada Again") == 0
    await run(person.COMMAND, "list")
    assert "Ada Again" in capsys.readouterr().out
    with pytest.raises(SignInError):  # let in again, not given anything back
        await opened.reopen(await opened.signed_in("ada"), "00000000-0000-0000-0000-000000000000", 0)
    assert (await ask(opened, "ada", "how many open orders are there")).verdict == "declined"


async def test_it_asks_for_the_subject_once_more(opened: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await added(opened, "ben")
    with pytest.raises(SettingsError, match="--yes"):
        await run(erase.COMMAND, "ben")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "bem")
    with pytest.raises(SettingsError, match="nothing was changed"):
        await run(erase.COMMAND, "ben")
    assert (await ask(opened, "ben", "how many open orders are there")).verdict == "verified"
    monkeypatch.setattr("builtins.input", lambda _: "ben ")
    assert await run(erase.COMMAND, "ben") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody.known", "--yes"), "nobody.known"),
        ((), "say whom"),
        (("ada", "--replay"), "say whom"),
        (("--replay", "/no/such/list"), "/no/such/list"),
    ],
)
async def test_a_mistake_is_a_sentence(opened: Runtime, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        await run(erase.COMMAND, *arguments)


async def test_replaying_and_the_doctor(
    opened: Runtime, company: Company, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await added(opened, "cleo")
    home = opened.settings.home
    assert await run(erase.COMMAND, "cleo", "--yes") == 0
    name, fault = await doctor.erasures(opened, opened.settings)
    assert name.startswith("erasures: ")
    assert fault is None
    shutil.move(home / ERASURES, tmp_path / "copy")
    name, fault = await doctor.erasures(opened, opened.settings)
    assert fault is not None
    assert "is gone" in fault
    with psycopg.connect(company.dsn(database)) as admin:  # set back to before
        admin.execute("set session_replication_role = replica")
        admin.execute("delete from directory.erasure")
        admin.execute("update directory.person set name = 'Cleo Quill', disabled = false where subject = 'cleo'")
    capsys.readouterr()
    assert await run(erase.COMMAND, "--replay", str(tmp_path / "copy")) == 0
    assert "brought about again" in capsys.readouterr().out
    with pytest.raises(SignInError):
        await ask(opened, "cleo", "how many open orders are there")
    assert (await doctor.erasures(opened, opened.settings))[1] is None


def test_the_readme_tells_of_it() -> None:
    text = README.read_text()
    for part in ("erp-copilot erase PERSON", "erase --replay [FILE]", ERASURES):
        assert part in text
