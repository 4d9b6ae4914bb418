"""What a typed question must be before it is asked, the same for the API and the chat."""

from __future__ import annotations

import uuid
from typing import ClassVar

from copilot.domain.question import MAX_QUESTION
from copilot.errors import CopilotError

_ALLOWED_CONTROLS = frozenset("\t\n\r")


class QuestionError(CopilotError):
    """This question cannot be asked as it stands."""

    code: ClassVar[str] = "question_invalid"


class QuestionEmptyError(QuestionError):
    """The question is empty."""

    code = "question_empty"


class QuestionTooLongError(QuestionError):
    """The question is too long."""

    code = "question_too_long"

    def __init__(self) -> None:
        super().__init__(f"The question is longer than {MAX_QUESTION:,} characters. Ask for one thing at a time.")


def clean_question(text: str) -> str:
    """The question without the space around it.

    Raises QuestionError where it is empty, too long, or holds characters that no keyboard types: these would end as
    errors in the database or as invisible text in the audit.
    """
    question = text.strip()
    if not question:
        raise QuestionEmptyError
    if len(question) > MAX_QUESTION:
        raise QuestionTooLongError
    if any(_unprintable(char) for char in question):
        raise QuestionError("The question holds control characters. Type it again as plain text.")
    return question


def clean_conversation(text: str | None) -> str | None:
    """A conversation's id in its one written form. Raises QuestionError where it is no id."""
    if text is None:
        return None
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise QuestionError("The conversation is not one of the ids that an answer carries.") from error


def _unprintable(char: str) -> bool:
    code = ord(char)
    control = code < 0x20 or 0x7F <= code < 0xA0
    return (control and char not in _ALLOWED_CONTROLS) or 0xD800 <= code < 0xE000
