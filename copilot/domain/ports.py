"""What the layers ask of each other without importing each other."""

from __future__ import annotations

from typing import Protocol

from copilot.domain.answer import Answer
from copilot.domain.health import Health
from copilot.domain.prompts import SuiteResult
from copilot.domain.question import (
    Channel,
    ConversationView,
    Credential,
    DemoPerson,
    Question,
    SessionSubject,
    TurnView,
)
from copilot.domain.redaction import Audience, RedactionTrial


class TemplateSuite(Protocol):
    """Tries a template before it is approved. Found among the entry points, so that `evals` can provide it."""

    async def __call__(self, ident: str, text: bytes) -> SuiteResult:
        """What trying it came to; the same text gives the same digest."""
        ...


class Copilot(Protocol):
    """Everything a channel may call. Built by `copilot.wiring`."""

    async def ask(self, question: Question, credential: Credential) -> Answer:
        """Answer one question. Raises SignInError, NoAccessError, AuditError or DatabaseError, never answers less."""
        ...

    async def demo_people(self) -> tuple[DemoPerson, ...]:
        """The demo sign-ins; none where the database is not the embedded one."""
        ...

    async def person_name(self, credential: SessionSubject) -> str:
        """The name of whoever is signed in. Raises SignInError for anybody else."""
        ...

    async def first_questions(self, credential: SessionSubject) -> tuple[tuple[str, str], ...]:
        """Questions to begin with for whoever is signed in, as (label, question). Raises SignInError."""
        ...

    async def conversations(self, subject: str) -> tuple[ConversationView, ...]:
        """A person's kept conversations, newest first."""
        ...

    async def turns(self, subject: str, conversation: str) -> tuple[TurnView, ...]:
        """The turns of one's own conversation; none where it is not one's own."""
        ...

    async def refused(self, channel: Channel, fault: str, sender: str) -> None:
        """Put on record that a sign-in or a token was refused, and by which fault: many of one sender are counted.
        Raises AuditError."""
        ...

    async def reopen(self, credential: SessionSubject, conversation: str, position: int) -> Answer:
        """Answer a kept turn again from its plan, under today's scope and data."""
        ...

    async def forget(self, subject: str, conversation: str) -> None:
        """Delete one's own conversation."""
        ...

    async def rate(self, subject: str, audit_id: str, *, helpful: bool, comment: str) -> None:
        """Keep a person's judgement of an answer."""
        ...

    async def try_redaction(self, credential: SessionSubject, text: str, audience: Audience) -> RedactionTrial:
        """What an audience would get of a text; nothing of it is kept. Raises NoAccessError for all but
        administrators."""
        ...

    async def health(self) -> Health:
        """What is needed for an answer and how it is, in words fit for anybody."""
        ...
