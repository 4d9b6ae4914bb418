"""What is so, by SQL as the owner of the tables: reads an answer sentence by sentence and finds what is not.

It shares nothing with what drafts, renders and verifies answers. `truths.yaml` has the sentences that there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import yaml
from psycopg.rows import dict_row

from evals.proofs.oracle import Actor

Row = Mapping[str, Any]
_DATE = r"\d{1,2} [A-Z][a-z]{2} \d{4}"
_SORTS: Mapping[str, str] = {
    "": r".+?",
    "rest": r".+",
    "date": _DATE,
    "at": rf"{_DATE}, \d\d:\d\d [A-Z+\d:-]+",
    "working": r"\d[\d,]* working days?",
    "days": r"\d[\d,]*(?:\.\d)? days?",
    "n": r"\d[\d,]*",
    "qty": r"-?\d[\d,]*(?:\.\d+)? \w+",
    "money": r"-?\d[\d,]*\.\d\d+ [A-Z]{3}",
    "percent": r"\d+(?:\.\d)?%",
}
_MARKS = re.compile(r"\\(.)|\*\*")
_HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_SEEN = re.compile(r"\{seen:(\w+)\}")
_QUOTED = re.compile(r"^“(.*)”$")
"""A name in which something is said stands in quotation marks."""
_ZONE = "__zone"
_FUNCTIONS = """
    create function pg_temp.words(code text) returns text language sql as $$ select replace(code, '_', ' ') $$;
    create function pg_temp.day(d date) returns text language sql as $$ select to_char(d, 'FMDD Mon YYYY') $$;
    create function pg_temp.figure(scaled bigint, places int) returns text language sql as $$
        select case when scaled < 0 then '-' else '' end || to_char(abs(scaled) / 1000000, 'FM999,999,999,999,990')
            || case when f = '' then '' else '.' || f end
          from (select rpad(rtrim(lpad((abs(scaled) % 1000000)::text, 6, '0'), '0'),
                greatest(places, length(rtrim(lpad((abs(scaled) % 1000000)::text, 6, '0'), '0'))), '0') as f) x $$;
    create function pg_temp.qty(scaled bigint, unit text) returns text language sql as
        $$ select pg_temp.figure(scaled, 0) || ' ' || unit $$;
    create function pg_temp.money(scaled bigint, currency text) returns text language sql as
        $$ select pg_temp.figure(scaled, 2) || ' ' || currency $$;
    -- of two that are as near, the even one: what round() does to a float8
    create function pg_temp.percent(scaled bigint) returns text language sql as
        $$ select pg_temp.figure(round((scaled / 1000.0)::float8)::bigint * 100000, 0) || '%' $$;
    create function pg_temp.counted(n bigint, noun text) returns text language sql as
        $$ select pg_temp.figure(n * 1000000, 0) || ' ' || noun || case when n = 1 then '' else 's' end $$;
    create function pg_temp.days(scaled bigint) returns text language sql as
        $$ select f || case when f = '1' then ' day' else ' days' end
             from (select pg_temp.figure(round((scaled / 100000.0)::float8)::bigint * 100000, 0) as f) x $$;
    create function pg_temp.working(n bigint) returns text language sql as
        $$ select case when n > 0 then pg_temp.counted(n, 'working day') end $$;
    create function pg_temp.zone(site bigint) returns text language sql as
        $$ select coalesce((select time_zone from biz.site where id = $1), 'UTC') $$;
    create function pg_temp.today(site bigint) returns date language sql as
        $$ select (current_setting('oracle.now')::timestamptz at time zone pg_temp.zone(site))::date $$;
    create function pg_temp.works(site bigint, d date) returns boolean language sql as
        $$ select strpos(coalesce((select working_days from biz.site where id = $1), '1234567'),
                         extract(isodow from d)::text) > 0
              and not exists (select from biz.site_closure c where c.site_id = $1 and c.day = $2) $$;
    create function pg_temp.late(site bigint, promised date, done date) returns bigint language sql as
        $$ select count(*) from generate_series(1, greatest(done - promised, 0)) n, lateral (
             select min(promised + k) as kept from generate_series(0, 30) k where pg_temp.works(site, promised + k)) p
            where promised + n > p.kept and pg_temp.works(site, promised + n) $$;
    create function pg_temp.base(item bigint, u text, quantity bigint) returns bigint language sql as
        $$ select case when i.base_unit = u then quantity else
             (select quantity * x.base_quantity / 1000000 from biz.item_unit x
               where x.item_id = $1 and x.unit = $2 and x.base_unit = i.base_unit) end
             from biz.item i where i.id = $1 $$;
