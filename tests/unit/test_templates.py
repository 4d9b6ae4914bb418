"""Claim templates: used, free of figures, and loaded only in the form a second person approved."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import copilot.manners
import prompts
from copilot.answering.arranging.arrange import CONNECTIVE, QUOTED
from copilot.answering.decide import Decider
from copilot.semantic.model import load_model
from copilot.understanding.compose.attributes import ATTRIBUTE_CLAIMS, NOT_RECORDED
from copilot.understanding.compose.build import LISTED_CLAIMS, MEASURED_CLAIMS, can_list, claims_of, worth_claims_of
from copilot.understanding.dialogue.recall import HEADING
from copilot.understanding.kinds import load_kinds
from copilot.understanding.manners import Manner
from prompts.template import ClaimTemplate, Slot, TemplateError, load_approved, parse
from tests.unit.records import every_decision

_SHIPPED = Path(prompts.__file__).parent
_MANNERS = Path(copilot.manners.__file__).parent


class _Watched(dict[str, ClaimTemplate]):
    """Templates that remember which of them were asked for."""

    def __init__(self, templates: dict[str, ClaimTemplate]) -> None:
        super().__init__(templates)
        self.asked: set[str] = set()

    def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, default)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped templates that a test may change."""
    shutil.copytree(_SHIPPED / "claims", tmp_path / "claims")
    shutil.copy(_SHIPPED / "approvals.toml", tmp_path)
    return tmp_path


def _edit(file: Path, change: Callable[[str], str]) -> None:
    before = file.read_text()
    file.write_text(change(before))
    assert file.read_text() != before


def test_the_shipped_templates_load_as_approved(folder: Path) -> None:
    assert load_approved(folder) == load_approved()
    assert len(load_approved()) > 80


def test_every_template_is_said_somewhere() -> None:
    said = {spec.claim for kind in load_kinds().values() for group in kind.outline.groups for spec in group.specs}
    listed = [entity for entity in load_model().entities if can_list(entity)]
    said |= {name for entity in listed for name in (*claims_of(entity), *worth_claims_of(entity))}
    said |= {*ATTRIBUTE_CLAIMS, NOT_RECORDED, *MEASURED_CLAIMS, *LISTED_CLAIMS, HEADING}
    said |= {name for name in load_approved() if name.startswith(CONNECTIVE)} | {QUOTED}
    written = "".join(file.read_text() for file in _MANNERS.glob("*.py"))
    said |= {*re.findall(r'"((?:manners|explained)_\w+)"', written), *(f"manners_{manner}" for manner in Manner)}
    watched = _Watched(dict(load_approved()))
    every_decision(Decider(watched, load_model()))
    assert set(load_approved()) - said - watched.asked == set()


def test_everything_the_decisions_say_has_a_template() -> None:
    watched = _Watched(dict(load_approved()))
    every_decision(Decider(watched, load_model()))
    assert watched.asked - set(watched) == set()


def test_no_name_is_defined_twice() -> None:
    names = [name for file in sorted((_SHIPPED / "claims").iterdir()) for name in yaml.safe_load(file.read_bytes())]
    assert sorted(names) == sorted(set(names))


def test_no_template_holds_a_figure_a_number_word_or_a_link_of_its_own() -> None:
    number_word = re.compile(
        r"\b(two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand)\b", re.IGNORECASE
    )
    for template in load_approved().values():
        words = " ".join(template.literals)
        assert not re.search(r"\d", words), template.name
        assert not number_word.search(words), template.name
        assert not re.search(r"https?:|\]\(|!\[|<", words), template.name


@pytest.mark.parametrize(
    "wrong", ["Order 7 is {o.s}.", "{o.s} of ٣", "<b>{o.s}</b>", "{o} is late", "{o.s}}", "{o.s.t}"]
)
def test_a_template_with_a_figure_markup_or_a_stray_brace_is_refused(wrong: str) -> None:
    with pytest.raises(TemplateError, match="'claim'"):
        parse("claim", wrong)


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.text("abc .*()", max_size=8)), max_size=5))
def test_parsing_keeps_every_literal_and_slot_in_turn(pieces: list[tuple[str, str]]) -> None:
    text = "".join(f"{{{name}.field}}{words}" for name, words in pieces)
    template = parse("claim", text)
    assert template.slots == tuple(Slot(name, "field") for name, _ in pieces)
    assert template.literals == ("", *(words for _, words in pieces))


def test_one_changed_letter_is_refused_by_the_name_of_its_file(folder: Path) -> None:
    _edit(folder / "claims" / "orders.yaml", lambda text: text.replace("It was cancelled", "It was canceled"))
    with pytest.raises(TemplateError, match=r"'claims/orders\.yaml' is not in its approved form"):
        load_approved(folder)


def test_even_a_changed_comment_is_refused(folder: Path) -> None:
    _edit(folder / "claims" / "items.yaml", lambda text: f"{text}# harmless\n")
    with pytest.raises(TemplateError, match="approved form"):
        load_approved(folder)


def test_a_file_that_nobody_approved_is_refused(folder: Path) -> None:
    (folder / "claims" / "zzz.yaml").write_text('mine: "Trust me."\n')
    with pytest.raises(TemplateError, match=r"'claims/zzz\.yaml' is not approved"):
        load_approved(folder)


def test_a_file_approved_by_its_own_author_is_refused(folder: Path) -> None:
    _edit(folder / "approvals.toml", lambda text: text.replace("copilot maintainers", "copilot authors", 1))
    with pytest.raises(TemplateError, match="by its own author 'copilot authors'"):
        load_approved(folder)


def test_an_approver_who_only_writes_their_name_otherwise_is_no_second_person(folder: Path) -> None:
    _edit(folder / "approvals.toml", lambda text: text.replace("copilot maintainers", " Copilot Authors ", 1))
    with pytest.raises(TemplateError, match="by its own author"):
        load_approved(folder)


def test_an_approval_holds_for_its_own_file_only(folder: Path) -> None:
    text = (folder / "claims" / "items.yaml").read_bytes()
    (folder / "claims" / "orders.yaml").write_bytes(text)
    with pytest.raises(TemplateError, match=r"claims/orders\.yaml"):
        load_approved(folder)


def test_a_form_approved_by_a_second_person_loads(folder: Path) -> None:
    file = folder / "claims" / "orders.yaml"
    old = hashlib.sha256(file.read_bytes()).hexdigest()
    _edit(file, lambda text: text.replace("It was cancelled", "This order was cancelled"))
    new = hashlib.sha256(file.read_bytes()).hexdigest()
    _edit(folder / "approvals.toml", lambda text: text.replace(old, new))
    assert load_approved(folder)["order_cancelled"].literals == ("This order was cancelled.",)
