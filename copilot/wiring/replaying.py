"""Replays an answer: proves its row, opens what was sealed where that may be, makes the answer again, compares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from copilot.answering.made import Making, unpack
from copilot.domain.json import Json
from copilot.domain.principal import Principal
from copilot.domain.question import Credential
from copilot.domain.scope import Scope
from copilot.errors import AuditError, SettingsError, UnknownAnswerError
from copilot.policy.policy import scope_for
from copilot.replay.again import Again, Broke, again
from copilot.replay.replayed import Replayed, differences
from copilot.replay.rights import Reader, labels_today
from copilot.replay.since import RecordChange, Since, changed, reading, standing, templates_since
from copilot.semantic.language import speaking
from copilot.store.audit import ANSWER, MAKING
from copilot.store.audit_chain import canonical
from copilot.store.audit_entry import audited_scope
from copilot.store.audit_verify import ProvenRow, prove
from copilot.store.erasure_list import ErasureList
from copilot.store.sealing import KeyErasedError, KeyRing, SealedBlob
from copilot.wiring.runtime import Runtime
from copilot.wiring.words_then import language_of, words_then

_READS_ALL = "auditor"
"""The role that may have every answer replayed; it is shown no value but those in its own scope."""


async def replay(runtime: Runtime, credential: Credential, audit_id: str) -> Replayed:
    """Replay an answer for whoever asked for it, or for an auditor.

    Raises SignInError for a credential that is not valid and UnknownAnswerError for what is no answer of theirs.
    """
    line = await runtime.line()
    principal = await line.authenticate(credential)
    row = await prove(runtime.database, runtime.settings.home, _uuid(audit_id))
    if row is None or not (_READS_ALL in principal.roles or row.body["subject"] == principal.subject):
        raise UnknownAnswerError(
            f"there is no answer {audit_id!r} that {principal.subject!r} may replay; one's own may be replayed, by an "
            "auditor every one: `erp-copilot ask --json` shows the `audit_id`"
        )
    return await _Replaying(runtime, principal, scope_for(principal, line.policy), row).replay()


@dataclass(frozen=True, slots=True)
class _Replaying:
    """One replay, by one person."""

    runtime: Runtime
    principal: Principal
    scope: Scope
    row: ProvenRow

    async def replay(self) -> Replayed:
        """What it comes to."""
        row = self.row
        told = Replayed(
            id=row.id, row=row.body, sealed=len(row.blobs), findings=tuple(each.text for each in row.findings),
            values="not_kept",
        )  # fmt: skip
        policy: Any = row.body.get("policy")
        if MAKING not in row.blobs or ANSWER not in row.blobs or policy is None:
            return told
        reader = Reader(
            now=self.scope, then=audited_scope(policy), classes=frozenset(policy.get("classes", ())),
            model=self.runtime.asking.model,
        )  # fmt: skip
        audits = _READS_ALL in self.principal.roles
        if not audits and not reader.may_read_classes():
            return replace(told, values="hidden")
        try:
            sealed, making = self._opened()
        except KeyErasedError:
            return replace(told, values="erased", erased_at=self._erased_at())
        except (AuditError, ValueError) as error:
            findings = told.findings or (f"what the answer was made from: {error}",)
            return replace(told, values="damaged", findings=findings)
        today = await labels_today(self.runtime.database, reader.model, making.records)
        shown = reader.may_read_classes() and reader.may_read(making, today)
        if not shown and not audits:
            return replace(told, values="hidden")
        return await self._compared(replace(told, values="shown" if shown else "hidden"), sealed, making)

    def _opened(self) -> tuple[bytes, Making]:
        ring = KeyRing(self.runtime.settings.home)
        return self.row.blobs[ANSWER].open(ring), opened(self.row.blobs[MAKING], ring)

    def _erased_at(self) -> str | None:
        """When the key of whoever asked was destroyed; None where no erasure says so: then it is only missing."""
        home = self.runtime.settings.home
        name, _, _ = self.row.blobs[ANSWER].key_id.partition("+")
        erased = [each.at for each in ErasureList(home).read().erasures if each.key == name]
        return min((at for at in erased if at >= str(self.row.body["at"])), default=None)

    async def _compared(self, told: Replayed, sealed: bytes, making: Making) -> Replayed:
        at = datetime.fromisoformat(str(self.row.body["at"]))
        language = language_of(self.runtime, making.language)
        with speaking(language):
            words = await words_then(self.runtime, making, language, at)
            found = again(making, words, self.runtime.asking.model)
            since = await self._since(making, shown=told.values == "shown")
        rebuilt = self._finished(found)
        then: Any = json.loads(sealed)
        broke = (*found.broke, *(Broke(stage="decide", what=what) for what in self._row_otherwise(found, making)))
        same = canonical(rebuilt) == sealed
        return replace(
            told, identical=None if words.gone and not same else same and not broke, bytes=len(sealed), broke=broke,
            differences=() if same else tuple(differences(then, rebuilt)),
            gone=tuple(sorted(words.gone)), answer=then, since=since,
        )  # fmt: skip

    def _finished(self, found: Again) -> dict[str, Json]:
        """The answer with what no step of it makes: of which conversation and row, and how long it took."""
        body = self.row.body
        return found.answer.to_json() | {name: body[name] for name in ("conversation", "audit_id", "elapsed_ms")}

    def _row_otherwise(self, found: Again, making: Making) -> Iterator[str]:
        """What stands open in the row and comes out otherwise."""
        body, answer = self.row.body, found.answer
        reason = answer.reason.value if answer.reason else None
        made = {"verdict": answer.verdict.value, "reason": reason, "kind": answer.kind, "engine": answer.engine}
        yield from (f"the row's {name}" for name, value in made.items() if body[name] != value)
        records = {record.id: record for record in making.records}
        listed: Any = body["records"]
        for each in listed:
            record = records.get(each["ref"])
            if record is None or (record.entity, record.row_id) != (each["entity"], each["row_id"]):
                yield f"the row's record {each['ref']}"

    async def _since(self, making: Making, *, shown: bool) -> Since:
        runtime, body = self.runtime, self.row.body
        said, policy = await runtime.sentences(), await runtime.policy()
        version: Any = body["policy"]
        then = str(version["version"])
        prompts, models = _asked(body.get("help"))
        served = frozenset(each.name for each in await runtime.models.states()) if runtime.models else frozenset[str]()
        return Since(
            records=tuple(await self._records(making)) if shown else None,
            templates=templates_since(making.templates, said.templates),
            policy=None if then == policy.version else (then, policy.version),
            prompts=dict(await self._prompts(prompts)),
            models=tuple(sorted(models - served)),
        )

    async def _records(self, making: Making) -> list[RecordChange]:
        """The records that the answer used, as they are now in the reader's scope."""
        line = await self.runtime.line()
        listed: Any = self.row.body["records"]
        used = {each["ref"] for each in listed}
        records = [record for record in standing(making.records) if record.id in used]
        if not records:
            return []
        now = await line.retrieve(reading(records), self.scope, self.runtime.clock())
        return list(changed(records, tuple(now.by_id().values()), line.model))

    async def _prompts(self, asked: frozenset[str]) -> list[tuple[str, str]]:
        """What has become of the prompts that models were asked by: `plan/question v1`."""
        approvals = await self.runtime.prompts()
        found: list[tuple[str, str]] = []
        for prompt in sorted(asked):
            ident, _, version = prompt.partition(" v")
            standing_now = approvals.standings.get(ident)
            now = standing_now and standing_now.produced(approvals.today)
            if now is None:
                found.append((prompt, "not in force"))
            elif str(now.text.version) != version.partition(" ")[0]:
                found.append((prompt, f"v{now.text.version} is in force"))
        return found


def opened(blob: SealedBlob, ring: KeyRing) -> Making:
    """What an answer was made from. Raises KeyErasedError where its key is gone, AuditError or ValueError where it is
    not what was sealed."""
    return unpack(blob.open(ring))


def _uuid(given: str) -> str:
    try:
        return str(UUID(given))
    except ValueError as error:
        raise SettingsError(
            f"{given!r} is no id of an answer; it is the `audit_id` that `erp-copilot ask --json` shows"
        ) from error


def _asked(told: Json) -> tuple[frozenset[str], frozenset[str]]:
    """The prompts and the models that a row names, wherever in its `help` they stand."""
    prompts: set[str] = set()
    models: set[str] = set()
    for name, value in _pairs(told):
        if value and isinstance(value, str) and name in ("prompt", "model"):
            (prompts if name == "prompt" else models).add(value)
    return frozenset(prompts), frozenset(models)


def _pairs(told: Json) -> Iterator[tuple[str, Json]]:
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    for each in inner:
        yield from _pairs(each)
    if isinstance(told, Mapping):
        yield from told.items()
