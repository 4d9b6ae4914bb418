"""Values to COPY text, hints to labels, and the statements that the semantic model gives."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import MemoryConnector
from copilot.errors import SourceConfigError
from copilot.ingest.fields import NULL, RecordFaultError, converter
from copilot.ingest.hints import HintColumns, HintMap
from copilot.ingest.labels import STAGED, below, label, label_refs
from copilot.ingest.report import Reason, Source, SyncReport
from copilot.ingest.statements import identified, placed
from copilot.ingest.sync import load_order
from copilot.semantic.model import Field, load_model

MODEL = load_model()
SOURCE = Source(id=1, name="erp", system="erp", settings={}, label_map={})


def convert(kind: str, value: object, *codes: str) -> str:
    """One value of a field of this type."""
    return converter(Field(name="f", type=kind, title="f", codes=codes))(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", "Müller", "Müller"),
        ("text", "a\tb\\n\nc\r", "a\\tb\\\\n\\nc\\r"),
        ("text", "\\N", "\\\\N"),
        ("ident", "", NULL),
        ("ident", "  ", NULL),
        ("code", "EUR", "EUR"),
        ("date", date(2026, 1, 2), "2026-01-02"),
        ("instant", datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        ("quantity", Decimal("2.5"), "2500000"),
        ("amount", Decimal("-0.0000005"), "0"),
        ("ratio", 1, "1000000"),
        ("count", 3, "3"),
        ("flag", True, "t"),
        ("flag", False, "f"),
    ],
)
def test_a_value_becomes_the_text_that_copy_takes(kind: str, value: object, text: str) -> None:
    assert convert(kind, value) == text


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("text", 5, Reason.BAD_TYPE),
        ("text", "a\x00b", Reason.BAD_VALUE),
        ("text", "\ud800", Reason.BAD_VALUE),
        ("date", datetime(2026, 1, 1, tzinfo=UTC), Reason.BAD_TYPE),
        ("date", "2026-01-01", Reason.BAD_TYPE),
        ("instant", datetime(2026, 1, 1), Reason.BAD_TYPE),  # noqa: DTZ001
        ("instant", date(2026, 1, 1), Reason.BAD_TYPE),
        ("quantity", 0.1, Reason.BAD_TYPE),
        ("quantity", True, Reason.BAD_TYPE),
        ("amount", Decimal("NaN"), Reason.BAD_VALUE),
        ("amount", Decimal("Infinity"), Reason.BAD_VALUE),
        ("amount", Decimal(10) ** 13, Reason.BAD_VALUE),
        ("count", 2**31, Reason.BAD_VALUE),
        ("count", True, Reason.BAD_TYPE),
        ("flag", 1, Reason.BAD_TYPE),
    ],
)
def test_a_value_of_another_kind_is_a_fault(kind: str, value: object, reason: Reason) -> None:
    with pytest.raises(RecordFaultError) as fault:
        convert(kind, value)
    assert fault.value.reason is reason


def test_a_fault_names_the_code_but_no_personal_value() -> None:
    with pytest.raises(RecordFaultError, match="'shipped' is none of new, open") as fault:
        convert("code", "shipped", "open", "new")
    assert fault.value.reason is Reason.UNKNOWN_CODE
    with pytest.raises(RecordFaultError, match=r"^expected a date, got str$"):
        convert("date", "Anna Schmidt")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1))
def test_text_comes_back_as_it_was(value: str) -> None:
    text = convert("text", value)
    if not value.strip():
        assert text == NULL
        return
    assert not set("\t\n\r") & set(text)
    back = text.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")
    assert back == value


HINTS = HintMap(
    label_map={"region": {"7": "DE", "company=1": "US", "": "US"}, "channel": {"": "*"}},
    by_code={"region": {"US": 1, "DE": 2}},
    by_key={"region": {"9": 3, "7": 4}, "channel": {"web": 5}},
)


@pytest.mark.parametrize(
    ("name", "labels", "ident"),
    [
        ("region", {"region": "7"}, 2),  # the label map goes before the key
        ("region", {"region": "9"}, 3),
        ("region", {"region": "*"}, 0),
        ("region", {"region": "8"}, None),
        ("region", {"company": "1", "team": "4"}, 1),
        ("region", {}, 1),
        ("channel", {}, 0),
        ("channel", {"channel": "web"}, 5),
        ("site", {}, None),
    ],
)
def test_a_hint_names_one_of_our_labels_or_none(name: str, labels: dict[str, str], ident: int | None) -> None:
    assert HINTS.resolve(name, labels) == ident


def test_only_a_rule_that_allows_it_shares_with_all() -> None:
    shared = {"region": "*", "channel": "web"}
    assert HintColumns(MODEL["customer"], HINTS).of(shared) == f"0\t{NULL}\t5\t{NULL}"
    region, _, channel, fault = HintColumns(MODEL["invoice"], HINTS).of(shared).split("\t")
    assert (region, channel) == (NULL, "5")
    assert "region" in fault
    assert HintColumns(MODEL["stock"], HINTS).of(shared) == "\t".join([NULL] * 4)


def test_labels_follow_the_rules_of_the_model() -> None:
    line = MODEL["sales_order_line"]
    assert [field.name for field in label_refs(line)] == ["order", "site"]
    assert label(line, "site", STAGED).as_string() == (
        'case when "s"."site_key" is not null then "ref_site"."label_site" else "ref_order"."label_site" end'
    )
    assert label(line, "account", STAGED).as_string() == '"ref_order"."label_account"'
    assert label(MODEL["customer"], "account", STAGED).as_string() == '"s"."id"'
    assert label(MODEL["customer"], "site", STAGED).as_string() == "0"


def test_everything_with_a_label_of_a_site_is_below_it() -> None:
    names = [entity.name for entity, _ in below(MODEL, frozenset({"site"}))]
    assert {"sales_order", "sales_order_line", "stock", "purchase_order", "transfer"} <= set(names)
    assert "sales_line_price" not in names  # below the order line


def test_every_entity_s_placing_can_be_composed() -> None:
    for entity in MODEL.entities.values():
        assert placed(MODEL, entity).as_string().count("{") == 0
    assert {entity.name for entity in MODEL.entities.values() if identified(entity)} == {
        "region",
        "channel",
        "site",
        "item",
        "customer",
        "supplier",
    }


def test_labels_are_loaded_before_anything_that_hints_at_them() -> None:
    offered = ("stock", "customer", "site", "item", "channel", "region")
    names = [entity.name for entity in load_order(MODEL, SOURCE, offered)]
    assert set(names[:3]) == {"region", "channel", "site"}
    assert names.index("region") < names.index("site")
    assert names[-1] == "stock"


@pytest.mark.parametrize("offered", ["supplier_rate", "nonsense"])
def test_what_no_source_can_deliver_is_refused(offered: str) -> None:
    with pytest.raises(SourceConfigError, match=offered):
        load_order(MODEL, SOURCE, MemoryConnector("erp", [offered]).entities)


def test_identity_rules_come_from_settings_or_label_map() -> None:
    both = Source(
        id=1,
        name="wms",
        system="wms",
        settings={"identity": {"item": "gtin, number"}},
        label_map={"identity": {"item": "number", "site": "code"}},
    )
    assert both.identity_rules == {"item": ("gtin", "number"), "site": ("code",)}
    assert SOURCE.identity_rules == {}


def test_an_empty_report_counts_nothing() -> None:
    report = SyncReport(source="erp", batch_id=1)
    assert (report.changed, report.removed, report.quarantined) == (0, 0, 0)
