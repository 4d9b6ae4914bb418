"""The seam of a language: what is in force, what is read of it, what it may not say, what is wrong with its files."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.answering.draft import Claim, Draft, render
from copilot.answering.printing import print_value
from copilot.answering.verify import verify
from copilot.domain.evidence import Value
from copilot.errors import ModelDefinitionError, SettingsError
from copilot.semantic.documents import Fault
from copilot.semantic.forms import load_forms
from copilot.semantic.kpis import load_kpis
from copilot.semantic.language import ENGLISH, Language, find_language, in_force, speaking
from copilot.semantic.model import load_model
from copilot.understanding.check import check_languages, language_documents
from copilot.understanding.kinds import load_kinds
from copilot.understanding.lexicon import lexicon
from copilot.understanding.vocabulary import load_vocabulary
from prompts.template import TemplateError, digest, load_approved, parse
from tests.unit.records import bare, evidence, own_words, scaled

XX = Path(__file__).parents[1] / "data" / "language" / "xx"
OTHER = find_language(str(XX))
_TEMPLATE = parse("said", "Es ist **{it.field}**, wie erfasst.")
_NUMBERS = st.integers(-(10**15), 10**15)
_VALUES = st.one_of(
    st.builds(Value, st.just("quantity"), _NUMBERS, st.sampled_from(["Stück", "kg"])),
    st.builds(Value, st.just("amount"), _NUMBERS, st.just("EUR")),
    st.builds(Value, st.just("ratio"), _NUMBERS),
    st.builds(Value, st.just("days"), _NUMBERS),
    st.builds(Value, st.just("count"), st.integers(0, 10**9), st.sampled_from(["line", "Auftrag", "", None])),
    st.builds(Value, st.just("date"), st.dates(date(1900, 1, 1), date(2199, 12, 31))),
    st.builds(Value, st.just("span"), st.just(date(2026, 10, 1)), st.sampled_from(["month", "quarter", "day"])),
    st.builds(Value, st.just("span"), st.just(date(2026, 11, 16)), st.just("week")),
    st.builds(Value, st.just("instant"), st.just(datetime(2026, 3, 9, 7, 5, tzinfo=UTC))),
    st.builds(Value, st.just("flag"), st.booleans()),
    st.builds(Value, st.just("code"), st.sampled_from(["confirmed", "on_hold", "partly_shipped"])),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the test language that a test may change."""
    return Path(shutil.copytree(XX, tmp_path / "yy"))


def _faults(folder: Path) -> list[Fault]:
    """What is wrong with this language; of what is shipped other tests speak."""
    return [fault for fault in check_languages([str(folder)]) if fault.file.startswith(str(folder))]


def _changed(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def test_english_is_in_force_unless_another_language_is_spoken() -> None:
    assert in_force() is ENGLISH
    with speaking(OTHER):
        assert in_force() is OTHER
        with speaking(ENGLISH):
            assert load_forms().yes == "yes"
        assert load_forms().yes == "ja"
    assert load_forms().yes == "yes"


def test_a_setting_names_a_language_that_is_shipped_or_a_folder_of_one(tmp_path: Path) -> None:
    assert find_language("en") is ENGLISH
    assert OTHER.name == "xx"
    for wrong in ("xx", "de", "EN", "", str(tmp_path), "./nowhere"):
        with pytest.raises(SettingsError, match="must be one of en") as caught:
            find_language(wrong)
        assert repr(wrong) in str(caught.value)


def test_each_loader_reads_the_files_of_the_language_in_force_once() -> None:
    english = (load_vocabulary(), load_kinds(), lexicon(), load_model(), load_kpis(region="SG"))
    with speaking(OTHER):
        other = (load_vocabulary(), load_kinds(), lexicon(), load_model(), load_kpis(region="SG"))
        assert load_vocabulary() is other[0]
        assert load_kpis()["open_value"].title == "offener Auftragswert"
        assert load_kpis()["backlog"].title == "backlog"
    assert not any(one is another for one, another in zip(english, other, strict=True))
    assert load_vocabulary() is english[0]
    assert (english[3]["sales_order"].title, other[3]["sales_order"].title) == ("sales order", "Auftrag")


def test_what_is_usually_meant_is_the_same_in_every_language() -> None:
    english = load_vocabulary()
    with speaking(OTHER):
        other = load_vocabulary()
    assert other.usual_dates["sales_order"] == english.usual_dates["sales_order"]
    assert ("orders",) not in other.phrases
    assert ("auftrage",) in other.phrases


def test_only_the_kinds_that_it_has_words_for_are_asked_in_it() -> None:
    with speaking(OTHER):
        kinds = load_kinds()
    assert set(kinds) == {"order_status", "order_lines", "invoice_status"}
    assert kinds["order_status"].steps == load_kinds()["order_status"].steps
    assert "status" not in kinds["order_status"].cues


@given(_VALUES)
def test_what_is_printed_in_its_forms_is_verified_in_them(value: Value) -> None:
    record = bare(field=value, time_zone="Europe/Berlin")
    with speaking(OTHER):
        claim = render(_TEMPLATE, {"it": record})
        assert claim is not None
        assert verify(Draft(claims=(claim,), complete=True), evidence(all=record), None, {"said": _TEMPLATE}) == ()


def test_its_forms_are_its_own() -> None:
    record = bare()
    with speaking(OTHER):
        said = [
            print_value(record, Value("amount", scaled("-1234567.5"), "EUR")),
            print_value(record, Value("ratio", scaled("0.425"))),
            print_value(record, Value("date", date(2026, 3, 9))),
            print_value(record, Value("count", 1200, "line")),
            print_value(record, Value("code", "partly_shipped")),
        ]
    assert said == ["-1.234.567,50 EUR", "42,5 %", "9. März 2026", "1.200 Positionen", "teilweise versandt"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Der Auftrag ist überfällig.", "state_without_fact"),
        ("Es sind zwei Positionen.", "number_word_without_fact"),
        ("It is overdue.", "state_without_fact"),
        ("It has two lines.", "number_word_without_fact"),
        ("Es sind 2 Positionen.", "figure_without_fact"),
    ],
)
def test_its_sentences_state_nothing_without_a_record(text: str, rule: str) -> None:
    record = bare(status=Value("code", "confirmed"))
    claim = Claim(name="said", text=text, facts=(), slots={"it": record.id})
    with speaking(OTHER):
        found = verify(Draft(claims=(claim,), complete=True), evidence(all=record), None, own_words(claim))
    assert {finding.rule for finding in found} == {rule}


