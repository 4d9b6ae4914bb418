"""Turns a composition into a plan: the query to run, what else is read to name things, and what is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.composition import Column, Composition, Part, Split
from copilot.domain.plan import (
    Attribute,
    Attributes,
    Figures,
    Filter,
    Listing,
    Operator,
    Plan,
    RecordQuery,
    Step,
    StepField,
)  # fmt: skip
from copilot.domain.query import (
    Compare,
    Condition,
    Figure,
    Function,
    Group,
    Having,
    Is,
    Linked,
    Order,
    Path,
    Query,
)
from copilot.errors import ModelDefinitionError
from copilot.semantic.definitions import RECORD_COUNT
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.semantic.model import SemanticModel
from copilot.semantic.reading import read_yaml
from copilot.semantic.ways import path_to, way
from copilot.understanding.compose.recorded import MEANT, TOLD, UNTOLD, told, untold
from copilot.understanding.compose.say import Labels, Saying
from copilot.understanding.kinds import bindings, make_step
from copilot.understanding.vocabulary import Vocabulary

COLUMN_CLAIM = "listed_column"
LISTED, MEASURED = "composed_list", "composed_figures"
LISTED_CLAIMS = ("listed_none", "listed_total", "listed_first", "listed_some", COLUMN_CLAIM)
MEASURED_CLAIMS = (
    "measured_none", "measured", "measured_rate", "measured_head", "measured_head_cut", "measured_by",
    "measured_rate_by", "measured_by_two", "measured_rate_by_two", "measured_by_none", "measured_more",
    "measured_rate_more", "measured_head_one", "measured_head_each_currency", "measured_head_each_currency_one",
    "measured_head_each_unit", "measured_head_each_unit_one",
)  # fmt: skip
_NAMED, _COLUMN = "named_{}", "column{}"
_PLACES = ("site", "region", "channel")
_MOST_LISTED = 50
_MOST_GROUPS = 40
_HEAD = Binding(slot="head", step="found_head", pick=Pick.FIRST)
_EACH = Binding(slot="figure", step="found", pick=Pick.EACH)


def build(
    model: SemanticModel,
    vocabulary: Vocabulary,
    composition: Composition,
    labels: Labels,
    *,
    region: str = "",
    today: date | None = None,
) -> Plan:
    """The plan of a composition. `region` is the code of the one region asked about, whose parameters then hold;
    with `today` it is said which of several periods is not over yet."""
    kpi = load_kpis(region)[composition.measure] if composition.measure else None
    saying = Saying(model, vocabulary, composition, kpi, labels, today=today)
    measured = kpi is not None or composition.counted
    query = _query(composition, kpi, vocabulary)
    figures = Figures(
        name="found", query=query, measure=kpi.name if kpi else RECORD_COUNT, title=saying.title(),
        noun=model[query.entity].title, unit=model[query.entity].title, rate_unit=kpi.unit if kpi else "",
        shown=None if measured else min(composition.limit or _MOST_LISTED, _MOST_LISTED),
    )  # fmt: skip
    listed = () if measured else _listing(composition, query, vocabulary)
    return Plan(
        kind=MEASURED if measured else LISTED,
        references=composition.ids(),
        steps=(
            *_named(composition),
            *untold(query, composition.parts),
            figures,
            *told(query, composition, unless="found_head"),
            *listed,
            *_columns(composition),
        ),
        outline=_measured_outline(query) if measured else _listed_outline(composition),
        composition=composition,
        understood=saying.understood(),
    )


def can_list(entity: str) -> bool:
    """Whether there are words for a list of such records."""
    return entity in _listings()


def shown_fields(entity: str) -> frozenset[Path]:
    """What the lines of a list show anyway, where it is recorded; those of what records are worth show other fields."""
    return frozenset(_path(name) for name in _listings()[entity].get("shows", ()))


def claims_of(entity: str) -> tuple[str, ...]:
    """What may be said of each record of a list, the first that can be."""
    return tuple(_listings()[entity]["claims"])


def worth_claims_of(entity: str) -> tuple[str, ...]:
    """What is said before that where the question compares what the records are worth."""
    return tuple(_listings()[entity].get("worth", {}).get("claims", ()))


@cache
def _listings() -> Mapping[str, Any]:
    return read_yaml(files("copilot.understanding") / "listings.yaml")


def _query(composition: Composition, kpi: Kpi | None, vocabulary: Vocabulary) -> Query:
    """The query of the figures; for a list, of how many there are."""
    entity = kpi.entity if kpi else composition.entity
    figure = kpi.figure if kpi else Figure(name="count", function=Function.COUNT)
    groups = tuple(_group(entity, split, kpi, vocabulary) for split in composition.splits)
    return Query(
        entity=entity,
        where=(*(kpi.where if kpi else ()), *_where(entity, composition.parts), *_ranked(composition)),
        figures=(figure,),
        groups=groups,
        having=tuple(_having(figure.name, composition.parts)),
        order=tuple(_figure_order(composition, figure)),
        limit=composition.limit or _MOST_GROUPS,
        apart=composition.descending is not None,
    )


def _ranked(composition: Composition) -> Iterator[Condition]:
    """What has no value recorded has no place in an order by it."""
    if composition.order and composition.descending is not None:
        yield Compare(composition.order, Is.KNOWN)


def _where(entity: str, parts: Sequence[Part]) -> Iterator[Condition]:
    for part in parts:
        if part.role == "record":
            found = way(entity, part.about)
            if found is None:
                raise ModelDefinitionError(f"there is no way from {entity!r} to {part.about!r}")
            yield found.condition(part.ids, negated=part.negated)
        elif part.role == "with":
            found = way(entity, part.about)
            if found is None:
                raise ModelDefinitionError(f"there is no way from {entity!r} to {part.about!r}")
            yield found.linked(tuple(_where(part.about, part.inner)), none=part.negated)
        elif part.about != "value":
            yield from part.conditions


def _named(composition: Composition) -> Iterator[Step]:
    """The records named, so that they stand among the sources."""
    for entity, ids in composition.ids().items():
        where = (Filter("id", Operator.IN, ids),)
        yield RecordQuery(name=_NAMED.format(entity), entity=entity, where=where, limit=len(ids))


def _having(figure: str, parts: Sequence[Part]) -> Iterator[Having]:
    for part in parts:
        for condition in part.conditions if part.about == "value" else ():
            if isinstance(condition, Compare) and isinstance(condition.value, int):
                yield Having(figure, condition.how, condition.value)


def _group(entity: str, split: Split, kpi: Kpi | None, vocabulary: Vocabulary) -> Group:
    if split.bucket:
        date = kpi.date if kpi else vocabulary.usual_dates.get(entity)
        if date is None:
            raise ModelDefinitionError(f"{entity!r} has no date to be told apart by")
        return Group(split.path or date, split.bucket)
    return Group(split.path or path_to(entity, split.entity) or ())


def _figure_order(composition: Composition, figure: Figure) -> Iterator[Order]:
    if not composition.splits:
        return
    if composition.descending is not None:
        yield Order((figure.name,), composition.descending)
    elif not any(split.bucket for split in composition.splits):
        yield Order((figure.name,), descending=True)


def _listing(composition: Composition, counted: Query, vocabulary: Vocabulary) -> tuple[Step, ...]:
    entity = composition.entity
    query = Query(
        entity=entity, where=counted.where, order=tuple(_list_order(composition, vocabulary)),
        limit=min(composition.limit or _MOST_LISTED, _MOST_LISTED),
    )  # fmt: skip
    beside = {**_listings()[entity].get("steps", {}), **_worth(composition).get("steps", {})}
    made = (make_step(name, {"limit": _MOST_LISTED * 2, **body}, {}) for name, body in beside.items())
    return (Listing(name="rows", query=query), *(step for step in made if isinstance(step, RecordQuery)))


def _worth(composition: Composition) -> Mapping[str, Any]:
    """What else is read and said where the question compares what the records are worth; nothing where it does not."""
    body = _listings()[composition.entity].get("worth", {})
    read = {step["entity"] for step in body.get("steps", {}).values()}
    compared = [c for part in composition.parts if part.role == "limit" for c in part.conditions]
    return body if any(isinstance(c, Linked) and c.entity in read for c in compared) else {}


def _list_order(composition: Composition, vocabulary: Vocabulary) -> Iterator[Order]:
    if composition.order:
        yield Order(composition.order, bool(composition.descending))
        return
    usual = vocabulary.usual_orders.get(composition.entity)
    if usual:
        yield Order(_path(usual.removeprefix("-")), usual.startswith("-"))


def _path(text: str) -> Path:
    return tuple(text.split("."))


def _listed_outline(composition: Composition) -> Outline:
    body = _listings()[composition.entity]
    worth = _worth(composition)
    rows = bindings({**body["bind"], **worth.get("bind", {})})
    claims = (*worth.get("claims", ()), *body["claims"])
    bound = {name: rows if name in worth.get("claims", ()) else bindings(body["bind"]) for name in claims}
    each = tuple(ClaimSpec(claim=name, bindings=_bound_in(name, bound[name]), essential=True) for name in claims)
    none = [replace(each, declines=composition.supposed) for each in _none("listed_none", "rows")]
    head = (*none, _claim("listed_total", complete=True))
    first = _claim("listed_first" if composition.limit == 1 else "listed_some", complete=False)
    lines = ClaimGroup((*each, *none), tuple(_column_claims(composition)))
    return Outline(groups=(ClaimGroup((*head, first)), lines, *_of_whom(composition)))


def _columns(composition: Composition) -> Iterator[Step]:
    """The fields asked for besides, each read of the records listed."""
    for n, column in enumerate(_not_shown(composition)):
        attribute = Attribute(entity=column.entity, path=column.path, by=column.by)
        listed = StepField("rows", "id")
        yield Attributes(name=_COLUMN.format(n), entity=composition.entity, ids=listed, attributes=(attribute,))


def _not_shown(composition: Composition) -> tuple[Column, ...]:
    """The fields asked for that the lines don't show; those that say what the records are worth show little else."""
    if not composition.columns:
        return ()
    shown = frozenset[Path]() if _worth(composition) else shown_fields(composition.entity)
    return tuple(each for each in composition.columns if each.by or each.path not in shown)


