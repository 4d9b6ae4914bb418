"""What happens in the chat: a question in, progress, the answer out; a kept conversation opened again.

Nothing of an answer is shown before `ask` has returned it, so nothing unverified or unaudited is ever on the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import cast

import chainlit as cl
from chainlit.context import ChainlitContext, get_context
from chainlit.element import ElementDict
from chainlit.session import WebsocketSession
from chainlit.step import StepDict
from chainlit.types import ThreadDict

from copilot.channels.web.cards import Step, answer_steps, card_element, said
from copilot.channels.web.door import Door
from copilot.channels.web.problems import log_unexpected, plain_words
from copilot.channels.web.question_text import clean_question
from copilot.channels.web.session import current_visitor
from copilot.channels.web.starters import Starters
from copilot.domain.answer import Answer
from copilot.domain.ports import Copilot
from copilot.domain.question import Question, SessionSubject
from copilot.errors import AuditError, CopilotError, DatabaseError, SignInError

"""A person's role, as the sign-in names it -> labels and the questions they ask."""

_PROGRESS_AFTER = 0.4
_TURNS_REOPENED = 30
_CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class Desk:
    """The chat's behaviour over one copilot; it keeps no state but the conversation's id in Chainlit's session."""

    copilot: Copilot
    door: Door
    starters: Starters

    async def begin(self) -> None:
        """A new chat. Its thread is named by the first answer's conversation, not by Chainlit."""
        _session(get_context()).has_first_interaction = True

    async def ask(self, message: cl.Message) -> None:
        """Answer one message."""
        context = get_context()
        try:
            question = self._question(message.content)
            answer = await _with_progress(
                context, message.id, self.copilot.ask(question, self._credential(_session(context)))
            )
        except CopilotError as error:
            if isinstance(error, AuditError | DatabaseError):
                log_unexpected(error, "the chat")
            await _say_error(context, message.id, plain_words(error) + _remedy(error))
        except Exception as error:  # noqa: BLE001  whatever it is, the person gets a sentence and the log the cause
            incident = log_unexpected(error, "the chat")
            words = f"The copilot could not do this. Its log names the cause under {incident}."
            await _say_error(context, message.id, words)
        else:
            await _show(context, message, answer)

    async def reopen(self, thread: ThreadDict) -> None:
        """Fill a kept conversation: every turn answered again, under today's scope and data."""
        context = get_context()
        session = _session(context)
        credential, conversation = self._credential(session), thread["id"]
        name, subject = await self.copilot.person_name(credential), credential.subject
        steps: list[Step] = []
        elements: list[ElementDict] = []
        for turn in (await self.copilot.turns(subject, conversation))[-_TURNS_REOPENED:]:
            asked = said(turn.question, thread=conversation)
            asked.update(type="user_message", name=name)
            answer = await self.copilot.reopen(credential, conversation, turn.position)
            run, reply = answer_steps(answer, thread=conversation, parent=asked["id"])
            steps += [asked, run, reply]
            elements.append(card_element(answer, thread=conversation, message=reply["id"]))
        thread["steps"], thread["elements"] = [cast("StepDict", step) for step in steps], elements
        _go_on_with(conversation)
        session.thread_id_to_resume = None  # a connection that drops and returns must not answer it all again

    async def starters_for(self, user: cl.User | None) -> list[cl.Starter]:
        """The questions to begin with, by whoever signed in."""
        if user is None:
            return []
        people, visitor = await self.copilot.demo_people(), current_visitor.get()
        person = next((person for person in people if person.subject == user.identifier), None)
        if person is not None:
            offered = self.starters(person)
        else:
            offered = await self.copilot.first_questions(visitor) if visitor else ()
        return [cl.Starter(label=label, message=question) for label, question in offered]

    def _question(self, text: str) -> Question:
        return Question(text=clean_question(text), channel="web", conversation=_conversation())

    def _credential(self, session: WebsocketSession) -> SessionSubject:
        """Who is asking; a session that ended while the page stayed open asks nothing more."""
        credential = self.door.credential(session.token or "")
        if session.user is None or session.user.identifier != credential.subject:
            raise SignInError("Your session has ended.")
        return credential


def _session(context: ChainlitContext) -> WebsocketSession:
    return cast("WebsocketSession", context.session)


def _conversation() -> str | None:
    return cast("str | None", cl.user_session.get(_CONVERSATION))  # pyright: ignore[reportUnknownMemberType]


def _go_on_with(conversation: str) -> None:
    cl.user_session.set(_CONVERSATION, conversation)  # pyright: ignore[reportUnknownMemberType]


async def _with_progress(context: ChainlitContext, parent: str, asked: Awaitable[Answer]) -> Answer:
    """Wait for the answer, saying so when it takes longer than a blink."""
    working = asyncio.ensure_future(asked)
    note = cast("StepDict", said("Looking it up…", thread=context.session.thread_id, parent=parent))
    shown = False
    try:
        done, _ = await asyncio.wait({working}, timeout=_PROGRESS_AFTER)
        if not done:
            shown = True
            await context.emitter.send_step(note)
        return await working
    finally:
        working.cancel()
        if shown:
            await context.emitter.delete_step(note)


async def _show(context: ChainlitContext, message: cl.Message, answer: Answer) -> None:
    first, emitter, thread = _conversation() is None, context.emitter, answer.conversation
    _go_on_with(thread)
    context.session.thread_id = thread
    run, reply = answer_steps(answer, thread=thread, parent=message.id)
    await emitter.send_step(cast("StepDict", run))
    await emitter.send_element(card_element(answer, thread=thread, message=reply["id"]))
    await emitter.send_step(cast("StepDict", reply))
    if first:
        await emitter.emit("first_interaction", {"interaction": message.content, "thread_id": thread})


async def _say_error(context: ChainlitContext, parent: str, words: str) -> None:
    error = said(words, thread=context.session.thread_id, parent=parent)
    error["isError"] = True
    await context.emitter.send_step(cast("StepDict", error))


def _remedy(error: CopilotError) -> str:
    return " [Sign in again](/signin)" if isinstance(error, SignInError) else ""
