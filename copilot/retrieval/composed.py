"""Runs the steps of composed questions: the records of a query, and figures by group as records of a measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from copilot.domain.evidence import FieldType, Raw, Record, Value
from copilot.domain.plan import Figures, Filter, Listing, Operator, RecordQuery
from copilot.domain.quantity import SCALE, half_up
from copilot.domain.query import Function, Group, Query
from copilot.retrieval.figures import FigureRow, Setting, classes_read, find_figures, find_ids
from copilot.retrieval.run import Run, find
from copilot.semantic.model import SemanticModel
from copilot.semantic.paths import Leaf, leaf_of
from copilot.semantic.queries import unit_paths
from copilot.store.pool import Connection

HEAD = "_head"
_GROUPS = ("group", "group2")
_NAMES = ("name", "number", "code")
"""What people call a record by, the first that it has."""


async def listed(connection: Connection, model: SemanticModel, step: Listing, run: Run) -> tuple[Record, ...]:
    """The records, in the query's order."""
    if step.unless and any(record.raw("records") for record in run.steps.get(step.unless, ())):
        return ()
    ids = await find_ids(connection, model, step.query, _setting(run))
    if ids is None:
        run.refused.add(step.name)
        return ()
    if len(ids) > step.query.limit and not step.probe:
        run.truncated.add(step.name)
    records = await _by_id(connection, model, step.name, step.query.entity, ids[: step.query.limit], run)
    places = {ident: place for place, ident in enumerate(ids)}
    return tuple(sorted(records, key=lambda record: places[record.row_id]))


async def worked_out(
    connection: Connection, model: SemanticModel, step: Figures, run: Run
) -> Mapping[str, tuple[Record, ...]]:
    """The figures under the step's name, the records they are told apart by, and the head."""
    found = await find_figures(connection, model, step.query, _setting(run))
    if found is None:
        run.refused.update((step.name, step.name + HEAD))
        return {step.name: (), step.name + HEAD: ()}
    rows = [row for row in _first_of(step.query, found) if not _is_none(step.query, row)]
    if not any(row.records for row in rows) and not run.kept(step.query.entity):
        run.refused.update((step.name, step.name + HEAD))
        return {step.name: (), step.name + HEAD: ()}
    if len(found) > len(_first_of(step.query, found)):
        run.truncated.add(step.name)
    steps = {
        f"{step.name}_{name}": await _grouped(connection, model, step, place, rows, run)
        for place, name in zip(range(len(step.query.groups)), _GROUPS, strict=False)
    }
    told = _Told(model, step, steps, run, units=frozenset(row.units[0] for row in rows if row.units))
    figures = tuple(told.figure(row, first=place == 0) for place, row in enumerate(rows))
    return {**steps, step.name: figures, step.name + HEAD: (told.head(found, rows),)}


def _first_of(asked: Query, found: Sequence[FigureRow]) -> Sequence[FigureRow]:
    """As many as are wanted; of every unit, where these are apart."""
    if not asked.apart:
        return found[: asked.limit]
    taken: Counter[tuple[Raw, ...]] = Counter()
    kept: list[FigureRow] = []
    for row in found:
        taken[row.units] += 1
        kept += [row] if taken[row.units] <= asked.limit else []
    return kept


def _is_none(asked: Query, row: FigureRow) -> bool:
    """Whether a count came to none: whether that may be said depends on what is recorded."""
    return asked.figures[0].function is Function.COUNT and not asked.groups and not row.records


def _setting(run: Run) -> Setting:
    return Setting(scope=run.scope, calendars=run.context.calendars, now=run.context.now)


async def _by_id(
    connection: Connection, model: SemanticModel, name: str, entity: str, ids: Sequence[int], run: Run
) -> tuple[Record, ...]:
    if not ids:
        return ()
    where = (Filter("id", Operator.IN, tuple(ids)),)
    return await find(
        connection, model[entity], RecordQuery(name=name, entity=entity, where=where, limit=len(ids)), run
    )


async def _grouped(
    connection: Connection, model: SemanticModel, step: Figures, place: int, rows: Sequence[FigureRow], run: Run
) -> tuple[Record, ...]:
    """The records that a group names; none where it is no reference."""
    leaf = leaf_of(model, step.query.entity, step.query.groups[place].path)
    if leaf.type != "ref":
        return ()
    ids = dict.fromkeys(row.groups[place] for row in rows)
    return await _by_id(connection, model, step.name, leaf.to, [i for i in ids if isinstance(i, int)], run)


