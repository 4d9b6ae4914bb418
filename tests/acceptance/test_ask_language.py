"""Another language is a folder of files: the same questions in it get the same figures, in its own words and forms."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from copilot.domain.answer import Answer, Reason, Verdict
from copilot.errors import SettingsError
from copilot.settings import Settings
from copilot.wiring import Runtime, open_runtime
from tests.company import Company, ask, running, silent

FOLDER = Path(__file__).parents[1] / "data" / "language" / "xx"
QUESTIONS = [
    ("how many open orders were placed since October", "Wie viele offene Aufträge wurden seit Oktober bestellt?"),
    ("and in Dallas?", "und in Dallas?"),
    ("how many open orders were placed in November", "wie viele offene Aufträge wurden im November bestellt"),
    ("show overdue orders in Dallas", "zeige überfällige Aufträge in Dallas"),
    (
        "how many orders were placed by month since September",
        "wie viele Aufträge wurden je Monat seit September bestellt",
    ),
]


@pytest.fixture
async def spoken(company: Company, database: str, home: Path) -> AsyncGenerator[Runtime]:
    """The copilot that hears and answers in the other language, over the same records."""
    async with running(company, database, home, language=str(FOLDER)) as built:
        yield built


def figures(answer: Answer) -> set[tuple[str, Any]]:
    """What is told, each with where it comes from; a heading is words."""
    return {(fact.ref, fact.value) for fact in answer.facts if not fact.ref.endswith(".title")}


async def talk(runtime: Runtime, texts: list[str]) -> list[Answer]:
    answers: list[Answer] = []
    for text in texts:
        answers.append(await ask(runtime, "planner", text, answers[-1].conversation if answers else None))
    return answers


async def test_a_conversation_in_it_has_the_same_figures(runtime: Runtime, spoken: Runtime) -> None:
    english = await talk(runtime, [text for text, _ in QUESTIONS])
    other = await talk(spoken, [text for _, text in QUESTIONS])
    assert [answer.verdict for answer in (*english, *other)] == [Verdict.VERIFIED] * 2 * len(QUESTIONS)
    assert [figures(answer) for answer in other] == [figures(answer) for answer in english]
    assert figures(english[0])
    assert figures(english[0]) != figures(english[1])


async def test_its_answers_are_in_its_words_and_forms(spoken: Runtime) -> None:
    counted, placed, _, late, monthly = await talk(spoken, [text for _, text in QUESTIONS])
    assert counted.answer.startswith("Offene Aufträge bestellt ab 1. Okt. 2026: **")
    assert counted.answer.endswith(" Aufträge**, in den Einträgen, die Sie sehen dürfen.")
    assert counted.understood == "wie viele offene Aufträge; Bestelldatum ab 1. Okt. 2026"
    assert placed.understood == "wie viele offene Aufträge; Bestelldatum ab 1. Okt. 2026; in Dallas"
    assert ", zugesagt " in late.answer
    assert {source.title for source in late.sources if source.kind == "record"} >= {"Auftrag", "Kunde"}
    assert monthly.understood == (
        "Aufträge bestellt (Fassung 1): Aufträge, die kein Angebot und nicht storniert sind; "
        "Bestelldatum ab 1. Sept. 2026; je Monat"
    )
    assert {fact.text for fact in monthly.facts} >= {"Sept. 2026", "Okt. 2026", "Nov. 2026"}


async def test_a_document_is_told_in_it(runtime: Runtime, spoken: Runtime) -> None:
    listed = await ask(runtime, "planner", "show delivered orders in Dallas")
    number = next(fact.value for fact in listed.facts if str(fact.value).startswith("SO-"))
    english, other = (
        await ask(runtime, "planner", f"where is {number}?"),
        await ask(spoken, "planner", f"Wo ist {number}?"),
    )
    assert (english.kind, other.kind) == ("order_status", "order_status")
    assert figures(other) == figures(english)
    assert f"Auftrag **{number}** von " in other.answer
    assert " ist **geliefert**, bestellt am " in other.answer
    printed = {fact.text for fact in other.facts if fact.ref.endswith(".order_date")}
    assert printed
    assert not printed & {fact.text for fact in english.facts}


async def test_what_it_does_not_know_is_named_in_it_and_english_is_not_heard(spoken: Runtime) -> None:
    lost = await ask(spoken, "planner", "Wo ist SO-999999?")
    assert (lost.verdict, lost.reason) == (Verdict.DECLINED, Reason.NOT_FOUND)
    assert lost.answer == "Ich finde **SO-999999** nicht, in den Einträgen, die Sie sehen dürfen."
    foreign = await ask(spoken, "planner", "how many open orders were placed since October")
    assert foreign.verdict is Verdict.DECLINED
    greeted = await ask(spoken, "planner", "guten Tag")
    assert greeted.answer.startswith("Guten Tag. Fragen Sie mich nach: Aufträge")


async def test_a_language_that_there_is_not_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"COPILOT_LANGUAGE is 'xy'; it must be one of en"):
        async with open_runtime(Settings(home=tmp_path / "home", language="xy"), progress=silent):
            pass
    assert not (tmp_path / "home").exists()
