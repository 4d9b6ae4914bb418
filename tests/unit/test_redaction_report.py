"""The report counts what it says it counts, and ends well without its texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.redaction import report as module
from evals.redaction.corpus import Span, Text, load
from evals.redaction.misses import why_missed

TEXTS = [
    ("Call Mr. Brown at 312-555-0123", [("PERSON", "Mr. Brown"), ("PHONE_NUMBER", "312-555-0123")]),
    ("Tim likes 12.5.2024", [("PERSON", "Tim"), ("DATE_TIME", "12.5.2024")]),
    ("to 12 Main Street, please", [("ADDRESS", "12 Main Street")]),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Texts in the form of the corpus."""
    entries = [
        {
            "full_text": text,
            "template_id": number,
            "spans": [
                {
                    "entity_type": kind,
                    "start_position": text.index(value),
                    "end_position": text.index(value) + len(value),
                }
                for kind, value in spans
            ],
        }
        for number, (text, spans) in enumerate(TEXTS)
    ]
    path = tmp_path / "texts.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


async def test_without_its_texts_the_report_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "report", lambda: None)
    said: list[str] = []
    assert [figure async for figure in module.measure_pii(said.append)] == []
    assert "not here" in said[0]
    assert load(tmp_path / "none.json") == ()


def test_rows_misses_and_figures(file: Path) -> None:
    made = module.report(file)
    assert made is not None
    recall = {(row.way, row.kind): row.recall for row in made.rows}
    assert recall["ours", "PERSON"] == 0.5
    assert recall["ours", "ADDRESS"] == 1
    assert recall["ours", "PHONE_NUMBER"] == 1
    assert recall["ours, all names known", "PERSON"] == 1
    assert recall["plain Presidio", "PERSON"] is None
    assert made.misses == [
        ("DATE_TIME", "a date: not masked by decision", 1), ("PERSON", "one word, without a lead", 1),
    ]  # fmt: skip
    assert {*made.figures[0].to_json()} == {"name", "value", "unit", "goal", "peer", "ok"}


def test_a_title_before_a_name_tells_nobody() -> None:
    text = Text("Ms. Li", (Span(0, 6, "PERSON"),), 1)
    assert text.told(text.spans[0]) == {4, 5}


@pytest.mark.parametrize(
    ("value", "kind", "why"),
    [
        ("Mr.", "PERSON", "a title alone"),
        ("jo ng", "PERSON", "two words or more in small letters, without a lead"),
        ("4711", "ADDRESS", "a bare number: house, flat or code in a line of its own or beside a street"),
        ("001-748-088-2851", "PHONE_NUMBER", "valid nowhere, no word beside it"),
    ],
)
def test_why_something_is_missed(value: str, kind: str, why: str) -> None:
    text = Text(value, (Span(0, len(value), kind),), 1)
    assert why_missed(text, text.spans[0], frozenset()) == why
