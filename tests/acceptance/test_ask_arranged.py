"""Answers that a model arranges: it may order, join, stress and quote; nothing is said that the rules did not find."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any

import pytest

from copilot.domain.answer import Answer
from copilot.domain.json import Json
from copilot.errors import ModelError
from copilot.models.saying import Call, Request, Said
from copilot.models.scripted import Script
from copilot.wiring import Runtime
from tests.acceptance.helped import asked
from tests.acceptance.oracle import Truth, truth_of
from tests.company import Company, ask

SUPPLIER = "tell me about Sagebrook Electric Corp."
LATE = "where is SO-11592"


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


def told_of(request: Request) -> Mapping[str, Any]:
    """The data that a model is given."""
    found: Mapping[str, Any] = json.loads(request.messages[1].text)
    return found


def say(*entries: Json) -> Said:
    return Said(calls=(Call("say", {"say": [*entries]}),))


def claims_of(request: Request) -> list[dict[str, Any]]:
    """Entries for all claims on offer, in their order."""
    return [{"claim": each["claim"], "records": each["records"]} for each in told_of(request)["claims"]]


def values(answer: Answer) -> set[tuple[str, object]]:
    return {(fact.ref, fact.value) for fact in answer.facts}


async def arranged(runtime: Runtime, text: str, script: Script) -> tuple[Answer, Answer, int]:
    """The rules' answer, the one that a model arranges, and how often it was asked."""
    plain = await ask(runtime, "buyer" if text == SUPPLIER else "rep.us", text)
    answer, model = await asked(runtime, "draft", "buyer" if text == SUPPLIER else "rep.us", text, script)
    return plain, answer, len(model.asked)


async def test_what_was_found_is_said_in_the_order_of_the_model(runtime: Runtime) -> None:
    plain, answer, _ = await arranged(runtime, SUPPLIER, lambda r: say(*reversed(claims_of(r))))
    assert answer.answer != plain.answer
    assert sorted(answer.answer.split()) == sorted(plain.answer.split())
    assert values(answer) == values(plain)
    places = [answer.answer.index(words) for words in ("is active", "On time", "Quoted lead time")]
    assert places == sorted(places)
    assert plain.answer.index("Quoted lead time") < plain.answer.index("On time")


async def test_a_list_stays_behind_its_head_and_in_its_order(runtime: Runtime) -> None:
    plain, answer, _ = await arranged(runtime, SUPPLIER, lambda r: say(*reversed(claims_of(r))))

    def listed(text: str) -> str:
        return text[text.index("**10 open") :].partition("\n\n- accounts")[0].partition("\n\nMeasured")[0]

    assert listed(plain.answer).count("\n- ") == 10
    assert listed(answer.answer) == listed(plain.answer)
    assert answer.answer.index("**10 open") < answer.answer.index("Measured lead time")


async def test_claims_are_joined_and_values_stressed(runtime: Runtime) -> None:
    def script(request: Request) -> Said:
        first, second, third, *rest = claims_of(request)
        ref = f"{third['records']['delay']}.promised_date"
        return say(first, {"connective": "also"}, {**third, "stress": ref}, second, *rest)

    plain, answer, _ = await arranged(runtime, LATE, script)
    assert "past the promised 16 Oct 2026" in plain.answer
    assert "past the promised **16 Oct 2026**" in answer.answer
    assert "Also: **Late:**" in answer.answer.replace("\n", " ").replace("  ", " ")
    assert values(answer) == values(plain)


async def test_what_is_left_out_follows_at_the_end_unless_it_is_essential(runtime: Runtime) -> None:
    def only(*, essential: bool) -> Script:
        def script(request: Request) -> Said:
            told = zip(claims_of(request), told_of(request)["claims"], strict=True)
            return say(*(entry for entry, claim in told if claim["essential"] == essential))

        return script

    plain, answer, asks = await arranged(runtime, LATE, only(essential=True))
    assert (values(answer), asks) == (values(plain), 1)
    plain, answer, asks = await arranged(runtime, LATE, only(essential=False))
    assert (answer.answer, asks) == (plain.answer, 2)


