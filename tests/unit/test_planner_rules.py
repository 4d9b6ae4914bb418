"""The rules planner, with the look-up of names replaced: what is asked, about what, and when to ask back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from copilot.domain.plan import NoPlan, Plan
from copilot.semantic.model import load_model
from copilot.understanding import numbers, planner
from copilot.understanding.candidates import Candidate
from copilot.understanding.kinds import load_kinds
from copilot.understanding.lookup import Lookup
from copilot.understanding.numbers import hint, spellings
from copilot.understanding.planner import plan_question, replan
from copilot.understanding.words import Word, cut

NOW = datetime(2026, 11, 18, 10, tzinfo=UTC)
NUMBER, LOOSE, DIGITS, NAME = 31, 26, 13, 5
Known = Mapping[str, Sequence[tuple[str, int, int]]]
WORLD: Known = {
    "s00024": [("sales_order", 24, NUMBER)],
    "p00007": [("purchase_order", 7, NUMBER)],
    "so31": [("sales_order", 31, LOOSE)],
    "out7": [("shipment", 70, NUMBER)],
    "inv9": [("invoice", 90, NUMBER)],
    "acme": [("customer", 9, NAME)],
    "azure": [("customer", 10, NAME), ("customer", 11, NAME)],
    "woodco": [("supplier", 5, NAME)],
    "desk": [("item", 1, NAME)],
    "chair": [("item", 2, NAME), ("item", 3, NAME)],
    "berlin": [("site", 4, NAME)],
    "24": [("sales_order", 24, DIGITS), ("purchase_order", 240, DIGITS)],
    "4711": [("sales_order", 1, LOOSE), ("purchase_order", 2, LOOSE)],
}


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(_: object, words: Sequence[Word], cues: frozenset[int]) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(
                entity=entity,
                id=row,
                positions=frozenset({position}),
                strength=strength,
                by_number=strength > NAME * 2,
                label=f"{word.typed} {row}",
                number="",
            )
            for position, word in enumerate(words)
            for entity, row, strength in WORLD.get(word.folded, ())
        )

    monkeypatch.setattr(planner, "find_candidates", find)


class _NoSites:
    """A connection to a database that knows no site, so no time zone."""

    async def execute(self, *_: object, prepare: bool) -> _NoSites:
        return self

    async def fetchall(self) -> list[dict[str, str]]:
        return []


async def _ask(text: str) -> Plan | NoPlan:
    return await plan_question(Lookup(connection=cast(Any, _NoSites()), model=load_model(), now=NOW), text)


async def _plan(text: str) -> tuple[str, dict[str, tuple[int, ...]]]:
    plan = await _ask(text)
    assert isinstance(plan, Plan), plan
    return plan.kind, dict(plan.references)


@pytest.mark.parametrize(
    ("text", "kind", "references"),
    [
        ("where is S00024?", "order_status", {"sales_order": (24,)}),
        ("where's S00024", "order_status", {"sales_order": (24,)}),
        ("S00024", "order_status", {"sales_order": (24,)}),
        ("what is late on S00024 and why?", "order_lines", {"sales_order": (24,)}),
        ("what's on S00024", "order_lines", {"sales_order": (24,)}),
        ("lines of S00024", "order_lines", {"sales_order": (24,)}),
        ("track S00024", "shipment_tracking", {"sales_order": (24,)}),
        ("OUT7", "shipment_tracking", {"shipment": (70,)}),
        ("who signed for OUT7", "delivery_proof", {"shipment": (70,)}),
        ("is INV9 paid", "invoice_status", {"invoice": (90,)}),
        ("invoices of S00024", "invoice_status", {"sales_order": (24,)}),
        ("P00007", "purchase_order_status", {"purchase_order": (7,)}),
        ("when does P00007 arrive", "purchase_order_status", {"purchase_order": (7,)}),
        ("open orders of Acme", "customer_orders", {"customer": (9,)}),
        ("Acme", "customer_orders", {"customer": (9,)}),
        ("unpaid invoices of Acme", "customer_invoices", {"customer": (9,)}),
        ("e-mail of Acme", "customer_emails", {"customer": (9,)}),
        ("who do I call at Acme", "customer_contacts", {"customer": (9,)}),
        ("stock of desk", "item_stock", {"item": (1,)}),
        ("how many desk in Berlin", "item_stock", {"item": (1,), "site": (4,)}),
        ("price of desk for Acme", "customer_price", {"item": (1,), "customer": (9,)}),
        ("list price of desk", "item_list_price", {"item": (1,)}),
        ("who supplies desk", "item_suppliers", {"item": (1,)}),
        ("Woodco", "supplier_profile", {"supplier": (5,)}),
        ("on-time rate of Woodco", "supplier_profile", {"supplier": (5,)}),
        ("open purchase orders of Woodco", "supplier_orders", {"supplier": (5,)}),
        ("is INV9 already paid or still open", "invoice_status", {"invoice": (90,)}),
        ("why has S00024 not gone out", "order_hold_ups", {"sales_order": (24,)}),
        (
            "at what price do we sell desk to Acme and why",
            "customer_price",
            {"item": (1,), "customer": (9,)},
        ),
        ("which lines of S00024 can ship today and which cannot", "order_splitting", {"sales_order": (24,)}),
        ("lines of S00024, open lines and late lines", "order_lines", {"sales_order": (24,)}),
        ("how many boxes is 24 pieces of desk", "unit_conversion", {"item": (1,)}),
        ("when will Berlin have desk again", "item_next_delivery", {"item": (1,), "site": (4,)}),
    ],
)
async def test_questions_as_people_ask_them(text: str, kind: str, references: dict[str, tuple[int, ...]]) -> None:
    assert await _plan(text) == (kind, references)


async def test_several_records_of_a_name_are_asked_back_with_a_question_for_each() -> None:
    answer = await _ask("open orders of azure")
    assert isinstance(answer, NoPlan)
    assert (answer.reason, answer.entity, answer.echo) == ("ambiguous", "customer", "azure")
    assert [choice.question for choice in answer.choices] == [
        "open orders of customer#10",
        "open orders of customer#11",
    ]


async def test_two_doubtful_names_are_asked_back_in_every_combination() -> None:
    answer = await _ask("price of chair for azure")
    assert isinstance(answer, NoPlan)
    assert {choice.question for choice in answer.choices} == {
        f"price of item#{item} for customer#{customer}" for item in (2, 3) for customer in (10, 11)
    }


async def test_a_number_of_two_kinds_of_record_is_asked_back() -> None:
    answer = await _ask("4711")
    assert isinstance(answer, NoPlan)
    assert answer.reason == "ambiguous"
    assert {choice.question for choice in answer.choices} == {
        "order status sales_order#1", "status of purchase order purchase_order#2",
    }  # fmt: skip


async def test_bare_digits_beside_a_name_are_a_quantity() -> None:
    assert await _plan("do we have 24 desk in stock") == ("stock_against_quantity", {"item": (1,)})


@pytest.mark.parametrize("text", ["where is S99999", "invoice INV99", "track 1Z999"])
async def test_a_number_that_is_nowhere_is_not_found_by_its_own_words(text: str) -> None:
    answer = await _ask(text)
    assert isinstance(answer, NoPlan)
    assert (answer.reason, answer.echo) == ("not_found", text.rsplit(maxsplit=1)[-1])
    assert answer.choices == ()


async def test_a_name_that_is_nowhere_is_not_found() -> None:
    answer = await _ask("open orders of Nobody")
    assert isinstance(answer, NoPlan)
    assert (answer.reason, answer.echo) == ("not_found", "Nobody")


@pytest.mark.parametrize("text", ["", "?", "hello", "thanks!", "what is the"])
async def test_a_question_about_nothing_is_unsupported(text: str) -> None:
    answer = await _ask(text)
    assert isinstance(answer, NoPlan)
    assert answer.reason == "unsupported"
    assert answer.unknown_words == ()


async def test_words_nobody_knows_are_named_and_not_guessed_at() -> None:
    answer = await _ask("celebrate S00024 tomorrow")
    assert isinstance(answer, NoPlan)
    assert (answer.reason, answer.unknown_words) == ("unsupported", ("celebrate", "tomorrow"))
    assert [choice.question for choice in answer.choices] == ["order status sales_order#24"]


async def test_words_left_over_beside_a_clear_question_are_handed_on() -> None:
    plan = await _ask("status of S00024 purple")
    assert isinstance(plan, Plan)
    assert plan.unused_words == ("purple",)
    assert plan.echo == "S00024"


@pytest.mark.parametrize("kind", load_kinds().values(), ids=lambda kind: kind.name)
async def test_the_question_of_a_choice_leads_to_the_kind_it_was_offered_for(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def chosen(lookup: Lookup, words: Sequence[Word], cues: frozenset[int]) -> Any:
        return tuple(numbers.chosen(lookup.model, words))

    monkeypatch.setattr(planner, "find_candidates", chosen)
    text = kind.ask
    for n, entity in enumerate(kind.required, 1):
        text = text.replace("{}", f"{entity}#{n}", 1)
    expected = {entity: (n,) for n, entity in enumerate(kind.required, 1)}
    assert await _plan(text) == (kind.name, expected)


def test_a_kept_plan_is_made_again_from_its_references() -> None:
    plan = replan("order_status", {"sales_order": [24]})
    assert plan is not None
    assert plan.references == {"sales_order": (24,)}
    assert replan("no_such_kind", {}) is None


def test_a_chosen_record_is_one_the_database_could_hold() -> None:
    """Anybody can type such a reference; a number no bigint holds must be not found, not an error."""
    found = tuple(numbers.chosen(load_model(), cut("order status sales_order#99999999999999999999999")))
    assert all(candidate.id < 2**63 for candidate in found)


@pytest.mark.parametrize(
    "text", ["secrets#1", "sales_order#", "sales_order#x", "#24", "sales_order#-1", "x sales_order # 1"]
)
def test_only_an_entity_of_the_model_can_be_chosen(text: str) -> None:
    assert tuple(numbers.chosen(load_model(), cut(text))) == ()


def test_a_number_may_be_typed_with_a_blank_after_its_letters() -> None:
    assert spellings(cut("is so 24 late")) == {"24": (2,), "so24": (1, 2)}
    assert spellings(cut("was the 24 late")) == {"24": (2,)}  # "the" is too common a word to be part of a number
    assert spellings(cut("p 7")) == {"7": (1,), "p7": (0, 1)}
    assert spellings(cut("where is it")) == {}


def test_a_word_before_a_number_says_what_it_is_the_number_of() -> None:
    words = cut("invoice 24")
    assert hint(words, (1,), "invoice") > hint(words, (1,), "sales_order") == 0
    order = cut("order 24")
    assert hint(order, (1,), "sales_order") > hint(order, (1,), "purchase_order") > 0


async def test_two_orders_typed_at_once_are_asked_back() -> None:
    answer = await _ask("where are S00024 and so31")
    assert isinstance(answer, NoPlan)
    assert answer.reason == "ambiguous"
    assert {choice.label for choice in answer.choices} == {"S00024 24", "so31 31"}


@pytest.mark.parametrize("text", ["open orders of acme holzbau", "open orders of holzbau acme", "stock of desk 12"])
async def test_a_word_beside_a_name_that_is_not_part_of_it_is_asked_about(text: str) -> None:
    answer = await _ask(text)
    assert isinstance(answer, NoPlan)
    assert answer.reason == "unsupported"
    assert len(answer.choices) == 1
