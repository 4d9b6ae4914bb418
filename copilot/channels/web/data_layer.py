"""Chainlit's data layer over the copilot's conversations: it stores nothing itself and never holds a value.

Chainlit hands over no user with most of these calls, so each works for `current_visitor`, which the gate in front of
it set from the session of this very request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainlit.data.base import BaseDataLayer
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from chainlit.user import PersistedUser, User

from copilot.channels.web.problems import plain_words
from copilot.channels.web.session import current_visitor
from copilot.domain.ports import Copilot
from copilot.domain.question import ConversationView, SessionSubject
from copilot.errors import CopilotError, SignInError

if TYPE_CHECKING:
    from chainlit.element import Element, ElementDict
    from chainlit.step import StepDict

_LONGEST_COMMENT = 2_000


@dataclass(frozen=True, slots=True)
class ConversationLayer(BaseDataLayer):
    """Conversations, turns and ratings of whoever the request in hand is for."""

    copilot: Copilot

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """The person, if enabled."""
        name = await self.copilot.person_name(SessionSubject(identifier))
        return PersistedUser(id=identifier, identifier=identifier, display_name=name, createdAt="", metadata={})

    async def create_user(self, user: User) -> PersistedUser | None:
        """People are never made here."""
        return await self.get_user(user.identifier)

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """One page of the person's own conversations, newest first."""
        sought = (filters.search or "").casefold()
        subject = _subject()
        found = [view for view in await self.copilot.conversations(subject) if sought in view.title.casefold()]
        start = _after(found, pagination.cursor)
        page = found[start : start + pagination.first]
        more = start + len(page) < len(found)
        info = PageInfo(more, page[0].id if page else None, page[-1].id if page else None)
        return PaginatedResponse(pageInfo=info, data=[_thread(view, subject) for view in page])

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A conversation without its turns: those are answered again, and that only when it is really opened."""
        subject = _subject()
        views = await self.copilot.conversations(subject)
        return next((_thread(view, subject) for view in views if view.id == thread_id), None)

    async def get_thread_author(self, thread_id: str) -> str:
        """The person in hand for a conversation of their own, nobody for any other."""
        subject = _subject()
        own = await self.copilot.turns(subject, thread_id)
        return subject if own else ""

    async def delete_thread(self, thread_id: str) -> None:
        """Forget one of the person's own conversations."""
        await self.copilot.forget(_subject(), thread_id)

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Keep a thumb and its comment under the audit id, which is the id of the run."""
        comment = (feedback.comment or "")[:_LONGEST_COMMENT]
        try:
            await self.copilot.rate(_subject(), feedback.forId, helpful=feedback.value == 1, comment=comment)
        except CopilotError as error:
            raise ValueError(plain_words(error)) from None  # Chainlit shows the text of whatever is raised here
        return feedback.forId

    async def delete_feedback(self, feedback_id: str) -> bool:  # noqa: ARG002
        """A rating can be changed, not withdrawn."""
        return False

    async def update_thread(self, *_args: object, **_kwargs: object) -> None:
        """The copilot names its own conversations."""

    async def create_step(self, step_dict: StepDict) -> None:
        """Steps are not kept: the copilot keeps the masked question and its plan."""

    async def update_step(self, step_dict: StepDict) -> None:
        """Not kept."""

    async def delete_step(self, step_id: str) -> None:
        """Not kept."""

    async def create_element(self, element: Element) -> None:
        """Cards are not kept."""

    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:  # noqa: ARG002
        """Cards are not kept."""
        return None

    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Cards are not kept."""

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:  # noqa: ARG002
        """There are none."""
        return []

    async def build_debug_url(self) -> str:
        """There is none."""
        return ""

    async def close(self) -> None:
        """Nothing is open."""


def _subject() -> str:
    visitor = current_visitor.get()
    if visitor is None:
        raise SignInError
    return visitor.subject


def _after(views: list[ConversationView], cursor: str | None) -> int:
    return next((index + 1 for index, view in enumerate(views) if view.id == cursor), 0)


def _thread(view: ConversationView, subject: str) -> ThreadDict:
    return ThreadDict(
        id=view.id,
        createdAt=view.touched_at,
        name=view.title,
        userId=subject,
        userIdentifier=subject,
        tags=None,
        metadata={"conversation": view.id},
        steps=[],
        elements=[],
    )