"""


@dataclass(frozen=True, slots=True)
class Form:
    """A sentence that may be said: its pattern, the SQL that bears it out (none for what says nothing), and the kind of
    record that it names."""

    pattern: re.Pattern[str]
    sql: str
    names: str


@dataclass(slots=True)
class Oracle:
    """One reading of a database that does not change."""

    connection: psycopg.Connection[dict[str, Any]]
    _known: dict[tuple[Any, ...], Row | None] = field(default_factory=dict[Any, Any])

    def faults(self, text: str, actor: Actor, about: Mapping[str, int]) -> Iterator[str]:
        """The sentences of an answer that are not so, or that nobody may say, for somebody who asked about a record
        (its kind and id)."""
        subjects = dict(about)
        for line in _MARKS.sub(lambda mark: mark[1] or "", text).splitlines():
            rest = line.strip()
            while rest:
                told = self._told(rest, actor, subjects)
                if told is None:
                    yield f"not so: {rest[:200]!r}"
                    break
                if any(subjects[kind] != ident for kind, ident in about.items()):
                    yield f"it is not what was asked about: {rest[:200]!r}"
                    break
                rest = rest[told:].lstrip()

    def _told(self, text: str, actor: Actor, subjects: dict[str, int]) -> int | None:
        """How much of a text is a sentence that is so; None where none begins it."""
        for number, form in enumerate(forms()):
            match = form.pattern.match(text)
            if match is None:
                continue
            said = {hole: _QUOTED.sub(r"\1", words) for hole, words in match.groupdict().items()}
            row = self._borne_out(number, said, actor, subjects) if form.sql else None
            if row is None and form.sql:
                continue
            if row and form.names:
                subjects[form.names] = row["subject"]
            return match.end()
        return None

    def _borne_out(self, number: int, said: Row, actor: Actor, subjects: Mapping[str, int]) -> Row | None:
        """The row that a sentence is borne out by."""
        key = (number, actor.subject, *sorted(said.items()), *sorted(subjects.items()))
        if key not in self._known:
            self._known[key] = next(
                (row for row in self._rows(number, said, actor, subjects) if _is_so(said, row)), None
            )
        return self._known[key]

    def _rows(self, number: int, said: Row, actor: Actor, subjects: Mapping[str, int]) -> Sequence[Row]:
        about = {f"about_{kind}": subjects.get(kind) for kind in _KINDS}
        return self.seen(forms()[number].sql, actor, {**about, **said})

    def seen(self, statement: str, actor: Actor, given: Row | None = None) -> Sequence[Row]:
        """The rows of a statement, in which {seen:x} is what somebody may see of the table x."""
        seen, lists = _seen(actor)
        statement = _SEEN.sub(lambda hole: seen.replace("@", hole[1]), statement)
        return self.connection.execute(statement.encode(), {**(given or {}), **lists}).fetchall()


_KINDS = ("sales_order", "purchase_order", "invoice", "supplier", "customer", "item")
"""What sentences may be about: the id of each is told as about_sales_order and so on."""


def open_oracle(dsn: str, now: datetime) -> Oracle:
    """An oracle by a connection of its own."""
    connection = psycopg.Connection[dict[str, Any]].connect(dsn, autocommit=True, row_factory=dict_row)
    connection.execute("select set_config('oracle.now', %s, false)", [now.isoformat()])
    connection.execute(_FUNCTIONS.encode())
    return Oracle(connection)


@cache
def forms() -> Sequence[Form]:
    """The sentences that there are."""
    told = yaml.safe_load((files("evals.proofs.lies") / "truths.yaml").read_text(encoding="utf-8"))
    return [Form(_pattern(each["says"]), each.get("sql", ""), each.get("names", "")) for each in told]


def _pattern(says: str) -> re.Pattern[str]:
    pattern, at = "", 0
    for hole in _HOLE.finditer(says):
        pattern += re.escape(says[at : hole.start()]) + f"(?P<{hole[1]}>{_SORTS[hole[2] or '']})"
        at = hole.end()
    return re.compile(pattern + re.escape(says[at:]) + r"(?=\s|$)")


def _is_so(said: Row, row: Row) -> bool:
    """Whether a row prints as a sentence does."""
    return all(_prints(name, text, row) for name, text in said.items())


def _prints(name: str, text: str, row: Row) -> bool:
    value = row[name]
    if isinstance(value, datetime):
        local = value.astimezone(ZoneInfo(row[f"{name}{_ZONE}"]))
        return text == f"{local.day} {local:%b %Y, %H:%M %Z}"
    return text == value


def _seen(actor: Actor) -> tuple[str, Mapping[str, list[Any]]]:
    """What somebody may see of a table `@`, and the lists in it."""
    terms: list[str] = []
    lists: dict[str, list[Any]] = {}
    for number, grant in enumerate(actor.grants):
        lists[f"seen_{number}"] = sorted(grant.classes)
        parts = [f"@.record_class = any (%(seen_{number})s)"]
        for column, ids in grant.labels.items():
            if ids is not None:
                lists[f"seen_{number}_{column}"] = sorted(ids | {0})
                parts.append(f"@.{column} = any (%(seen_{number}_{column})s)")
        terms.append(" and ".join(parts))
    return "(" + " or ".join(f"({term})" for term in terms) + ")", lists
