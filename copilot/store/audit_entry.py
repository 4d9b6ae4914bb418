"""What one question leaves in the audit: references and decisions in the row, values only in its sealed blobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from copilot.domain.answer import Json
from copilot.domain.principal import Grant
from copilot.domain.reach import reach_from
from copilot.domain.residency import ANYWHERE, Residency
from copilot.domain.scope import EMPTY_SCOPE, Scope
from copilot.errors import AuditError
from copilot.store.audit_chain import instant, storable, storable_text

MAX_ELAPSED_MS = 2**31 - 1
NOBODY = "nobody"
"""The subject of a row about somebody who could not be told."""
OPERATOR = "operator:"
"""How the subject of a row begins that an account of this machine caused, rather than a person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRef:
    """One record an answer stands on; `version` is its valid_from, `labels` what it was labelled then (region, site,
    channel, account), `age_seconds` how long before the answer it was confirmed. A measure has no labels."""

    ref: str
    entity: str
    row_id: int
    system: str
    key: str
    version: datetime | None = None
    labels: tuple[int, ...] = ()
    age_seconds: int = 0

    def to_json(self) -> dict[str, Json]:
        """The record as the row holds it."""
        return {
            "ref": self.ref,
            "entity": self.entity,
            "row_id": self.row_id,
            "system": self.system,
            "key": self.key,
            "version": instant(self.version) if self.version else None,
            "labels": list(self.labels),
            "age_seconds": self.age_seconds,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCheck:
    """One claim of the draft: its name in the catalogue, the references it used, and what verifying it said."""

    claim: str
    refs: tuple[str, ...]
    verdict: str

    def to_json(self) -> dict[str, Json]:
        """The claim as the row holds it."""
        return {"claim": self.claim, "refs": list(self.refs), "verdict": self.verdict}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecision:
    """Who was let see what, by which version of the policy, and how it went ("allowed", "refused", …)."""

    subject: str
    roles: tuple[str, ...]
    scope: Scope
    version: str
    outcome: str
    grants: tuple[Grant, ...] = ()
    """The grants that it was decided by, so that it can be decided again."""
    classes: tuple[str, ...] = ()
    """The record classes that the question's plan reads."""
    residency: Residency = ANYWHERE
    """Where what the answer stands on comes from, and where it may be processed."""

    def to_json(self) -> dict[str, Json]:
        """The decision as the row holds it."""
        return {
            "subject": self.subject,
            "roles": list(self.roles),
            "scope": self.scope.to_json(),
            "version": self.version,
            "outcome": self.outcome,
            "grants": [grant.to_json() for grant in self.grants],
            "classes": list(self.classes),
            "residency": self.residency.to_json(),
        }


def audited_scope(policy: Mapping[str, Json]) -> Scope:
    """The scope that a row's decision was made under. Rows from before scopes were sums hold one product, its classes
    beside its labels."""
    labels = policy.get("labels")
    if isinstance(labels, dict):
        return Scope((reach_from(labels, policy["classes"]),))
    return Scope.from_json(policy["scope"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One question and what became of it.

    `question` is sealed under the asker's own key, `answer` (the wire form, with its values and the words it repeats)
    and `making` under that and the business key together; everything else stands in the row as it is, so it holds no
    value of a record and nothing unmasked.
    """

    subject: str
    channel: str
    conversation: str | None
    masked_question: str
    kind: str | None
    plan: Mapping[str, Json] | None
    records: tuple[RecordRef, ...]
    verdict: str
    reason: str | None
    engine: str
    claims: tuple[ClaimCheck, ...]
    policy: PolicyDecision
    elapsed_ms: int
    question: str
    answer: Json
    help: Mapping[str, Json] | None = None
    """What models were asked for this answer, by which prompts, and what became of it; None where none was."""
    making: bytes = b""
    """What the answer was made from, for replaying it; nothing where nothing was answered."""
    audit_id: str = field(default_factory=lambda: str(uuid4()))

    def body(self, at: datetime, sealed: list[Json]) -> dict[str, Json]:
        """Every column of the row but those that chain it. Raises AuditError for what the row cannot hold."""
        values: dict[str, Json] = {
            "audit_id": _uuid(self.audit_id),
            "at": instant(at),
            "subject": self.subject,
            "channel": self.channel,
            "conversation": None if self.conversation is None else _uuid(self.conversation),
            "masked_question": storable_text(self.masked_question),
            "kind": self.kind,
            "plan": None if self.plan is None else dict(self.plan),
            "records": [record.to_json() for record in self.records],
            "verdict": self.verdict,
            "reason": self.reason,
            "engine": self.engine,
            "claims": [claim.to_json() for claim in self.claims],
            "policy": self.policy.to_json(),
            "sealed": sealed,
            "elapsed_ms": max(0, min(self.elapsed_ms, MAX_ELAPSED_MS)),
        }
        if self.help is not None:  # rows without it are hashed as those from before there was such a column
            values["help"] = dict(self.help)
        return {name: storable(value) for name, value in values.items()}


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise AuditError(f"{text!r} is not a UUID, so no audit row can name it") from error


def refusal(channel: str, fault: str, version: str) -> AuditEntry:
    """The entry of a sign-in or a token that was refused: by which fault, and of nobody, for nothing was proved."""
    return _refused(channel, f"token_{fault}", version, None)


def refusals(counted: Mapping[tuple[str, str], int], since: datetime, version: str) -> AuditEntry:
    """The one entry of many that one sender was refused, counted by channel and fault."""
    parts: list[Json] = [
        {"channel": channel, "fault": fault, "count": count} for (channel, fault), count in sorted(counted.items())
    ]
    told: dict[str, Json] = {"count": sum(counted.values()), "since": instant(since), "refused": parts}
    return _refused(min(counted)[0], "token_flood", version, told)


def erasure(operator: str, version: str, told: Mapping[str, Json], *, again: bool) -> AuditEntry:
    """The entry of an erasure by an account of this machine, or of one that was brought about again; it names nobody.
    `told` is the erasure as the list has it."""
    subject = OPERATOR + operator
    decision = PolicyDecision(subject=subject, roles=(), scope=EMPTY_SCOPE, version=version, outcome="allowed")
    return AuditEntry(
        subject=subject, channel="cli", conversation=None, masked_question="", kind="erasure", plan=told, records=(),
        verdict="erased", reason="again" if again else None, engine="rules", claims=(), policy=decision, elapsed_ms=0,
        question="", answer=None,
    )  # fmt: skip


def _refused(channel: str, reason: str, version: str, told: Mapping[str, Json] | None) -> AuditEntry:
    decision = PolicyDecision(subject=NOBODY, roles=(), scope=EMPTY_SCOPE, version=version, outcome="refused")
    return AuditEntry(
        subject=NOBODY, channel=channel, conversation=None, masked_question="", kind="sign_in", plan=told, records=(),
        verdict="declined", reason=reason, engine="rules", claims=(), policy=decision, elapsed_ms=0,
        question="", answer=None,
    )  # fmt: skip
