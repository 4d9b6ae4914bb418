"""Reads the checks' YAML into frozen values, each held against the semantic model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from copilot.errors import ModelDefinitionError
from copilot.semantic.model import Entity, Field, SemanticModel, load_model
from copilot.semantic.reading import read_yaml

Kind = Literal[
    "missing", "duplicate", "impossible_date", "negative", "unknown_code", "unresolved", "orphan", "sum", "exceeds",
    "unsettled",
]  # fmt: skip
_NUMERIC = ("quantity", "amount", "count", "days", "ratio")
_TYPES: Mapping[str, tuple[str, ...]] = {
    "duplicate": ("ident", "text", "code"),
    "impossible_date": ("date", "instant"),
    "negative": _NUMERIC,
    "unknown_code": ("code",),
    "unresolved": ("ref",),
    "sum": _NUMERIC,
    "exceeds": _NUMERIC,
    "unsettled": ("amount",),
}
_CODED = ("when", "unless", "parent")
_NEEDED = frozenset({"id", "entity", "kind", "title", "warn_over", "stop_over"})
_KEYS = _NEEDED | {
    *("field", "at_least", "with", "when", "unless", "past", "not_before", "codes", "lines", "plus", "minus"),
    *("siblings", "parent"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of one entity; shares are of the rows it looks at, and below `at_least` failing rows nothing is over.

    `given` names a field that must be filled for a row to be looked at; `when` and `unless` give codes per field,
    `parent` those of the record that the row belongs to.
    """

    id: str
    entity: str
    kind: Kind
    title: str
    warn_over: float
    stop_over: float
    at_least: int = 20
    field: str | None = None
    given: str | None = None
    when: Mapping[str, tuple[str, ...]]
    unless: Mapping[str, tuple[str, ...]]
    past: bool = False
    not_before: str | None = None
    codes: Literal["currency", "unit"] | None = None
    lines: str | None = None
    siblings: str | None = None
    """Entity and field, such as payment.amount, that belong to the same record."""
    parent: Mapping[str, tuple[str, ...]]
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()

    @property
    def before_merge(self) -> bool:
        """Whether it can be judged before anything is written: by the row itself, or beside those of its own kind."""
        within = self.kind in ("sum", "exceeds") and self.lines is None and self.siblings is None
        return (
            within or self.kind in ("missing", "impossible_date", "negative", "duplicate") or self.codes == "currency"
        )

    def warns(self, rows: int, failing: int) -> bool:
        """Whether so many failing rows are worth telling: one is, if the share is over."""
        return failing > self.warn_over * rows

    def stops(self, rows: int, failing: int) -> bool:
        """Whether so many failing rows stop a load."""
        return failing >= self.at_least and failing > self.stop_over * rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """All checks by id, and the currency codes that are known."""

    checks: Mapping[str, Check]
    currencies: tuple[str, ...]

    def of(self, entity: str) -> tuple[Check, ...]:
        """Those of one entity."""
        return tuple(check for check in self.checks.values() if check.entity == entity)


@cache
def load_checks() -> Checks:
    """The shipped checks. Raises ModelDefinitionError naming the check and the fault."""
    return parse_checks(read_yaml(files("copilot.ingest.quality") / "checks.yaml"), load_model())


def parse_checks(body: Mapping[str, Any], model: SemanticModel) -> Checks:
    """Checks from the YAML's mapping. Raises ModelDefinitionError naming the check and the fault."""
    found: dict[str, Check] = {}
    for spec in body["checks"]:
        check = _check(spec)
        if check.id in found:
            raise ModelDefinitionError(f"two quality checks have the id {check.id!r}")
        for fault in _faults(check, model[check.entity], model):
            raise ModelDefinitionError(f"the quality check {check.id!r} {fault}")
        found[check.id] = check
    return Checks(checks=found, currencies=tuple(body["currencies"]))


def touched(check: Check, model: SemanticModel) -> frozenset[str]:
    """The entities that a source has to deliver for the check to say anything."""
    if check.siblings is not None:
        return frozenset({check.entity, check.siblings.partition(".")[0]})
    if check.kind == "unsettled":
        return frozenset({check.entity, parent_of(model, check.entity)[1]})
    if check.lines is None:
        return frozenset({check.entity})
    found = {check.entity, check.lines}
    return frozenset(found | {parent_of(model, check.lines)[1]} if check.kind == "sum" else found)


def parent_of(model: SemanticModel, entity: str) -> tuple[Field, str]:
    """The field that names the record it belongs to, and that record's entity."""
    field = model[entity].fields[str(model[entity].labels.parent)]
    return field, str(field.to)


