"""What an answer was made from, whole: with it, the templates and the code, the same answer comes about again.

It holds values of records, so it is kept sealed beside the audit row, and nowhere else.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from copilot.answering.decide import Staleness
from copilot.answering.draft import Claim, Draft, Templates
from copilot.answering.verify import Finding
from copilot.domain import kept_outline
from copilot.domain.evidence import Evidence, Record
from copilot.domain.json import Json
from copilot.domain.kept_records import KeptRecords, in_json, read_evidence, read_records
from copilot.domain.kept_steps import steps_from_json, steps_to_json
from copilot.domain.model_calls import Mark
from copilot.domain.plan import Choice, NoPlan, Period, Plan, ReadAs
from copilot.errors import AuditError
from prompts.template import template_digest

_FORM = 1
_LEVEL = 1
"""Of compressing: the fastest; higher ones save little of what is seldom above some kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPlan:
    """An answer to a plan that ran. `arranged`: whether a model arranged the claims of the draft."""

    plan: Plan
    evidence: Evidence
    draft: Draft
    findings: tuple[Finding, ...]
    stale: Staleness
    now: datetime
    arranged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfNoPlan:
    """An answer where there was nothing to run: why, or that the asker may read nothing at all."""

    why: NoPlan | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence of a manner: its template and the records of its slots, words of our own."""

    claim: str
    slots: Mapping[str, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfManner:
    """An answer to what is no question about records: its lines, and the claims whose sources it tells, if any."""

    manner: str
    lines: tuple[Saying | Claim, ...]
    evidence: Evidence
    cited: tuple[Claim, ...] | None
    choices: tuple[Choice, ...]
    now: datetime


Made = OfPlan | OfNoPlan | OfManner


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """All that an answer was made from: one part for each question of the message.

    `said` is the digest of all templates that might be said then, `templates` those of the ones that the claims were
    rendered by, by name.
    """

    parts: tuple[Made, ...]
    mark: Mark
    """The part that models had in it."""
    offered: tuple[Choice, ...]
    """Readings of a model that were offered beside it."""
    language: str
    said: str
    templates: Mapping[str, str]

    @property
    def records(self) -> tuple[Record, ...]:
        """Every record of the evidence, in order, none twice."""
        found = {record.id: record for part in self.parts if not isinstance(part, OfNoPlan)
                 for record in part.evidence.by_id().values()}  # fmt: skip
        return tuple(found.values())


def making(
    parts: Sequence[Made], mark: Mark, offered: Sequence[Choice], language: str, said: str, shapes: Templates
) -> Making:
    """What an answer was made from, with the digests of the templates that its claims were rendered by."""
    names = {name for part in parts for name in _named(part)}
    used = {name: template_digest(shapes[name]) for name in sorted(names) if name in shapes}
    return Making(parts=tuple(parts), mark=mark, offered=tuple(offered), language=language, said=said, templates=used)


def pack(made: Making) -> bytes:
    """The making as compressed JSON. Raises AuditError for a value that no field of a record has."""
    records = KeptRecords()
    parts: list[Json] = [_part(part, records) for part in made.parts]
    told: dict[str, Any] = {
        "form": _FORM, "mark": made.mark.to_json(), "offered": _choices(made.offered),
        "language": made.language, "said": made.said, "templates": dict(made.templates), "parts": parts,
        **records.to_json(),
    }  # fmt: skip
    try:
        text = json.dumps(told, separators=(",", ":"), allow_nan=False, check_circular=False, default=in_json)
    except (TypeError, ValueError) as error:
        raise AuditError(f"what the answer was made from can't be kept: {error}") from error
    return zlib.compress(text.encode(), _LEVEL)


def unpack(packed: bytes) -> Making:
    """What `pack` made. Raises ValueError for anything else, and for a form that this version does not know."""
    try:
        told = cast("dict[str, Any]", json.loads(zlib.decompress(packed)))
        if told["form"] != _FORM:
            raise ValueError(f"it is of the form {told['form']!r}, which this version does not know")
        records = read_records(cast("Json", told))
        return Making(
            parts=tuple(_read_part(each, records) for each in told["parts"]), mark=Mark.from_json(told["mark"]),
            offered=_read_choices(told["offered"]),
            language=told["language"], said=told["said"], templates=told["templates"],
        )  # fmt: skip
    except (zlib.error, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"it can't be read: {error}") from error


def _named(part: Made) -> Sequence[str]:
    """The templates that the claims of a part were rendered by."""
    match part:
        case OfPlan():
            return [name for claim in part.draft.claims for name in claim.templates]
        case OfManner():
            of_claims = [name for line in part.lines if isinstance(line, Claim) for name in line.templates]
            return [*of_claims, *(line.claim for line in part.lines if isinstance(line, Saying))]
        case OfNoPlan():
            return []


def _part(part: Made, records: KeptRecords) -> dict[str, Json]:
    match part:
        case OfPlan():
            return _of_plan(part, records)
        case OfNoPlan():
            return {"now": part.now.isoformat(), "no_plan": None if part.why is None else _no_plan(part.why)}
        case OfManner():
            return {
                "now": part.now.isoformat(), "manner": part.manner, "evidence": records.evidence(part.evidence),
                "lines": [_line(line, records) for line in part.lines],
                "cited": None if part.cited is None else [_claim(claim) for claim in part.cited],
                "choices": _choices(part.choices),
            }  # fmt: skip


def _of_plan(part: OfPlan, records: KeptRecords) -> dict[str, Json]:
    stale = part.stale
    told: dict[str, Json] = {
        "now": part.now.isoformat(),
        "arranged": part.arranged,
        "plan": _plan(part.plan),
        "evidence": records.evidence(part.evidence),
        "claims": [_claim(claim) for claim in part.draft.claims],
        "complete": part.draft.complete,
    }
    if part.findings:
        told["findings"] = [[each.claim, each.rule, each.words] for each in part.findings]
    if stale.asked or stale.changed or stale.since:
        told["stale"] = [stale.asked, stale.changed, None if stale.since is None else records.put(stale.since)]
    return told


def _plan(plan: Plan) -> dict[str, Json]:
    """What drafting, verifying and deciding look at, and nothing that follow-ups go by."""
    told: dict[str, Json] = {
        "kind": plan.kind,
        "references": {name: [*ids] for name, ids in plan.references.items()},
        "outline": kept_outline.to_json(plan.outline),
        "echo": plan.echo,
        "understood": plan.understood,
    }
    if plan.period is not None:
        told["period"] = plan.period.to_json()
    if steps := steps_to_json(plan.steps):
        told["steps"] = steps
    if plan.unused_words:
        told["unused"] = [*plan.unused_words]
    if plan.read_as:
        told["read_as"] = [[each.typed, each.entity, each.id, each.label] for each in plan.read_as]
    return told


def _no_plan(why: NoPlan) -> list[Json]:
    return [why.reason, why.entity, why.echo, _choices(why.choices), [*why.unknown_words]]


def _choices(choices: Sequence[Choice]) -> list[Json]:
    return [[choice.label, choice.question] for choice in choices]


def _line(line: Saying | Claim, records: KeptRecords) -> Json:
    if isinstance(line, Claim):
        return _claim(line)
    return {"say": line.claim, "slots": {slot: records.put(record) for slot, record in line.slots.items()}}


def _claim(claim: Claim) -> list[Json]:
    marks = claim.essential | claim.declines << 1 | claim.settles << 2
    told: list[Json] = [claim.name, dict(claim.slots), marks, claim.text]
    further: list[Json] = [_claim(each) for each in claim.further]
    if claim.stressed or claim.quote:
        return [*told, further, [*claim.stressed], [*(claim.quote or ())]]
    return [*told, further] if further else told


def _read_part(told: Any, records: Sequence[Record]) -> Made:
    now = datetime.fromisoformat(told["now"])
    if "no_plan" in told:
        return OfNoPlan(why=None if told["no_plan"] is None else _read_no_plan(*told["no_plan"]), now=now)
    evidence = read_evidence(told["evidence"], records)
    if "manner" in told:
        cited = told["cited"]
        return OfManner(
            manner=told["manner"], now=now, evidence=evidence, choices=_read_choices(told["choices"]),
            lines=tuple(_read_line(each, records) for each in told["lines"]),
            cited=None if cited is None else tuple(_read_claim(*each) for each in cited),
        )  # fmt: skip
    asked, changed, since = told.get("stale", (False, False, None))
    return OfPlan(
        plan=_read_plan(told["plan"]), evidence=evidence, now=now, arranged=told["arranged"],
        draft=Draft(claims=tuple(_read_claim(*each) for each in told["claims"]), complete=told["complete"]),
        findings=tuple(Finding(*each) for each in told.get("findings", ())),
        stale=Staleness(asked=asked, changed=changed, since=None if since is None else records[int(since)]),
    )  # fmt: skip


def _read_plan(told: Any) -> Plan:
    return Plan(
        kind=told["kind"], references={name: tuple(ids) for name, ids in told["references"].items()},
        steps=steps_from_json(told.get("steps", [])), period=Period.from_json(told.get("period")),
        outline=kept_outline.from_json(told["outline"]), echo=told["echo"], understood=told["understood"],
        unused_words=tuple(told.get("unused", ())),
        read_as=tuple(ReadAs(typed=t, entity=e, id=i, label=n) for t, e, i, n in told.get("read_as", ())),
    )  # fmt: skip


def _read_no_plan(reason: Any, entity: Any, echo: str, choices: Any, unknown: Any) -> NoPlan:
    return NoPlan(reason=reason, entity=entity, echo=echo, choices=_read_choices(choices), unknown_words=tuple(unknown))


def _read_choices(told: Any) -> tuple[Choice, ...]:
    return tuple(Choice(label=label, question=question) for label, question in told)


def _read_line(told: Any, records: Sequence[Record]) -> Saying | Claim:
    if isinstance(told, list):
        return _read_claim(*cast("list[Any]", told))
    return Saying(told["say"], {slot: records[int(place)] for slot, place in told["slots"].items()})


def _read_claim(
    name: str, slots: Mapping[str, str], marks: int, text: str, further: Sequence[Any] = (),
    stressed: Sequence[str] = (), quote: Sequence[str] = (),
) -> Claim:  # fmt: skip
    """A claim by its template and its slots; what is printed in it, rendering it again tells."""
    claim = Claim(name=name, text=text, facts=(), slots=slots, further=tuple(_read_claim(*each) for each in further))
    ref, words = quote or ("", "")
    return replace(
        claim, essential=bool(marks & 1), declines=bool(marks & 2), settles=bool(marks & 4),
        stressed=tuple(stressed), quote=(ref, words) if ref else None,
    )  # fmt: skip
