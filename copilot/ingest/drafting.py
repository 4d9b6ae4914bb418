"""Proposes a mapping from the names of tables and columns.

A draft: each choice says how sure it is, and what nobody can know from names is marked for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files

import yaml

from connectors.base import SourceColumn, SourceTable
from copilot.semantic.model import Entity, Field, SemanticModel

_SURE, _LIKELY, _ENOUGH = 1.0, 0.85, 0.8
_PLURALS = (("ies", "y"), ("ses", "s"), ("s", ""))
_PREFIXES = ("tbl", "dim", "fact", "vw", "v")
_SUFFIXES = ("id", "key", "code", "no")
_FITS: Mapping[str, frozenset[str]] = {
    "quantity": frozenset({"number"}), "amount": frozenset({"number"}), "ratio": frozenset({"number"}),
    "days": frozenset({"number"}), "count": frozenset({"number"}), "date": frozenset({"date", "instant"}),
    "instant": frozenset({"date", "instant"}), "flag": frozenset({"flag"}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Synonyms:
    """What others call our entities and fields; `changed` are names of change times."""

    entities: Mapping[str, Sequence[str]]
    fields: Mapping[str, Mapping[str, Sequence[str]]]
    changed: Sequence[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A column chosen for a field, and how sure the choice is, from 0 to 1."""

    column: SourceColumn
    sure: float


@cache
def synonyms() -> Synonyms:
    """The shipped list."""
    body = yaml.safe_load((files("copilot.ingest") / "synonyms.yaml").read_text())
    return Synonyms(body["entities"], body["fields"], body["changed"])


def draft(system: str, tables: Sequence[SourceTable], model: SemanticModel) -> str:
    """The text of a proposed mapping; it parses, and what it lacks is in its comments."""
    entities = {table.name: found for table in tables if (found := _entity_of(table, model))}
    lines = [
        f"# A draft from the names of {len(tables)} tables. Look at each line; places marked TODO need a person.",
        "mapping: 1", f"system: {_quoted(system)}", "time_zone: UTC   # TODO: where are times without a zone?",
        "entities:", *_TOP,
    ]  # fmt: skip
    taken: set[str] = set()
    for table in tables:
        name, sure = entities.get(table.name, ("", 0.0))
        if name and name not in taken:
            taken.add(name)
            lines += _part(table, model[name], sure, model, {key: value[0] for key, value in entities.items()})
    unused = [table.name for table in tables if table.name not in entities]
    lines += [f"# not recognised: {', '.join(unused)}"] if unused else []
    return "\n".join(lines) + "\n"


_TOP = [
    "  region:   # TODO: one row for each company or country that people are kept to",
    "    rows: [{key: ALL, code: ALL, name: Everything}]",
]


def compact(name: str) -> str:
    """A name without its schema, suffix of a file, prefix of a kind and anything but letters and digits."""
    bare = re.sub(r"\.(csv|tsv|txt|xlsx)(#.*)?$", "", name, flags=re.IGNORECASE).rpartition(".")[2]
    words = [word for word in re.split(r"[^a-z0-9]+", bare.casefold()) if word]
    if len(words) > 1 and words[0] in _PREFIXES:
        words = words[1:]
    return "".join(words)


def likeness(name: str, known: str) -> float:
    """How alike a compact name is to a known one: 1 for the same, a plural or a key of it."""
    forms = {name, *(name.removesuffix(old) + new for old, new in _PLURALS if name.endswith(old))}
    if known in forms:
        return _SURE
    if known in {form.removesuffix(suffix) for form in forms for suffix in _SUFFIXES}:
        return 0.9
    alike = SequenceMatcher(None, name, known).ratio() if min(len(name), len(known)) > 4 else 0.0
    return alike * 0.95 if alike >= _LIKELY else 0.0


def _entity_of(table: SourceTable, model: SemanticModel) -> tuple[str, float] | None:
    name = compact(table.name)
    scored = [
        (max(likeness(name, known) for known in names), entity)
        for entity, names in synonyms().entities.items()
        if entity in model.entities
    ]
    best, entity = max(scored)
    return (entity, best) if best >= _ENOUGH else None


def _part(
    table: SourceTable, entity: Entity, sure: float, model: SemanticModel, entities: Mapping[str, str]
) -> Iterator[str]:
    chosen = _choices(table, entity, entities)
    yield from _written(table, entity, chosen, f"{sure:.0%} sure by its name")
    left = [column for column in table.columns if column not in {choice.column for choice in chosen.values()}]
    for beside in model.entities.values():
        if beside.beside == entity.name and not beside.derived:
            figures = _choices(table, beside, {}, left)
            if any(_tells(beside.fields[name]) for name in figures):
                yield from _written(table, beside, figures, f"from the same table as {entity.name}")
    unused = ", ".join(column.name for column in left)
    if unused:
        yield f"  # columns of {table.name} not used by {entity.name}: {unused}"


def _tells(field: Field) -> bool:
    """Whether a field says something by itself, as an amount does and its currency does not."""
    return field.type in ("amount", "quantity", "ratio") or field.name in ("email", "phone", "street", "payment_terms")


