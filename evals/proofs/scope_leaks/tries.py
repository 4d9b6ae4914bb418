"""Tries single cases of one person, each in its way in, and notes what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from copilot.channels.web.question_text import clean_question
from copilot.domain.dialogue import State
from copilot.domain.evidence import NO_EVIDENCE, Evidence
from copilot.domain.plan import NoPlan, Plan
from copilot.domain.question import Question, SessionSubject
from copilot.errors import CopilotError
from copilot.semantic.language import speaking
from copilot.wiring import Runtime
from evals.proofs.leaks import Watch
from evals.proofs.oracle import Actor
from evals.proofs.scope_leaks.door import CHANNELS, Doorway, comparable, spoilt
from evals.proofs.scope_leaks.moved import Moved, state_after, turns
from evals.proofs.scope_leaks.people import MOVED, NEW_GRANT, granted, renamed
from evals.proofs.scope_leaks.planned import Planning
from evals.proofs.scope_leaks.scene import Scene, scope_of, unlike
from evals.proofs.scope_leaks.sight import Sight
from evals.proofs.scope_leaks.typed import Told, Typing, told_by, told_of
from evals.proofs.suite import Result

_TWINNED, _TWINNED_COMPUTED = 6, 3
"""Of the planned cases that the oracle judges whole, and of the others, every so many are asked of the twin as well."""
_MOST = 20


@dataclass(slots=True)
class Tally:
    """What the cases of one batch came to."""

    failures: list[str] = field(default_factory=list[str])
    misses: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])

    def judged(
        self, way: str, what: str, how: str, leaks: Sequence[str], wrong: str | None, *, permitted: bool
    ) -> None:
        """Note one case: what leaked, and what is wrong with what was permitted."""
        self.counts[way] += 1
        self.counts[f"{way}_{how}"] += 1
        self.counts["leaks"] += len(leaks)
        self.failures += [f"{what}: {leak}" for leak in leaks]
        if permitted:
            self.counts[f"{way}_to_answer"] += 1
            self.counts[f"{way}_right"] += wrong is None and not leaks
            self.misses += [f"{what}: {wrong}"] if wrong else []

    def result(self, case: str, tried: int) -> Result:
        """The batch as the runner takes it."""
        return Result(
            case=case, failures=tuple(self.failures[:_MOST]), misses=tuple(self.misses[:_MOST]), counts={**self.counts},
            tried=tried,
        )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Tries:
    """One person's stage, the door, and how everybody sees the company, whose role somebody may have had before."""

    scene: Scene
    doorway: Doorway
    sights: Mapping[str, Sight]
    planning: Planning = field(init=False)
    typing: Typing = field(init=False)

    def __post_init__(self) -> None:
        self.planning, self.typing = Planning(self.scene.sight), Typing(self.scene.sight)

    async def planned(self, draw: Random, tally: Tally) -> None:
        """A plan, through retrieval."""
        case = self.planning.case(draw)
        evidence = await self.scene.retrieved(case.plan)
        leaks = [*self.scene.leaks(evidence)]
        wrong = "; ".join(case.wrong(evidence)) or None
        if draw.randrange(_TWINNED_COMPUTED if case.computes else _TWINNED) == 0:
            tally.counts["twinned"] += 1
            other = unlike(evidence, await self.scene.retrieved(case.plan, twin=True))
            leaks += [other] if other else []
        if wrong and not evidence.refused:  # told is something else than what this person's rows say
            leaks.append(wrong)
        tally.judged("planned", case.what, case.how, leaks, wrong, permitted=case.permitted)

    async def typed(self, draw: Random, tally: Tally) -> None:
        """A text, through planning and retrieval."""
        case = self.typing.case(draw)
        told, leaks = await self._both(case.text)
        wrong = case.right(told) if case.right else None
        tally.judged("typed", repr(case.text), case.how, leaks, wrong, permitted=case.right is not None)

    async def moved(self, draw: Random, tally: Tally) -> None:
        """A follow-up of what was asked in another role, through planning and retrieval."""
        before, moved = self._turns(draw)
        scope = await scope_of(self.scene.real, before.actor)
        state = await state_after(self.scene.real, scope, moved.first.text)
        told, leaks = await self._both(moved.second, state)
        right = moved.right if state else None
        what = f"{before.actor.subject} asked {moved.first.text!r}, then {moved.second!r}"
        tally.judged("moved", what, moved.how, leaks, right(told) if right else None, permitted=right is not None)

    async def through_the_door(self, draw: Random, tally: Tally) -> None:
        """A text, through a channel to the answer and its audit row."""
        case = self.typing.case(draw)
        channel = "api" if case.family == "bad" else draw.choice(CHANNELS)
        text = spoilt(case.text, draw) if case.family == "bad" and draw.random() < 0.3 else case.text
        subject = self.scene.actor.subject
        answer = await self.doorway.ask(subject, text, channel)
        leaks = await self.doorway.leaks(self.scene.watch, text, answer, case)
        if "audit_id" in answer:
            asked = Question(text=text.strip(), channel=channel)
            other = (await self.scene.twin.ask(asked, SessionSubject(subject))).to_json()
            if comparable(answer) != comparable(other):
                leaks.append(f"without hidden rows the answer is another: {answer['answer']!r}, {other['answer']!r}")
        wrong = case.right(told_by(answer)) if case.right else None
        tally.judged("door", f"{channel} {text!r:.200}", case.how, leaks, wrong, permitted=case.right is not None)

    async def moved_at_the_door(self, draw: Random, tally: Tally) -> None:
        """Two turns of one conversation through the door, the grants changed between them."""
        before, moved = self._turns(draw)
        await self._give(before.actor)
        first = await self.doorway.ask(MOVED, moved.first.text, "api")
        await self._give(self.scene.actor)
        second = await self.doorway.ask(MOVED, moved.second, "api", first["conversation"])
        watch = Watch(self.scene.watch.world, renamed(self.scene.actor, MOVED), self.scene.watch.phrases)
        leaks = await self.doorway.leaks(watch, f"{moved.first.text} {moved.second}", second, before=first)
        right = moved.right if first["verdict"] != "declined" else None
        what = f"{before.actor.subject} asked {moved.first.text!r}, then {moved.second!r} at the door"
        wrong = right(told_by(second)) if right else None
        tally.judged("door", what, moved.how, leaks, wrong, permitted=right is not None)

    async def _both(self, text: str, state: State | None = None) -> tuple[Told, list[str]]:
        """What a text gets in the company, and how that differs from what it gets where nothing is hidden."""
        plan, evidence = await _read(self.scene, self.scene.real, text, state)
        other, without = await _read(self.scene, self.scene.twin, text, state)
        leaks = [*self.scene.leaks(evidence)]
        if plan != other:
            leaks.append(f"planned is {plan!r:.300}, without hidden rows {other!r:.300}")
        elif (difference := unlike(evidence, without)) is not None:
            leaks.append(difference)
        return told_of(plan, evidence), leaks

    def _turns(self, draw: Random) -> tuple[Sight, Moved]:
        """Somebody whose role one had before, and the two turns."""
        mine = self.scene.sight
        others = [sight for sight in self.sights.values() if sight.actor.classes and sight.actor != mine.actor]
        before = draw.choice(others)
        return before, turns(before, mine, draw)

    async def _give(self, actor: Actor) -> None:
        """Let the one whose grants change have those of somebody."""
        await self.doorway.admin.execute("delete from directory.grant where subject = %s", (MOVED,))
        for grant in granted(renamed(actor, MOVED)):
            await self.doorway.admin.execute(NEW_GRANT, grant)


async def _read(
    scene: Scene, runtime: Runtime, text: str, state: State | None
) -> tuple[Plan | NoPlan | None, Evidence]:
    try:
        text = clean_question(text)
    except CopilotError:
        return None, NO_EVIDENCE  # what no channel lets in
    with speaking(runtime.language):
        plan = await (await runtime.line()).plan(text, scene.scope, state)
    if not isinstance(plan, Plan):
        return plan, NO_EVIDENCE
    return plan, await scene.retrieved(plan, twin=runtime is scene.twin)
