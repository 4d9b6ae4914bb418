"""Checks a policy, explains what holds for a person at a place, tells what differs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from copilot.channels.cli import say
from copilot.domain.clock import system_clock
from copilot.policy.check import check
from copilot.policy.diff import diff
from copilot.policy.documents import PolicySet
from copilot.policy.explain import explain
from copilot.policy.findings import Finding, Person
from copilot.policy.reading import baseline, policy_schema, read_folder
from copilot.policy.simulate import Flip, Simulation
from copilot.settings import read_settings


async def judge(options: argparse.Namespace) -> int:
    """Run one of them."""
    match options.action:
        case "check":
            return _schema() if options.schema else await _check(_policy(options.folder), options)
        case "explain":
            return await _explain(options)
        case "simulate":
            return await _simulate(options)
        case _:
            return _diff(_policy(options.old), _policy(options.new), as_json=options.json)


def _policy(folder: str | None) -> PolicySet:
    return baseline() if folder is None else read_folder(Path(folder))


def _schema() -> int:
    print(json.dumps(policy_schema(), indent=2))
    return 0


async def _check(policy: PolicySet, options: argparse.Namespace) -> int:
    from copilot.wiring.policies import all_people, known_names, known_places

    known, people, now = known_names(), tuple[Person, ...](), system_clock()
    if options.live:
        from copilot.wiring import open_runtime

        async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
            known, people, now = await known_places(runtime), await all_people(runtime), runtime.clock()
    findings = check(policy, known, people, at=now)
    if options.json:
        print(json.dumps([finding.to_json() for finding in findings], indent=2, ensure_ascii=False))
    else:
        _table(findings)
    errors = sum(finding.level == "error" for finding in findings)
    say(f"{len(policy.documents)} documents, {errors} errors, {len(findings) - errors} warnings")
    return 1 if errors else 0


def _table(findings: Sequence[Finding]) -> None:
    rows = [(f.level, str(f.place or ""), f.rule, f.kind) for f in findings]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, finding in zip(rows, findings, strict=True):
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        print(f"{'  '.join(cells)}  {finding.sentence}")


async def _explain(options: argparse.Namespace) -> int:
    from copilot.wiring import open_runtime
    from copilot.wiring.policies import holder, known_places

    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        person, known = await holder(runtime, options.subject), await known_places(runtime)
        policy = read_folder(Path(options.policy)) if options.policy else (await runtime.policy()).documents
        found = explain(policy, person, " ".join(options.what), known, at=runtime.clock())
    if options.json:
        print(json.dumps([each.to_json() for each in found], indent=2, ensure_ascii=False))
        return 0
    for each in found:
        first, *others = each.sentences()
        print(first)
        for sentence in others:
            print(f"  {sentence}")
    return 0


def _diff(old: PolicySet, new: PolicySet, *, as_json: bool) -> int:
    changes = diff(old, new, at=system_clock())
    if as_json:
        print(json.dumps([change.to_json() for change in changes], indent=2, ensure_ascii=False))
        return 0
    for change in changes:
        print(change)
    loosened = sum("loosened" in change.effect for change in changes)
    say(f"{len(changes)} changes, {loosened} of them loosen")
    return 0


async def _simulate(options: argparse.Namespace) -> int:
    from copilot.wiring import open_runtime
    from copilot.wiring.simulation import proposed, recorded

    documents = read_folder(Path(options.folder))
    decided = changed = unknown = 0
    flips: list[Flip] = []
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        simulation = Simulation(await runtime.policy(), await proposed(runtime, documents))
        async for decision in recorded(runtime, options.last):
            found = [] if decision is None else list(simulation.flips(decision))
            decided, unknown, changed = decided + 1, unknown + (decision is None), changed + bool(found)
            flips += found
    if options.json:
        print(json.dumps([asdict(flip) for flip in flips], indent=2, ensure_ascii=False))
    else:
        for flip in flips:
            print(flip)
    old = f"; {unknown} are too old to be decided again" if unknown else ""
    say(f"{decided} decisions, {changed} would change{old}")
    return 0
