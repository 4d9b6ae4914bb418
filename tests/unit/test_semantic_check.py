"""`semantic check`: the shipped files are right, and each planted fault is named with file, line and place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot.channels.cli import main
from copilot.semantic.check import check_semantics, semantic_documents
from copilot.semantic.documents import Document, Fault
from copilot.understanding.check import check_language, check_languages, language_documents, languages

SEMANTIC = semantic_documents()
ENGLISH = language_documents("en")


def _planted(documents: tuple[Document, ...], file: str, old: str, new: str) -> tuple[Document, ...]:
    (document,) = (each for each in documents if each.file.endswith(f"/{file}"))
    assert old in document.text
    changed = replace(document, text=document.text.replace(old, new, 1))
    return tuple(changed if each is document else each for each in documents)


def _named(faults: tuple[Fault, ...], file: str, place: str, text: str) -> None:
    (fault,) = (each for each in faults if each.place == place and text in each.text)
    assert fault.file.endswith(f"/{file}")
    assert fault.line > 0


def test_what_is_shipped_has_no_fault() -> None:
    assert check_semantics(SEMANTIC) == ()
    assert "en" in languages()
    assert check_languages() == ()


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "text"),
    [
        ("sales.yaml", "to: customer", "to: costumer", "sales_order.fields.customer.to", "no entity 'costumer'"),
        ("item.yaml", "key: number", "key: nummer", "item.key", "no field 'nummer'"),
        ("item.yaml", "number: {type: ident", "number: {type: idnt", "item.fields.number.type", "'idnt' is not one of"),
        ("item.yaml", "  title: item\n", "", "item", "'title' is a required property"),
        ("item.yaml", "{from: item}", "{from: itm}", "item_unit.labels.from", "no reference"),
        (
            "item.yaml",
            "currency: currency}",
            "currency: money}",
            "item_price.fields.price.currency",
            "no field 'money'",
        ),
        ("organisation.yaml", "note: IANA name", "note: IANA, name", "site.fields.time_zone", "'name' was unexpected"),
        ("computed.yaml", "days: [order_date,", "days: [order_dat,", "sales_order.cycle", "no field 'order_dat'"),
        ("computed.yaml", "days: [order_date,", "weeks: [order_date,", "sales_order.cycle", "'weeks' was unexpected"),
        ("segments.yaml", "{status: quotation}", "{status: quoted}", "sales_order.quoted", "is never 'quoted'"),
        ("segments.yaml", "{status: quotation}", "{state: quotation}", "sales_order.quoted", "no field 'state'"),
        ("segments.yaml", "{status: quotation}", "{is: [quoted]}", "sales_order.quoted", "is made of itself"),
        ("segments.yaml", "order_hold:\n", "order_holt:\n", "order_holt", "no entity 'order_holt'"),
        ("segments.yaml", "  quoted: {", "  open: {", "sales_order.open", "said twice"),
        ("measures.yaml", "  owner: purchasing\n", "", "", "'owner' is a required property"),
        ("kpis.yaml", "  version: 1\n", "", "order_count", "'version' is a required property"),
        ("kpis.yaml", "  version: 1\n", "  version: one\n", "order_count.version", "'one' is not of type 'integer'"),
        ("kpis.yaml", "figure: {mean: cycle}", "figure: {median: cycle}", "order_cycle_time.figure", "'median'"),
        ("kpis.yaml", "figure: {mean: cycle}", "figure: {mean: cycles}", "order_cycle_time", "no field 'cycles'"),
        ("kpis.yaml", "date: order_date", "date: status", "order_count", "'status' is no date"),
        ("kpis.yaml", "{tolerance: 0}", "{leniency: 0}", "on_time_shipment", "'tolerance' has no number"),
        ("kpis.yaml", "{tolerance: 0}", "{tolerance: 0, x: 1}", "on_time_shipment.parameters.x", "nothing uses"),
    ],
)
def test_a_fault_of_the_model_is_named_with_its_place(file: str, old: str, new: str, place: str, text: str) -> None:
    documents = _planted(SEMANTIC, file, old, new)
    faults = check_semantics(documents)
    if place:
        _named(faults, file, place, text)
    assert any(text in fault.text and fault.file.endswith(file) for fault in faults)


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "text"),
    [
        ("things.yaml", "sales_order:\n", "sale_order:\n", "sale_order", "no entity 'sale_order'"),
        ("things.yaml", "    quoted: [", "    quotes: [", "sales_order.segments.quotes", "no segment 'quotes'"),
        ("things.yaml", "delivered: [delivered", "delivered: [shipped", "sales_order.segments.delivered", " too"),
        ("things.yaml", "    order_date: [", "    status: [", "sales_order.dates.status", "of the type 'code'"),
        ("things.yaml", "usual_date: order_date", "usual_date: day", "sales_order.usual_date", "no field 'day'"),
        ("things.yaml", "lateness: [days late", "latenes: [days late", "sales_order.numbers.latenes", "no field"),
        ("things.yaml", "nouns: [customer,", "nouns: [order, customer,", "customer.nouns", "sales_order.nouns too"),
        ("measures.yaml", "backlog: [", "backlogs: [", "backlogs", "no measure 'backlogs'"),
        ("measures.yaml", "backlog: [", "backlog: [on, ", "backlog.0", "True is not of type 'string'"),
        ("grammar.yaml", "outside: [", "beyond: [", "", "'outside' is a required property"),
        ("times.yaml", "{say: today, day: 0}", "{say: todday, day: 0}", "", "unknown word 'todday'"),
        ("times.yaml", "{say: today, day: 0}", "{say: today, dya: 0}", "", "means nothing known"),
        ("times.yaml", "1: [january,", "1: [february,", "months.2", "months.1 too"),
        ("amounts.yaml", "say: [box,", "say: [each,", "units.box", "units.each too"),
        ("amounts.yaml", 'decimal: "."', 'decimal: ";"', "decimal", "is not one of"),
        ("amounts.yaml", "ones: [", "ones: [[", "", "is no YAML"),
    ],
)  # fmt: skip
def test_a_fault_of_a_language_is_named_with_its_place(file: str, old: str, new: str, place: str, text: str) -> None:
    faults = check_language(_planted(ENGLISH, file, old, new))
    if place:
        _named(faults, file, place, text)
    assert any(text in fault.text and fault.file.endswith(file) for fault in faults)


def test_all_faults_are_named_at_once() -> None:
    documents = _planted(SEMANTIC, "segments.yaml", "{status: quotation}", "{status: quoted}")
    documents = _planted(documents, "kpis.yaml", "figure: {mean: cycle}", "figure: {mean: cycles}")
    documents = _planted(documents, "sales.yaml", "to: customer", "to: costumer")
    assert len({fault.file for fault in check_semantics(documents)}) == 3


def test_a_file_that_is_missing_is_named() -> None:
    faults = check_language(ENGLISH[1:])
    assert [str(fault) for fault in faults] == ["copilot/understanding/language/en/amounts.yaml: is not there"]


def test_the_command_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["semantic", "check"]) == 0
    assert "no fault" in capsys.readouterr().err
    assert main(["semantic", "check", "--schema", "kpis"]) == 0
    assert '"$schema"' in capsys.readouterr().out
    assert main(["semantic", "list", "measures"]) == 0
    assert "fill_rate" in capsys.readouterr().out
    assert main(["semantic", "list", "words"]) == 0
    assert "outstanding" in capsys.readouterr().out
    assert main(["semantic", "explain", "no_such_measure"]) == 1
    assert "list measures" in capsys.readouterr().err


def test_the_command_fails_where_there_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = _planted(SEMANTIC, "segments.yaml", "{status: quotation}", "{status: quoted}")
    monkeypatch.setattr("copilot.channels.commands.semantic.semantic_documents", lambda: broken)
    assert main(["semantic", "check"]) == 1
    assert "copilot/semantic/segments.yaml:" in capsys.readouterr().out


def test_a_measure_is_explained_as_it_holds_in_a_region(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["semantic", "explain", "aged_holds", "--region", "DE"]) == 0
    here = capsys.readouterr().out
    assert main(["semantic", "explain", "aged_holds"]) == 0
    elsewhere = capsys.readouterr().out
    assert "more than 3 days" in here
    assert "variant of DE" in here
    assert "more than 5 days" in elsewhere
    assert "other: DE 3" in elsewhere
