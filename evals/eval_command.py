"""`erp-copilot eval`: what the copilot makes of questions whose right answers plain SQL knows."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from copilot.channels.cli import Command, Paced, say
from copilot.errors import SettingsError
from evals.scoring.case import Case
from evals.scoring.errors import CaseError
from evals.scoring.junit import write_junit
from evals.scoring.run import Result, run_cases
from evals.scoring.scorer import Outcome
from evals.scoring.suites import SUITES, Suite
from evals.scoring.tally import count, goals, table, to_json, told

_FILE = Path("build") / "eval.json"
_TOLD = 40
"""Cases told of after the table; all of them where a family or a case is asked for."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", metavar="NAME", help=f"one suite: {', '.join(suite.name for suite in SUITES)}")
    parser.add_argument("--family", metavar="F", help="the cases of one family")
    parser.add_argument("--case", metavar="ID", help="one case, with its SQL, its answer and its facts")
    parser.add_argument("--json", action="store_true", help=f"the result as JSON, here and in {_FILE}")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write JUnit's XML for a CI tool")
    parser.add_argument("--workers", metavar="N", type=_workers, default=2, help="cases at a time (2)")


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 8:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 8")
    return int(text)


async def _run(options: argparse.Namespace) -> int:
    chosen = _chosen(options)
    results: list[Result] = []
    for suite, cases in chosen:
        lacking = suite.lacks()
        if lacking:
            say(f"skipped {suite.name}: {lacking}")
            continue
        say(f"{suite.name}: {len(cases)} cases; making its company")
        async with suite.open(Paced()) as scene:
            results += await run_cases(scene, cases, options.workers, Paced())
    _report(results, options)
    return 0 if all(goal.met for goal in goals(count(results))) else 1


def _chosen(options: argparse.Namespace) -> list[tuple[Suite, tuple[Case, ...]]]:
    """The suites with the cases asked for; those without any are left out. Raises SettingsError where there are none
    and CaseError where two suites have a case of the same name."""
    suites = [suite for suite in SUITES if options.suite in (None, suite.name)]
    if not suites:
        raise SettingsError(f"there is no suite {options.suite!r}; there are: {', '.join(s.name for s in SUITES)}")
    all_of = [(suite, suite.cases()) for suite in suites]
    twice = [name for name, n in Counter(case.id for _, cases in all_of for case in cases).items() if n > 1]
    if twice:
        raise CaseError(f"more than one suite has a case {twice[0]!r}")
    chosen = [(suite, tuple(case for case in cases if _asked(case, options))) for suite, cases in all_of]
    if not any(cases for _, cases in all_of):
        raise SettingsError(f"the suite {suites[0].name!r} has no cases")
    if not any(cases for _, cases in chosen):
        families = sorted({case.family for _, cases in all_of for case in cases})
        wanted = f"case {options.case!r}" if options.case else f"family {options.family!r}"
        raise SettingsError(f"there is no {wanted}; there are the families {', '.join(families)}")
    return [(suite, cases) for suite, cases in chosen if cases]


def _asked(case: Case, options: argparse.Namespace) -> bool:
    return options.family in (None, case.family) and options.case in (None, case.id)


def _report(results: Sequence[Result], options: argparse.Namespace) -> None:
    """The table, the goals and what went wrong; with --json the JSON alone, the rest to stderr."""
    show = say if options.json else print
    for line in table(results):
        show(line)
    for goal in goals(count(results)):
        show(goal.told)
    bad = [each for each in results if options.case or each.score.outcome is not Outcome.RIGHT]
    order = {Outcome.WRONG: 0, Outcome.UNFINISHED: 1}
    bad.sort(key=lambda each: order.get(each.score.outcome, 2))
    most = len(bad) if options.family or options.case else _TOLD
    for each in bad[:most]:
        for line in told(each, whole=bool(options.case)):
            show(line)
    if len(bad) > most:
        show(f"and {len(bad) - most} more; --family or --json tells of them all")
    _write(results, options)


def _write(results: Sequence[Result], options: argparse.Namespace) -> None:
    if options.json:
        text = json.dumps(to_json(results), indent=2, ensure_ascii=False)
        _FILE.parent.mkdir(parents=True, exist_ok=True)
        _FILE.write_text(text + "\n", encoding="utf-8")
        print(text)
    if options.junit:
        write_junit(options.junit, results)


EVAL = Command("ask the question cases and score the answers", _arguments, _run)
