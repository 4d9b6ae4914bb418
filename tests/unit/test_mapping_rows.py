"""From a source's rows to records: expressions, types, and that nothing is guessed, raised or lost."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.errors import SourceProtocolError
from connectors.mapping.keys import joined, split
from connectors.mapping.parse import parse_mapping
from connectors.mapping.rows import RowMapper
from connectors.mapping.spec import Formats
from connectors.mapping.values import Reader, UnreadableValueError
from copilot.ingest.fields import RecordFaultError, converter
from copilot.semantic.model import Field

_TYPES = ("text", "ident", "code", "ref", "date", "instant", "quantity", "amount", "ratio", "days", "count", "flag")
_HEAD = """
mapping: 1
system: x
time_zone: Europe/Berlin
formats: {dates: ["%d.%m.%Y", "%Y%m%d%H%M"], decimal: ",", group: ".", empty: [NULL]}
codes: {status: {"1": sent, "2": null}, yes: {t: active, f: archived}}
"""


def _clock(text: str) -> datetime:
    """A reading of a clock, without a zone."""
    return datetime.fromisoformat(text)


def _mapper(fields: str, types: Mapping[str, str] | None = None, more: str = "key: id") -> RowMapper:
    mapping = parse_mapping(f"{_HEAD}entities: {{a: {{from: t, {more}, fields: {fields}}}}}")
    return RowMapper(mapping, mapping.entities[0], types or {})


def _value(expression: str, kind: str = "text", **row: object) -> object:
    return _mapper(f"{{x: {expression}}}", {"x": kind}).record({"id": 1, **row}).values["x"]


@pytest.mark.parametrize(
    ("expression", "kind", "row", "value"),
    [
        ("a", "text", {"a": "CS  "}, "CS"),
        ("a", "text", {"a": " CS"}, " CS"),
        ("a", "text", {"a": "NULL"}, None),
        ("a", "ref", {"a": 1580}, "1580"),
        ("a", "ref", {"a": 1580.0}, "1580"),
        ("a", "ref", {"a": Decimal("1580.00")}, "1580"),
        ("a", "text", {"a": uuid.UUID(int=1)}, "00000000-0000-0000-0000-000000000001"),
        ("{constant: USD}", "code", {}, "USD"),
        ("{constant: 5}", "count", {}, 5),
        ("{concat: [a, b, c], separator: ' / '}", "text", {"a": "x", "b": None, "c": 3}, "x / 3"),
        ("{concat: [a, b]}", "text", {"a": "", "b": None}, None),
        ("{first: [a, b]}", "text", {"a": " ", "b": "y"}, "y"),
        ("{trim: a}", "text", {"a": " x "}, "x"),
        ("{upper: a}", "code", {"a": "de"}, "DE"),
        ("{lower: a}", "code", {"a": None}, None),
        ("{part: a, at: '-', number: 1}", "text", {"a": "x-y-z"}, "y"),
        ("{part: a, at: '-', number: -1}", "text", {"a": "x-y-z"}, "z"),
        ("{part: a, at: '-', number: 7}", "text", {"a": "x-y-z"}, None),
        ("{column: a, codes: status}", "code", {"a": 1}, "sent"),
        ("{column: a, codes: status}", "code", {"a": "1 "}, "sent"),
        ("{column: a, codes: status}", "code", {"a": "2"}, None),
        ("{column: a, codes: status}", "code", {"a": "9"}, "9"),
        ("{column: a, codes: status, otherwise: x}", "code", {"a": "9"}, "x"),
        ("{column: a, codes: status, otherwise: {column: b}}", "code", {"a": None, "b": "y"}, "y"),
        ("{column: a, codes: yes}", "code", {"a": True}, "active"),
        ("{column: a, codes: yes}", "code", {"a": False}, "archived"),
        ("{add: [a, b]}", "quantity", {"a": 0.1, "b": 0.2}, Decimal("0.3")),
        ("{add: [a, b]}", "quantity", {"a": 1, "b": None}, None),
        ("{subtract: [a, b]}", "amount", {"a": "1.234,5", "b": 4}, Decimal("1230.5")),
        ("{multiply: [a, b]}", "amount", {"a": "3", "b": Decimal("0.5")}, Decimal("1.5")),
        ("{round: {divide: [a, b]}, decimals: 2}", "ratio", {"a": 2, "b": 3}, Decimal("0.67")),
        ("{round: a}", "count", {"a": "2,5"}, 3),
        ("{max: [{constant: 0}, {subtract: [a, b]}]}", "quantity", {"a": 3, "b": 5}, Decimal(0)),
        ("{min: [a, b]}", "quantity", {"a": 3, "b": 5}, Decimal(3)),
        ("{if: {a: '4'}, then: b, else: {constant: 0}}", "quantity", {"a": 4, "b": 7}, Decimal(7)),
        ("{if: {a: [1, 2]}, then: b}", "quantity", {"a": 4, "b": 7}, None),
        ("{if: {a: true}, then: b}", "text", {"a": "t", "b": "x"}, "x"),
        ("{if: {a: t}, then: b}", "text", {"a": True, "b": "x"}, "x"),
        ("{if: {a: {not: X}, b: {below: 8}}, then: b}", "count", {"a": None, "b": 7}, 7),
        ("{if: {a: {above: 2026-01-31}}, then: a}", "date", {"a": date(2026, 2, 1)}, date(2026, 2, 1)),
        ("{if: {a: {above: 2026-01-31}}, then: a}", "date", {"a": "31.01.2026"}, None),
        ("{if: {a: {empty: true}}, then: {constant: none}}", "text", {"a": ""}, "none"),
    ],
)
def test_expressions(expression: str, kind: str, row: dict[str, object], value: object) -> None:
    found = _value(expression, kind, **row)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "given_", "value"),
    [
        ("quantity", "1234,5", Decimal("1234.5")),
        ("quantity", "1.234.567", Decimal(1234567)),
        ("quantity", 0.1, Decimal("0.1")),
        ("quantity", math.nan, None),
        ("quantity", Decimal("NaN"), None),
        ("count", Decimal("3.00"), 3),
        ("count", 3.0, 3),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("date", "31.01.2026", date(2026, 1, 31)),
        ("date", 20260131, date(2026, 1, 31)),
        ("date", _clock("2026-01-31 23:30:00"), date(2026, 1, 31)),
        ("date", datetime(2026, 1, 31, 23, 30, tzinfo=UTC), date(2026, 2, 1)),
        ("date", "2026-01-31T23:30:00Z", date(2026, 2, 1)),
        ("instant", "2026-01-31 12:00:00.5", datetime(2026, 1, 31, 11, 0, 0, 500000, tzinfo=UTC)),
        ("instant", _clock("2026-07-01 12:00:00"), datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("instant", datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5))), datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("instant", date(2026, 7, 1), datetime(2026, 6, 30, 22, tzinfo=UTC)),
        # Twice on the clock: the first. Not on the clock: as much later as it was put forward.
        ("instant", _clock("2026-10-25 02:30:00"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("instant", _clock("2026-10-25 02:30:00").replace(fold=1), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("instant", _clock("2026-03-29 02:30:00"), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("flag", "Yes", True),
        ("flag", 0, False),
        ("flag", Decimal(1), True),
    ],
)
def test_types(kind: str, given_: object, value: object) -> None:
    found = _value("a", kind, a=given_)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "given_", "raw"),
    [
        ("quantity", "12 pieces", "12 pieces"),
        ("quantity", "1,234.5", "1,234.5"),
        ("quantity", "12.34", "12.34"),
        ("quantity", True, True),
        ("quantity", math.inf, "Infinity"),
        ("quantity", "١٢", "١٢"),
        ("count", "1,5", "1.5"),
        ("date", "2026-02-30", "2026-02-30"),
        ("date", "12026-01-01", "12026-01-01"),
        ("date", "soon", "soon"),
        ("instant", "infinity", "infinity"),
        ("instant", _clock("0001-01-01 00:00:00"), "0001-01-01 00:00:00"),
        ("flag", "perhaps", "perhaps"),
        ("text", b"\xff", b"\xff"),
        ("text", "a\x00b", "a\x00b"),
        ("text", "\udcff", "\udcff"),
    ],
)
def test_what_can_not_be_read_is_handed_on_raw(kind: str, given_: object, raw: object) -> None:
    assert _value("a", kind, a=given_) == raw


def test_arithmetic_that_fails_reaches_no_field_as_a_value() -> None:
    assert _value("{divide: [a, b]}", "ratio", a=1, b=0) == "1 and 0"
    assert _value("{add: [a, b]}", "quantity", a="abc", b=1) == "abc"
    # A text field would take the text for what was meant; a float it sets aside.
    assert _value("{add: [a, b]}", "text", a="abc", b=1) == 0.0
    assert isinstance(_value("{multiply: [a, a]}", "amount", a="9e9999"), str | Decimal)


_ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.binary(max_size=4)
    | st.dates() | st.datetimes() | st.datetimes(timezones=st.timezones()) | st.times() | st.uuids()
    | st.timedeltas() | st.lists(st.integers(), max_size=2)
)  # fmt: skip


@given(_ANYTHING)
@example("9" * 5000)
@example(10**5000)
@example(Decimal("1e999999"))
@example(Decimal("sNaN"))
@example(_clock("9999-12-31 23:59:59"))
@example("0x1F")
@example("1_000")
def test_no_value_raises_or_vanishes(value: object) -> None:
    fields = "{" + ", ".join(f"{kind}: a" for kind in _TYPES) + "}"
    sums = "{" + ", ".join(f"{kind}: {{round: {{add: [a, a]}}, decimals: 2}}" for kind in _TYPES) + "}"
    row = {"id": value, "a": value}
    for mapper in (_mapper(fields, dict(zip(_TYPES, _TYPES, strict=True))), _mapper(sums, {t: t for t in _TYPES})):
        record = mapper.record(row)
        assert isinstance(record.key, str)
        mapper.wanted(row)
    record = _mapper(fields, {t: t for t in _TYPES}).record(row)
    reader = Reader(Formats(empty=("NULL",)), "Europe/Berlin")
    if reader.plain(value) is not None and not (isinstance(value, Decimal) and value.is_nan()):
        assert None not in record.values.values()


@given(_ANYTHING)
@example(10**5000)
@example(-(10**40))
@example(Decimal("1e999999"))
@example("9" * 5000)
def test_the_ingest_takes_or_sets_aside_whatever_comes(value: object) -> None:
    fields = "{" + ", ".join(f"{kind}: a" for kind in _TYPES) + "}"
    record = _mapper(fields, {t: t for t in _TYPES}).record({"id": 1, "a": value})
    for kind in _TYPES:
        found = record.values[kind]
        with suppress(RecordFaultError):
            assert found is None or isinstance(converter(Field(name=kind, type=kind, title=kind))(found), str)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_figures_keep_their_value_through_text(figure: Decimal) -> None:
    text = f"{figure:,f}".replace(",", "_").replace(".", ",").replace("_", ".")
    assert _value("a", "amount", a=text) == figure
    assert Reader(Formats(), "UTC").number(str(figure)) == figure


def test_grouped_figures_are_only_read_where_the_mapping_says_so() -> None:
    with pytest.raises(UnreadableValueError):
        Reader(Formats(), "UTC").number("1,234")
    assert Reader(Formats(group=","), "UTC").number("1,234") == 1234
    with pytest.raises(UnreadableValueError):
        Reader(Formats(group=","), "UTC").number("12,34")


def test_keys_are_joined_and_one_that_lacks_a_part_is_empty() -> None:
    mapper = _mapper("{x: a}", more='key: [po, nr], prefix: "l-"')
    assert mapper.record({"po": 5, "nr": 2.0, "a": "x"}).key == "l-5/2"
    for part in (None, "", "  ", "NULL", b"\xff", math.nan):
        assert mapper.record({"po": 5, "nr": part, "a": "x"}).key == ""


def test_keys_of_several_columns_are_as_different_as_their_values() -> None:
    mapper = _mapper("{x: a}", more="key: [po, nr]")
    tuples = [("a/b", "c"), ("a", "b/c"), ("a\\", "b/c"), ("a\\/b", "c"), ("a", "b")]
    keys = [mapper.record({"po": po, "nr": nr, "a": "x"}).key for po, nr in tuples]
    assert len(set(keys)) == len(tuples)
    assert keys[-1] == "a/b"
    single = _mapper("{x: a}", more="key: [po]")
    assert single.record({"po": "a/b\\c", "a": "x"}).key == "a/b\\c"


@given(st.lists(st.text(alphabet="ab/\\ ", min_size=1, max_size=4), min_size=1, max_size=4))
@example(["/", "\\", "\\/"])
def test_a_joined_key_is_taken_apart_into_what_it_was_made_of(values: list[str]) -> None:
    assert split(joined(values), len(values)) == values


def test_what_is_no_key_of_so_many_columns_is_none() -> None:
    assert split("a/b/c", 2) is None
    assert split("a/", 2) is None
    assert split("", 1) is None
    assert split("a\\", 1) == ["a\\"]
    assert split("a\\/b", 2) is None
    assert split("a\\b/c", 2) is None


def test_a_reference_by_several_columns_is_the_key_they_make() -> None:
    target = _mapper("{x: a}", more="key: [po, nr]")
    row = {"id": 1, "po": "a/b", "nr": "c\\d", "a": "x", "kind": "y"}
    joint = "{concat: [po, nr], separator: /}"
    fields = f"{{order: {joint}, chosen: {{if: {{kind: z}}, then: a, else: {joint}}}, name: {joint}}}"
    values = _mapper(fields, {"order": "ref", "chosen": "ref"}).record(row).values
    assert values["order"] == values["chosen"] == target.record(row).key == "a\\/b/c\\\\d"
    assert values["name"] == "a/b/c\\d"
    prefixed = _mapper("{order: {concat: [{constant: p-}, " + joint + "]}}", {"order": "ref"})
    assert prefixed.record(row).values["order"] == "p-a\\/b/c\\\\d"


def test_rows_are_chosen_and_what_can_not_be_told_is_kept() -> None:
    mapper = _mapper("{x: a}", more="key: id, where: {kind: [A, B], n: {above: 2}}")
    assert mapper.wanted({"kind": "A ", "n": 3})
    assert not mapper.wanted({"kind": "C", "n": 3})
    assert not mapper.wanted({"kind": "A", "n": None})
    assert mapper.wanted({"kind": "A", "n": "many"})


def test_a_row_changed_when_the_latest_of_its_times_says() -> None:
    mapper = _mapper(
        "{x: a}", more="key: id, changed: [m, h.m, h.bad], join: {h: {from: head, on: {nr: po}}}, where: {k: 1}"
    )
    row = {
        "id": 1,
        "a": "x",
        "m": "2026-01-01 00:00:00",
        "h.m": _clock("2026-01-02 00:00:00"),
        "h.bad": "never",
        "k": 1,
    }
    assert mapper.record(row).changed_at == datetime(2026, 1, 1, 23, tzinfo=UTC)
    assert mapper.record({**row, "m": None, "h.m": None}).changed_at is None
    assert {alias: set(names) for alias, names in mapper.columns.items()} == {
        "": {"id", "k", "m", "a", "po"},
        "h": {"m", "bad", "nr"},
    }
    assert mapper.identifying == ("id", "k")


def test_labels_and_the_company() -> None:
    mapper = _mapper(
        "{x: a}", more="key: id, labels: {site: wh, region: {constant: US}, channel: ch}, company: {concat: [co, a]}"
    )
    record = mapper.record({"id": 1, "a": "x", "wh": "W1  ", "ch": None, "co": 7})
    assert record.labels == {"site": "W1", "region": "US"}
    assert record.company == "7x"


def test_a_column_the_row_lacks_is_named() -> None:
    with pytest.raises(SourceProtocolError, match="'t' has no column 'a'"):
        _mapper("{x: a}").record({"id": 1})


def test_rows_of_the_mapping_itself() -> None:
    mapping = parse_mapping(
        f"{_HEAD}entities: {{region: {{rows: [{{key: 1, code: US, start: 4}}, {{key: 2, code: CA}}]}}}}"
    )
    part = mapping.entities[0]
    mapper = RowMapper(mapping, part, {"start": "count"})
    assert [mapper.record(row).values for row in part.rows] == [
        {"code": "US", "start": 4},
        {"code": "CA", "start": None},
    ]
    assert [mapper.key(row) for row in part.rows] == ["1", "2"]
