"""disagreements: every planted conflict surfaces in the answer and in the list, no other does, and the figure shown is
the governing one.

Each case is one item of a group of systems: somebody asks for its stock, somebody else who reads one site only asks
too, and both lists are held against what was planted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.answering.printing import print_value
from copilot.domain.answer import Answer
from copilot.domain.evidence import Record
from copilot.wiring import Runtime
from copilot.wiring.people import add_person
from evals.company import Company, ask, open_server, running, scratch_folder
from evals.proofs.disagreements.oracle import Said, findings, total_on_hand
from evals.proofs.disagreements.planting import AT, SITES, Group, System, make_group, records
from evals.proofs.oracle import read_baseline
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

_GROUPS, _ITEMS = 12, 40
_SAMPLE_GROUPS, _SAMPLE_ITEMS = 1, 40
_ENTITIES = ("region", "site", "item", "item_unit", "stock")
_NARROW = SITES[0]
READERS: Mapping[str, tuple[str, ...]] = {"everywhere": SITES, "narrow": (_NARROW,)}
"""Who asks -> the sites they may see."""
FOUND = ("differs", "not comparable", "not recorded")
_MEASURES = {"stock_difference": "differs", "stock_incomparable": "not comparable", "stock_absent": "not recorded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One group of systems, synced, and what the lists tell of it: reader -> item number -> findings."""

    group: Group
    runtime: Runtime
    listed: Mapping[str, Mapping[str, set[Said]]]

    async def failures(self, subject: str, item: int, must: set[Said]) -> list[str]:
        """What one reader is not told, or is told for nothing."""
        number = f"IT-{item:04d}"
        answer = await ask(self.runtime, subject, f"stock of {number}")
        found = [("answered", _shown(answer)), ("listed", self.listed[subject].get(number, set()))]
        failures = [f"{subject}: not {where}: {said}" for where, told in found for said in sorted(must - told)]
        failures += [f"{subject}: {where} for nothing: {said}" for where, told in found for said in sorted(told - must)]
        conflicting = any(said[0] != "not comparable" for said in must)
        if conflicting != (answer.reason == "conflicting"):
            failures.append(f"{subject}: {answer.verdict} {answer.reason} with {len(must)} findings")
        return failures

    async def wrong_total(self, item: int, policy: Mapping[str, Any]) -> list[str]:
        """How the total on hand differs from the governing one."""
        answer = await ask(self.runtime, "everywhere", f"stock of IT-{item:04d}")
        shown = {source.fields.get("on hand", "") for source in answer.sources if source.entity == "stock_total"}
        must = total_on_hand(self.group, item, policy)
        if not must:
            return [f"on hand is told as {text}, where it can't be told" for text in shown if text]
        return [] if shown & must else [f"on hand is told as {sorted(shown)}, not as {sorted(must)}"]


@dataclass
class DisagreementTrial:
    """The opened suite: one stage at a time, set when its first case comes."""

    company: Company
    setting: Setting
    cases: Sequence[str]
    items: int
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _stages: dict[str, Stage] = field(default_factory=dict[str, Stage])

    async def run(self, case: str) -> Result:
        """Ask for one item's stock, as everybody."""
        name, _, item = case.partition(" item ")
        stage, number, policy = await self._stage(name), int(item), read_baseline()
        failures = await stage.wrong_total(number, policy)
        planted: Counter[str] = Counter()
        for subject, sites in READERS.items():
            must = set(findings(stage.group, number, policy, sites))
            failures += await stage.failures(subject, number, must)
            planted.update(said[0] for said in must)
        return Result(case=case, failures=tuple(failures), counts={"planted": planted.total(), **planted})

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal needs conflicts of every sort."""
        return Finding(met=all(counts.get(found, 0) > 0 for found in FOUND), more={})

    async def aclose(self) -> None:
        """Take down the stage that stands."""
        self._stages.clear()
        await self._stack.aclose()

    async def _stage(self, name: str) -> Stage:
        if name not in self._stages:
            await self.aclose()
            group = make_group(Random(f"{self.setting.seed} {name}"), self.items)
            self._stages[name] = await self._stack.enter_async_context(set_stage(self.company, group))
        return self._stages[name]


def _shown(answer: Answer) -> set[Said]:
    """The findings that the text of an answer tells, by the sources that its figures stand on."""
    cited = {fact.ref.partition(".")[0] for fact in answer.facts}
    told = [source for source in answer.sources if source.id in cited and source.entity in _MEASURES]
    return {_said(source.entity, source.fields["site"], source.fields) for source in told}


def _said(measure: str, site: str, fields: Mapping[str, str]) -> Said:
    if measure == "stock_absent":
        return (_MEASURES[measure], site, "on_hand", fields["system"], fields["on hand"], fields["other system"], "")
    figure = fields["figure"].replace(" ", "_")
    ours, theirs = fields["quantity"], fields["other quantity"]
    return (_MEASURES[measure], site, figure, fields["governing system"], ours, fields["other system"], theirs)


def _printed(record: Record) -> dict[str, str]:
    """Every value of a record as it is printed to a person."""
    return {name.replace("_", " "): print_value(record, value) or "" for name, value in record.values.items()}


@asynccontextmanager
async def set_stage(company: Company, group: Group) -> AsyncGenerator[Stage]:
    """The copilot over a database of its own, with all systems synced and the readers added."""
    with company.clone() as name, scratch_folder() as home:
        async with running(company, name, home, AT) as runtime:
            for system in group.systems:
                await _add(runtime, system, records(group, system), first=system is group.systems[0])
            for subject, sites in READERS.items():
                await add_person(runtime, subject, subject, "planner", sites=[site[:2].upper() for site in sites])
            yield Stage(
                group=group, runtime=runtime, listed={subject: await _list(runtime, subject) for subject in READERS}
            )


async def _add(runtime: Runtime, system: System, held: Sequence[SourceRecord], *, first: bool) -> None:
    same = {} if first else {"identity": {"item": "number", "site": "code"}}
    entities = [entity for entity in _ENTITIES if first or entity not in ("region", "item_unit")]
    await runtime.ingest.add_source(system.name, "memory", same, {}, purpose=system.purpose)
    source = next(source for source in await runtime.ingest.sources() if source.name == system.name)
    await runtime.ingest.sync(source, MemoryConnector(system.name, entities, held))


async def _list(runtime: Runtime, subject: str) -> dict[str, set[Said]]:
    """Item number -> what the list of disagreements tells a reader of it."""
    listed: dict[str, set[Said]] = {}
    async for each in runtime.disagreements(subject):
        said = _said(each.record.entity, str(each.site.raw("name")), _printed(each.record))
        listed.setdefault(str(each.item.raw("number")), set()).add(said)
    return listed


@asynccontextmanager
async def open_trial(company: Company, setting: Setting) -> AsyncGenerator[DisagreementTrial]:
    """The suite on a server whose template is empty."""
    groups, items = (_SAMPLE_GROUPS, _SAMPLE_ITEMS) if setting.sample else (_GROUPS, _ITEMS)
    cases = [f"group {group} item {item}" for group in range(1, groups + 1) for item in range(items)]
    async with aclosing(DisagreementTrial(company=company, setting=setting, cases=cases, items=items)) as trial:
        yield trial


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_server() as company, open_trial(company, setting) as trial:
        yield trial


DISAGREEMENTS = Suite(
    name="disagreements",
    goal="every planted conflict about stock is in the answer and in the list with both figures and who governs, no "
    "other is, and the figure shown is the governing one",
    open=_open,
)
