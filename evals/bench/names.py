"""How long it takes to find the records that a question names, in the demo company and among half a million names."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import psycopg
from psycopg import sql

from copilot.domain.question import SessionSubject
from copilot.policy.policy import scope_for
from copilot.store.queries import query
from copilot.understanding.lookup import Lookup
from copilot.understanding.references import find_references
from copilot.understanding.words import cut
from copilot.wiring import Runtime
from evals.bench.figure import Figure, middle, percentile, stopwatch
from evals.company import Company, open_company, running

_MANY = 500_000
_EACH = 60
_P95, _MOST_MS = 0.95, 30.0
_WHO = ("planner", "rep.us")
_SHORTEST = 5
_PARTS = (
    "ba",
    "bel",
    "bra",
    "dor",
    "fal",
    "gar",
    "hal",
    "jor",
    "kel",
    "lin",
    "mar",
    "nor",
    "ol",
    "quin",
    "ros",
    "sal",
    "ven",
    "zan",
)
_TRADES = ("Metallbau", "Holzbau", "Plastics", "Millwork", "Controls", "Marine", "Foods", "Logistics", "Engineering")
_FORMS = ("GmbH", "AG", "LLC", "Inc.", "Pte. Ltd.")
_MADE = """
    insert into biz.customer (source_id, source_key, confirmed_at, valid_from, batch_id, label_region, label_site,
                              label_channel, label_account, number, name)
    select t.source_id, 'many-' || m.n, t.confirmed_at, t.valid_from, t.batch_id, 1 + m.n % 3, t.label_site,
           t.label_channel, t.label_account, 'M-' || m.n, m.name
      from many m, (select * from biz.customer order by id limit 1) t
"""
_PLACED = "create temp table placed as select c.*, 'new' as state from biz.customer c where source_key like 'many-%'"


async def measure_names(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """p50 and p95 of finding what a name typed in full, in part, out of order or with a slip may mean."""
    async with open_company() as company:
        for title, many in (("demo company", 0), ("500k names", _MANY)):
            with company.clone() as name:
                said = _fill(company, name, many)
                say(f"{title}: {len(said)} ways to name something")
                async with running(company, name, company.home / "names") as runtime:
                    times = [seconds async for seconds in _times(runtime, said)]
            yield Figure(name=f"names p50, {title}", value=middle(times) * 1000, unit="ms")
            p95 = percentile(times, _P95) * 1000
            yield Figure(name=f"names p95, {title}", value=p95, unit="ms", goal=_MOST_MS)


def _fill(company: Company, database: str, many: int) -> list[str]:
    """Add that many customers with their lookup rows as the merge writes them; returns what people may type."""
    seeded = random.Random(7)
    with psycopg.connect(company.dsn(database), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        if many:
            admin.execute("create temp table many (n integer, name text)")
            with admin.cursor().copy("copy many from stdin") as rows:
                for n in range(many):
                    rows.write_row((n, _name(seeded)))
            admin.execute(_MADE)
            admin.execute(_PLACED)
            statement = query("ingest_lookup_name").format(
                target=sql.Identifier("p", "id"), value=sql.Identifier("p", "name")
            )
            kept = {"names": "customer", "via": "customer.name", "entity": "customer", "record_class": "customer"}
            admin.execute(statement, kept)
        admin.execute("vacuum analyze biz.lookup")
        names: list[str] = []
        for entity in ("customer", "supplier", "item"):
            table = sql.Identifier("biz", entity)
            chosen = sql.SQL("select name from {} order by md5(id::text) limit {}")
            names += [name for (name,) in admin.execute(chosen.format(table, _EACH)).fetchall()]
    return [typed for name in names for typed in _typed(seeded, name.split())]


def _name(seeded: random.Random) -> str:
    called = "".join(seeded.choice(_PARTS) for _ in range(seeded.choice((2, 3, 3)))).capitalize()
    return f"{called} {seeded.choice(_TRADES)} {seeded.choice(_FORMS)}"


def _typed(seeded: random.Random, name: Sequence[str]) -> Iterator[str]:
    yield " ".join(name)
    yield " ".join(name[:2])
    yield " ".join(reversed(name[:3]))
    yield " ".join((_slipped(seeded, name[0]), *name[1:3]))


def _slipped(seeded: random.Random, word: str) -> str:
    """A word with two letters swapped, one left out or one replaced."""
    if len(word) < _SHORTEST:
        return word
    at = seeded.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return seeded.choice((swapped, word[:at] + word[at + 1 :], f"{word[:at]}e{word[at + 1 :]}"))


async def _times(runtime: Runtime, said: Sequence[str]) -> AsyncIterator[float]:
    asking = await runtime.line()
    for subject in _WHO:
        scope = scope_for(await asking.authenticate(SessionSubject(subject)), asking.policy)
        for text in said:
            async with asking.database.scoped_transaction(scope) as connection:
                lookup = Lookup(connection=connection, model=asking.model, now=asking.clock())
                with stopwatch() as watch:
                    await find_references(lookup, cut(text))
            yield watch.seconds
