"""Question kinds: YAML that says what a question of a kind reads, computes and claims.

order_status:
  ask: "order status {}"             how the copilot itself words such a question, for choices
  references: {sales_order: required}  what the question must (or may: optional) name
  through: {shipment: order}         a named shipment leads to the order that its field names;
                                     {sales_order: shipment.order} leads to the shipments whose field names it
  default_for: [sales_order]         chosen when such a record is named and nothing else is said
  cues: [where is, status]           words that ask for it; all cues of all kinds are known words. None where what has
                                     to be `told` asks for it
  words: [promised date]             words that go with the cues: they count where one of those is there
  also: [[sound, trust], [data]]     groups of words, of each of which one has to be there beside a cue; they count too
  several: [sales_order]             the question may name more than one of these, and is then about all of them
  steps:                             record queries and measures, in order
    order: {entity: sales_order, where: {id: $sales_order}}
    past: {history: sales_order, where: {id: $sales_order}, since: asked}
                                     versions of records; `since: asked` only those of the time asked about
  time: week                         the question is about a time; what it is where it says none: week (the last seven
                                     days) or ever. `account` in a history's `where` is the customer it counts to
  quantity: optional                 the question may name how much of something, and by which day (or must: required);
                                     now: it must name how much, and no day to come
  told: {line: required}             what else the question must (or may: optional) tell: `amount`, `unit` (the one that
                                     figures are asked for in), `line`, `lot`, `days` (ahead), `role` (of a contact). A
                                     step's `where` has them as `$line`, `$lot` and `$role`. Nothing that such a
                                     question says may be left over
  never: [do we need]                words with which it is another question
  ahead: week                        the question is about a time to come; what it is where it says none: week (the
                                     coming seven days) or today. Such steps as understanding/scoped.py explains are
                                     about it
  first: true                        it is of this kind before it is a composition, where nothing it says is left over
  after: [order_lines]               a message that only tells what this kind takes is of this kind after one of those
  claims:                            the outline of the answer; see copilot/domain/claims.py
    - {claim: order_headline, bind: {order: order, customer: customer}, essential: true}
                                     `declines: true`: it says that what the question takes for granted is not so
                                     `settles: true`: it answers "when" although it names no day
                                     a `first_of` with `of: [STEP, …]` is made for each of them, as the step `it`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any, cast

from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.plan import (
    Computation,
    Filter,
    Operator,
    Period,
    Plan,
    RecordQuery,
    Scalar,
    Step,
    StepField,
    Wanted,
)
from copilot.errors import ModelDefinitionError
from copilot.semantic.language import ENGLISH, in_force, per_language
from copilot.semantic.reading import read_folder
from copilot.understanding.scoped import is_scoped, make_scoped
from copilot.understanding.times import AHEAD
from copilot.understanding.told import TELLABLE
from copilot.understanding.words import cut

_LIMIT = 100
USUAL = ("week", "ever")
"""What a kind may be about where the question names no time."""
WORDS = ("ask", "cues", "words", "also", "never")
"""What a language says of a kind."""
NOW = "now"
"""The quantity of a kind that asks for what there is today."""
VIA = "via"
"""The name of the step that leads from the record named to the one asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One question kind, as read from YAML."""

    name: str
    ask: str
    references: Mapping[str, bool]
    """Entity -> whether it is required."""
    required: tuple[str, ...] = field(init=False)
    """The entities that a question of this kind must name."""
    through: Mapping[str, str]
    default_for: tuple[str, ...]
    cues: tuple[str, ...]
    words: tuple[str, ...]
    also: tuple[tuple[str, ...], ...]
    steps: Mapping[str, Mapping[str, Any]]
    outline: Outline
    several: tuple[str, ...] = ()
    """The entities of which the question may name more than one."""
    time: str | None = None
    """The usual period of a kind that is about a time: `week` or `ever`."""
    quantity: str | None = None
    """Whether a kind that is about a quantity and a day to come must be told how much: `required`, `optional`, or `now`
    where it must and is about no day to come."""

    told: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """What else must be told (or may be: False): `amount`, `unit`, `line`, `lot`, `days`, `role`."""

    never: tuple[str, ...] = ()
    """Words with which it is another question."""
    after: tuple[str, ...] = ()
    """The kinds after which a message that only tells `told` is of this one."""
    ahead: str | None = None
    """The usual time of a kind that is about a time to come: `week` or `today`."""
    first: bool = False
    """Whether a question is of this kind before it is a composition."""

    def __post_init__(self) -> None:
        required = tuple(entity for entity, required in self.references.items() if required)
        object.__setattr__(self, "required", required)

    @property
    def needs_record(self) -> bool:
        """Whether it can't be asked without naming a record; else it is about all there is, or all at a place."""
        return bool(self.required or self.through)


