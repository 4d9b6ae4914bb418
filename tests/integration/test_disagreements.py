"""Where the systems disagree about stock: in answers and in the list; and the proof of it finds faults put there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal

import pytest
import pytest_asyncio

from copilot.domain.answer import Reason, Verdict
from copilot.errors import NoAccessError, SignInError, SourceConfigError
from copilot.retrieval import measures
from copilot.wiring.people import add_person
from evals.company import Company, ask, open_server
from evals.proofs.disagreements.planting import Group, Lot, System
from evals.proofs.disagreements.trial import Stage, open_trial, set_stage
from evals.proofs.suite import Result, Setting

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncGenerator[Company]:
    async with open_server() as company:
        yield company


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(server: Company) -> AsyncGenerator[Stage]:
    """An ERP for three sites and a warehouse system for two, with four items."""
    erp = System(name="System A", purpose="erp", sites=("North", "South", "East"), shop=False)
    wms = System(name="System B", purpose="wms", sites=("North", "South"), shop=False)
    erp.stock.update({
        (0, "North"): (_erp(12, 5),),
        (0, "South"): (_erp(7, 0),),
        (1, "North"): (_erp(10, 0),),
        (2, "North"): (_erp(40, 0),),
        (3, "East"): (_erp(6, 1),),
    })  # fmt: skip
    wms.stock.update({
        (0, "North"): (_wms(9),),
        (0, "South"): (_wms(7),),
        (1, "North"): (_wms(2, "case"),),
    })  # fmt: skip
    async with set_stage(server, Group(systems=(erp, wms), items=range(4), cased=frozenset({1}))) as made:
        await add_person(made.runtime, "books", "Books", "finance")
        yield made


def _erp(on_hand: int, reserved: int) -> Lot:
    held = Decimal(on_hand), Decimal(reserved)
    return Lot(on_hand=held[0], reserved=held[1], available=held[0] - held[1], unit="pc")


def _wms(on_hand: int, unit: str = "pc") -> Lot:
    return Lot(on_hand=Decimal(on_hand), reserved=None, available=None, unit=unit)


async def test_a_conflict_is_told_with_both_figures_and_who_governs(stage: Stage) -> None:
    answer = await ask(stage.runtime, "everywhere", "stock of IT-0000")
    assert (answer.verdict, answer.reason) == (Verdict.PARTIAL, Reason.CONFLICTING)
    assert "**11 pc available** of 16 pc on hand (5 pc reserved)" in answer.answer
    (line,) = [line for line in answer.answer.splitlines() if "disagree" in line]
    assert "North: System B says **9 pc** on hand (confirmed 2 Nov 2026, 07:00 UTC)" in line
    assert "System A says **12 pc** (confirmed 2 Nov 2026, 07:00 UTC)" in line
    assert "System B governs: policy baseline-7 puts the warehouse system before the ERP" in line


async def test_systems_that_mean_the_same_are_no_conflict(stage: Stage) -> None:
    answer = await ask(stage.runtime, "everywhere", "stock of IT-0001")
    assert (answer.verdict, "disagree" in answer.answer) == (Verdict.VERIFIED, False)
    assert "10 pc on hand" in answer.answer


async def test_a_system_that_has_no_record_where_it_keeps_stock_disagrees(stage: Stage) -> None:
    answer = await ask(stage.runtime, "everywhere", "stock of IT-0002")
    assert answer.reason is Reason.CONFLICTING
    assert "System A says **40 pc** on hand" in answer.answer
    assert "System B, which keeps stock there too, has no record of it" in answer.answer


async def test_a_system_that_keeps_nothing_at_a_site_does_not_disagree(stage: Stage) -> None:
    answer = await ask(stage.runtime, "everywhere", "stock of IT-0003")
    assert (answer.verdict, answer.reason) == (Verdict.VERIFIED, None)


async def test_the_list_holds_them_all_in_the_order_of_the_items(stage: Stage) -> None:
    listed = [each async for each in stage.runtime.disagreements("everywhere")]
    assert [(each.item.raw("number"), each.site.raw("name"), each.record.entity) for each in listed] == [
        ("IT-0000", "North", "stock_difference"),
        ("IT-0002", "North", "stock_absent"),
    ]
    assert [each async for each in stage.runtime.disagreements("everywhere", site="so")] == []


async def test_the_list_is_for_those_who_may_read_stock_and_of_what_they_may_see(stage: Stage) -> None:
    with pytest.raises(NoAccessError, match="'books' may not read stock"):
        _ = [each async for each in stage.runtime.disagreements("books")]
    with pytest.raises(SignInError):
        _ = [each async for each in stage.runtime.disagreements("nobody")]
    for hidden in ("SO", "ZZ"):
        with pytest.raises(SourceConfigError, match=f"there is no site '{hidden}' among those you may see"):
            _ = [each async for each in stage.runtime.disagreements("narrow", site=hidden)]


# The proof


async def _tried(server: Company) -> list[Result]:
    async with open_trial(server, Setting(seed=1, sample=True)) as trial:
        trial.cases = trial.cases[:12]
        return [await trial.run(case) for case in trial.cases]


@pytest.mark.proofs
@pytest.mark.parametrize("spoilt", [None, "stock_difference", "stock_incomparable", "stock_absent", "governing"])
async def test_the_proof_finds_what_is_not_told(
    server: Company, monkeypatch: pytest.MonkeyPatch, spoilt: str | None
) -> None:
    if spoilt == "governing":
        monkeypatch.setattr(measures.Context, "rank", lambda _, figure, system, site: (0, -ord(system[-1])))
    elif spoilt:
        monkeypatch.setitem(measures.MEASURES, spoilt, lambda *_: ())  # pyright: ignore[reportArgumentType]
    results = await _tried(server)
    failures = [failure for result in results for failure in result.failures]
    assert bool(failures) == bool(spoilt), failures
