"""policy-replay: ten thousand decisions on record are decided again under a change within ten seconds, each that would
change is listed with the layer and the rule that make it so, and every planted way around a second person is found.

What is listed is held against the truth: each question is really asked again under the proposed policy, and one whose
answer differs must be on the list.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from uuid import uuid4

from copilot.domain.answer import Answer
from copilot.domain.question import Question, SessionSubject
from copilot.policy.check import check
from copilot.policy.documents import PolicySet
from copilot.policy.findings import Known
from copilot.policy.policy import Policy
from copilot.policy.reading import baseline, read_texts
from copilot.policy.simulate import Flip, Simulation
from copilot.store.audit import AuditLog, AuditReceipt
from copilot.store.audit_entry import AuditEntry
from copilot.store.roles import Role
from copilot.wiring import Runtime
from copilot.wiring.simulation import proposed, recorded
from evals.company import NOW, TEMPLATE, open_company, running
from evals.proofs.policy_replay.organisations import ladder, organisation
from evals.proofs.policy_replay.proposals import proposals
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

_DECISIONS, _SAMPLE_DECISIONS = 10_000, 500
_PLANTED, _SAMPLE_PLANTED = 400, 40
_SECONDS = 10.0
_PEOPLE = ("rep.us", "rep.de", "planner", "buyer", "warehouse.sg", "finance")
_QUESTIONS = (
    "how many invoices are there", "open orders", "top 5 customers by order value", "what is at risk this week",
    "stock at Tuas", "total stock value", "how many open purchase orders", "top 3 suppliers by on time rate",
    "overdue invoices", "how many shipments are late", "average order value", "orders not shipped yet",
    "open receivables by customer", "list items with no stock", "returns this month", "backlog",
    "how many customers do we have", "cost of goods in stock", "lead time by supplier", "fill rate last quarter",
)  # fmt: skip
_NUMBERS = 8
_SOME_ORDERS = "select number from biz.sales_order order by md5(number) limit %(n)s"
_SOME_ITEMS = (
    "select i.number from biz.item i join biz.stock s on s.item_id = i.id group by 1 order by md5(i.number) limit %(n)s"
)


class Recorder(AuditLog):
    """The audit, remembering what it was given, so that it can be given again."""

    entries: list[AuditEntry]

    async def append(self, entry: AuditEntry) -> AuditReceipt:
        self.entries.append(entry)
        return await super().append(entry)


class Unrecorded(AuditLog):
    """An audit that keeps nothing: what is asked again to compare was never decided."""

    @classmethod
    def beside(cls, runtime: Runtime) -> Unrecorded:
        """One with nothing of its own on the disk."""
        return cls(runtime.database, runtime.settings.home, runtime.clock)

    async def append(self, entry: AuditEntry) -> AuditReceipt:
        return AuditReceipt(audit_id=entry.audit_id, id=0, hash="")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was really asked: by whom, and what came of it."""

    subject: str
    text: str
    told: tuple[object, ...]


@dataclass
class ReplayTrial:
    """The opened suite: a company with decisions on record."""

    runtime: Runtime
    unrecorded: AuditLog
    setting: Setting
    asked: Mapping[str, Asked]
    """By the audit id of the first time."""
    decisions: int
    cases: Sequence[str] = field(default=())
    slowest: float = 0.0

    async def run(self, case: str) -> Result:
        """Hold all decisions against one proposal, or draw one organisation."""
        kind, _, name = case.partition(": ")
        if kind == "proposal":
            return await self._replay(case, read_texts(proposals()[name]))
        random = Random(f"{self.setting.seed} {case}")
        return _organisation(case, random) if kind == "two people" else _ladder(case, random)

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """Something must have changed, for each kind of reason, and something must not have."""
        met = counts.get("changed", 0) > 0 and counts.get("planted", 0) > 0 and counts.get("decisions", 0) > 0
        return Finding(met=met, more={"slowest_seconds": round(self.slowest, 2), "decisions": self.decisions})

    async def _replay(self, case: str, documents: PolicySet) -> Result:
        after = await proposed(self.runtime, documents)
        begun = time.perf_counter()
        simulation, listed = Simulation(await self.runtime.policy(), after), dict[str, list[Flip]]()
        read = unknown = 0
        async for decision in recorded(self.runtime, self.decisions):
            read += 1
            found = [] if decision is None else list(simulation.flips(decision))
            unknown += decision is None
            if decision is not None and found:
                listed[decision.audit_id] = found
        seconds = time.perf_counter() - begun
        self.slowest = max(self.slowest, seconds)
        failures = [f"{read} decisions took {seconds:.1f} s"] if seconds > _SECONDS else []
        failures += [f"{read} decisions read, {unknown} of them unknown"] if read != self.decisions or unknown else []
        failures += _unexplained(listed, await self.runtime.policy(), after)
        changed = await self._changed(after)
        first = {ident for ident in self.asked if ident in listed}
        failures += [f"changed and not listed: {self.asked[ident].subject}: {self.asked[ident].text!r}"
                     for ident in sorted(changed - first)]  # fmt: skip
        counts = {"decisions": read, "listed": len(listed), "changed": len(changed), "first_listed": len(first)}
        return Result(case=case, failures=tuple(failures[:20]), counts=counts)

    async def _changed(self, after: Policy) -> set[str]:
        """Of the questions that were asked, those whose answer is really another under the proposed policy."""
        line = replace(self.runtime.asking, policy=after, audit=self.unrecorded)
        found: set[str] = set()
        for ident, asked in self.asked.items():
            again = await line.ask(Question(text=asked.text, channel="api"), SessionSubject(asked.subject))
            if _told(again) != asked.told:
                found.add(ident)
        return found