def _choices(
    table: SourceTable, entity: Entity, entities: Mapping[str, str], columns: Iterable[SourceColumn] | None = None
) -> dict[str, Choice]:
    """The best column for each field, each column used once, the surest first."""
    given = list(table.columns if columns is None else columns)
    scored = [
        (score, field.name, column)
        for field in entity.fields.values()
        for column in given
        if (score := _score(table, entity, field, column, entities)) >= _ENOUGH
    ]
    found: dict[str, Choice] = {}
    used: set[str] = set()
    for score, name, column in sorted(scored, key=lambda each: (-each[0], each[1], each[2].name)):
        if name not in found and column.name not in used:
            found[name] = Choice(column, score)
            used.add(column.name)
    return found


def _score(
    table: SourceTable, entity: Entity, field: Field, column: SourceColumn, entities: Mapping[str, str]
) -> float:
    if field.type == "ref":
        referred = table.references.get(column.name)
        if referred is not None:
            return _SURE if entities.get(referred[0]) == field.to else 0.0
        names = synonyms().entities.get(str(field.to), ())
        return max((likeness(compact(column.name), name) for name in names), default=0.0) * 0.95
    if _refers(table, column, entities) or column.type not in _FITS.get(field.type, frozenset({column.type})):
        return 0.0
    listed = synonyms().fields
    names = (
        field.name.replace("_", ""),
        *listed.get(entity.name, {}).get(field.name, ()),
        *listed["*"].get(field.name, ()),
    )
    name = compact(column.name)
    own = {f"{called}{known}" for called in synonyms().entities.get(entity.name, ()) for known in names}
    exactly = _SURE if name == names[0] else 0.0
    return max([exactly, 0.95 if name in own else 0.0, *(likeness(name, known) * 0.98 for known in names)])


def _refers(table: SourceTable, column: SourceColumn, entities: Mapping[str, str]) -> bool:
    """Whether a column names a record of an entity; one that names a unit or a status is a value like others."""
    referred = table.references.get(column.name)
    return referred is not None and referred[0] in entities


def _written(table: SourceTable, entity: Entity, chosen: Mapping[str, Choice], why: str) -> Iterator[str]:
    yield f"  {entity.name}:   # {why}"
    yield f"    from: {_quoted(table.name)}"
    key = [_quoted(column) for column in table.key]
    yield f"    key: {key[0] if len(key) == 1 else '[' + ', '.join(key) + ']'}" if key else _todo_key(table)
    changed = next((c.name for c in table.columns if compact(c.name) in synonyms().changed), None)
    if changed is not None:
        yield f"    changed: {_quoted(changed)}"
    yield "    fields:"
    for field in entity.fields.values():
        yield from _field(table, entity, field, chosen)
    hinted = [label for label, rule in entity.labels.own.items() if rule.startswith("hint")]
    if hinted:
        yield (
            "    labels: {"
            + ", ".join(f'{label}: {{constant: "*"}}' for label in hinted)
            + "}   # TODO: shared by all?"
        )


def _field(table: SourceTable, entity: Entity, field: Field, chosen: Mapping[str, Choice]) -> Iterator[str]:
    choice = chosen.get(field.name)
    if choice is not None:
        note = "" if choice.sure >= _SURE else f"   # {choice.sure:.0%} sure"
        if field.codes:
            seen = ", ".join(map(repr, choice.column.samples)) or "unknown"
            note = f"   # TODO codes: {{…}}, to {', '.join(field.codes)}; seen: {seen}"
        yield f"      {field.name}: {_quoted(choice.column.name)}{note}"
    elif field.required and entity.beside and field.to == entity.beside and table.key:
        keys = ", ".join(map(_quoted, table.key))
        one = _quoted(table.key[0])
        yield f"      {field.name}: " + (one if len(table.key) == 1 else f"{{concat: [{keys}], separator: /}}")
    elif field.name == entity.key and len(table.key) == 1:
        yield f"      {field.name}: {_quoted(table.key[0])}   # its key, as nothing else is called like it"
    elif field.name == "name" and (parts := _first_and_last(table)):
        yield f'      name: {{concat: [{", ".join(map(_quoted, parts))}], separator: " "}}'
    elif field.required or _needed_unit(entity, field, chosen):
        yield f"      {field.name}: {{constant: TODO}}   # TODO: nothing is called like it"


def _first_and_last(table: SourceTable) -> list[str]:
    """The columns of a person's first and last name, where both are there."""
    named = {compact(column.name): column.name for column in table.columns}
    return [named["firstname"], named["lastname"]] if {"firstname", "lastname"} <= named.keys() else []


def _needed_unit(entity: Entity, field: Field, chosen: Mapping[str, Choice]) -> bool:
    return any(entity.fields[name].unit_field == field.name for name in chosen)


def _todo_key(table: SourceTable) -> str:
    return f"    key: {_quoted(table.columns[0].name)}   # TODO: what tells its rows apart?"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", name) else '"' + name.replace('"', '\\"') + '"'
