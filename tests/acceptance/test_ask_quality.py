"""Whether data is sound, asked by different people: counts are right, and what one may not see is in no part of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from copilot.domain.answer import Answer, Reason, Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, truth_of
from tests.company import Company, ask, running, scratch_folder

NARROW = {
    "rep.one-channel": ("channels", "select id from biz.channel order by id limit 1"),
    "rep.key-accounts": ("accounts", "select id from biz.customer order by id limit 40"),
}
STOCK = ("stock", "stock_move", "transfer", "transfer_line")


@pytest.fixture(scope="module")
def judged(company: Company) -> Generator[tuple[str, Path]]:
    """A copy of the company with unsound stock and orders, judged anew by a sync, and its data folder."""
    with scratch_folder() as folder, company.clone() as name:
        with truth_of(company, name) as truth:
            plant(truth)
        asyncio.run(sync(company, name, folder / "home"))
        yield name, folder / "home"


async def sync(company: Company, database: str, home: Path) -> None:
    async with running(company, database, home) as runtime:
        source = runtime.sources.source("Demo ERP")
        await runtime.ingest.sync(source, runtime.sources.connector("Demo ERP"))


@pytest.fixture
async def runtime(company: Company, judged: tuple[str, Path]) -> AsyncGenerator[Runtime]:
    async with running(company, *judged) as built:
        yield built


@pytest.fixture
def truth(company: Company, judged: tuple[str, Path]) -> Any:
    with truth_of(company, judged[0]) as found:
        yield found


def plant(truth: Truth) -> None:
    """Negative stock: one row in Dallas, thirty in Tuas; orders without a promise everywhere; a record set aside."""
    for site, rows in (("DAL", 1), ("TUA", 30)):
        truth.change(
            "update biz.stock set reserved = on_hand + 1, available = -1 where id in (select s.id from biz.stock s"
            " join biz.site p on p.id = s.site_id join core.source o on o.id = s.source_id"
            " where p.code = %(site)s and o.name = 'Demo ERP' and s.on_hand is not null order by s.id limit %(rows)s)",
            site=site, rows=rows,
        )  # fmt: skip
    truth.change("update biz.sales_order set promised_date = null where status = 'confirmed' and id %% 2 = 0")
    truth.change(
        "insert into core.quarantine (batch_id, source_id, entity, source_key, reason, detail, found_at, record_class)"
        " select min(batch_id), source_id, 'stock', 'nobody-knows', 'ref_unresolved', 'no such item', now(), 'stock'"
        " from biz.stock join core.source o on o.id = source_id where o.name = 'Demo ERP' group by 2"
    )
    truth.change("delete from core.quality")
    for subject, (kind, chosen) in NARROW.items():
        truth.change("insert into directory.person (subject, name) values (%(s)s, %(s)s)", s=subject)
        ids = [row["id"] for row in truth.all(chosen)]
        given: dict[str, Any] = {"channels": None, "accounts": None, kind: ids}
        truth.change(
            "insert into directory.grant (subject, role, regions, sites, channels, accounts, valid_from) values"
            " (%(s)s, 'customer_service', null, null, %(channels)s, %(accounts)s, '2026-01-01')",
            s=subject, **given,
        )  # fmt: skip


def facts(answer: Answer, system: str = "Demo ERP") -> dict[tuple[str, str], object]:
    """(measure, field) -> value of what is said of one system; of findings the last one."""
    measured = {source.id: source for source in answer.sources if source.kind == "measure" and source.system == system}
    found: dict[tuple[str, str], object] = {}
    for fact in answer.facts:
        ident, _, name = fact.ref.partition(".")
        if ident in measured:
            found[measured[ident].entity, name] = fact.value
    return found


def rows(truth: Truth, where: str, *, entities: tuple[str, ...] = STOCK, system: str = "Demo ERP") -> int:
    """How many records the copy holds."""
    return sum(
        truth.connection.execute(
            f"select count(*) as n from biz.{name} where {where}"
            " and source_id = (select id from core.source where name = %s)",
            (system,),
        ).fetchall()[0]["n"]
        for name in entities
    )  # fmt: skip


def shown(answer: Answer, truth: Truth) -> str:
    """All that leaves: the answer with its sources and facts, and the audit row."""
    body = answer.to_json()
    for passing in ("conversation", "audit_id", "elapsed_ms"):
        body.pop(passing)
    row = truth.one("select plan, records, claims from audit.entry where audit_id = %(id)s", id=UUID(answer.audit_id))
    return f"{body} {row}"


async def test_a_site_a_region_and_everywhere_are_told_with_their_counts(runtime: Runtime, truth: Truth) -> None:
    dallas = await ask(runtime, "planner", "can I trust the stock figures in Dallas?")
    site = truth.number("select id from biz.site where code = 'DAL'")
    assert dallas.verdict is Verdict.VERIFIED
    told = facts(dallas)
    assert told["data_soundness", "checked"] == rows(truth, f"label_site = {site}")
    assert (told["data_soundness", "failing"], told["data_soundness", "verdict"]) == (1, "doubtful")
    assert (told["data_finding", "title"], told["data_finding", "failing"]) == ("stock with a negative available", 1)
    assert (told["data_set_aside", "records"], "data_finding") == (1, "data_finding")
    assert facts(dallas, "Demo WMS")["data_soundness", "verdict"] == "sound"
    assert facts(dallas, "Demo WMS")["data_soundness", "checked"] == rows(
        truth, f"label_site = {site}", system="Demo WMS"
    )
    region = truth.number("select id from biz.region where code = 'SG'")
    for text in ("is the stock data for SG sound?", "how good is the inventory data in Singapore"):
        told = facts(await ask(runtime, "planner", text))
        assert told["data_soundness", "checked"] == rows(truth, f"label_region = {region}")
        assert (told["data_soundness", "failing"], told["data_soundness", "verdict"]) == (30, "doubtful")
    everywhere = facts(await ask(runtime, "planner", "is our stock data sound?"))
    assert everywhere["data_soundness", "checked"] == rows(truth, "true")
    assert (everywhere["data_finding", "failing"], everywhere["data_finding", "places"]) == (31, 2)


async def test_everyone_is_told_of_what_their_labels_let_them_read(runtime: Runtime, truth: Truth) -> None:
    american = await ask(runtime, "rep.us", "is the stock data sound?")
    region = truth.number("select id from biz.region where code = 'US'")
    assert facts(american)["data_soundness", "checked"] == rows(truth, f"label_region = {region}")
    assert facts(american)["data_finding", "failing"] == 1
    tuas = await ask(runtime, "warehouse.sg", "is the stock data sound?")
    site = truth.number("select id from biz.site where code = 'TUA'")
    assert facts(tuas)["data_soundness", "checked"] == rows(truth, f"label_site = {site}")
    assert facts(tuas)["data_finding", "failing"] == 30
    for answer in (american, tuas):
        assert "can't be told by place" in answer.answer
        assert ("data_set_aside", "records") not in facts(answer)
        records = truth.one("select records from audit.entry where audit_id = %(id)s", id=UUID(answer.audit_id))
        ids = [each["row_id"] for each in records["records"] if each["entity"] == "stock_soundness"]
        hidden = "select count(*) from biz.stock_soundness where id = any(%(ids)s) and label_region <> %(region)s"
        mine = region if answer is american else truth.number("select id from biz.region where code = 'SG'")
        assert ids
        assert truth.number(hidden, ids=ids, region=mine) == 0
        assert "aside" not in {source.key.rpartition("/")[2] for source in answer.sources}


async def test_a_hidden_region_reads_like_one_that_never_was(runtime: Runtime, truth: Truth) -> None:
    hidden = await ask(runtime, "rep.us", "is the stock data for SG sound?")
    never = await ask(runtime, "rep.us", "is the stock data for XQ sound?")
    assert (hidden.verdict, hidden.reason) == (Verdict.DECLINED, Reason.UNSUPPORTED)
    assert shown(hidden, truth).replace("SG", "XQ") == shown(never, truth)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("finance", "is the stock data sound?"),
        ("planner", "is the invoice data sound?"),
        ("rep.one-channel", "is the order data sound?"),
        ("rep.key-accounts", "is the order data for US sound?"),
        ("rep.key-accounts", "how good is our customer data"),
        ("warehouse.sg", "is the invoice data sound?"),
    ],
)
async def test_what_may_not_be_known_reads_like_what_was_never_judged(
    company: Company, runtime: Runtime, truth: Truth, judged: tuple[str, Path], subject: str, text: str
) -> None:
    """By class, by channel, by account: no count of it is in the answer, its sources or the audit row."""
    answer = await ask(runtime, subject, text)
    never = await ask(runtime, "planner", text) if "invoice" in text else answer
    assert (answer.verdict, answer.reason, answer.sources, answer.facts) == (
        Verdict.DECLINED, Reason.NOT_FOUND, (), (),
    )  # fmt: skip
    assert "Nothing is recorded about that" in answer.answer
    assert "soundness" not in shown(answer, truth)
    assert never.answer == answer.answer


async def test_what_is_not_kept_by_account_is_told_to_who_is_held_to_accounts(runtime: Runtime, truth: Truth) -> None:
    answer = await ask(runtime, "rep.key-accounts", "is the stock data sound?")
    assert facts(answer)["data_soundness", "checked"] == rows(truth, "true")


async def test_order_values_are_told_only_to_who_reads_values(runtime: Runtime, truth: Truth) -> None:
    told = await ask(runtime, "rep.us", "is the order data sound?")
    assert "order value data" in told.answer
    kept = await ask(runtime, "planner", "is the order data sound?")
    assert "sales order data" in kept.answer
    assert "order value data" not in kept.answer
    assert "sales_price" not in shown(kept, truth)


async def test_nothing_judged_is_never_sound(company: Company, judged: tuple[str, Path]) -> None:
    with scratch_folder() as folder, company.clone(judged[0]) as name, truth_of(company, name) as truth:
        truth.change("delete from biz.stock_soundness")
        async with running(company, name, folder / "home") as runtime:
            answer = await ask(runtime, "planner", "is the stock data sound?")
    assert (answer.verdict, answer.reason) == (Verdict.DECLINED, Reason.NOT_FOUND)


async def test_a_question_about_a_record_stays_one(runtime: Runtime, truth: Truth) -> None:
    item = truth.one("select number, name from biz.item where status = 'active' order by id limit 1")
    supplier = truth.number("select name from biz.supplier order by id limit 1")
    kinds: Mapping[str, str] = {
        f"stock data for {item['number']}": "item_stock",
        f"are the stock figures of {item['number']} right?": "item_stock",
        f"how good is supplier {supplier}?": "supplier_profile",
    }
    for text, kind in kinds.items():
        assert (await ask(runtime, "planner", text)).kind == kind, text


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("is the stock data for SG sound?", "stock_quality", "region"),
        ("can I trust the inventory figures in DAL", "stock_quality", "site"),
        ("is the stock data at Singapore Tuas reliable", "stock_quality", "site"),
        ("how good is our supplier data?", "supplier_quality", None),
        ("what is wrong with the order data in US", "order_quality", "region"),
        ("data quality of purchasing", "purchasing_quality", None),
        ("can we trust the shipping data for Germany?", "shipping_quality", "region"),
        ("are there errors in the invoice records?", "invoice_quality", None),
        ("is the item master data correct", "item_quality", None),
        ("how reliable are the customer records", "customer_quality", None),
        ("any problems in the returns data of RNO?", "return_quality", "site"),
    ],
)
async def test_it_is_asked_for_in_many_words(
    runtime: Runtime, truth: Truth, text: str, kind: str, place: str | None
) -> None:
    answer = await ask(runtime, "planner", text)
    kept = truth.one("select plan from audit.entry where audit_id = %(id)s", id=UUID(answer.audit_id))["plan"]
    assert kept, answer.answer
    assert (kept["kind"], [*kept["references"]]) == (kind, [place] if place else [])


async def test_a_word_that_nothing_took_account_of_declines_it(runtime: Runtime) -> None:
    answer = await ask(runtime, "planner", "is the stock data of the flurbed cellar sound?")
    assert (answer.verdict, answer.reason) == (Verdict.DECLINED, Reason.UNSUPPORTED)
    assert answer.choices[0].question == "is the stock data sound"
