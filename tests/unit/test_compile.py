"""Record queries become SQL whose every value is a parameter."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain.plan import Filter, Operator, RecordQuery
from copilot.errors import ModelDefinitionError
from copilot.semantic.compile import LINEAGE, column, compile_query, select
from copilot.semantic.model import load_model

MODEL = load_model()
ORDER = MODEL["sales_order"]


def _sql(*where: Filter, order: tuple[str, ...] = (), entity: str = "sales_order") -> str:
    query = RecordQuery(name="step", entity=entity, where=where, order=order)
    return compile_query(MODEL[entity], query).decode()


def _where(sql: str) -> str:
    return sql.partition(" where ")[2].partition(" order by ")[0]


@pytest.mark.parametrize(
    ("operator", "condition"),
    [
        (Operator.EQUAL, '"status" = %(p0)s'),
        (Operator.IN, '"status" = any (%(p0)s)'),
        (Operator.LESS, '"status" < %(p0)s'),
        (Operator.AT_MOST, '"status" <= %(p0)s'),
        (Operator.MORE, '"status" > %(p0)s'),
        (Operator.AT_LEAST, '"status" >= %(p0)s'),
    ],
)
def test_each_comparison_binds_its_value(operator: Operator, condition: str) -> None:
    assert _where(_sql(Filter("status", operator, "confirmed"))) == condition


def test_missing_takes_no_parameter() -> None:
    sql = _sql(Filter("released_at", Operator.MISSING, None), entity="order_hold")
    assert _where(sql) == '"released_at" is null'
    assert "%(p0)s" not in sql


def test_conditions_hold_together_and_are_numbered_in_order() -> None:
    sql = _sql(
        Filter("customer", Operator.IN, (1, 2)),
        Filter("promised_date", Operator.LESS, date(2026, 1, 1)),
    )
    assert _where(sql) == '"customer_id" = any (%(p0)s) and "promised_date" < %(p1)s'


def test_every_statement_is_limited_and_ordered_to_the_last_row() -> None:
    assert _sql().endswith(' order by "id" asc nulls last limit %(limit)s')
    assert ' order by "promised_date" desc nulls last, "number" asc nulls last, "id" asc nulls last' in _sql(
        order=("-promised_date", "number")
    )


def test_a_statement_reads_one_guarded_table_and_only_fields_of_the_model() -> None:
    sql = _sql()
    columns = sql.removeprefix("select ").partition(" from ")[0].split(", ")
    assert columns == [f'"{name}"' for name in (*LINEAGE, *(f.column for f in ORDER.fields.values()))]
    assert sql.count(" from ") == 1
    assert ' from "biz"."sales_order" ' in sql
    assert "join" not in sql


@given(st.text(max_size=30))
def test_no_value_of_a_filter_reaches_the_text(value: str) -> None:
    assert _sql(Filter("number", Operator.EQUAL, value)) == _sql(Filter("number", Operator.EQUAL, "other"))


@pytest.mark.parametrize("field", ["customer_id", "record_class", "label_region", 'number" or true --', ""])
def test_only_fields_of_the_model_can_be_named(field: str) -> None:
    with pytest.raises(ModelDefinitionError, match="no field"):
        _sql(Filter(field, Operator.EQUAL, 1))
    with pytest.raises(ModelDefinitionError, match="no field"):
        _sql(order=(f"-{field}",))
    with pytest.raises(ModelDefinitionError, match="no field"):
        select(ORDER, (field,))


def test_the_id_of_a_record_is_a_field_of_every_entity() -> None:
    assert all(column(entity, "id") == "id" for entity in MODEL.entities.values())
    assert column(ORDER, "site") == "site_id"


def test_some_fields_of_known_records_are_read_by_their_ids() -> None:
    composed: Any = select(ORDER, ("number",))
    assert (
        composed.as_string(None) == 'select "id", "company", "source_key", "number", (select s.name from core.source s '
        'where s.id = source_id) as system from "biz"."sales_order" where id = any (%(ids)s)'
    )
