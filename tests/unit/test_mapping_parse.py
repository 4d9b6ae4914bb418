"""A mapping file: what it may say, and that everything wrong with it is said at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connectors.errors import MappingError, SourceSettingsError
from connectors.mapping.conforming import schema
from connectors.mapping.parse import parse_mapping
from connectors.mapping.reading import read_tree
from connectors.mapping.spec import Call, Choice, Column, Condition, Constant, Lookup, SourceMapping

_WHOLE = """
mapping: 1
system: AdventureWorks
time_zone: America/Los_Angeles
formats: {dates: ["%d.%m.%Y"], decimal: ",", group: ".", true: [Y, 1], false: [N, 0], empty: [NULL, ~, 0000-00-00]}
codes:
  po_status: {"1": draft, 2: sent, 4: received}
  units: {CS: case, NO: nos, "": ea}
pages: {supplier: "https://erp.example/vendor/{key}"}
entities:
  supplier:
    - from: purchasing.vendor
      key: businessentityid
      changed: [modifieddate, header.modifieddate]
      where: {activeflag: t, kind: [A, B], grade: {not: X}, day: {above: 2020-01-31}, gone: {empty: true}}
      join: {header: {from: purchaseorderheader, on: {vendorid: businessentityid}}}
      vanishing: false
      fields:
        number: accountnumber
        name: {trim: name}
        status: {column: status, codes: po_status}
        country: {upper: header.country, codes: units, otherwise: DE}
      labels: {region: {constant: US}, channel: {constant: "*"}}
    - from: old
      prefix: old-
      key: [a, b]
      fields:
        number: {concat: [{constant: "p-"}, id], separator: " / "}
        name: {if: {status: "4"}, then: name, else: {first: [a, b]}}
        tax_number: {part: code, at: "-", number: -1}
  purchase_line:
    from: purchaseorderdetail
    key: id
    where: [{value: {subtract: [a, b]}, above: 0.5}]
    fields:
      open_quantity: {max: [{constant: 0}, {subtract: [orderqty, receivedqty]}]}
      unit: {column: unit, codes: {EA: ea}, otherwise: {column: unit2}}
      price: {round: {divide: [{multiply: [p, {constant: 0.10}]}, q]}, decimals: 2}
    company: {constant: ""}
  region:
    rows: [{key: US, code: US, name: United States}, {key: CA, code: CA, currency: CAD}]
