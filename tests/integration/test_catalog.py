"""What the database's own catalog says about who may see what, and that no query of a question reads a whole table.

Every check is a query that lists faults: none in the database as migrated, and the right one once it was planted.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from copilot.domain.plan import ACCOUNT, Operator, Period, RecordQuery, Wanted
from copilot.domain.scope import EMPTY_SCOPE, Reach, Scope
from copilot.ingest.quality.parts import published_entities
from copilot.semantic.compile import compile_query, select
from copilot.semantic.model import Entity, load_model
from copilot.store import queries
from copilot.understanding.kinds import load_kinds, make_plan
from evals.proofs.cases import ways_to_ask
from tests.company import TEMPLATE, Company

Connection = psycopg.Connection[dict[str, Any]]

FORCED = "policies are forced on every business table"
ONE_POLICY = "one permissive policy for the reader, the same everywhere but for the class, which the table holds"
ONE_CLASS = "a table holds rows of one class, and every row has its labels"
VIEWS = "no view lends its owner's eyes"
FUNCTIONS = "no function runs as somebody else for the reader"
NOBODY = "the reader is nobody"
READ_ONLY = "the reader writes nowhere"
APPEND_ONLY = "the audit's writer can only add"
APART = "those who keep state or read the audit see no business record"

CHECKS: Mapping[str, str] = {
    FORCED: """
        select c.oid::regclass::text as fault from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and (n.nspname in ('biz', 'hist') or c.oid = 'core.quarantine'::regclass)
           and not (c.relrowsecurity and c.relforcerowsecurity)""",
    ONE_POLICY: """
        with guarded as (
            select c.oid, ddl.class_of(c.oid) as class from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and n.nspname in ('biz', 'hist')
        ), readable as (
            select g.oid, replace(pg_get_expr(p.polqual, p.polrelid), quote_literal(g.class), 'its class') as condition
              from pg_policy p join guarded g on g.oid = p.polrelid
             where p.polpermissive and p.polcmd in ('r', '*')
               and ('copilot_app'::regrole = any (p.polroles) or 0 = any (p.polroles))
        ), usual as (
            select g.class is null as mixed, mode() within group (order by r.condition) as condition
              from readable r join guarded g using (oid) group by 1
        )
        select g.oid::regclass || ' has ' || count(r.oid) || ' policies, unusual: '
               || count(r.oid) filter (where r.condition <> u.condition) as fault
          from guarded g left join readable r using (oid) left join usual u on u.mixed = (g.class is null)
         group by g.oid
        having count(r.oid) <> 1 or bool_or(r.condition <> u.condition)""",
    ONE_CLASS: """
        select c.oid::regclass || ' holds rows of any class' as fault
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname in ('biz', 'hist') and c.oid <> 'biz.lookup'::regclass
           and (ddl.class_of(c.oid) is null
                or ddl.class_of(c.oid) is distinct from ddl.class_of(format('biz.%I', c.relname)::regclass))
        union all
        select c.oid::regclass || '.' || a.attname || ' may be missing'
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
          join pg_attribute a on a.attrelid = c.oid and (a.attname ~ '^label_' or a.attname = 'record_class')
         where c.relkind in ('r', 'p') and n.nspname in ('biz', 'hist') and not a.attnotnull""",
    VIEWS: """
        select c.oid::regclass::text as fault from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
           and has_any_column_privilege('copilot_app', c.oid, 'select')
           and (c.relkind = 'm' or not coalesce(c.reloptions @> '{security_invoker=true}', false))""",
    FUNCTIONS: """
        select p.oid::regprocedure::text as fault from pg_proc p
         where p.prosecdef and has_function_privilege('copilot_app', p.oid, 'execute')""",
    NOBODY: """
        select 'is privileged' as fault from pg_roles
         where rolname = 'copilot_app'
           and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolinherit)
        union all
        select 'is a member of ' || roleid::regrole from pg_auth_members where member = 'copilot_app'::regrole
        union all
        select 'owns ' || pg_describe_object(classid, objid, objsubid) from pg_shdepend
         where refclassid = 'pg_authid'::regclass and refobjid = 'copilot_app'::regrole and deptype = 'o'
           and dbid in (0, (select oid from pg_database where datname = current_database()))""",
    READ_ONLY: """
        select 'may change ' || c.oid::regclass as fault from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm', 'f')
           and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
           and (has_table_privilege('copilot_app', c.oid, 'insert, update, delete, truncate, references, trigger')
                or has_any_column_privilege('copilot_app', c.oid, 'insert, update, references'))
        union all
        select 'may advance ' || c.oid::regclass from pg_class c
         where case when c.relkind = 'S' then has_sequence_privilege('copilot_app', c.oid, 'usage, update') end
        union all
        select 'may create in ' || nspname from pg_namespace where has_schema_privilege('copilot_app', oid, 'create')
        union all
        select 'may create in the database'
         where has_database_privilege('copilot_app', current_database(), 'create, temp')""",
    APPEND_ONLY: """
        select 'may change ' || c.oid::regclass as fault from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
           and (has_table_privilege('copilot_audit_writer', c.oid, 'select, update, delete, truncate')
                or has_any_column_privilege('copilot_audit_writer', c.oid, 'update')
                or (n.nspname <> 'audit' and has_table_privilege('copilot_audit_writer', c.oid, 'insert')))
        union all
        select 'may read ' || a.attrelid::regclass || '.' || a.attname from pg_attribute a
          join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
           and n.nspname not in ('pg_catalog', 'information_schema')
           and has_column_privilege('copilot_audit_writer', a.attrelid, a.attnum, 'select')
           and not (a.attrelid = 'audit.entry'::regclass and a.attname in ('id', 'hash'))""",
    APART: """
        select r.rolname || ' may read ' || c.oid::regclass as fault
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
          cross join pg_roles r
         where r.rolname in ('copilot_state', 'copilot_auditor', 'copilot_audit_writer')
           and c.relkind in ('r', 'p', 'v', 'm') and n.nspname in ('biz', 'hist', 'stage', 'directory')
           and has_any_column_privilege(r.oid, c.oid, 'select')""",
}  # fmt: skip

PLANTED: tuple[tuple[str, str, str], ...] = (
    (FORCED, "alter table biz.stock no force row level security", "biz.stock"),
    (FORCED, "alter table hist.stock disable row level security", "hist.stock"),
    (FORCED, "alter table core.quarantine no force row level security", "quarantine"),
    (FORCED, "create table biz.extra (id bigint)", "biz.extra"),
    (ONE_POLICY,
     "create policy more on biz.item_cost for select to copilot_app using (false)", "biz.item_cost has 2"),
    (ONE_POLICY,
     "create policy more on hist.item_cost using (true)", "hist.item_cost has 2"),
    (ONE_POLICY, "drop policy scope on biz.invoice", "biz.invoice has 0"),
    (ONE_POLICY,
     "alter policy scope on biz.invoice using (label_region > 0)", "biz.invoice has 1 policies, unusual: 1"),
    (ONE_POLICY,
     "create policy more on biz.lookup for select to copilot_app using (true)", "biz.lookup has 2"),
    (ONE_POLICY,
     """do $$begin execute 'alter policy scope on biz.item_cost using (' || ddl.row_condition('item') || ')'; end$$""",
     "biz.item_cost has 1 policies, unusual: 1"),
    (ONE_CLASS, "alter table hist.item_cost drop constraint item_cost_class", "hist.item_cost holds"),
    (ONE_CLASS,
     "alter table hist.item_cost drop constraint item_cost_class, add check (record_class = 'item')",
     "hist.item_cost holds"),
    (ONE_CLASS, "alter table biz.lookup alter label_site drop not null", "biz.lookup.label_site may"),
    (VIEWS,
     "create view biz.leaky as select * from biz.item_cost; grant select on biz.leaky to copilot_app", "biz.leaky"),
    (VIEWS,
     "create view biz.leaky as select * from biz.item_cost; grant select (cost) on biz.leaky to public", "biz.leaky"),
    (VIEWS,
     "create materialized view biz.kept as select 1 as one; grant select on biz.kept to copilot_app", "biz.kept"),
    (FUNCTIONS,
     "create function core.peek() returns bigint language sql security definer as 'select 1'", "core.peek()"),
    (NOBODY, "alter role copilot_app bypassrls", "is privileged"),
    (NOBODY, "grant copilot_worker to copilot_app", "is a member of copilot_worker"),
    (NOBODY, "alter table state.turn owner to copilot_app", "owns table state.turn"),
    (READ_ONLY, "grant update (name) on biz.customer to copilot_app", "may change biz.customer"),
    (READ_ONLY, "grant truncate on directory.grant to public", 'may change directory."grant"'),
    (READ_ONLY, "grant usage on sequence biz.item_id_seq to copilot_app", "may advance biz.item_id_seq"),
    (READ_ONLY, "grant create on schema biz to copilot_app", "may create in biz"),
    (READ_ONLY,
     "do $$begin execute format('grant temp on database %I to copilot_app', current_database()); end$$",
     "may create in the database"),
    (APPEND_ONLY, "grant select (subject) on audit.entry to copilot_audit_writer", "entry.subject"),
    (APPEND_ONLY, "grant update on audit.blob to copilot_audit_writer", "may change audit.blob"),
    (APPEND_ONLY, "grant insert on biz.item to copilot_audit_writer", "may change biz.item"),
    (APART,
     "grant select (name) on biz.customer to copilot_state", "copilot_state may read biz.customer"),
    (APART,
     "grant select on hist.customer to copilot_auditor", "copilot_auditor may read hist.customer"),
)  # fmt: skip


@pytest.fixture
def admin(company: Company, database: str) -> Generator[Connection]:
    """The superuser in a transaction that is never committed."""
    with psycopg.connect(company.dsn(database), row_factory=dict_row) as connection:
        # what was granted on a database is not cloned with it
        connection.execute(sql.SQL("revoke temporary on database {} from public").format(sql.Identifier(database)))
        yield connection
        connection.rollback()


def test_the_reader_may_make_no_temporary_tables(admin: Connection) -> None:
    may = "has_database_privilege('copilot_app', %s, 'create, temp')"
    row = admin.execute(f"select {may} as may, 'copilot_app' as who", (TEMPLATE,)).fetchone()
    assert row == {"may": False, "who": "copilot_app"}


def faults(admin: Connection, check: str) -> list[str]:
    return [str(row["fault"]) for row in admin.execute(CHECKS[check]).fetchall()]


@pytest.mark.parametrize("check", CHECKS)
def test_the_catalog_is_in_order(admin: Connection, check: str) -> None:
    assert faults(admin, check) == []


@pytest.mark.parametrize(("check", "violation", "seen"), PLANTED)
def test_a_planted_violation_is_found(admin: Connection, check: str, violation: str, seen: str) -> None:
    admin.execute(violation)
    assert any(seen in fault for fault in faults(admin, check)), faults(admin, check)


def test_every_check_has_a_planted_violation() -> None:
    assert {check for check, _, _ in PLANTED} == set(CHECKS)


# --- against the semantic model ----------------------------------------------------------------------------


def class_faults(admin: Connection) -> Iterator[str]:
    """Tables whose default or check names another record class than the model does, and tables of no entity."""
    known = {
        row["name"]: row
        for row in admin.execute(
            """select c.relname as name, pg_get_expr(d.adbin, d.adrelid) as usual,
                      array(select pg_get_constraintdef(k.oid) from pg_constraint k
                             where k.conrelid = c.oid and k.contype = 'c' and k.convalidated) as checks
                 from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'record_class'
                 left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
                where c.relnamespace = 'biz'::regnamespace and c.relkind = 'r' and c.relname <> 'lookup'"""
        ).fetchall()
    }
    entities = load_model().entities
    yield from (f"{name} is in only one of model and database" for name in known.keys() ^ entities.keys())
    for name in known.keys() & entities.keys():
        meant = f"'{entities[name].record_class}'::text"
        if known[name]["usual"] != meant:
            yield f"{name} is {known[name]['usual']} by default"
        if f"CHECK ((record_class = {meant}))" not in known[name]["checks"]:
            yield f"{name} has no check for {meant}"


def index_faults(admin: Connection) -> Iterator[str]:
    """References without an index that begins with them."""
    rows = admin.execute(
        """select c.relname || '.' || a.attname as place
             from pg_index i join pg_class c on c.oid = i.indrelid
             join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
            where c.relnamespace = 'biz'::regnamespace and i.indisvalid and i.indpred is null"""
    ).fetchall()
    there = {row["place"] for row in rows}
    wanted = {f"{entity.name}.{ref.column}" for entity in load_model().entities.values() for ref in entity.refs()}
    return (f"{place} has no index" for place in sorted(wanted - there))


def test_classes_and_indexes_are_those_of_the_semantic_model(admin: Connection) -> None:
    assert [*class_faults(admin), *index_faults(admin)] == []


@pytest.mark.parametrize(
    ("violation", "seen"),
    [
        ("alter table biz.item_cost alter record_class set default 'item'", "item_cost is 'item'::text by default"),
        ("alter table biz.item_cost drop constraint item_cost_class", "item_cost has no check"),
        ("create table biz.extra (record_class text)", "extra is in only one"),
        ("drop index biz.sales_order_line_order_id_idx", "sales_order_line.order_id has no index"),
    ],
)
def test_a_difference_from_the_semantic_model_is_found(admin: Connection, violation: str, seen: str) -> None:
    admin.execute(violation)
    assert any(seen in fault for fault in [*class_faults(admin), *index_faults(admin)])


# --- no whole table is read for a question -------------------------------------------------------------------

LARGE = 1_000
COMING = Period(since=datetime(2026, 11, 20, tzinfo=UTC), until=datetime(2026, 11, 27, tzinfo=UTC))
LATELY = Period(since=datetime(2026, 11, 19, tzinfo=UTC))
COPIES = {"sales_order_line": 42, "sales_order": 42, "stock_move": 1, "lookup": 1}
APP_FILES = ("composing", "disagreements", "identity", "promising", "retrieval", "scope", "surveys", "understanding")
OTHER_FILES = (
    "audit", "availability", "backup", "directory", "enforcement", "erasures", "identity_rules", "ingest", "known",
    "models", "policies", "prompts", "quality", "reviews", "setup", "sessions", "soundness", "sources", "state",
    "vaults",
)  # fmt: skip
OTHERS_IN_APP_FILES = ("put_person", "put_grant", "grant_person", "remove_person", "list_people")
SURVEYED: Mapping[str, Any] = {
    "since": date(2026, 11, 20), "until": date(2026, 11, 27), "sites": [], "regions": [], "limit": 5,
}  # fmt: skip
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "person_with_grants": {"subject": "rep.us", "now": "2026-11-20T15:00:00Z", "since": "2026-11-20T14:00:00Z"},
    "people_with_roles": {"now": "2026-11-20T15:00:00Z"},
    "demo_people": {"now": "2026-11-20T15:00:00Z"},
    "service_by_token": {"hash": b"none"},
    "set_scope": EMPTY_SCOPE.settings,
    "stock_in_question": {"site": 1},
    "site_by_code": {"code": "DAL"},
    "limit_statements": {"timeout": "5000"},
    "find_numbers": {"words": ["SO-10482", "10482"], "bare": ["10482"]},
    "whole_names": {"names": ["kestrel millwork", "desk 3 m"]},
    "known_words": {"words": ["kestrel", "millwork", "desk"]},
    "keys_between": {"kind": "near", "starts": ["milwor/", "kestre/"], "stops": ["milwor0", "kestre0"]},
    "names_with_words": {"words": ["kestrel", "millwork"], "entities": ["customer", "item"], "most": 400},
    "names_with_both": {"one": "kestrel", "other": "millwork", "entity": "customer", "rest": ["corp", "llc"]},
    "zone_of_promise": {"sites": [1]},
    "survey_short_line": {**SURVEYED, "customers": [1, 2]},
    "survey_short_item": SURVEYED,
    "zones_of_records": {"sales_orders": [1, 2], "purchase_orders": [3], "customers": [4]},
}
_ALL = Reach(classes=load_model().classes, regions=None, sites=None, channels=None, accounts=None)
_ONE_REGION = replace(_ALL, regions=frozenset({1}))
_ONE_SITE = replace(_ALL, regions=frozenset({3}), sites=frozenset({7}))
_PLANS = replace(_ALL, classes=_ALL.classes - {"sales_price", "invoice"}, accounts=frozenset(range(1, 40)))
SCOPES = {
    "one region": Scope((_ONE_REGION,)),
    "one site": Scope((_ONE_SITE,)),
    "everywhere": Scope((_ALL,)),
    "three grants": Scope((_ONE_REGION, _ONE_SITE, _PLANS)),
}


@pytest.fixture(scope="module")
def crowd(company: Company) -> Generator[str]:
    """A company of hundreds of thousands of rows: copies of every record, each with ids and references of its own."""
    with company.clone() as name:
        with psycopg.connect(company.dsn(name), autocommit=True) as admin:
            admin.execute("set session_replication_role = replica")
            admin.execute("set synchronous_commit = off")
            for entity in load_model().entities.values():
                copy_rows(admin, entity)
            for aged in sorted(entities_with_history()):
                age_rows(admin, aged)
            admin.execute(
                "insert into biz.stock_move (source_id, source_key, confirmed_at, valid_from, batch_id, label_region, "
                "label_site, label_channel, label_account, item_id, site_id, quantity, unit) select s.source_id, "
                "s.source_key || '+' || g, s.confirmed_at, s.valid_from, 1, s.label_region, s.label_site, 0, 0, "
                "s.item_id, s.site_id, 1, s.unit from biz.stock s, generate_series(1, 12) as g limit 310000"
            )
            admin.execute(
                "insert into biz.lookup select entity, target_id + 1000000, kind, key || 'x', via, row_entity, "
                "row_id + 1000000, label_region, label_site, label_channel, label_account, record_class from biz.lookup"
            )
            admin.execute("analyze")
        yield name


def copy_rows(admin: psycopg.Connection[Any], entity: Entity) -> None:
    """As many copies of the rows of an entity as make it large; what there is little of, such as sites and what is
    published per place, stays as it is."""
    table = sql.Identifier("biz", entity.name)
    count = admin.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()[0]
    copies = COPIES.get(entity.name, -(-2_500 // count) if count >= 25 else 0)
    few = entity.record_class == "reference" or entity.name in published_entities(load_model())
    if not copies or count == 0 or few:
        return
    rows = admin.execute(
        "select attname as name from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        (f"biz.{entity.name}",),
    ).fetchall()
    moved = {"id", *(ref.column for ref in entity.refs() if load_model()[str(ref.to)].record_class != "reference")}
    columns = [row[0] for row in rows]
    values = [
        sql.SQL("{} + g * 1000000").format(sql.Identifier(c)) if c in moved
        else sql.SQL("source_key || '+' || g") if c == "source_key"
        else sql.Identifier(c)
        for c in columns
    ]  # fmt: skip
    admin.execute(
        sql.SQL("insert into {} ({}) overriding system value select {} from {}, generate_series(1, {}) as g").format(
            table, sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join(values), table, copies
        )
    )


def entities_with_history() -> set[str]:
    """Entities whose versions some question reads."""
    return {body["history"] for kind in load_kinds().values() for body in kind.steps.values() if "history" in body}


def age_rows(admin: psycopg.Connection[Any], name: str) -> None:
    """An old version of some thousand records of an entity, so that its history is as large."""
    rows = admin.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        (f"biz.{name}",),
    ).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(row[0]) for row in rows)
    admin.execute(
        sql.SQL(
            "insert into {} ({columns}, valid_to, removed) select {columns}, valid_from + interval '1 day', false"
            " from {} limit 20000"
        ).format(sql.Identifier("hist", name), sql.Identifier("biz", name), columns=columns)
    )


def named_statements() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, text in queries.named_queries().items():
        file = next(file for file in sql_files() if f"-- name: {name}\n" in file.read_text())
        if file.stem in APP_FILES and name not in OTHERS_IN_APP_FILES:
            yield name, text, PARAMETERS.get(name, {})


def sql_files() -> list[Path]:
    return sorted((Path(queries.__file__).parent / "sql").glob("*.sql"))


def record_queries(ids: Mapping[str, list[int]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every shape of record query that a question kind has, with records that exist."""
    model = load_model()
    for kind in load_kinds().values():
        for way in ways_to_ask(kind):
            told = Wanted(line=1, lot="L1") if kind.told else None
            asked = COMING if kind.ahead else LATELY
            plan = make_plan(kind, {entity: tuple(ids[entity][:1]) for entity in way}, period=asked, wanted=told)
            for step in plan.steps:
                if isinstance(step, RecordQuery):
                    statement = compile_query(model[step.entity], step).decode()
                    yield f"{kind.name} {way}: {step.name}", statement, bound(model[step.entity], step, ids)
    for entity in model.entities.values():
        fields = tuple(f for f in dict.fromkeys((entity.key, "name")) if f and f in entity.fields)
        yield f"label of {entity.name}", select(entity, fields).as_string(), {"ids": ids[entity.name]}