class _Told:
    """Makes records of figures."""

    def __init__(
        self,
        model: SemanticModel,
        step: Figures,
        groups: Mapping[str, tuple[Record, ...]],
        run: Run,
        *,
        units: frozenset[Raw],
    ) -> None:
        self._model, self._step, self._run = model, step, run
        self._mixed = len(units) > 1
        self._names = [{record.row_id: record for record in records} for records in groups.values()]
        self._unit = bool(unit_paths(model, step.query))
        self._residency = run.context.policy.residency_of_all(classes_read(model, step.query))

    def figure(self, row: FigureRow, *, first: bool) -> Record:
        """One group's figure; the title stands with the first, of several currencies say."""
        figure = self._step.query.figures[0]
        raw = row.figures[figure.name]
        values = {
            "title": Value("text", self._step.title if first else None),
            "value": self._value(row, raw),
            "records": Value("count", row.records, self._step.noun),
        }
        inputs: list[str] = []
        for place, group in enumerate(self._step.query.groups):
            value, record = self._group(place, group, row.groups[place])
            values[_GROUPS[place]] = value
            inputs += [record.id] if record else []
        return self._record(values, row.confirmed, tuple(inputs))

    def _value(self, row: FigureRow, raw: Raw) -> Value:
        """A figure with its unit; a mean of counts is told to two decimals, another rate that is no share to one.

        What a rate counts in, "32 days" of metres, is told where there are several of it.
        """
        unit = str(row.units[0]) if self._unit and row.units[0] else None
        if self._step.rate_unit and isinstance(raw, int):
            within = f"{self._step.rate_unit} ({unit})" if unit and self._mixed else self._step.rate_unit
            mean = self._step.query.figures[0].function is Function.MEAN
            return Value("quantity", round(raw, -4 if mean else -5), within)
        kind = self._type()
        if self._step.query.figures[0].function in (Function.MEAN, Function.SPREAD):
            raw = _as_told(kind, raw)
        return Value(kind, raw, unit or self._noun())

    def head(self, found: Sequence[FigureRow], rows: Sequence[FigureRow]) -> Record:
        """What is said of all of them."""
        records = sum(row.records for row in rows)
        there = len(found) if self._step.shown is None else records
        shown = len(rows) if self._step.shown is None else min(records, self._step.shown)
        values = {
            "title": Value("text", self._step.title),
            "shown": Value("count", shown, ""),
            "complete": Value("flag", there == shown),
            "records": Value("count", records, self._step.noun),
            "each": Value("count", self._step.query.limit, ""),
            "apart": Value("code", self._apart_by(rows)),
        }
        return self._record(values, min((row.confirmed for row in rows if row.confirmed), default=None), ())

    def _apart_by(self, rows: Sequence[FigureRow]) -> str | None:
        """Whether several currencies or units were each ranked by themselves."""
        if not self._step.query.apart or len({row.units for row in rows}) < 2:
            return None
        ((*_, field), *_) = unit_paths(self._model, self._step.query)
        return "currency" if field == "currency" else "unit"

    def _group(self, place: int, group: Group, raw: Raw) -> tuple[Value, Record | None]:
        leaf = leaf_of(self._model, self._step.query.entity, group.path)
        if leaf.type == "ref":
            record = self._names[place].get(raw) if isinstance(raw, int) else None
            name = next((record.raw(name) for name in _NAMES if record.raw(name)), None) if record else None
            return Value("text", name), record
        if group.bucket:
            return Value("span", raw, group.bucket.value), None
        return Value(_plain(leaf), raw), None

    def _type(self) -> FieldType:
        figure = self._step.query.figures[0]
        match figure.function:
            case Function.COUNT:
                return "count"
            case Function.SHARE | Function.RATE:
                return "ratio"
            case Function.MEAN | Function.SPREAD:
                kind = leaf_of(self._model, self._step.query.entity, figure.path or ()).type
                return "days" if kind == "count" else kind
            case _:
                return leaf_of(self._model, self._step.query.entity, figure.path or ()).type

    def _noun(self) -> str | None:
        figure = self._step.query.figures[0]
        if figure.function is Function.COUNT:
            return self._step.unit
        if figure.function in (Function.LEAST, Function.MOST, Function.SUM):
            return leaf_of(self._model, self._step.query.entity, figure.path or ()).unit
        return None

    def _record(self, values: Mapping[str, Value], confirmed: datetime | None, inputs: tuple[str, ...]) -> Record:
        run = self._run
        run.measures += 1
        now = run.context.now
        zone = next(iter(run.context.calendars.values())).time_zone if len(run.context.calendars) == 1 else "UTC"
        covered = {
            source: at for (source, entity), at in run.sources.coverage.items() if entity == self._step.query.entity
        }
        names = sorted(run.sources.names[source] for source in covered) or sorted(run.sources.names.values())
        seen = [at for at in (confirmed, min(covered.values(), default=None)) if at]
        return Record(
            id=f"M{run.measures}", kind="measure", entity=self._step.measure, row_id=0, system=", ".join(names),
            company="", key=f"{self._step.measure}({self._step.title})", version=now, time_zone=zone,
            residency=self._residency,
            values=values, changed_at=None, confirmed_at=max(seen, default=now), inputs=inputs,
        )  # fmt: skip


def _as_told(kind: FieldType, mean: Raw) -> Raw:
    """A mean or spread of money or quantities in hundredths: what lies beyond comes of dividing and tells nothing.
    Below one it keeps four decimals, for prices of small parts."""
    if kind not in ("amount", "quantity") or not isinstance(mean, int):
        return mean
    return half_up(mean, SCALE // 100 if abs(mean) >= SCALE else SCALE // 10_000)


def _plain(leaf: Leaf) -> FieldType:
    return "text" if leaf.type == "ident" else leaf.type