def _column_claims(composition: Composition) -> Iterator[ClaimSpec]:
    for n, _ in enumerate(_not_shown(composition)):
        row = Binding(slot="row", step="rows", pick=Pick.EACH)
        column = Binding(slot="column", step=_COLUMN.format(n), pick=Pick.WITH, other="row", field="of")
        yield ClaimSpec(claim=COLUMN_CLAIM, bindings=(row, column))


def _of_whom(composition: Composition) -> Iterator[ClaimGroup]:
    """Where nothing is listed, the records named: whoever asked sees whether these were meant."""
    for entity in composition.ids():
        if entity in _listings() and entity not in _PLACES:
            named = Binding(slot="row", step=_NAMED.format(entity), pick=Pick.EACH)
            plain = [name for name in claims_of(entity) if len(_listings()[entity]["bind"]) == 1 or _is_plain(name)]
            yield ClaimGroup(tuple(ClaimSpec(claim=name, bindings=(named,), unless=("rows", UNTOLD)) for name in plain))


def _bound_in(name: str, rows: Sequence[Binding]) -> tuple[Binding, ...]:
    """All bindings, but for the plain form of a claim those of the record alone."""
    return tuple(rows[:1]) if _is_plain(name) and len(rows) > 1 else tuple(rows)


def _is_plain(name: str) -> bool:
    """Whether a claim says nothing but what is in the record itself."""
    return name.endswith("_plain")