def bound(entity: Entity, step: RecordQuery, ids: Mapping[str, list[int]]) -> dict[str, Any]:
    parameters: dict[str, Any] = {"limit": step.limit + 1, **({"since": step.since} if step.since else {})}
    for place, condition in enumerate(step.where):
        value = condition.value
        told = condition.field in ("line_number", "lot")
        if (
            condition.operator is Operator.IN
            and not told
            and not (isinstance(value, tuple) and isinstance(value[0], str))
        ):
            named = {"id": entity.name, ACCOUNT: "customer"}.get(condition.field)
            value = ids[named or str(entity.fields[condition.field].to)]
        parameters[f"p{place}"] = list(value) if isinstance(value, tuple) else value
    return parameters


def whole_reads(plan: Mapping[str, Any], large: Mapping[str, str], *, walks: bool) -> Iterator[str]:
    """Nodes that read a large table from end to end; with `walks` also those that walk a whole index of one.

    `large` holds the tables' names, and of their indexes the names with the first column of each.
    """
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in large:
        yield f"Seq Scan on {plan['Relation Name']}"
    index = plan.get("Index Name", "")
    if walks and index in large and not re.search(rf"\b{large[index]}\b", plan.get("Index Cond", "")):
        yield f"{plan['Node Type']} over all of {index}"
    for below in plan.get("Plans", ()):
        yield from whole_reads(below, large, walks=walks)


