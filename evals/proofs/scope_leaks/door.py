"""The full door: a question goes in through a channel, the answer and its audit row are looked through."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import Any

import httpx
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from copilot.channels.web.app import create_app
from copilot.domain.question import MAX_QUESTION, Channel, Question, SessionSubject
from copilot.understanding.kinds import load_kinds
from copilot.wiring import Runtime
from evals.proofs.cases import Case
from evals.proofs.leaks import Watch, lasting
from evals.proofs.scope_leaks.typed import Typed
from evals.proofs.walk import Found, Walk

CHANNELS: tuple[Channel, ...] = ("cli", "web", "api")
_AT = "http://127.0.0.1:8000"
_REFUSED = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
_ERROR_KEYS = {"type", "title", "status", "code", "detail"}
Wire = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """The company's front: its API by HTTP, the other channels by the line that they all share, and its audit."""

    copilot: Runtime
    http: httpx.AsyncClient
    admin: AsyncConnection[Any]

    async def ask(self, subject: str, text: str, channel: Channel, conversation: str | None = None) -> Wire:
        """The answer in its wire form; of what a channel does not take, its error as one with the status."""
        if channel != "api":
            question = Question(text=text, channel=channel, conversation=conversation)
            return (await self.copilot.ask(question, SessionSubject(subject))).to_json()
        head = {"Authorization": f"Bearer {self.copilot.token(subject)}"}
        body = {"question": text, "conversation": conversation}
        answer = await self.http.post("/api/v1/ask", json=body, headers=head)
        return answer.json()

    async def audited(self, answer: Wire) -> Wire:
        """The audit row of an answer, without what is sealed."""
        cursor = self.admin.cursor(row_factory=dict_row)
        await cursor.execute("select * from audit.entry where audit_id = %s", (answer["audit_id"],))
        row = await cursor.fetchone()
        return {name: value for name, value in (row or {}).items() if not isinstance(value, bytes) and name != "sealed"}

    async def leaks(
        self, watch: Watch, text: str, answer: Wire, about: Typed | None = None, before: Wire | None = None
    ) -> list[str]:
        """What is wrong with an answer and its row; `about` is what was asked, where that names a record.

        The row of a follow-up may name by its id what the answer `before` was about, for that is what it asks about.
        """
        if "audit_id" not in answer:
            return [*_strange_error(answer)]
        kind = load_kinds().get(about.kind) if about else None
        reached: Mapping[str, Found] = {}
        if kind and about and about.references:
            reached = Walk(watch.world, kind, about.references).steps()
        asked = Case(actor=watch.actor.subject, kind="", anchors=(), question=f"{text} {_seen(text)}")
        row = await self.audited(answer)
        if before and row["plan"]:
            row = {**row, "plan": _less(row["plan"], (await self.audited(before))["plan"])}
        return [*watch.leaks(asked, answer, row, reached)]


def _seen(text: str) -> str:
    """A text without the characters that only steer how it is set: an echo of it goes without them too."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def _less(plan: Wire, before: Wire | None) -> Wire:
    """An audited plan without the references that it took over."""
    known: Wire = before["references"] if before else {}
    left = {entity: [i for i in ids if i not in known.get(entity, ())] for entity, ids in plan["references"].items()}
    return {**plan, "references": left}


def _strange_error(answer: Wire) -> Iterator[str]:
    """An error says what kind of error it is, and nothing else."""
    if set(answer) != _ERROR_KEYS or answer["status"] not in _REFUSED:
        yield f"the error is {answer!r}"


def comparable(answer: Wire) -> Wire:
    """An answer or an error without what differs from one asking to the next."""
    return lasting(dict(answer)) if "audit_id" in answer else answer


def spoilt(text: str, draw: Random) -> str:
    """A text as a broken client may send it."""
    ways = (text, text * (MAX_QUESTION // max(1, len(text)) + 1), f" \t{text}\n\n", f"{text}\x07", " ")
    return draw.choice(ways)


@asynccontextmanager
async def open_door(copilot: Runtime, dsn: str) -> AsyncGenerator[Doorway]:
    """The doorway of a copilot; `dsn` is the superuser's."""
    transport = httpx.ASGITransport(create_app(copilot, copilot.settings), raise_app_exceptions=False)
    async with (
        httpx.AsyncClient(transport=transport, base_url=_AT) as http,
        await AsyncConnection.connect(dsn, autocommit=True) as admin,
    ):
        yield Doorway(copilot=copilot, http=http, admin=admin)