def _check(spec: Mapping[str, Any]) -> Check:
    name = spec.get("id")
    unknown, missing = set(spec) - _KEYS, _NEEDED - set(spec)
    if unknown or missing:
        raise ModelDefinitionError(f"the quality check {name!r} has unknown {sorted(unknown)}, lacks {sorted(missing)}")
    if spec["kind"] not in get_args(Kind):
        raise ModelDefinitionError(f"the quality check {name!r} has the unknown kind {spec['kind']!r}")
    kept: dict[str, Any] = {key: value for key, value in spec.items() if key != "with"}
    kept |= {key: tuple(spec.get(key, ())) for key in ("plus", "minus")}
    kept |= {key: {f: tuple(codes) for f, codes in spec.get(key, {}).items()} for key in _CODED}
    return Check(**kept, given=spec.get("with"))


def _faults(check: Check, entity: Entity, model: SemanticModel) -> Iterator[str]:
    for name in _named(check):
        if name not in entity.fields:
            yield f"names {name!r}, which is no field of {entity.name}"
    yield from _type_faults(check, entity)
    yield from _code_faults(check, entity)
    if not 0 <= check.warn_over <= check.stop_over <= 1 or check.at_least < 1:
        yield "needs 0 <= warn_over <= stop_over <= 1 and at_least >= 1"
    if (check.field is None) == (check.kind != "orphan"):
        yield "needs a field, or none for an orphan"
    yield from _faults_beside(check, model)
    if check.kind == "unresolved" and _needed(entity.fields[str(check.field)], entity):
        yield f"looks for {check.field!r} that name nothing, but such a row is set aside"
    if (check.kind == "unsettled") != bool(check.parent):
        yield "needs `parent` codes for what is unsettled, and only there"
    elif check.parent:
        yield from _parent_faults(check, model)


def _named(check: Check) -> Iterator[str]:
    single = (check.field, check.given, check.not_before)
    yield from (name for name in single if name is not None)
    yield from (*check.plus, *check.minus, *check.when, *check.unless)
    if check.codes == "unit":
        yield "item"


def _type_faults(check: Check, entity: Entity) -> Iterator[str]:
    wanted = _TYPES.get(check.kind)
    names = (name for name in (check.field, *check.plus, *check.minus) if name is not None)
    for name in names:
        if wanted and entity.fields[name].type not in wanted:
            yield f"can't judge {name!r}, which is of type {entity.fields[name].type!r}"
    if check.not_before and entity.fields[check.not_before].type not in _TYPES["impossible_date"]:
        yield f"compares with {check.not_before!r}, which is no date"
    if (check.kind == "unknown_code") != (check.codes in ("currency", "unit")):
        yield "needs `codes: currency` or `codes: unit` for unknown codes, and only there"


def _code_faults(check: Check, entity: Entity) -> Iterator[str]:
    for name, codes in (*check.when.items(), *check.unless.items()):
        for code in codes:
            if code not in entity.fields[name].codes:
                yield f"names the code {code!r}, which {entity.name}.{name} does not have"


def _faults_beside(check: Check, model: SemanticModel) -> Iterator[str]:
    if check.lines is not None:
        yield from _line_faults(check, model)
    elif check.siblings is not None:
        yield from _sibling_faults(check, model)
    elif check.kind == "orphan" or (check.kind in ("sum", "exceeds") and not check.plus):
        yield "needs `lines` or `siblings`, or `plus` for a sum within the row"


def _needed(field: Field, entity: Entity) -> bool:
    """Whether a row can't stand without what the field names; see ADR 0016."""
    return field.required or field.name in (rule.removesuffix("?") for rule in entity.labels.own.values())


def _parent_faults(check: Check, model: SemanticModel) -> Iterator[str]:
    if model[check.entity].labels.parent is None:
        yield "belongs to no record"
        return
    parent = model[parent_of(model, check.entity)[1]]
    for name, codes in check.parent.items():
        unknown = set(codes) - set(parent.fields[name].codes if name in parent.fields else ())
        if unknown:
            yield f"names the codes {sorted(unknown)}, which {parent.name}.{name} does not have"


def _sibling_faults(check: Check, model: SemanticModel) -> Iterator[str]:
    name, _, column = str(check.siblings).partition(".")
    sibling = model[name]
    if check.kind != "sum" or column not in sibling.fields or sibling.fields[column].type != "amount":
        yield f"can't be the sum of {check.siblings!r}, which is no amount"
    elif sibling.labels.parent is None or parent_of(model, name)[1] != parent_of(model, check.entity)[1]:
        yield f"sums {check.siblings!r}, which belongs to another record"


def _line_faults(check: Check, model: SemanticModel) -> Iterator[str]:
    field = model[str(check.lines)].fields.get(str(model[str(check.lines)].labels.parent))
    if check.kind == "orphan" and (field is None or field.to != check.entity):
        yield f"says that {check.lines!r} are its lines, which belong to another entity"
    if check.kind == "sum":
        _, line = parent_of(model, str(check.lines))
        if parent_of(model, line)[1] != parent_of(model, check.entity)[1]:
            yield f"sums {check.lines!r}, which belong to another header"