def large_tables(admin: Connection) -> Mapping[str, str]:
    """Large tables by name, and their indexes with the first column of each."""
    rows = admin.execute(
        """select c.relname as table, i.relname as index, a.attname as first
             from pg_class c join pg_index x on x.indrelid = c.oid join pg_class i on i.oid = x.indexrelid
             join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[0]
            where c.reltuples > %s and c.relkind = 'r'
              and c.relnamespace in ('biz'::regnamespace, 'hist'::regnamespace)""",
        (LARGE,),
    ).fetchall()
    return {row["table"]: "" for row in rows} | {row["index"]: row["first"] for row in rows}


def slow_queries(admin: Connection) -> Iterator[str]:
    """Explains every query as the reader, with its values and as the generic plan it gets after a few runs."""
    large = large_tables(admin)
    ids = {
        name: [row["id"] for row in admin.execute(
            sql.SQL("select id from {} order by md5(id::text) limit 8").format(sql.Identifier("biz", name))
        )] or [1]
        for name in load_model().entities
    }  # fmt: skip
    statements = [*named_statements(), *record_queries(ids)]
    admin.execute("set local role copilot_app")
    for where, scope in SCOPES.items():
        admin.execute(queries.query("set_scope"), scope.settings)
        for name, text, values in statements:
            if name in ("set_scope", "limit_statements"):
                continue
            explained = admin.execute("explain (format json) " + text, values).fetchone()
            generic = admin.execute("explain (generic_plan, format json) " + numbered(text), prepare=False).fetchone()
            for row, how in ((explained, "with values"), (generic, "generic")):
                plan = next(iter(row.values()))[0]["Plan"]
                # A generic plan may walk the key where it expects so many rows that the limit soon stops it.
                reads = whole_reads(plan, large, walks=how != "generic")
                yield from (f"{name} ({where}, {how}): {read}" for read in reads)