def test_its_sentences_stand_in_the_place_of_the_english_ones() -> None:
    english, other = load_approved(), load_approved(language=XX)
    assert other.keys() == english.keys()
    assert other["order_cancelled"].literals == ("Er wurde storniert.",)
    assert other["order_value"] == english["order_value"]


def test_a_sentence_that_nobody_approved_is_never_said(folder: Path) -> None:
    _changed(folder / "claims" / "sentences.yaml", "Er wurde storniert.", "Er wurde wohl storniert.")
    with pytest.raises(TemplateError, match=r"'claims/sentences\.yaml' is not in its approved form"):
        load_approved(language=folder)
    (folder / "approvals.toml").unlink()
    with pytest.raises(TemplateError, match="is not approved"):
        load_approved(language=folder)


def test_the_test_language_has_no_fault() -> None:
    assert _faults(XX) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "text"),
    [
        ("words.yaml", "auftrag: [sales_order]", "Auftrag: [sales_order]", "'Auftrag' is never met"),
        ("words.yaml", "auftrag: [sales_order]", "auftrag: [auftrag]", "no entity 'auftrag'"),
        ("words.yaml", "plural: [en, e, s]", "plurals: [en, e, s]", "'plural' is a required property"),
        ("forms.yaml", "  late: [", "  spät: [", "'late' is a required property"),
        ("forms.yaml", 'date: "{day}. {month} {year}"', 'date: "{day}. {month}"', "does not match"),
        ("titles.yaml", "open: offene", "opened: offene", "no segment 'opened'"),
        ("titles.yaml", "  open_value:", "  open_worth:", "no measure 'open_worth'"),
        ("kinds.yaml", "order_lines:", "order_rows:", "'order_rows'"),
        ("kinds.yaml", "cues: [positionen]", "steps: [positionen]", "'steps' was unexpected"),
        ("manners.yaml", "kinds: [order_status]", "kinds: [order_value]", "no words for the kind 'order_value'"),
        ("dialogue.yaml", "narrow: [nur]", "narrow: nur", "is not of type 'array'"),
        ("phrases.yaml", 'by: "je {}"', 'by: "je"', "does not match"),
        ("claims/sentences.yaml", "Er wurde storniert.", "Er wurde wohl storniert.", "approved form"),
    ],
)
def test_a_fault_of_its_files_is_named(folder: Path, file: str, old: str, new: str, text: str) -> None:
    _changed(folder / file, old, new)
    faults = _faults(folder)
    assert any(text in str(fault) for fault in faults), faults


def test_a_file_that_another_language_lacks_is_named(folder: Path) -> None:
    (folder / "kinds.yaml").unlink()
    assert [fault.text for fault in _faults(folder)] == ["is not there"]
    assert len(language_documents(str(folder))) == 11


def test_a_sentence_with_other_slots_than_the_english_one_is_refused(tmp_path: Path) -> None:
    english, other = tmp_path / "english", tmp_path / "other"
    for root, words in ((english, "It is {order.status}."), (other, "Es ist {order.number}.")):
        (root / "claims").mkdir(parents=True)
        text = f'said: "{words}"\n'
        (root / "claims" / "a.yaml").write_text(text)
        approval = {"file": "claims/a.yaml", "sha256": digest(text.encode()), "author": "one", "approver": "two"}
        lines = "\n".join(f'{key} = "{value}"' for key, value in approval.items())
        (root / "approvals.toml").write_text(f"[[approval]]\n{lines}\n")
    with pytest.raises(TemplateError, match="'said' does not have the slots"):
        load_approved(english, other)


def test_words_for_a_kind_that_there_is_not_are_refused(folder: Path) -> None:
    _changed(folder / "kinds.yaml", "order_lines:", "order_rows:")
    with speaking(Language("yy", folder)), pytest.raises(ModelDefinitionError, match="'order_rows'"):
        load_kinds()