"""


def _complaints(text: str) -> dict[str, str]:
    with pytest.raises(MappingError) as error:
        parse_mapping(text)
    assert isinstance(error.value, SourceSettingsError)
    for complaint in error.value.complaints:
        assert complaint.message in str(error.value)
    found: dict[str, str] = {}
    for complaint in error.value.complaints:
        found[complaint.place] = f"{found.get(complaint.place, '')} {complaint.message}".strip()
    return found


def _whole() -> dict[str, Any]:
    value = read_tree(_WHOLE).value
    assert isinstance(value, dict)
    return value


def test_a_whole_mapping() -> None:
    mapping = parse_mapping(_WHOLE)
    vendor, old, line, region = mapping.entities
    assert mapping.text == _WHOLE
    assert (mapping.system, mapping.time_zone) == ("AdventureWorks", "America/Los_Angeles")
    assert mapping.formats.true == ("Y", "1")
    assert mapping.formats.empty == ("NULL", "", "0000-00-00")
    assert vendor.key == ("businessentityid",)
    assert vendor.changed == ("modifieddate", "header.modifieddate")
    assert not vendor.vanishing
    assert [condition.comparison for condition in vendor.where] == ["equals", "in", "not_in", "above", "empty"]
    assert vendor.where[3] == Condition(value=Column("day"), comparison="above", operand=("2020-01-31",))
    assert vendor.joins[0].on == {"vendorid": "businessentityid"}
    assert vendor.fields["number"] == Column("accountnumber")
    assert vendor.fields["country"] == Lookup(
        value=Call(function="upper", arguments=(Column("header.country"),)),
        table={"CS": "case", "NO": "nos", "": "ea"},
        otherwise=Constant("DE"),
    )
    assert old.prefix == "old-"
    assert isinstance(old.fields["name"], Choice)
    assert old.fields["tax_number"] == Call(function="part", arguments=(Column("code"),), separator="-", number=-1)
    assert line.where[0].operand == ("0.5",)
    assert isinstance(line.fields["unit"], Lookup)
    assert line.fields["unit"].otherwise == Column("unit2")
    assert region.table is None
    assert region.key == ("key",)
    assert region.rows[1] == {"key": "CA", "code": "CA", "name": None, "currency": "CAD"}
    assert region.fields == {"code": Column("code"), "name": Column("name"), "currency": Column("currency")}


def test_everything_wrong_is_said_at_once_with_its_place_and_line() -> None:
    wrong = (
        _WHOLE.replace("America/Los_Angeles", "America/Los_Santos")
        .replace("{trim: name}", "{exec: name}")
        .replace("codes: po_status", "codes: status")
        .replace("prefix: old-", 'prefix: ""')
        .replace("header.modifieddate]", "haeder.modifieddate]")
        .replace("{constant: US}", "{constant: [US]}")
        .replace("{key: CA, code: CA", "{key: US, code: CA")
        .replace("decimals: 2", "at: 2")
        .replace("above: 0.5", "above: plenty")
        .replace('supplier: "https', 'customer: "https')
        .replace("    key: id\n", "")
    )
    found = _complaints(wrong)
    assert set(found) == {
        "time_zone",
        "pages.customer",
        "entities.supplier[0].changed",
        "entities.supplier[0].fields.name",
        "entities.supplier[0].fields.status.codes",
        "entities.supplier[0].labels.region.constant",
        "entities.supplier[1]",
        "entities.purchase_line",
        "entities.purchase_line.where[0]",
        "entities.purchase_line.fields.price",
        "entities.purchase_line.fields.price.at",
        "entities.region.rows[1]",
    }
    assert found["time_zone"].startswith("no time zone 'America/Los_Santos'")
    assert found["time_zone"].endswith("(line 4)")
    assert "'exec'" in found["entities.supplier[0].fields.name"]
    assert "po_status, units" in found["entities.supplier[0].fields.status.codes"]
    assert "no join 'haeder'" in found["entities.supplier[0].changed"]
    assert "the key 'US' is there twice" in found["entities.region.rows[1]"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "", "is not a group"),
        ("[]", "", "is not a group"),
        ("mapping: 1", "", "'system' is missing"),
        ("mapping: 2\nsystem: x\nentities: {a: {rows: [{key: 1}]}}", "mapping", "2 is not 1"),
        ("a: b: c", "", "not YAML: line 1"),
        ("a: &x 1\nb: *x", "line 2", "aliases"),
        ("[" * 100, "line 1", "nested deeper"),
        ("a: 1\na: 2", "a", "there twice"),
        ("\x00", "", "not YAML"),
        ("a: " + "x" * 1_000_001, "", "longer than"),
        ("? [a]\n: b", "line 1", "a key must be text"),
        ("!!python/object/apply:os.system [ls]", "", "is not a group"),
        ("mapping: 1\nsystem: x\nentities: {a: {from: t, key: k, fields: {b: {column: c, at: '-'}}}}",
         "entities.a.fields.b", "`at` needs `part` beside it"),
        ("mapping: 1\nsystem: x\nentities: {a: {from: t, key: k, fields: {b: {column: c, constant: 1}}}}",
         "entities.a.fields.b", "takes exactly one of"),
        ("mapping: 1\nsystem: x\nentities: {a: {from: t, key: {constant: 1}, fields: {}}}", "entities.a.key", "a text"),
        ("mapping: 1\nsystem: x\nentities: {a: {rows: [{key: 1}], key: k}}", "entities.a.key", "does not go with"),
        ("mapping: 1\nsystem: x\nformats: {dates: ['%H:%M']}\nentities: {a: {rows: [{key: 1}]}}",
         "formats.dates[0]", "no whole date"),
        ("mapping: 1\nsystem: x\nformats: {encoding: utf-9}\nentities: {a: {rows: [{key: 1}]}}",
         "formats.encoding", "no text encoding"),
        ("mapping: 1\nsystem: x\nformats: {group: '.'}\nentities: {a: {rows: [{key: 1}]}}",
         "formats.group", "already the decimal"),
        ("mapping: 1\nsystem: x\npages: {a: 'javascript:alert(1)'}\nentities: {a: {rows: [{key: 1}]}}",
         "pages.a", "can't be used"),
    ],
)  # fmt: skip
def test_one_thing_wrong(text: str, place: str, message: str) -> None:
    found = _complaints(text)
    assert message in found[place], found


def test_plain_values_stay_what_they_look_like() -> None:
    text = """
mapping: 1
system: x
codes: {c: {NO: Norway, on: 1, 007: bond, 1.10: x, 2026-01-31: day, yes: true, "": ~}}
entities: {a: {from: t, key: k, fields: {b: {column: c, codes: c}, d: {constant: 1.10}, e: {constant: 007}}}}
"""
    (part,) = parse_mapping(text).entities
    lookup = part.fields["b"]
    assert isinstance(lookup, Lookup)
    assert lookup.table == {
        "NO": "Norway", "on": "1", "007": "bond", "1.10": "x", "2026-01-31": "day", "yes": "true", "": None,
    }  # fmt: skip
    assert part.fields["d"] == Constant("1.10")
    assert part.fields["e"] == Constant("007")


def test_the_schema_is_one_and_is_closed() -> None:
    Draft202012Validator.check_schema(schema())
    assert list(Draft202012Validator(schema()).iter_errors(_whole())) == []
    assert "additionalProperties" in json.dumps(schema())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, st.sampled_from(["entities", "codes", "formats", "pages", "system", "time_zone"]))
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_is_a_mapping_or_a_complaint(value: object, where: str) -> None:
    file = _whole()
    file[where] = value
    _survives(yaml.safe_dump(file))


@given(_JSON, st.sampled_from(["from", "key", "changed", "where", "join", "fields", "labels", "company", "prefix"]))
@settings(max_examples=200, deadline=None)
def test_whatever_is_written_in_an_entity_is_a_mapping_or_a_complaint(value: object, where: str) -> None:
    file = _whole()
    file["entities"]["purchase_line"][where] = value
    file["entities"]["supplier"][1]["fields"] = {"name": value}
    _survives(yaml.safe_dump(file))


@given(st.text(max_size=200))
def test_whatever_text_is_a_mapping_or_a_complaint(text: str) -> None:
    _survives(text)


def _survives(text: str) -> SourceMapping | None:
    try:
        return parse_mapping(text)
    except MappingError:
        return None
