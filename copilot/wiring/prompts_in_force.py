"""Which templates are approved at this moment: the shipped ones, and after them the signed changes in the database.

Read for every question: the last change is one row, and only when it is another are signatures verified again. What
can't be verified is not used, and what was once changed here never falls back to the shipped form by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from copilot.domain.clock import Clock
from copilot.domain.prompts import PromptChange, PromptText
from copilot.errors import PromptNotInForceError, UnapprovedTemplateError
from copilot.policy.prompt_chain import Approved, Standing, is_among, late, shipped_standing, standings
from copilot.policy.signing import Signers
from copilot.store.prompts import Prompts, change_of
from copilot.wiring.remembered import Mark, Remembered
from prompts.errors import TemplateError
from prompts.prompt import Prompt, parse
from prompts.shipped import CLAIMS, Shipped, shipped, shipped_prompts

_HEAD = "prompts-head.json"
_log = logging.getLogger(__name__)
_Stamp = tuple[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """How every template stands on a day. With a `fault` the changes can't be believed, and none of the templates that
    they speak of runs."""

    standings: Mapping[str, Standing]
    today: date
    fault: str = ""


class ApprovedPrompts:
    """Gives the approvals at this moment; the same value as long as nothing changed."""

    def __init__(self, store: Prompts, signers: Signers, clock: Clock, *, home: Path) -> None:
        self.store = store
        self.signers = signers
        self._clock = clock
        self._remembered = Remembered(home / _HEAD, "the templates", "prompts", PromptNotInForceError)
        self.shipped = shipped_texts()
        """By id, read once: what is edited afterwards is looked at when the program starts again."""
        self._baseline = {ident: shipped_standing(text, approver) for ident, (text, approver) in self.shipped.items()}
        self._verifying = asyncio.Lock()
        self._held: tuple[_Stamp, Mapping[str, Standing]] | None = None
        self._made: Approvals | None = None
        self._parsed: dict[str, Prompt | None] = {}

    async def __call__(self) -> Approvals:
        """The approvals; those that can't be verified are none."""
        try:
            found = await self._now()
        except PromptNotInForceError as error:
            found = await self._unbelieved(str(error))
        if found is not self._made and found.fault:
            _log.warning("templates that were approved here are not used: %s", found.fault)
        self._made = found
        return found

    async def for_role(self, task: str, role: str, subject: str) -> Prompt | None:
        """The prompt of a task for a person in a role: the staged version for those whom it is for, else the one for
        everybody; None where none is in force, and the rules answer alone."""
        found = await self()
        for standing in (each for _, each in sorted(found.standings.items()) if each.id.startswith(f"{task}/")):
            staged = standing.staged
            first = staged.version if staged and is_among(standing.id, staged, role, subject) else None
            for version in dict.fromkeys((first, standing.production)):
                prompt = self._prompt(standing.in_force(version, found.today))
                if prompt is not None and (prompt.roles is None or role in prompt.roles):
                    return prompt
        return None

    def _prompt(self, approved: Approved | None) -> Prompt | None:
        """The prompt of an approved text, read once; None where there is none, or it is another than it says."""
        if approved is None:
            return None
        text = approved.text
        if text.sha256 not in self._parsed:
            try:
                self._parsed[text.sha256] = parse(text.text)
            except TemplateError as error:
                _log.warning("a prompt is not used: %s", error)
                self._parsed[text.sha256] = None
        prompt = self._parsed[text.sha256]
        return prompt if prompt is not None and (prompt.id, prompt.version) == (text.id, text.version) else None

    async def changes(self) -> tuple[PromptChange, ...]:
        """All changes, the oldest first."""
        return await self.store.changes()

    async def texts(self) -> Mapping[tuple[str, int, str], PromptText]:
        """Every text there is, shipped or submitted, by id, version and hash."""
        every = [*await self.store.texts(), *(text for text, _ in self.shipped.values())]
        return {(text.id, text.version, text.sha256): text for text in every}

    async def earlier(self, at: datetime) -> AsyncGenerator[Approvals]:
        """How the templates stood at other times, seen on the day of a moment: first after the last change before it,
        then after every other one, the newest first, and as they were shipped. Raises PromptNotInForceError where the
        changes can't be believed."""
        changes, texts = await self.store.changes(), await self.texts()
        refused = frozenset(self._remembered.seen().refused)
        before = sum(datetime.fromisoformat(each.signed_at) <= at for each in changes)
        for count in dict.fromkeys((before, *range(len(changes), -1, -1))):
            found = standings(self._baseline, changes[:count], texts, self.signers, refused)
            yield Approvals(standings=found, today=at.astimezone(UTC).date())

    async def _now(self) -> Approvals:
        row = await self.store.head()
        seen, last = self._remembered.seen(), None if row is None else change_of(row)
        today = max(self._clock().astimezone(UTC).date(), _day(seen))
        if last is None:
            self._remembered.follow(replace(seen, sequence=0, signature=""))
            self._remembered.pass_day(today.isoformat())
            return self._same(Approvals(standings=self._baseline, today=today))
        stamp = last.hash(), self.signers.stamp()
        if self._held is None or self._held[0] != stamp:
            async with self._verifying:
                if self._held is None or self._held[0] != stamp:
                    self._held = stamp, await self._verified(last, today)
        self._remembered.pass_day(today.isoformat())
        return self._same(Approvals(standings=self._held[1], today=today))

    async def _verified(self, last: PromptChange, today: date) -> Mapping[str, Standing]:
        changes = [each for each in await self.store.changes() if each.sequence <= last.sequence]
        if not changes or changes[-1] != last:
            raise PromptNotInForceError("the templates changed while they were read; ask again")
        seen = self._remembered.seen()
        new = [each for each in changes if each.sequence > seen.sequence] if seen.day else []
        refused = {*seen.refused, *late(new, self.signers, today)}
        texts = await self.texts()
        found = await asyncio.to_thread(
            standings, self._baseline, changes, texts, self.signers, frozenset(refused)
        )  # fmt: skip
        self._require_kept(changes)
        mark = Mark(
            sequence=last.sequence, signature=last.hash(), ids=tuple(sorted({each.id for each in changes})),
            refused=tuple(sorted(refused)), day=today.isoformat(),
        )  # fmt: skip
        self._remembered.follow(mark)
        return found

    def _require_kept(self, changes: Sequence[PromptChange]) -> None:
        """What was last in force is still among the changes: another order of them, however it is signed, is none."""
        seen = self._remembered.seen()
        kept = next((each for each in changes if each.sequence == seen.sequence), None)
        if kept is not None and kept.hash() != seen.signature:
            raise PromptNotInForceError(
                f"change {seen.sequence} of the templates is not the one that was in force before; restore the "
                "database from a backup"
            )

    async def _unbelieved(self, fault: str) -> Approvals:
        """The shipped templates that no change ever spoke of."""
        today = self._clock().astimezone(UTC).date()
        try:
            spoken = {*self._remembered.seen().ids, *(each.id for each in await self.store.changes())}
        except PromptNotInForceError:
            spoken = {*self._baseline}  # what they speak of is not known either
        if self._held is not None:
            spoken |= {ident for ident, each in self._held[1].items() if each.changed}
        ended = {ident: Standing(id=ident, fault=fault, changed=True) for ident in spoken}
        return self._same(Approvals(standings=self._baseline | ended, today=today, fault=fault))

    def _same(self, found: Approvals) -> Approvals:
        """The value given before where it says the same, so that what is made of it can be kept."""
        before = self._made
        same = before is not None and (before.today, before.fault) == (found.today, found.fault)
        return before if before and same and before.standings == found.standings else found


def shipped_texts() -> Mapping[str, tuple[PromptText, str]]:
    """The shipped templates that are as approved, and their approvers, by id. A prompt for a model that is not as
    approved is left out, for the rules answer without it. Raises UnapprovedTemplateError for a claim template."""
    prompts, faults = shipped_prompts()
    for fault in faults:
        _log.warning("a prompt is not used: %s", fault)
    try:
        found: Iterable[Shipped] = [*shipped(CLAIMS).values(), *prompts.values()]
    except TemplateError as error:
        raise UnapprovedTemplateError(str(error)) from error
    return {each.id: (_text(each), each.approver) for each in found}


def _text(each: Shipped) -> PromptText:
    return PromptText(
        id=each.id,
        version=each.version,
        sha256=each.sha256,
        author=each.author,
        why="shipped",
        text=each.text,
        shipped=True,
    )


def _day(seen: Mark) -> date:
    """The last day that was seen: a clock that is set back brings back no approval that has ended."""
    return date.fromisoformat(seen.day) if seen.day else date.min
