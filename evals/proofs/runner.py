"""Runs proof suites one after the other, within their time, and writes what they came to."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from copilot.domain.json import Json
from copilot.errors import DatabaseError
from evals.proofs.state import State
from evals.proofs.suite import Result, Setting, Suite, Trial

FULL_SECONDS = 20 * 60.0
SAMPLE_SECONDS = 45.0
_SAY_EVERY = 10.0
_SHOWN = 20
_MOST_SAID = 200

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a suite may take, where its state is kept, and the clock that both are judged by."""

    seconds: float
    folder: Path
    clock: Callable[[], float] = time.monotonic


async def run_suites(suites: Sequence[Suite], setting: Setting, build: Path, say: Say) -> bool:
    """Run the suites and write build/proofs.json, or proofs-sample.json; returns whether all met their goals.

    Entries of suites that were not asked for stay in the file as they were.
    """
    limits = Limits(seconds=SAMPLE_SECONDS if setting.sample else FULL_SECONDS, folder=build / "proofs-state")
    file = build / ("proofs-sample.json" if setting.sample else "proofs.json")
    entries = _kept(file)
    tried: list[bool] = []
    for suite in suites:
        if lacking := suite.lacks():
            say(f"{suite.name}: passed over, {lacking}")
            continue
        for entry in await run_suite(suite, setting, limits, say):
            entries[str(entry["name"])] = entry
            tried.append(bool(entry["ok"]))
            say(_summary(entry))
        _write(file, entries)
    return all(tried)


async def run_suite(suite: Suite, setting: Setting, limits: Limits, say: Say) -> list[dict[str, Json]]:
    """Run one suite until it is done or its time is up; returns its entry, and those of what it proves beside."""
    say(f"{suite.name}: {suite.goal}")
    async with suite.open(setting) as trial:
        begun = limits.clock()  # what it takes to open is no time for trying
        mark = "-sample" if setting.sample else ""
        state = State(limits.folder / f"{suite.name}{mark}.jsonl", setting, trial.cases)
        results = state.read()
        if results:
            say(f"{suite.name}: going on after {len(results)} of {len(trial.cases)}")
        await _try_all(trial, state, results, _Pace(limits, begun, say, suite.name))
        whole = len(results) >= len(trial.cases)
        if whole or setting.sample:
            state.finish()
        else:
            say(f"{suite.name}: its time is up after {len(results)} of {len(trial.cases)}; run it again to go on")
        return list(_entries(suite, trial, results, whole=whole, setting=setting, seconds=limits.clock() - begun))


async def _try_all(trial: Trial, state: State, results: dict[str, Result], pace: _Pace) -> None:
    todo = [case for case in trial.cases if case not in results]
    for done, case in enumerate(todo):
        if pace.over(done, len(todo)):
            return
        result = await _tried(trial, case, pace.slow)
        results[case] = result
        state.add(result)
        for failure in result.failures:
            pace.failed(case, failure)


async def _tried(trial: Trial, case: str, slow: Callable[[str], None]) -> Result:
    """The result of a case. Proofs are no measure of speed: where the machine was too busy for the database to answer
    in time, a case is tried once more."""
    try:
        return await trial.run(case)
    except DatabaseError:
        slow(case)
        return await _tried_to_the_end(trial, case)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told as the failure of this case
        return _broken(case, error)


async def _tried_to_the_end(trial: Trial, case: str) -> Result:
    try:
        return await trial.run(case)
    except Exception as error:  # noqa: BLE001 -- as above
        return _broken(case, error)


def _broken(case: str, error: Exception) -> Result:
    """A case that broke has failed, and ends none of the others."""
    return Result(case=case, failures=(broken_at(error),), counts={})


def broken_at(error: Exception) -> str:
    """The type of an exception, what it says, and the place it was raised at."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else "nowhere"
    said = " ".join(str(error).split())[:_MOST_SAID]
    return f"{type(error).__name__} at {place}" + (f": {said}" if said else "")


class _Pace:
    """Says how far a suite has come and when it must stop."""

    def __init__(self, limits: Limits, begun: float, say: Say, name: str) -> None:
        self._limits, self._begun, self._say, self._name = limits, begun, say, name
        self._first = self._said = limits.clock()
        self._shown = 0

    def over(self, done: int, total: int) -> bool:
        """Whether the time is up; now and then says how much is left."""
        now = self._limits.clock()
        if now - self._said >= _SAY_EVERY and done:
            left = (now - self._first) / done * (total - done)
            self._say(f"{self._name}: {done:,} of {total:,}, about {int(left) // 60}:{int(left) % 60:02d} left")
            self._said = now
        return now - self._begun >= self._limits.seconds

    def slow(self, case: str) -> None:
        """Say which case is tried again."""
        self._say(f"{self._name}: the database was too slow for {case}, which is tried once more")

    def failed(self, case: str, failure: str) -> None:
        """Print a failure, the first few of them."""
        self._shown += 1
        if self._shown <= _SHOWN:
            self._say(f"{self._name}: FAILED {case}\n    {failure}")
        elif self._shown == _SHOWN + 1:
            self._say(f"{self._name}: further failures are not printed")


def _entries(
    suite: Suite, trial: Trial, results: Mapping[str, Result], *, whole: bool, setting: Setting, seconds: float
) -> Iterator[dict[str, Json]]:
    counts: Counter[str] = Counter()
    for result in results.values():
        counts.update(result.counts)
    failed = [result for result in results.values() if result.failures]
    finding = trial.finding(counts)
    done = whole or setting.sample
    yield {
        "name": suite.name,
        "tried": sum(result.tried for result in results.values()),
        "failed": len(failed),
        "goal": suite.goal,
        "ok": bool(results) and not failed and finding.met and done,
        "cases": len(trial.cases),
        "seed": setting.seed,
        "sample": setting.sample,
        "seconds": round(seconds, 1),
        **counts,
        **finding.more,
        "failures": [_told(result.case, result.failures) for result in failed[:_SHOWN]],
        "misses": [_told(result.case, result.misses) for result in results.values() if result.misses][:_SHOWN],
    }
    for each in finding.beside:
        yield {
            "name": each.name,
            "tried": each.tried,
            "failed": int(not each.met),
            "goal": each.goal,
            "ok": each.met and done,
            "seed": setting.seed,
            "sample": setting.sample,
            "seconds": round(seconds, 1),
            **each.more,
            "failures": [],
            "misses": [],
        }


def _told(case: str, what: Sequence[str]) -> Json:
    return {"case": case, "what": [*what]}


def _kept(file: Path) -> dict[str, dict[str, Json]]:
    try:
        return {entry["name"]: entry for entry in json.loads(file.read_text())}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _write(file: Path, entries: Mapping[str, Json | dict[str, Json]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(list(entries.values()), indent=2, ensure_ascii=False) + "\n")
    fresh.replace(file)


def _summary(entry: Mapping[str, Json]) -> str:
    told = f"{entry['name']}: {entry['tried']} tried, {entry['failed']} failed, {entry['seconds']} s: "
    if entry["ok"]:
        return told + "ok"
    return told + (
        "NOT OK" if entry["failed"] else f"NOT OK, its goal is not met; first misses: {entry['misses']!r:.600}"
    )
