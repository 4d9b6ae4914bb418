"""Models: what is configured, in which order they are asked, and when they are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from copilot.domain.allowance import Allowance, Spending
from copilot.domain.redaction import Masked
from copilot.errors import BudgetError, MaskingError, ModelError, ResidencyError, SettingsError
from copilot.models.breaker import Breaker
from copilot.models.configured import Configured, Prices, Served, read_models
from copilot.models.pool import Asker, Models
from copilot.models.saying import Message, Request, Said
from copilot.models.scripted import Scripted
from copilot.policy.policy import closed_policy
from copilot.settings import read_settings
from copilot.wiring.models import set_up

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST = Request(messages=(Message("user", Masked("x" * 300)),), most_tokens=100)
HOUSE = Served(url="http://127.0.0.1:1/v1", model="small", runs="house")
HOSTED = Served(
    url="https://models.example/v1", model="large", runs="provider", vendor="example", place="us",
    prices=Prices.model_validate({"input": "2", "output": "8"}),
)  # fmt: skip


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Purse:
    """Remembers what was taken and settled; has nothing left where it is empty."""

    empty: bool = False
    taken: list[tuple[Sequence[Allowance], int, int]] = field(
        default_factory=list[tuple[Sequence[Allowance], int, int]]
    )
    settled: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    spent: tuple[int, int] = (0, 0)

    async def used(self, allowance: Allowance) -> tuple[int, int]:
        assert allowance.per == "company"
        return self.spent

    async def take(self, allowances: Sequence[Allowance], tokens: int, micros: int) -> Spending:
        if self.empty:
            raise BudgetError
        self.taken.append((allowances, tokens, micros))
        return Spending(day=date(2026, 11, 22), allowances=tuple(allowances), tokens=tokens, micros=micros)

    async def settle(self, spending: Spending, tokens: int, micros: int) -> None:
        assert spending.tokens == self.taken[-1][1]
        self.settled.append((tokens, micros))


def anywhere(served: Served) -> None:
    del served


def asker(allows: Callable[[Served], None] = anywhere) -> Asker:
    return Asker(subject="rep.us", roles=("customer_service", "planner"), allows=allows)


async def made(name: str, served: Served) -> Request | None:
    del name, served
    return REQUEST


def text(said: Said) -> str:
    return said.text


def models(
    speakers: Mapping[str, Scripted], *, within: float = 5, budgets: object = (), purse: Purse | None = None,
    clock: Clock | None = None,
) -> Models:  # fmt: skip
    served = {"house": HOUSE, "hosted": HOSTED}
    told = {
        "models": {name: served[name] for name in speakers},
        "tasks": {"plan": {"models": [*speakers], "within": within}},
        "budgets": budgets,
    }
    return Models(Configured.model_validate(told), speakers, purse or Purse(), clock or Clock())


async def standing(both: Models) -> list[tuple[str, str, datetime | None]]:
    return [(each.name, each.breaker, each.since) for each in await both.states()]


def came(attempts: Sequence[object]) -> list[tuple[str, str]]:
    return [(getattr(each, "model"), getattr(each, "came")) for each in attempts]  # noqa: B009


async def test_the_first_model_that_can_be_asked_answers() -> None:
    house, hosted = Scripted([ModelError("down")]), Scripted([Said(text="two", tokens=(100, 3))])
    heard = await models({"house": house, "hosted": hosted}).say("plan", made, text, asker())
    assert (heard.said, heard.model) == ("two", "hosted")
    assert came(heard.attempts) == [("house", "failed"), ("hosted", "said")]
    assert heard.attempts[1].tokens == (100, 3)


async def test_a_task_without_models_is_left_to_the_rules() -> None:
    both = models({"house": Scripted([])})
    assert both.has("plan")
    assert not both.has("draft")
    heard = await both.say("draft", made, text, asker())
    assert (heard.said, heard.attempts) == (None, ())


async def test_nothing_is_made_for_a_model_that_the_policy_does_not_allow() -> None:
    def allows(served: Served) -> None:
        if served.place == "us":
            raise ResidencyError

    house, hosted = Scripted([]), Scripted([Said(text="never")])
    asked: list[Served] = []

    async def noted(_: str, served: Served) -> Request | None:
        asked.append(served)
        return REQUEST

    heard = await models({"hosted": hosted, "house": house}).say("plan", noted, text, asker(allows))
    assert came(heard.attempts) == [("hosted", "not_allowed"), ("house", "failed")]
    assert asked == [HOUSE]
    assert hosted.asked == []


async def test_what_may_not_leave_is_asked_of_no_model_and_is_no_fault_of_it() -> None:
    async def refused(name: str, served: Served) -> Request | None:
        raise MaskingError

    house = Scripted([])
    both = models({"house": house})
    for _ in range(7):
        heard = await both.say("plan", refused, text, asker())
        assert came(heard.attempts) == [("house", "may_not_leave")]
    assert await standing(both) == [("house", "closed", None)]


async def test_what_cannot_be_used_is_as_bad_as_no_answer() -> None:
    def read(said: Said) -> str:
        if said.text == "nonsense":
            raise ModelError
        return said.text

    speakers = {"house": Scripted([Said(text="nonsense")]), "hosted": Scripted([Said(text="sense")])}
    heard = await models(speakers).say("plan", made, read, asker())
    assert (heard.said, came(heard.attempts)) == ("sense", [("house", "failed"), ("hosted", "said")])


async def test_the_time_is_shared_by_all_models_of_a_task() -> None:
    async def forever(request: Request) -> Said:
        await asyncio.sleep(60)
        return Said()

    slow = models({"house": Scripted(forever), "hosted": Scripted(forever)}, within=0.2)
    heard = await slow.say("plan", made, text, asker())
    assert came(heard.attempts) == [("house", "slow"), ("hosted", "slow")]


async def test_after_five_failures_a_model_rests_and_is_tried_again_by_one() -> None:
    clock, house = Clock(), Scripted(lambda _: (_ for _ in ()).throw(ModelError("down")))
    both = models({"house": house}, clock=clock)
    for _ in range(8):
        await both.say("plan", made, text, asker())
    assert len(house.asked) == 5
    assert await standing(both) == [("house", "open", NOW)]
    clock.now += timedelta(seconds=31)
    assert await standing(both) == [("house", "half_open", NOW)]
    for _ in range(3):
        await both.say("plan", made, text, asker())
    assert len(house.asked) == 6
    clock.now += timedelta(seconds=31)  # it rests twice as long now
    await both.say("plan", made, text, asker())
    assert len(house.asked) == 6
    clock.now += timedelta(seconds=30)
    house.script = lambda _: Said(text="well")
    assert (await both.say("plan", made, text, asker())).said == "well"
    assert await standing(both) == [("house", "closed", None)]


def test_while_one_tries_a_model_that_rested_nobody_else_does() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(5):
        assert breaker.admits()
        breaker.failed("slow")
    assert not breaker.admits()
    clock.now += timedelta(seconds=30)
    assert [breaker.admits(), breaker.admits()] == [True, False]
    clock.now += timedelta(seconds=30)  # whoever tried was never heard of again
    assert breaker.admits()


async def test_a_question_that_is_given_up_says_nothing_about_the_model() -> None:
    async def forever(request: Request) -> Said:
        await asyncio.sleep(60)
        return Said()

    purse = Purse()
    both = models({"house": Scripted(forever)}, budgets=[{"per": "company", "tokens": 1000}], purse=purse)
    for _ in range(6):
        asking = asyncio.create_task(both.say("plan", made, text, asker()))
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
    assert await standing(both) == [("house", "closed", None)]
    assert purse.settled == [(201, 0)] * 6  # nobody knows what it took, so all of it counts


async def test_budgets_are_taken_of_before_and_settled_after() -> None:
    purse = Purse()
    budgets = [
        {"per": "person", "tokens": 1000}, {"per": "role", "role": "planner", "tokens": 5000},
        {"per": "role", "role": "buyer", "tokens": 1}, {"per": "company", "cost": "1.50"},
    ]  # fmt: skip
    speakers = {"hosted": Scripted([Said(text="well", tokens=(90, 10))])}
    await models(speakers, budgets=budgets, purse=purse).say("plan", made, text, asker())
    [(allowances, tokens, micros)] = purse.taken
    assert [(each.per, each.name, each.tokens, each.micros) for each in allowances] == [
        ("person", "rep.us", 1000, None), ("role", "planner", 5000, None), ("company", "", None, 1_500_000),
    ]  # fmt: skip
    assert (tokens, micros) == (201, 101 * 2 + 100 * 8)
    assert purse.settled == [(100, 90 * 2 + 10 * 8)]


async def test_over_budget_no_model_is_asked() -> None:
    house = Scripted([])
    both = models({"house": house}, budgets=[{"per": "company", "tokens": 10}], purse=Purse(empty=True))
    assert came((await both.say("plan", made, text, asker())).attempts) == [("house", "over_budget")]
    assert house.asked == []
    assert await standing(both) == [("house", "closed", None)]


async def test_a_model_is_over_budget_once_another_such_request_is_more_than_what_is_left() -> None:
    purse = Purse(spent=(1_800, 0))
    budgets = [{"per": "person", "tokens": 201}, {"per": "company", "tokens": 2_000}]
    both = models({"house": Scripted([Said(text="well", tokens=(90, 10))])}, budgets=budgets, purse=purse)
    assert [each.over_budget for each in await both.states()] == [False]
    await both.say("plan", made, text, asker())
    assert purse.taken[-1][1] == 201
    assert [each.over_budget for each in await both.states()] == [True]


async def test_one_model_alone_is_asked_with_the_breaker_that_it_has() -> None:
    house, hosted = Scripted([ModelError("down")] * 5), Scripted([])
    both = models({"house": house, "hosted": hosted})
    for _ in range(5):
        heard = await both.only("house").say("plan", made, text, asker())
        assert [(each.came, each.why) for each in heard.attempts] == [("failed", "down")]
    assert hosted.asked == []
    heard = await both.say("plan", made, text, asker())
    assert came(heard.attempts) == [("house", "resting"), ("hosted", "failed")]


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("models: [", "is no YAML"),
        ("models: {a: {url: 'ftp://x', model: m, runs: house}}", "models.a.url"),
        ("models: {a: {url: 'http://key@x', model: m, runs: house}}", "models.a.url"),
        ("models: {a: {url: 'http://x', model: m, runs: house, key: 'sk-123 456'}}", "models.a.key"),
        ("models: {a: {url: 'http://x', model: m, runs: provider}}", "needs its vendor's name"),
        ("models: {a: {url: 'http://x', model: m, runs: house, service: azure}}", "api_version"),
        ("models: {a: {url: 'http://x', model: m, runs: house, tempo: 1}}", "models.a.tempo"),
        ("tasks: {plan: {models: [b]}}", "'b', which is not one of"),
        ("tasks: {guess: {models: [b]}}", "tasks.guess"),
        ("budgets: [{per: role, tokens: 5}]", "names the role"),
        ("budgets: [{per: person}]", "how many tokens"),
        ("budgets: [{per: person, tokens: 5}, {per: person, cost: 5}]", "two budgets for the same"),
        (
            "models: {a: {url: 'http://x', model: m, runs: provider, vendor: v}}\nbudgets: [{per: person, cost: '1'}]",
            "has no prices",
        ),
    ],
)
def test_what_is_wrong_in_the_file_is_told(told: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(told)
    with pytest.raises(SettingsError) as raised:
        read_models(file)
    assert wrong in str(raised.value)
    assert str(file) in str(raised.value)


def test_without_a_file_there_is_no_model(tmp_path: Path) -> None:
    assert read_models(tmp_path / "models.yaml") == Configured()


def test_what_tokens_cost_is_rounded_up() -> None:
    prices = Prices.model_validate({"input": "0.15", "output": "0.60"})
    assert prices.micros(1, 1) == 1
    assert prices.micros(1_000_000, 1_000_000) == 750_000


def wired(home: Path, told: str, environment: Mapping[str, str], **more: str) -> Models | None:
    (home / "models.yaml").write_text(told)
    settings = read_settings({"COPILOT_HOME": str(home), **more})
    parts: Any = None
    return set_up(settings, parts, parts, closed_policy, Clock(), environment)


async def test_models_are_put_together_as_the_file_says(tmp_path: Path) -> None:
    told = (
        "models: {a: {url: 'http://127.0.0.1:1/v1', model: m, runs: house, key: A_KEY}}\ntasks: {draft: {models: [a]}}"
    )
    both = wired(tmp_path, told, {"A_KEY": "k"})
    assert both
    assert both.has("draft")
    [state] = await both.states()
    assert (state.name, state.tasks, state.well) == ("a", ("draft",), True)
    with pytest.raises(SettingsError, match="'A_KEY', and that variable is not set"):
        wired(tmp_path, told, {})


def test_a_file_of_models_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no such file"):
        wired(tmp_path, "", {}, COPILOT_MODELS=str(tmp_path / "none.yaml"))


def test_before_any_policy_no_vendor_may_be_told_of_anything() -> None:
    assert not closed_policy().allows_vendor(frozenset({"item"}), "in-house")