async def test_a_faulty_draft_is_repaired_once(runtime: Runtime) -> None:
    told: list[Mapping[str, Any]] = []

    def script(request: Request) -> Said:
        told.append(told_of(request))
        return say(*(reversed(claims_of(request)) if told[-1]["faults"] else [{"connective": "also"}]))

    plain, answer, asks = await arranged(runtime, SUPPLIER, script)
    assert asks == 2
    assert {each["rule"] for each in told[1]["faults"]} == {"left_out"}
    assert answer.answer != plain.answer
    assert values(answer) == values(plain)


_LIES: list[Json] = [
    {"claim": "order_cancelled", "records": {"order": "S1"}},
    {"claim": "order_headline", "records": {"order": "S99", "customer": "S1"}},
    {"claim": "order_headline", "records": {}},
    {"claim": "order_overdue", "records": {"delay": "S1"}},
    {"claim": "It was delivered.", "records": {}},
    {"connective": "because"},
    {"connective": "Also: it was delivered"},
    {"quote": "S1.number", "words": "SO-11592"},
    {"quote": "S1.status", "words": "delivered"},
    {"text": "It was delivered on 3 Nov 2026."},
    "It was delivered.",
    7,
    None,
]


@pytest.mark.parametrize("lie", _LIES, ids=str)
async def test_what_is_not_on_offer_is_not_said(runtime: Runtime, lie: Json) -> None:
    plain, answer, _ = await arranged(runtime, LATE, lambda r: say(*claims_of(r), lie))
    assert answer.answer == plain.answer
    assert answer.facts == plain.facts


@pytest.mark.parametrize(
    "said",
    [
        ModelError("down"),
        Said(text="It was delivered on 3 Nov 2026."),
        Said(calls=(Call("say", {"say": []}),)),
        Said(calls=(Call("say", {"say": "delivered"}),)),
        Said(calls=(Call("answer", {"say": []}),)),
        Said(calls=()),
    ],
    ids=str,
)
async def test_without_a_draft_the_rules_answer(runtime: Runtime, said: Said | ModelError) -> None:
    plain = await ask(runtime, "rep.us", LATE)
    answer, _ = await asked(runtime, "draft", "rep.us", LATE, [said, said])
    assert (answer.answer, answer.facts, answer.verdict) == (plain.answer, plain.facts, plain.verdict)


async def test_a_model_is_told_of_values_only_as_far_as_it_may_be(runtime: Runtime) -> None:
    _, model = await asked(runtime, "draft", "buyer", SUPPLIER, [ModelError("down")])
    told = "".join(each.text for each in model.asked[0].messages)
    assert "dolores" not in told.lower()
    assert "@" not in told


async def test_an_answer_of_one_piece_is_not_arranged(runtime: Runtime) -> None:
    _, model = await asked(runtime, "draft", "rep.us", "late orders", [ModelError("down")])
    assert model.asked == []


async def test_words_of_a_note_are_quoted_letter_for_letter(runtime: Runtime, truth: Truth) -> None:
    note = truth.one(
        "select c.name, n.body from biz.customer_note n join biz.customer c on c.id = n.customer_id "
        "where length(n.body) > 30 and c.name ~ '(Inc|LLC|Corp)[.]?$' order by n.id limit 1"
    )
    text = f"notes on {note['name']}"
    plain = await ask(runtime, "rep.us", text)
    assert note["body"] in plain.answer.replace("\\", "")
    words = " ".join(note["body"].split())

    def quoting(words: str) -> Script:
        def script(request: Request) -> Said:
            notes = [each["id"] for each in told_of(request)["evidence"] if each["entity"] == "customer_note"]
            return say(*claims_of(request), *({"quote": f"{note}.body", "words": words} for note in notes))

        return script

    answer, _ = await asked(runtime, "draft", "rep.us", text, quoting(words))
    assert f"“{words}”" in answer.answer.replace("\\", "")
    assert [fact.text for fact in answer.facts if fact.quoted] == [words]
    for lie in (
        f"{words} never",
        words.upper() + "!",
        words[1:],
        " ".join(words.split()[1:4]),
        words.rpartition(". ")[2] if ". " in words else words[:-1],
        f"{words} see http://x.example/",
    ):
        answer, _ = await asked(runtime, "draft", "rep.us", text, quoting(lie))
        assert answer.answer == plain.answer