def numbered(text: str) -> str:
    """The statement with $1, $2, … for its named parameters."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    return re.sub(r"%\((\w+)\)s", lambda m: f"${names.index(m[1]) + 1}", text).replace("%%", "%")


@pytest.fixture
def crowded(company: Company, crowd: str) -> Generator[Connection]:
    with psycopg.connect(company.dsn(crowd), row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


def test_no_query_of_a_question_reads_a_whole_table(crowded: Connection) -> None:
    sizes = crowded.execute(
        "select relname as name, reltuples::bigint as rows from pg_class where relnamespace = 'biz'::regnamespace"
    ).fetchall()
    rows = {row["name"]: row["rows"] for row in sizes}
    for table in ("sales_order_line", "stock_move", "lookup"):
        assert rows[table] >= 300_000, (table, rows[table])
    assert "\n".join(slow_queries(crowded)) == ""


def test_every_file_of_statements_is_known_to_be_the_readers_or_not() -> None:
    assert {file.stem for file in sql_files()} == {*APP_FILES, *OTHER_FILES}


@pytest.mark.parametrize(
    ("index", "seen"),
    [
        ("sales_order_line_order_id_idx", "order_lines"),
        ("lookup_key", "known_words"),
    ],
)
def test_a_missing_index_is_found(crowded: Connection, index: str, seen: str) -> None:
    crowded.execute(sql.SQL("drop index {}").format(sql.Identifier("biz", index)))
    assert any(seen in slow for slow in slow_queries(crowded))
