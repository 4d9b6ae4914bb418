"""replay: every answer to the demo's questions comes about again byte for byte from what was sealed of it, and one of
which a single value was altered does not.

The answer is compared with the one that was really given, not only with the sealed one. The alteration is made after
the seal is broken open, as somebody could who has every key: it is the making again that must tell it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

from copilot.answering.made import Making, OfPlan
from copilot.domain.answer import Answer
from copilot.domain.evidence import Evidence, Record, Value
from copilot.domain.question import SessionSubject
from copilot.replay.again import again
from copilot.replay.replayed import Replayed
from copilot.semantic.language import speaking
from copilot.store.audit import MAKING, sealed_blobs
from copilot.store.sealing import KeyRing
from copilot.wiring.replaying import opened, replay
from copilot.wiring.words_then import language_of, words_then
from evals.company import ask
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial
from evals.scoring.case import Case
from evals.scoring.suites import SUITES, Scene
from evals.scoring.truth import owner, read_truth

_DEMO = next(suite for suite in SUITES if suite.name == "demo")
_SAMPLE = 50


@dataclass(slots=True)
class ReplayTrial:
    """The demo's questions, over its company."""

    scene: Scene
    known: Mapping[str, Case]
    setting: Setting
    cases: Sequence[str]
    kept: list[int] = field(default_factory=list[int])

    async def run(self, case: str) -> Result:
        """Ask the turns of one case, and replay each answer."""
        draw, user = Random(f"{self.setting.seed} {case}"), self.known[case].user
        async with owner(self.scene.dsn) as connection:
            turns = (await read_truth(connection, self.known[case])).turns
        failures: list[str] = []
        counts: Counter[str] = Counter()
        conversation: str | None = None
        for turn in turns:
            answer = await ask(self.scene.runtime, user, turn, conversation)
            conversation = answer.conversation
            found = await replay(self.scene.runtime, SessionSubject(user), answer.audit_id)
            failures += [f"{turn!r} {fault}" for fault in _faults(answer, found)]
            counts += Counter(answers=1, bytes=found.bytes, **{f"verdict_{answer.verdict.value}": 1})
            altered, missed = await self._altered(answer, draw)
            counts += Counter(altered=altered)
            failures += [f"{turn!r}: {place} was altered and it came out the same" for place in missed]
        return Result(case=case, failures=tuple(failures), counts=dict(counts), tried=len(turns))

    async def _altered(self, answer: Answer, draw: Random) -> tuple[int, list[str]]:
        """Alter one printed value of what the answer was made from: how many were, and what was not told."""
        runtime = self.scene.runtime
        blobs = {blob.kind: blob for blob in await sealed_blobs(runtime.database, answer.audit_id)}
        self.kept.append(len(blobs[MAKING].ciphertext))
        making = opened(blobs[MAKING], KeyRing(runtime.settings.home))
        printed = [fact.ref for fact in answer.facts if fact.ref.partition(".")[0] in {r.id for r in making.records}]
        if not printed or not all(isinstance(part, OfPlan) for part in making.parts):
            return 0, []
        place = draw.choice(printed)
        language = language_of(runtime, making.language)
        with speaking(language):
            words = await words_then(runtime, making, language, runtime.clock())
            told = again(_with_other(making, place), words, runtime.asking.model)
        same = replace(told.answer, conversation="", audit_id="", elapsed_ms=0) == replace(
            answer, conversation="", audit_id="", elapsed_ms=0
        )
        return 1, [place] if same and not told.broke else []

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """That all came out the same says nothing where nothing was verified, declined or altered."""
        enough = all(counts.get(name, 0) for name in ("verdict_verified", "verdict_declined", "altered"))
        answers = max(1, counts.get("answers", 0))
        more = {
            "answers": answers, "altered": counts.get("altered", 0), "answer_bytes": counts.get("bytes", 0) // answers,
            "kept_bytes": sum(self.kept) // max(1, len(self.kept)), "most_kept_bytes": max(self.kept, default=0),
        }  # fmt: skip
        return Finding(met=enough, more={**more})


def _faults(answer: Answer, found: Replayed) -> list[str]:
    """What is wrong with a replay."""
    told = answer.to_json()
    faults = [*found.findings, *(f"broke at {each.stage}: {each.what}" for each in found.broke)]
    faults += [f"differs at {each.path}" for each in found.differences[:3]]
    if found.identical is not True or found.values != "shown":
        faults.append(f"is {found.identical}, its values {found.values}")
    elif {**(found.answer or {}), "elapsed_ms": 0} != {**told, "elapsed_ms": 0}:
        faults.append("is not the answer that was given")
    return faults


def _with_other(making: Making, place: str) -> Making:
    """The making with one value of its evidence changed."""
    ref, _, name = place.partition(".")

    def changed(record: Record) -> Record:
        if record.id != ref:
            return record
        if name not in record.values:  # an age is said of a record
            return replace(record, confirmed_at=record.confirmed_at.replace(year=record.confirmed_at.year - 1))
        return replace(record, values={**record.values, name: _other(record.values[name])})

    parts = [
        replace(part, evidence=_over(part.evidence, changed)) if isinstance(part, OfPlan) else part
        for part in making.parts
    ]
    return replace(making, parts=tuple(parts))


def _over(evidence: Evidence, changed: Callable[[Record], Record]) -> Evidence:
    return replace(
        evidence, steps={name: tuple(changed(record) for record in found) for name, found in evidence.steps.items()}
    )


def _other(value: Value) -> Value:
    """Another value of the same type, which prints otherwise."""
    raw = value.raw
    if isinstance(raw, bool):
        return replace(value, raw=not raw)
    if isinstance(raw, int):
        return replace(value, raw=raw * 3 + 7_000_000)
    if isinstance(raw, str):
        return replace(value, raw=f"{raw} x")
    return value if raw is None else replace(value, raw=raw.replace(year=raw.year - 1, day=min(raw.day, 28)))


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with _DEMO.open(lambda _: None) as scene:
        known = {case.id: case for case in _DEMO.cases()}
        cases = sorted(known)
        if setting.sample:
            cases = Random(setting.seed).sample(cases, _SAMPLE)
        yield ReplayTrial(scene, known, setting, cases)


REPLAY = Suite(
    name="replay",
    goal="0 answers that do not come about again byte for byte from what was sealed of them; every altered value tells",
    open=_open,
)
"""The suite."""
