"""erasure: after an erasure, also when an older backup, older keys or an older data folder came back, nothing that the
person left can be read anywhere, the audit chain verifies, and of everybody else everything can be read.

Each case is a company with people who leave words of their own in every place where something is kept of them. Some are
erased, older things come back, and then everything there is gets read: each row of each database as the superuser, each
file of the data folder, and each sealed value with each key there is. In some an erasure is killed at one of its steps.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql

from copilot.domain.json import Json
from copilot.store.audit_verify import verify
from copilot.store.backup import RestoreReport, backup, restore
from copilot.store.embedded_binaries import server_binaries
from copilot.store.erasing import Erasing, copies_of
from copilot.store.erasure_list import ERASURES
from copilot.store.erasures import faults_of
from copilot.store.roles import Role
from copilot.wiring import Runtime
from copilot.wiring.directory import let_in
from evals.company import Company, open_server, running, scratch_folder
from evals.proofs.erasure.people import Person, comes_in, drawn, join, refused, use
from evals.proofs.erasure.search import everything, found
from evals.proofs.erasure.victim import STEPS
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

_RETURNS = ("the backup", "the backup and the keys", "the backup and the whole data folder")
"""What comes back from before the erasures."""
_COMPANIES, _PEOPLE = 9, 48
_SAMPLE_PEOPLE = 6
_KILLED_AMONG = 2
_KILLED = -signal.SIGKILL
_SHOWN = 5


@dataclass(slots=True)
class Scene:
    """One company: its database, its data folder, a drawer for what lies elsewhere, and who was erased."""

    company: Company
    database: str
    home: Path
    drawer: Path
    people: Sequence[Person]
    random: Random
    erased: list[Person] = field(default_factory=list[Person])
    failures: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def dsn(self) -> str:
        return self.company.dsn(self.database)

    @property
    def others(self) -> Sequence[Person]:
        gone = {person.subject for person in self.erased}
        return [person for person in self.people if person.subject not in gone]

    @asynccontextmanager
    async def runtime(self) -> AsyncGenerator[Runtime]:
        """The copilot, started over the database and the data folder as they are; by the real clock."""
        async with running(self.company, self.database, self.home, now=datetime.now(UTC)) as runtime:
            yield runtime

    async def check(self, when: str) -> None:
        """Read everything: nothing of who was erased, all of the others; and the chain."""
        dsns = [self.dsn, *[self.company.dsn(name) for name in await copies_of(self.dsn)]]
        gone = {word: (person, place) for person in self.erased for place, word in person.words.items()}
        kept = {word: (person, place) for person in self.others for place, word in person.words.items()}
        places = await asyncio.to_thread(lambda: found(everything(dsns, self.home), [*gone, *kept]))
        for word, (person, place) in gone.items():
            if word in places:
                self.counts["readable_of_erased"] += 1
                self.failures.append(f"{when}: the {place} of {person.subject} can be read: {places[word][:_SHOWN]}")
        self.counts["words_of_erased"] += len(gone)
        self.counts["words_of_others"] += len(kept)
        self.counts["readable_of_others"] += sum(word in places for word in kept)
        self.failures += [
            f"{when}: the {place} of {person.subject}, who was not erased, can't be read any more"
            for word, (person, place) in kept.items()
            if word not in places
        ]

    async def check_chain(self, runtime: Runtime, when: str) -> None:
        """The chain verifies, agrees with its checkpoint, and the list of erasures is whole."""
        await asyncio.sleep(0)
        report = await verify(runtime.database, self.home)
        self.failures += [f"{when}: {finding.text}" for finding in report.findings]
        if report.signed != report.head:
            self.failures.append(f"{when}: the checkpoint has {report.signed}, the chain {report.head}")
        async with runtime.database.connection(Role.OWNER) as owner:
            self.failures += [f"{when}: {fault}" for fault in await faults_of(owner, self.home)]
        self.counts["chains_verified"] += report.ok

    async def check_doors(self, runtime: Runtime, when: str) -> None:
        """Who was erased is refused, everybody else comes in."""
        for person in self.erased:
            if not await refused(runtime, person):
                self.failures.append(f"{when}: {person.subject} was erased and is let in")
        for person in self.others:
            if not await comes_in(runtime, person):
                self.failures.append(f"{when}: {person.subject} is not let in")
        self.counts["refused"] += len(self.erased)


@dataclass(slots=True)
class ErasureTrial:
    """The suite, opened."""

    company: Company
    setting: Setting
    cases: Sequence[str] = ()

    def __post_init__(self) -> None:
        companies = [f"company {number}: {_RETURNS[number % len(_RETURNS)]}" for number in range(_COMPANIES)]
        killed = [f"killed {when} {step}" for step in STEPS for when in ("before", "after")]
        if self.setting.sample:
            random = Random(self.setting.seed)
            companies, killed = random.sample(companies, 1), random.sample(killed, 2)
        self.cases = [*companies, *killed]

    async def run(self, case: str) -> Result:
        """One company."""
        random = Random(f"{self.setting.seed} {case}")
        killed = case.startswith("killed")
        many = _KILLED_AMONG if killed else _SAMPLE_PEOPLE if self.setting.sample else _PEOPLE
        with self._scene(random, drawn(random, many)) as scene:
            await (_kill(scene, case) if killed else _return(scene, case.partition(": ")[2]))
        return Result(
            case=case, failures=tuple(scene.failures), counts=dict(scene.counts), tried=max(1, len(scene.erased))
        )  # fmt: skip

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """That nothing is readable says nothing where of the others nothing is either."""
        others = counts.get("words_of_others", 0)
        right = counts.get("readable_of_others", 0) / max(1, others)
        more: dict[str, Json] = {
            "readable_of_erased": counts.get("readable_of_erased", 0), "right": round(right, 4),
        }  # fmt: skip
        met = bool(counts.get("words_of_erased")) and bool(others) and right == 1.0
        return Finding(met=met and bool(counts.get("chains_verified")), more=more)

    @contextmanager
    def _scene(self, random: Random, people: Sequence[Person]) -> Generator[Scene]:
        with self.company.clone() as database, scratch_folder() as folder:
            (folder / "drawer").mkdir()
            try:
                yield Scene(self.company, database, folder / "home", folder / "drawer", people, random)
            finally:
                _drop_copies(self.company, database)


async def _return(scene: Scene, what: str) -> None:
    """Some are erased; then what was put away before comes back."""
    half = len(scene.people) // 2
    async with scene.runtime() as runtime:
        await join(runtime, scene.people)
        for person in scene.people:
            await use(runtime, person)
        await scene.check("before")
        await scene.check_chain(runtime, "before")
        await _put_away(scene, runtime)
        for person in scene.random.sample(list(scene.people), half):
            scene.erased.append(person)
            await _erasing(scene, runtime).erase(person.subject)
        await scene.check("erased")
        await scene.check_chain(runtime, "erased")
        await scene.check_doors(runtime, "erased")
    shutil.copy(scene.home / ERASURES, scene.drawer / ERASURES)
    lost = await _come_back(scene, what)
    async with scene.runtime() as runtime:
        replayed = await _erasing(scene, runtime).replay(scene.drawer / ERASURES if lost else None)
        if replayed.recorded != half:
            scene.failures.append(f"{replayed.recorded} of {half} erasures were put on record again")
        await scene.check("restored")
        await scene.check_chain(runtime, "restored")
        await scene.check_doors(runtime, "restored")
        await _one_returns(scene, runtime)
    async with scene.runtime() as runtime:
        await _erasing(scene, runtime).replay()
        await scene.check("started again")
        await scene.check_chain(runtime, "started again")


async def _put_away(scene: Scene, runtime: Runtime) -> None:
    """A backup, and copies of the keys and of the data folder."""
    await backup(scene.dsn, server_binaries(), scene.drawer / "one.backup", scene.home, runtime.clock)
    shutil.copytree(scene.home, scene.drawer / "home")


async def _come_back(scene: Scene, what: str) -> bool:
    """What was put away takes its place again; whether the list of erasures is lost with that."""
    lost = what == _RETURNS[2]
    if lost:
        shutil.rmtree(scene.home)
        shutil.copytree(scene.drawer / "home", scene.home)
        _drop(scene.company, scene.database)  # the machine is a new one, so nothing is asked of the old database
    elif what == _RETURNS[1]:
        shutil.copytree(scene.drawer / "home" / "keys", scene.home / "keys", dirs_exist_ok=True)
    report: RestoreReport = await restore(
        scene.dsn, server_binaries(), scene.drawer / "one.backup", scene.home, lambda: datetime.now(UTC)
    )
    wanted = 0 if lost else len(scene.erased)
    if report.erased.erasures != wanted:
        scene.failures.append(f"the restore erased {report.erased.erasures} people again, not {wanted}")
    if not lost:
        await scene.check("restored, before the first start")
    return lost


async def _one_returns(scene: Scene, runtime: Runtime) -> None:
    """Somebody who was erased is let in again, and has other words: those stay."""
    old = scene.erased[0]
    (new,) = drawn(Random(f"{old.words['name']} again"), 1)
    new = Person(old.subject, new.words)
    await let_in(runtime, old.subject, new.name)
    await use(runtime, new)
    scene.counts["returned"] += 1
    kept = set(new.words.values()) - {new.words["account"], new.words["token"]}
    dsns = [scene.dsn]
    async with scene.runtime() as again:
        await _erasing(scene, again).replay()
        places = await asyncio.to_thread(lambda: found(everything(dsns, scene.home), kept))
    lacking = kept - places.keys()
    if lacking:
        scene.failures.append(f"{len(lacking)} words of somebody who came back are gone")


async def _kill(scene: Scene, case: str) -> None:
    """An erasure is killed at a step; a start completes it, or running it again does."""
    _, when, step = case.split(" ", 2)
    victim = scene.people[0]
    async with scene.runtime() as runtime:
        await join(runtime, scene.people)
        for person in scene.people:
            await use(runtime, person)
        await scene.check("before")
    command = ("-m", "evals.proofs.erasure.victim", scene.dsn, str(scene.home), victim.subject, step, when)
    process = await asyncio.create_subprocess_exec(sys.executable, *command)
    if await process.wait() != _KILLED:
        scene.failures.append(f"the erasure was not killed {when} {step} but ended with {process.returncode}")
    begun = (scene.home / ERASURES).exists() and bool((scene.home / ERASURES).read_bytes())
    if not begun:
        await scene.check("killed before it began")  # then nothing was changed
    scene.erased.append(victim)
    async with scene.runtime() as runtime:
        if begun:
            await scene.check("started after the kill")
        await _erasing(scene, runtime).erase(victim.subject)
        await scene.check("completed")
        await scene.check_chain(runtime, "completed")
        await scene.check_doors(runtime, "completed")
    scene.counts["killed"] += 1


def _erasing(scene: Scene, runtime: Runtime) -> Erasing:
    return Erasing(runtime.database, scene.home, lambda: datetime.now(UTC), runtime.audit, scene.dsn, "op", "1")


def _drop_copies(company: Company, database: str) -> None:
    with psycopg.connect(company.dsn("postgres")) as admin:
        rows = admin.execute("select datname from pg_database where starts_with(datname, %s)", [f"{database}_"])
        names = [row[0] for row in rows.fetchall()]
    for name in names:
        _drop(company, name)


def _drop(company: Company, name: str) -> None:
    with psycopg.connect(company.dsn("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_server() as company:
        yield ErasureTrial(company, setting)


ERASURE = Suite(
    name="erasure",
    goal="erase, restore an older backup, replay erasures: nothing readable, chain verifies",
    open=_open,
)
"""The suite."""
