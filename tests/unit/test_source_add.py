"""What `source add` says when a source of that name is there already."""

from __future__ import annotations

from dataclasses import replace

from copilot.channels.commands.source.add import told
from copilot.ingest import Source

HERE = Source(
    id=1,
    name="Shop",
    system="files",
    settings={"location": "/exports/secret-place", "mapping": "a"},
    label_map={"region": {"": "*"}},
    every_minutes=60,
)


def test_a_new_source_is_to_be_synced() -> None:
    assert told(None, HERE) == "added 'Shop'; now: erp-copilot source sync 'Shop'"


def test_the_same_again_is_no_change() -> None:
    assert "nothing changed" in told(HERE, replace(HERE, settings=dict(reversed(HERE.settings.items()))))


def test_what_changed_is_named_without_its_value_and_read_anew() -> None:
    moved = replace(HERE, settings={"location": "/exports/other-place"}, label_map={"site": {"1": "NYC"}})
    said = told(HERE, replace(moved, system="sql"))
    assert "its kind, which was 'files'" in said
    assert "the setting 'location', the setting 'mapping', the labels for 'region', the labels for 'site'" in said
    assert "reads it anew: erp-copilot source sync 'Shop'" in said
    assert "place" not in said


def test_how_often_and_what_for_change_nothing_that_was_read() -> None:
    said = told(HERE, replace(HERE, every_minutes=None, purpose="commerce"))
    assert said == "changed 'Shop': what it is for, how often it is synced; what was read stays"
