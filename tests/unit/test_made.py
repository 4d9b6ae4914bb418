"""What an answer was made from, kept and read back: value for value, and nothing else is taken for it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.answering.decide import Staleness
from copilot.answering.draft import Claim, Draft
from copilot.answering.made import Making, OfManner, OfNoPlan, OfPlan, Saying, pack, unpack
from copilot.answering.verify import Finding
from copilot.domain import kept_outline
from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.evidence import NO_EVIDENCE, Evidence, Record, Value
from copilot.domain.kept_records import KeptRecords, in_json, read_evidence, read_records
from copilot.domain.model_calls import Mark
from copilot.domain.plan import Choice, NoPlan, Plan, ReadAs
from copilot.domain.residency import Residency
from copilot.errors import AuditError
from copilot.replay.replayed import differences
from copilot.understanding.kinds import load_kinds

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
_NOTHING = Making(parts=(), mark=Mark(), offered=(), language="en", said="", templates={})
_ZONES = (UTC, timezone(timedelta(hours=-5, minutes=-30)), ZoneInfo("Europe/Berlin"))
_NAMES = st.text(max_size=12)
_MOMENTS = st.builds(
    lambda moment, zone: moment.replace(tzinfo=zone, year=1990 + moment.year % 100, day=min(moment.day, 28)),
    st.datetimes(), st.sampled_from(_ZONES),
)  # fmt: skip
_TYPES: Sequence[Any] = ("ident", "text", "code", "ref", "date", "instant", "quantity", "amount", "flag", "span")
_RAWS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.text(), st.text("\ud800\x00\"'<é📦"),
    st.dates(), _MOMENTS,
)  # fmt: skip
_VALUES = st.builds(Value, st.sampled_from(_TYPES), _RAWS, st.none() | _NAMES)
_LABELS = st.tuples(*[st.integers(-1, 99)] * 4)


_KINDS: Sequence[Literal["record", "measure"]] = ("record", "measure")
_RESIDENCY = st.builds(Residency, st.frozensets(_NAMES, max_size=1), st.frozensets(_NAMES, max_size=1))
_RECORDS = st.builds(
    Record, id=st.just("S"), kind=st.sampled_from(_KINDS), entity=_NAMES, row_id=st.integers(-(2**63), 2**63),
    system=_NAMES, company=st.just("c"), key=_NAMES, version=_MOMENTS, time_zone=st.just("UTC"),
    values=st.dictionaries(_NAMES, _VALUES, max_size=4), changed_at=st.none() | _MOMENTS, confirmed_at=_MOMENTS,
    labels=_LABELS, link=st.none() | _NAMES, residency=_RESIDENCY, inputs=st.sampled_from([(), ("S1", "S2")]),
    ended=st.none() | _MOMENTS, removed=st.booleans(), began=st.none() | _MOMENTS,
)  # fmt: skip
_SETS = st.frozensets(_NAMES, max_size=2)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """Evidence of some steps, in which one record may stand in several."""
    drawn = draw(st.lists(_RECORDS, max_size=3))
    known = [replace(record, id=f"S{number}") for number, record in enumerate(drawn, 1)]
    places = st.lists(st.integers(0, len(known) - 1), max_size=3) if known else st.just(list[int]())
    steps = draw(st.dictionaries(_NAMES, places, max_size=3))
    return Evidence(
        steps={name: tuple(known[place] for place in found) for name, found in steps.items()},
        truncated=draw(_SETS), refused=draw(_SETS), unkept=draw(_SETS),
    )  # fmt: skip


@settings(max_examples=60)
@given(evidences())
def test_evidence_comes_back_value_for_value(evidence: Evidence) -> None:
    kept = KeptRecords()
    told = kept.evidence(evidence)
    text = json.dumps({"evidence": told, **kept.to_json()}, default=in_json)
    read = json.loads(text)
    back = read_evidence(read["evidence"], read_records(read))
    assert back == evidence
    assert [*back.steps] == [*evidence.steps]
    assert [*back.by_id()] == [*evidence.by_id()]
    for one, other in zip(back.by_id().values(), evidence.by_id().values(), strict=True):
        assert [*one.values] == [*other.values]
        assert [type(v.raw) for v in one.values.values()] == [type(v.raw) for v in other.values.values()]
        moments = [v.raw.isoformat() for v in one.values.values() if isinstance(v.raw, date)]
        assert moments == [v.raw.isoformat() for v in other.values.values() if isinstance(v.raw, date)]
        assert one.version.isoformat() == other.version.isoformat()


@settings(max_examples=40)
@given(evidences(), st.text(max_size=20), st.booleans())
def test_a_making_comes_back_and_is_packed_alike(evidence: Evidence, words: str, mark: bool) -> None:  # noqa: FBT001 -- drawn
    since = next(iter(evidence.by_id().values()), None)
    further = Claim(name="more", text=words, facts=(), slots={"x": "S1"})
    claim = Claim(name="c", text=words, facts=(), essential=mark, declines=not mark, settles=mark, slots={"o": "S1"},
                  further=(further,))  # fmt: skip
    quoted = Claim(name="q", text=words, facts=(), slots={"note": "S1"}, stressed=("S1.a",), quote=("S1.body", words))
    plan = Plan(
        kind="k", references={"item": (1, 2)}, steps=(), outline=Outline(groups=()), echo=words, understood=words,
        unused_words=(words,), read_as=(ReadAs(typed=words, entity="item", id=3, label=words),),
    )  # fmt: skip
    choices = (Choice(label=words, question=words),)
    made = Making(
        parts=(
            OfPlan(plan=plan, evidence=evidence, draft=Draft(claims=(claim, quoted), complete=mark),
                   findings=(Finding("c", "rule", words),), arranged=mark, now=NOW,
                   stale=Staleness(since=since, asked=mark, changed=mark)),
            OfNoPlan(why=None, now=NOW),
            OfNoPlan(why=NoPlan(reason="ambiguous", entity="item", echo=words, choices=choices,
                                unknown_words=(words,)), now=NOW),
            OfManner(manner="why", lines=(claim, *([Saying("s", {"told": since})] if since else [])),
                     evidence=evidence, cited=(claim,) if mark else None, choices=choices, now=NOW),
        ),
        mark=Mark(engine="model", fallback="slow"), offered=choices, language="en", said="00", templates={"c": "11"},
    )  # fmt: skip
    packed = pack(made)
    assert unpack(packed) == made
    assert pack(unpack(packed)) == packed


@pytest.mark.parametrize("kind", sorted(load_kinds()))
def test_every_outline_comes_back(kind: str) -> None:
    outline = load_kinds()[kind].outline
    assert kept_outline.from_json(json.loads(json.dumps(kept_outline.to_json(outline)))) == outline


def test_an_outline_with_all_there_is_comes_back() -> None:
    binding = Binding(slot="a", step="s", pick=Pick.WITH, other="b", field="f")
    spec = ClaimSpec(claim="c", bindings=(binding, Binding(slot="b", step="t", pick=Pick.EACH)),
                     conditions={"a.f": ("x", 1, True, None)}, unless=("u",), needs=("n",),
                     essential=True, declines=True, settles=True)  # fmt: skip
    outline = Outline(groups=(ClaimGroup((spec,), (spec, spec)),), any_is_enough=True, dated=True)
    assert kept_outline.from_json(json.loads(json.dumps(kept_outline.to_json(outline)))) == outline


def test_a_value_that_no_field_has_is_not_kept() -> None:
    record = Record(id="S1", kind="record", entity="item", row_id=1, system="", company="", key="", version=NOW,
                    time_zone="UTC", values={"x": Value("text", b"bytes")}, changed_at=None, confirmed_at=NOW)  # pyright: ignore[reportArgumentType]  # fmt: skip
    part = OfManner(
        manner="m", lines=(Saying("s", {"told": record}),), evidence=NO_EVIDENCE, cited=None, choices=(), now=NOW
    )
    with pytest.raises(AuditError, match="no value of a field"):
        pack(replace(_NOTHING, parts=(part,)))


def _packed(told: object) -> bytes:
    return zlib.compress(json.dumps(told).encode())


@pytest.mark.parametrize(
    "packed",
    [
        b"", b"nothing of ours", _packed([]), _packed({}), _packed({"form": 2}), _packed(None),
        _packed({"form": 1, "language": "en", "said": "", "templates": {}, "parts": [{}], "heads": [], "records": []}),
        _packed({"form": 1, "language": "en", "said": "", "templates": {}, "heads": [], "records": [[0]], "parts": []}),
        pack(_NOTHING)[:-3],
    ],
)  # fmt: skip
def test_what_is_no_making_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"can't be read|does not know|Expecting"):
        unpack(packed)


def test_differences_are_told_by_their_place() -> None:
    then = {"a": [1, {"b": 2}], "c": 1, "gone": None}
    now = {"a": [1, {"b": 3}, 4], "c": True, "gone": None, "new": "x"}
    assert [(each.path, each.then, each.now) for each in differences(then, now)] == [
        ("a[1].b", 2, 3), ("a[2]", None, 4), ("c", 1, True), ("new", None, "x"),
    ]  # fmt: skip
    assert [*differences(then, dict(then))] == []
