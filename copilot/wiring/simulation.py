"""Holds what was decided, as the audit has it, against a policy that is only proposed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import Any

from copilot.domain.principal import Grant
from copilot.policy.documents import PolicySet
from copilot.policy.policy import Policy
from copilot.policy.simulate import Cited, Decision
from copilot.semantic.model import SemanticModel
from copilot.store.audit_entry import audited_scope
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.wiring.runtime import Runtime


async def proposed(runtime: Runtime, documents: PolicySet) -> Policy:
    """A policy that is not in force, over the places that there are now."""
    now = await runtime.policy()
    return Policy(
        documents, at=runtime.clock(), places=now.places, classes=runtime.asking.model.classes,
        here=runtime.settings.place,
    )  # fmt: skip


async def recorded(runtime: Runtime, last: int) -> AsyncGenerator[Decision | None]:
    """The last decisions on record, the newest first; None for one from before grants were kept with it."""
    async with runtime.database.connection(Role.AUDITOR) as connection:
        cursor = await connection.execute(query("audit_decisions"), {"last": last})
        for row in await cursor.fetchall():
            yield decision_of(row, runtime.asking.model)


def decision_of(row: Mapping[str, Any], model: SemanticModel) -> Decision | None:
    """A decision as its audit row has it."""
    policy = row["policy"]
    if "grants" not in policy:
        return None
    return Decision(
        audit_id=str(row["audit_id"]),
        subject=row["subject"],
        grants=tuple(Grant.from_json(grant) for grant in policy["grants"]),
        classes=frozenset(policy["classes"]),
        scope=audited_scope(policy),
        cited=tuple(
            Cited(
                ref=record["ref"],
                record_class=model[record["entity"]].record_class,
                labels=tuple(record["labels"]),
                age=timedelta(seconds=record["age_seconds"]),
            )
            for record in row["records"]
            if record.get("labels")
        ),
        templates=frozenset(claim["claim"] for claim in row["claims"]),
    )
