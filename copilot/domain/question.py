"""What a channel hands over: a text and a credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MAX_QUESTION = 2_000
"""Longest question in characters; a channel refuses longer ones with a clear error."""

Channel = Literal["web", "api", "cli"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question as typed. `conversation` is None for the first of a conversation."""

    text: str
    channel: Channel
    conversation: str | None = None


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A signed access token, still to be verified. `sender` is the address it came from, for counting alone."""

    token: str
    sender: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SessionSubject:
    """The subject of a session that the channel itself has verified (the chat's signed cookie, the local command).

    `session` names a session that goes on from a sign-in at a provider, which may end it: it is looked at again for
    every question. Without one, nothing but the person's own state can end it.
    """

    subject: str
    session: str | None = None


Credential = BearerToken | SessionSubject


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """A sign-in that exists only with the embedded demo company."""

    subject: str
    name: str
    role: str
    where: str
    """The labels granted, in words, such as "region US"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """One turn of a kept conversation: the masked question and what answers it; `position` starts at 0."""

    position: int
    question: str
    verdict: str
    audit_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A kept conversation as its owner's list shows it."""

    id: str
    title: str
    started_at: str
    touched_at: str
