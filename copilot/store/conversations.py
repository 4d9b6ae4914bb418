"""Conversations of the state role: masked text and references, never values, and only one's own.

Somebody else's conversation and one that never was are the same here: there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from copilot.domain.answer import Json
from copilot.domain.clock import Clock
from copilot.domain.question import ConversationView, TurnView
from copilot.store.audit_chain import storable, storable_text
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role

MAX_TITLE = 120
MAX_LISTED = 200
MAX_TURNS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question and its outcome, to be kept. `question` is masked; `plan` is None where nothing was planned."""

    subject: str
    conversation: str
    channel: str
    question: str
    plan: Mapping[str, Json] | None
    verdict: str
    reason: str | None
    audit_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTurn:
    """A turn with the plan that answered it, for a follow-up question or for answering again."""

    position: int
    question: str
    plan: dict[str, Json] | None
    verdict: str
    audit_id: str
    asked_at: datetime

    @classmethod
    def from_row(cls, row: DictRow) -> KeptTurn:
        """A turn as stored."""
        return cls(
            position=row["position"],
            question=row["question"],
            plan=row["plan"],
            verdict=row["verdict"],
            audit_id=str(row["audit_id"]),
            asked_at=row["asked_at"],
        )

    def view(self) -> TurnView:
        """What its owner's page shows."""
        return TurnView(position=self.position, question=self.question, verdict=self.verdict, audit_id=self.audit_id)


def new_conversation() -> str:
    """An id for a conversation that starts with its first turn."""
    return str(uuid4())


class Conversations:
    """The kept conversations of all people, one person at a time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def append(self, turn: Turn) -> int | None:
        """Keep a turn, starting its conversation if it is the first; one statement.

        Returns its position, or None where the conversation is not this person's: then nothing was kept.
        """
        row = await self._one(
            "add_turn",
            conversation=turn.conversation,
            subject=turn.subject,
            channel=turn.channel,
            title=storable_text(turn.question)[:MAX_TITLE],
            question=storable_text(turn.question),
            plan=None if turn.plan is None else Jsonb(storable(dict(turn.plan))),
            verdict=turn.verdict,
            reason=turn.reason,
            audit_id=turn.audit_id,
            now=self._clock(),
        )
        return None if row is None else row["position"]

    async def owns(self, subject: str, conversation: str) -> bool:
        """Whether this is a conversation of this person."""
        known = _uuid(conversation)
        return (
            known is not None and await self._one("own_conversation", conversation=known, subject=subject) is not None
        )

    async def owned(self, subject: str) -> tuple[ConversationView, ...]:
        """A person's conversations, newest first, at most `MAX_LISTED`."""
        rows = await self._all("own_conversations", subject=subject, limit=MAX_LISTED)
        return tuple(
            ConversationView(
                id=str(row["id"]),
                title=row["title"],
                started_at=row["started_at"].isoformat(),
                touched_at=row["touched_at"].isoformat(),
            )
            for row in rows
        )

    async def turns(self, subject: str, conversation: str, *, last: int = MAX_TURNS) -> tuple[KeptTurn, ...]:
        """The last turns of one's own conversation, in order; none where it is not one's own."""
        known = _uuid(conversation)
        if known is None:
            return ()
        rows = await self._all("own_turns", conversation=known, subject=subject, limit=last)
        return tuple(KeptTurn.from_row(row) for row in rows)

    async def turn(self, subject: str, conversation: str, position: int) -> KeptTurn | None:
        """One turn with its plan; None where there is none or it is not one's own."""
        known = _uuid(conversation)
        if known is None or not 0 <= position < 2**31:
            return None
        row = await self._one("own_turn", conversation=known, subject=subject, position=position)
        return None if row is None else KeptTurn.from_row(row)

    async def forget(self, subject: str, conversation: str) -> bool:
        """Delete one's own conversation with its turns and ratings. Returns whether there was one."""
        known = _uuid(conversation)
        if known is None:
            return False
        return await self._one("forget_conversation", conversation=known, subject=subject) is not None

    async def rate(self, subject: str, audit_id: str, *, helpful: bool, comment: str) -> bool:
        """Keep a judgement (`comment` masked). Returns False where the answer is in no conversation of this person."""
        known = _uuid(audit_id)
        if known is None:
            return False
        text = storable_text(comment) or None
        now = self._clock()
        row = await self._one("rate_turn", audit_id=known, subject=subject, helpful=helpful, comment=text, now=now)
        return row is not None

    async def _one(self, name: str, **values: Any) -> DictRow | None:
        async with self._database.statement(Role.STATE) as connection:
            return await (await connection.execute(query(name), values)).fetchone()

    async def _all(self, name: str, **values: Any) -> list[DictRow]:
        async with self._database.statement(Role.STATE) as connection:
            return await (await connection.execute(query(name), values)).fetchall()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
