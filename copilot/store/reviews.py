"""Reviews of answers that a person called wrong: opened by them, listed with the trace, closed with a note."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from copilot.domain.clock import Clock
from copilot.domain.json import Json
from copilot.store.audit_chain import storable_text
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role

MOST_LISTED = 500
_MOST_WORDS = 500
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One open review with the trace of its answer: masked words, references and verdicts, no value of a record.

    `trace` is None where the audit has no such row, which `erp-copilot audit verify` looks into.
    """

    number: int
    subject: str
    conversation: str
    audit_id: str
    words: str
    opened_at: datetime
    trace: dict[str, Json] | None

    @classmethod
    def from_row(cls, row: DictRow) -> Review:
        """A review as stored, with its audit row."""
        trace: dict[str, Json] | None = None
        if row["at"] is not None:
            names = ("masked_question", "kind", "verdict", "reason", "plan", "records", "claims")
            trace = {"at": row["at"].isoformat(), **{name: row[name] for name in names}}
        return cls(
            number=row["number"], subject=row["subject"], conversation=str(row["conversation"]),
            audit_id=str(row["audit_id"]), words=row["words"], opened_at=row["opened_at"], trace=trace,
        )  # fmt: skip

    def to_json(self) -> dict[str, Json]:
        """As the command prints it."""
        return {
            "number": self.number,
            "subject": self.subject,
            "conversation": self.conversation,
            "audit_id": self.audit_id,
            "words": self.words,
            "opened_at": self.opened_at.isoformat(),
            "trace": self.trace,
        }


class Reviews:
    """The reviews of all people."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def open(self, subject: str, conversation: str, audit_id: str, words: str) -> int | None:
        """Open a review of an answer in one's own conversation (`words` masked), or find the one that is open.

        Returns its number; None where the answer is in no conversation of this person.
        """
        about = {"subject": subject, "conversation": UUID(conversation), "audit_id": UUID(audit_id)}
        said = storable_text(words)[:_MOST_WORDS]
        row = await self._one(Role.STATE, "open_review", **about, words=said, now=self._clock())
        return int(row["number"]) if row else await self.number(subject, conversation, audit_id)

    async def number(self, subject: str, conversation: str, audit_id: str) -> int | None:
        """The number of one's own newest review of an answer; None where there is none."""
        about = {"subject": subject, "conversation": UUID(conversation), "audit_id": UUID(audit_id)}
        row = await self._one(Role.STATE, "own_review", **about)
        return int(row["number"]) if row else None

    async def listed(self) -> tuple[Review, ...]:
        """The open reviews with their traces, oldest first, at most `MOST_LISTED`."""
        async with self._database.connection(Role.AUDITOR) as connection:
            rows = await (await connection.execute(query("open_reviews"), {"limit": MOST_LISTED})).fetchall()
        return tuple(Review.from_row(row) for row in rows)

    async def close(self, number: int, *, by: str, note: str) -> bool:
        """Close a review. Returns False where there is no open one of that number."""
        if not 0 < number <= _LARGEST:
            return False
        said = {"by": storable_text(by), "note": storable_text(note)}
        return await self._one(Role.STATE, "close_review", number=number, **said, now=self._clock()) is not None

    async def _one(self, role: Role, name: str, **values: Any) -> DictRow | None:
        async with self._database.connection(role) as connection:
            return await (await connection.execute(query(name), values)).fetchone()
