"""Question kinds: whatever a kind's YAML names exists, in an order that can run."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from copilot.domain.claims import Binding, ClaimSpec, Pick
from copilot.domain.plan import (
    ACCOUNT,
    Computation,
    Figures,
    Filter,
    Listing,
    Operator,
    Period,
    Plan,
    RecordQuery,
    StepField,
    Survey,
    Wanted,
)
from copilot.errors import ModelDefinitionError
from copilot.retrieval.measures import MEASURES
from copilot.semantic.measures import MeasureField, load_measures
from copilot.semantic.model import Field, load_model
from copilot.semantic.reading import read_yaml
from copilot.understanding import kinds as kinds_module
from copilot.understanding.kinds import Kind, load_kinds, make_plan
from prompts.template import load_approved

MODEL, KINDS, TEMPLATES = load_model(), load_kinds(), load_approved()
AHEAD = Period(since=datetime(2026, 11, 20, tzinfo=UTC), until=datetime(2026, 11, 27, tzinfo=UTC))
COUNTED: Mapping[str, MeasureField] = {
    "value": MeasureField(type="count", unit=None, unit_field=None),
    "records": MeasureField(type="count", unit=None, unit_field=None),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


def _plans(kind: Kind) -> Iterator[Plan]:
    """The plans of a kind: by its own references, and by each record that leads to it."""
    told = Wanted(line=1, lot="L1", roles=("sales",)) if kind.told else None
    period = AHEAD if kind.ahead else None
    yield make_plan(kind, dict.fromkeys(kind.references, (1,)), wanted=told, period=period)
    yield make_plan(kind, dict.fromkeys(kind.required, (1,)), wanted=told, period=period)
    for entity in kind.through:
        if entity not in kind.references:
            yield make_plan(kind, {entity: (1,)}, wanted=told)


def _specs(kind: Kind) -> Iterator[ClaimSpec]:
    return (spec for group in kind.outline.groups for spec in group.specs)


def _fields(plan: Plan, step: str) -> Mapping[str, Field | MeasureField]:
    """The fields of what a step finds."""
    found = next(s for s in plan.steps if s.name == step)
    match found:
        case RecordQuery():
            return MODEL[found.entity].fields
        case Listing():
            return MODEL[found.query.entity].fields
        case Figures():
            return COUNTED
        case Computation() | Survey():
            return load_measures()[found.measure].fields
        case _:
            raise AssertionError(found)


def _type(fields: Mapping[str, Field | MeasureField], name: str) -> str:
    return "id" if name == "id" else fields[name].type


def _points_at(plan: Plan, step: str, name: str) -> str | None:
    """The entity whose ids a field of a step holds."""
    found = next(s for s in plan.steps if s.name == step)
    if isinstance(found, Computation | Survey):
        field = load_measures()[found.measure].fields[name]
        return (field.to or name.removesuffix("_id")) if field.type == "ref" else None
    assert isinstance(found, RecordQuery | Listing)
    entity = found.entity if isinstance(found, RecordQuery) else found.query.entity
    return entity if name == "id" else MODEL[entity].fields[name].to


@every_kind
def test_references_and_ways_to_them_are_entities_that_people_can_name(kind: Kind) -> None:
    named = {field.find_as for entity in MODEL.entities.values() for field in entity.finders()}
    assert (
        kind.required or kind.also or kind.ahead or any(kind.told.values())
    )  # one that needs no record is asked for by what it is about, and how
    assert {*kind.references, *kind.through} <= named
    assert {*kind.default_for} <= {*kind.references, *kind.through}
    assert len(kind.cues) == len(set(kind.cues))


@every_kind
def test_the_copilots_own_wording_asks_for_this_very_kind(kind: Kind) -> None:
    assert kind.ask.count("{}") == len(kind.required)


@every_kind
def test_a_way_leads_to_what_the_kind_asks_for(kind: Kind) -> None:
    for entity, path in kind.through.items():
        target, _, field = path.rpartition(".")
        if target:
            assert target in kind.required
            assert MODEL[target].fields[field].to == entity
        else:
            assert MODEL[entity].fields[path].to == kind.required[0]


@every_kind
def test_steps_read_entities_fields_and_codes_of_the_model(kind: Kind) -> None:
    for plan in _plans(kind):
        names = [step.name for step in plan.steps]
        assert len(names) == len(set(names))
        for step in plan.steps:
            if isinstance(step, RecordQuery):
                fields = MODEL[step.entity].fields
                assert {name.removeprefix("-") for name in step.order} <= set(fields)
                assert {f.field for f in step.where} <= {"id", *fields, *((ACCOUNT,) if step.versions else ())}
                assert 0 < step.limit <= 1000
                for condition in step.where:
                    _check_codes(fields, condition)


def _check_codes(fields: Mapping[str, Field], condition: Filter) -> None:
    if isinstance(condition.value, StepField) or condition.field in ("id", ACCOUNT):
        return
    field = fields[condition.field]
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if field.type == "code":
        assert {v for v in values if v is not None} <= set(field.codes), condition


@every_kind
def test_a_step_uses_only_what_earlier_steps_found_and_ids_of_the_right_kind(kind: Kind) -> None:
    for plan in _plans(kind):
        earlier: set[str] = set()
        for step in plan.steps:
            if isinstance(step, Computation):
                assert set(step.inputs) <= earlier
            elif isinstance(step, RecordQuery):
                for condition in step.where:
                    if isinstance(condition.value, StepField):
                        assert condition.value.step in earlier
                        wanted = (
                            step.entity if condition.field == "id" else MODEL[step.entity].fields[condition.field].to
                        )
                        assert _points_at(plan, condition.value.step, condition.value.field) == wanted, condition
            earlier.add(step.name)


@every_kind
def test_a_measure_is_given_as_many_inputs_as_it_takes(kind: Kind) -> None:
    for plan in _plans(kind):
        for step in plan.steps:
            if isinstance(step, Computation):
                assert step.measure in load_measures()
                taken = list(inspect.signature(MEASURES[step.measure]).parameters.values())[1:]
                needed = [p for p in taken if p.default is inspect.Parameter.empty]
                assert len(needed) <= len(step.inputs) <= len(taken), step


@every_kind
def test_every_record_query_is_bound_to_what_the_question_names(kind: Kind) -> None:
    """No step reads a whole table; of what is published per place there is little."""
    for plan in _plans(kind):
        for step in plan.steps:
            if isinstance(step, RecordQuery) and not _per_place(step):
                named = (f for f in step.where if f.operator is Operator.IN)
                assert any(f.field == "lot" or not _is_codes(f) for f in named), step


def _per_place(step: RecordQuery) -> bool:
    return step.entity.endswith("_soundness") and any(f.field == "area" for f in step.where)


def _is_codes(condition: Filter) -> bool:
    return isinstance(condition.value, tuple) and all(isinstance(v, str) for v in condition.value)


@every_kind
def test_a_plan_without_the_record_it_is_about_reads_nothing(kind: Kind) -> None:
    """A kept plan that lost its reference must not become a question about every record there is."""
    try:
        plan = make_plan(kind, {})
    except (ModelDefinitionError, KeyError, ValueError):
        return
    for step in plan.steps:
        if isinstance(step, RecordQuery) and not _per_place(step):
            assert any(not _is_codes(f) for f in step.where if f.operator is Operator.IN), step


@every_kind
def test_every_claim_has_a_template_whose_slots_are_bound_to_fields_that_exist(kind: Kind) -> None:
    plan = next(_plans(kind))
    steps = {step.name for step in plan.steps}
    for spec in _specs(kind):
        bound = {b.slot: b.step for b in spec.bindings}
        assert set(bound.values()) <= steps, spec.claim
        assert {*spec.unless, *spec.needs} <= steps, spec.claim
        template = TEMPLATES[spec.claim]
        assert {slot.record for slot in template.slots} <= set(bound), spec.claim
        for slot in template.slots:
            assert _type(_fields(plan, bound[slot.record]), slot.field) not in ("id", "ref"), f"{spec.claim} {slot}"


@every_kind
def test_every_slot_is_bound_after_the_one_it_follows(kind: Kind) -> None:
    plan = next(_plans(kind))
    for spec in _specs(kind):
        done: dict[str, str] = {b.slot: b.step for b in spec.bindings if b.pick is Pick.EACH}
        assert len(done) <= 1, spec.claim
        for binding in spec.bindings:
            _check_binding(plan, spec, binding, done)
            done[binding.slot] = binding.step


def _check_binding(plan: Plan, spec: ClaimSpec, binding: Binding, done: Mapping[str, str]) -> None:
    if binding.pick is Pick.BY:
        assert binding.other in done, spec.claim
        entity = _points_at(plan, binding.step, "id")
        assert _points_at(plan, done[binding.other], binding.field) == entity or binding.field.endswith("site")
    if binding.pick is Pick.WITH:
        assert binding.other in done, spec.claim
        owner = next(s for s in plan.steps if s.name == done[binding.other])
        assert isinstance(owner, RecordQuery), spec.claim
        assert _fields(plan, binding.step)[binding.field].type == "ref", spec.claim
        step = next(s for s in plan.steps if s.name == binding.step)
        if isinstance(step, RecordQuery):
            assert MODEL[step.entity].fields[binding.field].to == owner.entity, spec.claim


def _codes(plan: Plan, step: str, name: str) -> set[str]:
    """The codes that a field of a step can have, of an entity or of a measure."""
    found = next(s for s in plan.steps if s.name == step)
    assert isinstance(found, RecordQuery | Computation)
    if isinstance(found, RecordQuery):
        return set(MODEL[found.entity].fields[name].codes)
    body = read_yaml(files("copilot.semantic") / "measures.yaml")
    return set(body[found.measure]["fields"][name]["codes"])


@every_kind
def test_conditions_ask_for_codes_that_the_field_can_have(kind: Kind) -> None:
    plan = next(_plans(kind))
    for spec in _specs(kind):
        bound = {b.slot: b.step for b in spec.bindings}
        for place, codes in spec.conditions.items():
            slot, _, name = place.partition(".")
            assert slot in bound, f"{spec.claim}: the slot {slot!r} of a condition is not bound"
            field = _fields(plan, bound[slot])[name]
            if field.type == "flag":
                assert set(codes) <= {True, False}, spec.claim
            elif field.type == "code":
                assert {code for code in codes if code is not None} <= _codes(plan, bound[slot], name), spec.claim
            else:
                assert field.type in ("count", "ratio", "quantity", "amount", "days"), spec.claim
                assert all(code is None or type(code) is int for code in codes), spec.claim


@every_kind
def test_every_kind_says_which_claims_it_cannot_do_without(kind: Kind) -> None:
    assert kind.outline.any_is_enough != any(spec.essential for spec in _specs(kind))


@every_kind
def test_incoming_supply_is_only_read_from_orders_that_were_sent(kind: Kind) -> None:
    """A draft or cancelled purchase order is no supply."""
    for step in next(_plans(kind)).steps:
        if isinstance(step, RecordQuery) and step.name == "supply_orders":
            states = next((f.value for f in step.where if f.field == "status"), None)
            assert states == ("sent", "confirmed", "partly_received")


def test_a_named_shipment_leads_to_its_order_through_one_more_step() -> None:
    plan = make_plan(KINDS["order_status"], {"shipment": (7,)})
    lead, order, *_ = plan.steps
    assert isinstance(lead, RecordQuery)
    assert (lead.entity, lead.where) == ("shipment", (Filter("id", Operator.IN, (7,)),))
    assert isinstance(order, RecordQuery)
    assert order.where == (Filter("id", Operator.IN, StepField(lead.name, "order")),)


def test_a_named_order_leads_to_the_shipments_that_name_it() -> None:
    plan = make_plan(KINDS["shipment_tracking"], {"sales_order": (7,)})
    lead, shipments, *_ = plan.steps
    assert isinstance(lead, RecordQuery)
    assert (lead.entity, lead.where) == ("shipment", (Filter("order", Operator.IN, (7,)),))
    assert isinstance(shipments, RecordQuery)
    assert shipments.where == (Filter("id", Operator.IN, StepField(lead.name, "id")),)


def test_an_optional_reference_narrows_where_it_is_named_and_is_left_out_where_not() -> None:
    kind = KINDS["item_stock"]

    def filtered(references: dict[str, tuple[int, ...]]) -> set[str]:
        steps = {s.name: s for s in make_plan(kind, references).steps if isinstance(s, RecordQuery)}
        return {f.field for f in steps["stock"].where}

    assert filtered({"item": (1,)}) == {"item"}
    assert filtered({"item": (1,), "site": (2,)}) == {"item", "site"}


def test_what_a_plan_keeps_is_enough_to_make_it_again_and_holds_no_value() -> None:
    plan = make_plan(KINDS["order_status"], {"sales_order": (24,)}, echo="S00024", unused=("perhaps",))
    assert plan.to_json() == {"kind": "order_status", "references": {"sales_order": [24]}}
    assert make_plan(KINDS["order_status"], {"sales_order": (24,)}).steps == plan.steps


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{ask: a, references: {}, cues: [], steps: {}}", "claims"),
        ("{ask: a, references: {}, cues: [], steps: {}, claims: [{claim: c}]}", "bind"),
        ("{ask: a, references: {}, cues: [], steps: {}, claims: [{claim: c, bind: {s: a b c d e f}}]}", "slot 's'"),
        ("{ask: a, references: {}, cues: [], steps: {}, claims: [{claim: c, bind: {s: a by b}}]}", "not well formed"),
    ],
)
def test_a_kind_that_is_not_well_formed_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "a.yaml").write_text(f"odd: {body}\n")
    monkeypatch.setattr(kinds_module, "files", lambda _: tmp_path)
    with pytest.raises(ModelDefinitionError, match="'odd'") as caught:
        load_kinds.__wrapped__()
    assert words in str(caught.value)