def _claim(name: str, *, unless: tuple[str, ...] = (), complete: bool | None = None) -> ClaimSpec:
    conditions = {} if complete is None else {"head.complete": (complete,)}
    return ClaimSpec(claim=name, bindings=(_HEAD,), unless=unless, conditions=conditions, essential=True)


def _measured_outline(query: Query) -> Outline:
    """A count or a sum may come to none; of any other figure nothing is said where nothing is recorded."""
    counted = query.figures[0].function in (Function.COUNT, Function.SUM)
    rate = "_rate" if query.figures[0].function in (Function.SHARE, Function.MEAN, Function.SPREAD) else ""
    none = "listed_none" if query.figures[0].function is Function.SUM else "measured_none"
    either = _none(none, "found") if counted else ()
    if not query.groups:
        figures = (_figure_claim(f"measured{rate}"), _figure_claim(f"measured{rate}_more"))
        return Outline(groups=(ClaimGroup((*figures, *either)),))
    one = _some("measured_head_one", complete=False)
    one = replace(one, conditions={**one.conditions, "head.shown": (1,)})
    cut = (one, *_first_of_each(), _some("measured_head_cut", complete=False))
    head = (*either, _some("measured_head", complete=True), *cut)
    two = "_two" if len(query.groups) > 1 else ""
    lines = tuple(_figure_claim(name) for name in (f"measured{rate}_by{two}", "measured_by_none"))
    return Outline(groups=(ClaimGroup(head), ClaimGroup((*lines, *either))))


def _first_of_each() -> Iterator[ClaimSpec]:
    """That every currency or unit was ranked by itself."""
    for kind in ("currency", "unit"):
        spec = _some(f"measured_head_each_{kind}", complete=False)
        told = replace(spec, conditions={**spec.conditions, "head.apart": (kind,)})
        alone = replace(told, claim=f"{told.claim}_one", conditions={**told.conditions, "head.each": (1,)})
        yield from (alone, told)


def _none(name: str, found: str) -> tuple[ClaimSpec, ...]:
    """That there is none: where one is told of that could have been, or nothing of the kind is there at all."""
    spec = _claim(name, unless=(found, UNTOLD))
    return (replace(spec, needs=(TOLD,)), replace(spec, unless=(*spec.unless, MEANT)))


def _some(name: str, *, complete: bool) -> ClaimSpec:
    return ClaimSpec(
        claim=name, bindings=(_HEAD,), conditions={"head.complete": (complete,)}, needs=("found",), essential=True
    )


def _figure_claim(name: str) -> ClaimSpec:
    return ClaimSpec(claim=name, bindings=(_EACH,), unless=(UNTOLD,), essential=True)
