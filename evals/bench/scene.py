"""The company that answers are measured in: full size, its clock standing still, with questions that people ask."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, LiteralString
from unittest.mock import patch

import psycopg
from psycopg import sql

from copilot.domain.answer import Verdict
from copilot.store.audit import AuditLog, AuditReceipt
from copilot.store.audit_entry import AuditEntry
from copilot.wiring import Runtime
from evals.bench.bare import GRANT_TABLE, MAKE_TABLE, Bare, noted
from evals.company import ask, open_company, running

EPOCH = date(2024, 11, 1)
EACH = 3
_HERE: LiteralString = "label_region = (select id from biz.region where code = 'US')"
ASKED: tuple[tuple[str, str, LiteralString], ...] = (
    ("rep.us", "where is {}?", "select number from biz.sales_order where {here} and status = 'partly_shipped'"),
    ("rep.us", "order status {}", "select number from biz.sales_order where {here} and status = 'delivered'"),
    ("rep.us", "lines of order {}", "select number from biz.sales_order where {here} and status = 'confirmed'"),
    ("rep.us", "value of order {}", "select number from biz.sales_order where {here}"),
    ("rep.us", "tracking of {}", "select number from biz.shipment where shipped_at is not null and {here}"),
    ("rep.us", "open orders for {}", "select number from biz.customer where {here}"),
    ("rep.us", "invoice {}", "select number from biz.invoice where {here}"),
    ("rep.us", "open invoices of {}", "select name from biz.customer where {here}"),
    ("rep.us", "contacts at {}", "select name from biz.customer where {here}"),
    ("planner", "stock of {}", "select number from biz.item"),
    ("planner", "stock of {}", "select name from biz.item where name ~ '[0-9][0-9]$'"),
    ("planner", "substitutes for {}", "select i.number from biz.item i join biz.item_substitute s on s.item_id = i.id"),
    ("buyer", "status of purchase order {}", "select number from biz.purchase_order"),
    ("buyer", "supplier {}", "select name from biz.supplier"),
    ("planner", "transfer {}", "select number from biz.transfer"),
)
"""Who asks what about which records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question with its bare path and the audit row it left."""

    subject: str
    text: str
    bare: Bare
    entry: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The running copilot and its questions."""

    runtime: Runtime
    questions: tuple[Asked, ...]


@asynccontextmanager
async def open_scene(prepare: Callable[[Path], object] | None = None) -> AsyncGenerator[Scene]:
    """The company with fsync on; every question has been answered once. Raises RuntimeError if one can't be.

    `prepare` puts into the data folder what is to be there at the start.
    """
    async with open_company(EPOCH) as company:
        with company.clone() as name, psycopg.connect(company.dsn(name), autocommit=True) as admin:
            _prove_durable(admin)
            admin.execute(MAKE_TABLE)
            admin.execute(GRANT_TABLE)
            admin.execute("analyze")
            home = company.home / "bench"
            if prepare:
                prepare(home)
            async with running(company, name, home) as runtime:
                asked = [(who, text) for who, ask_, rows in ASKED for text in texts(admin, ask_, rows)]
                questions = [await _asked(runtime, admin, who, text) for who, text in asked]
                yield Scene(runtime=runtime, questions=tuple(questions))


def _prove_durable(admin: psycopg.Connection[Any]) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        row = admin.execute("select current_setting(%s)", (setting,)).fetchone()
        if row != ("on",):
            raise RuntimeError(f"{setting} is {row}; nothing durable could be measured")


def texts(admin: psycopg.Connection[Any], ask_: str, rows: LiteralString, each: int = EACH) -> list[str]:
    """A question about some of the records that a statement names, always the same ones."""
    statement = sql.SQL("select name from ({}) as r (name) group by name order by md5(name) limit {}")
    those = sql.SQL(rows).format(here=sql.SQL(_HERE))
    found = admin.execute(statement.format(those, sql.Literal(each))).fetchall()
    return [ask_.replace("{}", name) for (name,) in found]


async def _asked(runtime: Runtime, admin: psycopg.Connection[Any], who: str, text: str) -> Asked:
    entries: list[AuditEntry] = []
    append = AuditLog.append

    async def kept(self: AuditLog, entry: AuditEntry) -> AuditReceipt:
        entries.append(entry)
        return await append(self, entry)

    with noted("erp-copilot app") as statements, patch.object(AuditLog, "append", kept):
        answer = await ask(runtime, who, text)
    row = admin.execute(
        "select to_jsonb(e) as body, (select sum(length(b.ciphertext)) from audit.blob b where b.entry_id = e.id) "
        "from audit.entry e where audit_id = %s",
        (answer.audit_id,),
    ).fetchone()
    if row is None or answer.verdict is Verdict.DECLINED:
        raise RuntimeError(f"{who} got no answer to {text!r}: {answer.answer}")
    bare = Bare(statements=tuple(statements), body=row[0], sealed=bytes(int(row[1])))
    return Asked(subject=who, text=text, bare=bare, entry=entries[-1])