@per_language
def load_kinds() -> Mapping[str, Kind]:
    """All question kinds that the language in force has words for, by name. Raises ModelDefinitionError naming the kind
    that is not well formed."""
    bodies = dict(read_folder(files("copilot.understanding") / "kinds"))
    if in_force() is not ENGLISH:  # the words of English stand beside the steps
        bodies = {name: _in_words(name, bodies, said) for name, said in in_force().read("kinds.yaml").items()}
    return {name: _kind(name, body) for name, body in bodies.items()}


def _in_words(name: str, bodies: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A kind with the words of another language in the place of the English ones."""
    wrong = {*said} - {*WORDS} or {name} - {*bodies}
    if wrong:
        raise ModelDefinitionError(f"the words for the question kind {name!r} name {min(wrong)!r}, which there is not")
    kept = {key: value for key, value in bodies[name].items() if key not in WORDS}
    return {**kept, "cues": (), **said}


@per_language
def outline_words() -> frozenset[str]:
    """The folded words that any kind listens for."""
    kinds = load_kinds().values()
    phrases = (phrase for kind in kinds for group in (kind.cues, kind.words, *kind.also) for phrase in group)
    return frozenset(piece for phrase in phrases for word in cut(phrase) for piece in word.folded.split())


def make_plan(
    kind: Kind,
    references: Mapping[str, tuple[int, ...]],
    *,
    echo: str = "",
    unused: tuple[str, ...] = (),
    period: Period | None = None,
    wanted: Wanted | None = None,
) -> Plan:
    """The plan of a question of this kind about these records, this time and this quantity."""
    resolved, lead = _lead(kind, references)
    resolved |= _told_of(wanted) if kind.told and wanted else {}
    made = (
        make_scoped(name, body, references, period) if is_scoped(body) else make_step(name, body, resolved)
        for name, body in kind.steps.items()
    )
    steps = tuple(_within(step, kind.steps[step.name], period) for step in made if step)
    return Plan(
        kind=kind.name,
        references=dict(references),
        steps=(*lead, *steps),
        outline=kind.outline,
        echo=echo,
        unused_words=unused,
        period=period,
        wanted=wanted,
    )


def _told_of(wanted: Wanted) -> dict[str, Any]:
    """What `$line`, `$lot` and `$role` stand for in the steps: a lot as typed and as its number is usually written."""
    lines = {} if wanted.line is None else {"line": (wanted.line,)}
    roles = {"role": wanted.roles} if wanted.roles else {}
    return lines | roles | ({"lot": tuple(dict.fromkeys((wanted.lot, wanted.lot.upper())))} if wanted.lot else {})


def _within(step: Step, body: Mapping[str, Any], period: Period | None) -> Step:
    """A step about the time asked about, where it says so."""
    if not isinstance(step, RecordQuery) or body.get("since") != "asked" or period is None:
        return step
    return replace(step, since=period.since)


def _lead(kind: Kind, references: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, Any], tuple[Step, ...]]:
    """What `$entity` stands for in the steps, and the step that leads there from another entity, if one is needed."""
    resolved: dict[str, Any] = dict(references)
    for entity, path in kind.through.items():
        if entity in references and entity not in kind.references:
            target, _, field = path.rpartition(".")
            if target:
                where = Filter(field, Operator.IN, references[entity])
                resolved[target] = StepField(VIA, "id")
                return resolved, (RecordQuery(name=VIA, entity=target, where=(where,), limit=_LIMIT),)
            where = Filter("id", Operator.IN, references[entity])
            resolved[kind.required[0]] = StepField(VIA, field)
            return resolved, (RecordQuery(name=VIA, entity=entity, where=(where,), limit=_LIMIT),)
    return resolved, ()


def _kind(name: str, body: dict[str, Any]) -> Kind:
    try:
        groups = tuple(_group(entry, step) for entry in body["claims"] for step in entry.get("of", ("",)))
        return Kind(
            name=name,
            ask=body["ask"],
            references={entity: how == "required" for entity, how in body["references"].items()},
            through=body.get("through", {}),
            default_for=tuple(body.get("default_for", ())),
            cues=tuple(body["cues"]),
            words=tuple(body.get("words", ())),
            also=tuple(tuple(group) for group in body.get("also", ())),
            steps=body["steps"],
            outline=Outline(
                groups=groups, any_is_enough=body.get("essential_any", False), dated=body.get("dated", False)
            ),
            several=tuple(body.get("several", ())),
            time=_time(body.get("time")),
            quantity=_quantity(body.get("quantity")),
            told=_told(body.get("told", {})),
            never=tuple(body.get("never", ())),
            after=tuple(body.get("after", ())),
            ahead=_ahead(body.get("ahead")),
            first=body.get("first", False),
        )
    except (KeyError, ValueError) as error:
        raise ModelDefinitionError(f"the question kind {name!r} is not well formed: {error}") from error


def _time(usual: str | None) -> str | None:
    if usual not in (None, *USUAL):
        raise ValueError(f"{usual!r} is no usual period; there is: {', '.join(USUAL)}")
    return usual


def _ahead(usual: str | None) -> str | None:
    if usual not in (None, *AHEAD):
        raise ValueError(f"{usual!r} is no usual time to come; there is: {', '.join(AHEAD)}")
    return usual


def _quantity(how: str | None) -> str | None:
    if how not in (None, "required", "optional", NOW):
        raise ValueError(f"a quantity is never {how!r}; it is required, optional or now")
    return how


def _told(body: Mapping[str, str]) -> Mapping[str, bool]:
    wrong = {*body} - {*TELLABLE} or {*body.values()} - {"required", "optional"}
    if wrong:
        raise ValueError(f"{min(wrong)!r} is nothing that can be told, or no way to be")
    return {thing: how == "required" for thing, how in body.items()}


def make_step(name: str, body: Mapping[str, Any], resolved: Mapping[str, Any]) -> Step | None:
    """One step of a plan from its YAML; None for a query about nothing but a record that the question may name and does
    not."""
    if "measure" in body:
        return Computation(name=name, measure=body["measure"], inputs=tuple(body["inputs"]))
    where = tuple(_filters(body["where"], resolved))
    if not where:
        return None
    return RecordQuery(
        name=name,
        entity=body["history"] if "history" in body else body["entity"],
        where=where,
        order=tuple(body.get("order", ())),
        limit=body.get("limit", _LIMIT),
        versions="history" in body,
    )


def _filters(where: Mapping[str, Any], resolved: Mapping[str, Any]) -> Iterator[Filter]:
    for name, value in where.items():
        if isinstance(value, str) and value.startswith("$"):
            if value[1:] in resolved:
                yield Filter(name, Operator.IN, resolved[value[1:]])
        else:
            yield _filter(name, value)


def _filter(field: str, value: Any) -> Filter:
    if isinstance(value, list) and all("." in str(each) for each in cast("list[Any]", value)):
        return Filter(field, Operator.IN, tuple(StepField(*each.split(".")) for each in cast("list[str]", value)))
    if isinstance(value, list):
        return Filter(field, Operator.IN, tuple(_scalar(each) for each in cast("list[Any]", value)))
    if value == "missing":
        return Filter(field, Operator.MISSING, None)
    if isinstance(value, str) and "." in value:
        return Filter(field, Operator.IN, StepField(*value.split(".")))
    return Filter(field, Operator.EQUAL, _scalar(value))


def _scalar(value: Any) -> Scalar:
    if not isinstance(value, str | int | bool):
        raise ValueError(f"{value!r} is no value to compare with")  # noqa: TRY004 -- a mistake in YAML
    return value


def _group(entry: dict[str, Any], step: str) -> ClaimGroup:
    return ClaimGroup(tuple(_spec(spec, step) for spec in entry.get("first_of", [entry])))


def _spec(body: dict[str, Any], step: str) -> ClaimSpec:
    """One claim; `step` is the one that `it` stands for."""
    bound = {slot: f"each {step}" if step and words == "each it" else words for slot, words in body["bind"].items()}
    return ClaimSpec(
        claim=body["claim"],
        bindings=tuple(_binding(slot, words) for slot, words in bound.items()),
        conditions={place: tuple(codes) for place, codes in body.get("if", {}).items()},
        unless=_names(body, "unless"),
        needs=_names(body, "needs"),
        essential=body.get("essential", False),
        declines=body.get("declines", False),
        settles=body.get("settles", False),
    )


def _names(body: dict[str, Any], key: str) -> tuple[str, ...]:
    value = body.get(key, ())
    return (value,) if isinstance(value, str) else tuple(value)


def bindings(body: Mapping[str, str]) -> tuple[Binding, ...]:
    """Slots and the records that their words say. Raises ValueError for words that say none."""
    return tuple(_binding(slot, words) for slot, words in body.items())


def _binding(slot: str, words: str) -> Binding:
    match words.split():
        case [step]:
            return Binding(slot=slot, step=step, pick=Pick.FIRST)
        case ["each", step]:
            return Binding(slot=slot, step=step, pick=Pick.EACH)
        case [step, "by", path]:
            other, field = path.split(".")
            return Binding(slot=slot, step=step, pick=Pick.BY, other=other, field=field)
        case [step, "with", field, "=", other]:
            return Binding(slot=slot, step=step, pick=Pick.WITH, other=other, field=field)
        case _:
            raise ValueError(f"{words!r} does not say which record the slot {slot!r} stands for")