def _told(answer: Answer) -> tuple[object, ...]:
    """What an answer says, without the version of the policy that it names."""
    words = re.sub(r"policy [^.]*?(?= puts)", "policy", answer.answer)
    facts = tuple((fact.ref, fact.value, fact.unit) for fact in answer.facts if not fact.ref.endswith(".policy"))
    return words, answer.verdict, answer.reason, facts


def _unexplained(listed: Mapping[str, Sequence[Flip]], before: Policy, after: Policy) -> list[str]:
    """Flips whose place and rule are those of neither policy."""
    known = {
        (str(document.place), rule.name)
        for policy in (before, after)
        for document in policy.documents.documents
        for rule in document.rules
    }
    flips = {(flip.what, flip.place, flip.rule) for found in listed.values() for flip in found}
    return [f"not explained: {flip}" for flip in sorted(flips) if (flip[1], flip[2]) not in known]


def _organisation(case: str, random: Random) -> Result:
    planted = random.random() < 0.5
    people, culprit = organisation(random, NOW.date(), planted=planted)
    found = {f.sentence.split()[0] for f in check(baseline(), Known(), people, at=NOW) if f.kind == "self_approval"}
    expected = {culprit} if culprit else set[str]()
    failures = [] if found == expected else [f"found {sorted(found)}, planted {sorted(expected)}"]
    return Result(case=case, failures=tuple(failures), counts={"planted": len(expected)})


def _ladder(case: str, random: Random) -> Result:
    planted = random.random() < 0.5
    text = (proposals()["nothing"]["e.yaml"]).replace(
        next(
            line for line in proposals()["nothing"]["e.yaml"].splitlines() if line.strip().startswith("refund_grant:")
        ),
        f"  refund_grant: {ladder(random, planted=planted)}",
    )
    found = [f for f in check(read_texts({"e.yaml": text}), Known(), (), at=NOW) if f.kind == "splitting"]
    wrong = bool(found) != planted
    failures = [f"{len(found)} ways found, {'one' if planted else 'none'} planted"] if wrong else []
    return Result(case=case, failures=tuple(failures), counts={"planted": int(planted)})


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_company() as company:
        with company.clone(TEMPLATE) as database:
            async with running(company, database, company.home.parent / f"{company.home.name}-replay") as made:
                recorder = Recorder(made.database, made.settings.home, made.clock)
                recorder.entries = []
                runtime = replace(made, audit=recorder, asking=replace(made.asking, audit=recorder))
                try:
                    asked = await _ask_all(runtime, setting)
                    decisions = _SAMPLE_DECISIONS if setting.sample else _DECISIONS
                    await _record(recorder, decisions)
                    planted = _SAMPLE_PLANTED if setting.sample else _PLANTED
                    cases = [f"{kind}: {n}" for n in range(planted) for kind in ("two people", "splitting")]
                    cases += [f"proposal: {name}" for name in proposals()]
                    yield ReplayTrial(runtime, Unrecorded.beside(made), setting, asked, decisions, cases)
                finally:
                    await recorder.close()


async def _ask_all(runtime: Runtime, setting: Setting) -> Mapping[str, Asked]:
    """Real questions of real people, with what they were told."""
    texts = list(_QUESTIONS[:6] if setting.sample else _QUESTIONS)
    async with runtime.database.connection(Role.OWNER) as connection:
        orders = await (await connection.execute(_SOME_ORDERS, {"n": _NUMBERS})).fetchall()
        items = await (await connection.execute(_SOME_ITEMS, {"n": _NUMBERS})).fetchall()
    some = 2 if setting.sample else _NUMBERS
    texts += [f"where is {row['number']}" for row in orders[:some]]
    texts += [f"stock of {row['number']}" for row in items[:some]] + [
        f"cost of {row['number']}" for row in items[:some]
    ]
    found: dict[str, Asked] = {}
    for subject in _PEOPLE:
        for text in texts:
            answer = await runtime.ask(Question(text=text, channel="api"), SessionSubject(subject))
            found[answer.audit_id] = Asked(subject, text, _told(answer))
    return found


async def _record(recorder: Recorder, decisions: int) -> None:
    """Fill the record up with the same decisions, each as a row of its own."""
    first = list(recorder.entries)
    more = [replace(first[n % len(first)], audit_id=str(uuid4())) for n in range(decisions - len(first))]
    for start in range(0, len(more), 200):
        await asyncio.gather(*(AuditLog.append(recorder, entry) for entry in more[start : start + 200]))


POLICY_REPLAY = Suite(
    name="policy-replay",
    goal="10,000 decisions on record are decided again under a change within 10 s, every one that changes is listed "
    "with its layer and rule, and planted ways around a second person or below a threshold are all found",
    open=_open,
)
