"""How one message is read as several, what its answers come to together, and what a conversation keeps of them."""

from __future__ import annotations

import pytest

from copilot.answering.several import one_answer
from copilot.domain.answer import Answer, Reason, Verdict
from copilot.domain.claims import Outline
from copilot.domain.dialogue import State, state_of
from copilot.domain.json import Json
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.understanding.dialogue.focus import in_turn, others_of, several_of
from copilot.understanding.dialogue.parts import in_parts

NOTHING = Outline(groups=())
UNKNOWN = NoPlan(reason="unsupported")


def plan(kind: str, **references: int) -> Plan:
    ids = {entity: (ident,) for entity, ident in references.items()}
    return Plan(kind=kind, references=ids, steps=(), outline=NOTHING)


async def heard(text: str, **known: Plan | NoPlan) -> Plan | NoPlan | None:
    """The message, where these texts are all that anybody understands; `_` stands for a blank."""
    plans = {said.replace("_", " "): each for said, each in known.items()}

    async def one(part: str, state: State) -> Plan | NoPlan:
        found = plans.get(part.rstrip("?.!").casefold().replace("'", ""), UNKNOWN)
        return found if part.split(maxsplit=1)[0] != "its" or state.kind else UNKNOWN

    return await in_parts(text, State(), one)


STATUS, DEBT, LIMIT = plan("status", sales_order=1), plan("debt", customer=2), plan("limit", customer=2)


@pytest.mark.parametrize(
    "text",
    [
        "where is so and what is owed",
        "where is so, what is owed",
        "where is so? what is owed?",
        "where is so. what is owed",
        "where is so & what is owed",
        "where is so, and also what is owed",
        "where is so - what is owed",
    ],
)
async def test_a_message_of_two_questions(text: str) -> None:
    found = await heard(text, where_is_so=STATUS, what_is_owed=DEBT)
    assert isinstance(found, Plan)
    assert ([part.kind for part in found.before], found.kind) == (["status"], "debt")


@pytest.mark.parametrize(
    "text",
    [
        "where is so and so",
        "where is so and what is the weather",
        "where is so and owed by meyer",
        "what is owed by Acme Inc. in Dallas",
    ],
)
async def test_no_message_of_two_questions(text: str) -> None:
    assert await heard(text, where_is_so=STATUS, what_is_owed=DEBT, what_is_owed_by_acme_inc=DEBT) is None


async def test_three_questions_and_one_pointing_back() -> None:
    """What "its" means is what the part before was about."""
    known = {"what_is_owed": DEBT, "where_is_so": STATUS, "its_limit": LIMIT}
    found = await heard("where is so, what is owed and its limit", **known)
    assert isinstance(found, Plan)
    assert [part.kind for part in (*found.before, found)] == ["status", "debt", "limit"]


async def test_a_part_that_names_nothing_beside_one_that_does_is_no_question_of_its_own() -> None:
    """ "Stock of X in Dallas and how much is on order" does not ask for all that is on order anywhere."""
    assert await heard("where is so and how much is due", where_is_so=STATUS, how_much_is_due=plan("due")) is None


async def test_a_doubt_about_one_part_asks_with_the_other_still_said() -> None:
    doubt = NoPlan(reason="ambiguous", choices=(Choice(label="Meyer", question="what does customer#3 owe"),))
    found = await heard("where is so and what does meyer owe", where_is_so=STATUS, what_does_meyer_owe=doubt)
    assert isinstance(found, NoPlan)
    assert [choice.question for choice in found.choices] == ["where is so? what does customer#3 owe"]


async def test_the_same_question_twice_is_one() -> None:
    assert await heard("where is so? what is owed?", where_is_so=STATUS, what_is_owed=STATUS) is None


def answer(verdict: Verdict, reason: Reason | None = None) -> Answer:
    return Answer(answer=verdict.value, verdict=verdict, reason=reason, engine="rules", kind=None)


V, P, D = Verdict.VERIFIED, Verdict.PARTIAL, Verdict.DECLINED


@pytest.mark.parametrize(
    ("parts", "verdict"), [((V, V), V), ((V, P), P), ((P, V), P), ((V, D), P), ((D, P), P), ((D, D), D)]
)
def test_an_answer_is_no_surer_than_its_least_sure_part(parts: tuple[Verdict, ...], verdict: Verdict) -> None:
    found = one_answer([answer(each, None if each is V else Reason.STALE) for each in parts])
    assert found.verdict is verdict
    assert (found.reason is None) == (verdict is V)
    assert found.answer.split("\n\n") == [each.value for each in parts]


def test_a_message_of_two_questions_leaves_the_state_of_its_last() -> None:
    state = state_of([{**plan("debt", customer=2).to_json(), "before": [STATUS.to_json()]}])
    assert (state.kind, state.references) == ("debt", {"customer": (2,)})
    assert [each.kind for each in state.before] == ["status"]
    assert [each.kind for each in state.earlier] == ["status"]
    assert state_of([{**DEBT.to_json(), "before": [STATUS.to_json()]}, LIMIT.to_json()]).before == ()


def test_documents_asked_about_in_turn() -> None:
    turns = [plan("status", sales_order=n).to_json() for n in (7, 8, 7)]
    assert in_turn(state_of(turns)) == (("sales_order", 8), ("sales_order", 7))
    assert in_turn(state_of(turns[:1])) == ()
    assert in_turn(state_of([*turns, plan("stock", item=3).to_json()])) == ()


def test_what_a_list_held_besides() -> None:
    listed: dict[str, Json] = {"listed": {"entity": "sales_order", "ids": [1, 2, 3]}}
    wide: dict[str, Json] = {**plan("composed_list", customer=9).to_json(), **listed}
    narrow: dict[str, Json] = {
        **plan("composed_list", customer=9).to_json(),
        "listed": {"entity": "sales_order", "ids": [2]},
    }
    assert others_of(state_of([wide, narrow])) == (("sales_order", 1), ("sales_order", 3))
    assert others_of(state_of([wide, STATUS.to_json()])) == (("sales_order", 2), ("sales_order", 3))
    assert others_of(state_of([wide])) == ()


def test_several_records_named_are_no_single_thing() -> None:
    both = Plan(kind="stock", references={"item": (1, 2), "site": (3,)}, steps=(), outline=NOTHING)
    assert several_of(state_of([both.to_json()])) == (("item", 1), ("item", 2))
    assert several_of(state_of([plan("stock", item=1, site=3).to_json()])) == ()
