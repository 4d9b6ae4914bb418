"""Reads the cases of a suite. Every fault names the file, the case and what is wrong with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, ValidationError
from yaml.nodes import MappingNode

from evals.scoring.case import HOLE, Case, Expect
from evals.scoring.errors import CaseError

CASES = Path(str(files("evals"))) / "cases"
_WORDINGS = "wordings.yaml"
"""Other wordings of cases of the folder: id of the case -> what is typed instead of its only turn."""
WORDED = "worded"
"""The family of these."""


def load_cases(folder: Path, people: Sequence[str]) -> tuple[Case, ...]:
    """The cases of a suite's folder, by file and in their order; `people` are the subjects who may ask.

    Raises CaseError with one line per fault.
    """
    faults: list[str] = []
    cases: list[Case] = []
    for file in sorted(set(folder.glob("*.yaml")) - {folder / _WORDINGS}):
        read = _read(file, faults)
        cases += [_case(entry, file.name) for entry in read]
    cases += _worded(folder / _WORDINGS, {case.id: case for case in cases}, faults)
    faults += [fault for case in cases for fault in _faults(case, people)]
    counts = Counter(case.id for case in cases)
    faults += [f"{c.file}: {c.id}: another case has the same id" for c in cases if counts[c.id] > 1]
    if faults:
        raise CaseError("cases that can't be used:\n" + "\n".join(f"  {fault}" for fault in faults))
    return tuple(cases)


class _Strict(yaml.SafeLoader):
    """YAML in which a key stands once: the second of two would silently replace the first."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names = [key.value for key, _ in node.value]
        for name, count in Counter(names).items():
            if count > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _read(file: Path, faults: list[str]) -> list[Mapping[str, Any]]:
    """The entries of a file that have the form of a case."""
    try:
        entries = yaml.load(file.read_text(encoding="utf-8"), _Strict)  # noqa: S506 -- a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.append(f"{file.name}: not YAML: {' '.join(str(error).split())}")
        return []
    found: list[ValidationError] = list(_validator().iter_errors(entries))  # pyright: ignore[reportUnknownMemberType]
    faults += [f"{file.name}: {_where(entries, list(error.absolute_path))}: {error.message[:300]}" for error in found]
    return [] if found else entries


def _worded(file: Path, cases: Mapping[str, Case], faults: list[str]) -> list[Case]:
    """The cases that ask the same as another one, in other words; what is right of it is right of them."""
    text = file.read_text(encoding="utf-8") if file.is_file() else "{}"
    wordings = cast("dict[str, list[str]]", yaml.load(text, _Strict))  # noqa: S506 -- a SafeLoader
    found: list[Case] = []
    for ident, texts in wordings.items():
        case = cases.get(ident)
        if case is None or len(case.turns) > 1:
            faults.append(f"{file.name}: {ident}: there is no case of a single turn with that id")
            continue
        worded = replace(case, family=WORDED, file=file.name)
        found += [replace(worded, id=f"{ident}.w{n}", turns=(said,)) for n, said in enumerate(texts, 1)]
    return found


def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads((CASES / "schema.json").read_text(encoding="utf-8")))


def _where(entries: Any, path: list[Any]) -> str:
    """The case a fault is in: by its id, or by its number in the file where it has none; and the key."""
    if not path:
        return "the file"
    number, *keys = path
    try:
        ident = str(entries[number]["id"])
    except (LookupError, TypeError):
        ident = f"case {number + 1}"
    return ".".join(str(each) for each in [ident, *keys])


def _case(entry: Mapping[str, Any], file: str) -> Case:
    return Case(
        id=entry["id"],
        family=entry["family"],
        user=entry["user"],
        turns=tuple(entry["turns"]),
        expect=Expect(entry.get("expect", "answer")),
        pick=entry.get("pick"),
        sql=entry.get("sql"),
        listed=entry.get("list", False) or entry.get("ordered", False),
        ordered=entry.get("ordered", False),
        sources=tuple(entry.get("sources", ())),
        says=tuple(entry.get("says", ())),
        note=entry.get("note", ""),
        file=file,
    )


def _faults(case: Case, people: Sequence[str]) -> Iterator[str]:
    """What the form can't say: keys that contradict each other, and names that nobody has."""
    place = f"{case.file}: {case.id}"
    if case.user not in people:
        yield f"{place}: there is no user {case.user!r}; there are: {', '.join(people)}"
    if case.expect is not Expect.ANSWER and (case.sql or case.says or case.sources):
        yield f"{place}: sql, sources and says are of an answer, and this case expects {case.expect.value!r}"
    if case.expect is Expect.DECLINE and not case.note:
        yield f"{place}: say in a note why it must be declined"
    if case.listed and not case.sql:
        yield f"{place}: a list needs the sql of its rows"
    holes = {name for turn in case.turns for name in HOLE.findall(turn)}
    if holes and not case.pick:
        yield f"{place}: there is no pick to fill {', '.join(sorted(holes))}"
    if case.sql and "%(" in case.sql and not case.pick:
        yield f"{place}: there is no pick to fill the sql"
