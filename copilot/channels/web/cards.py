"""An answer as the chat shows it: the text as a message and the card under it.

Both go to Chainlit as plain dictionaries, the same for a fresh answer and for a kept one that is opened again, so
nothing of an answer passes through Chainlit's own files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypedDict
from uuid import uuid4

from copilot.channels.marks import FALLBACKS
from copilot.channels.web.documents import DocumentCard, Shipment, document_card, shipment_cards
from copilot.channels.web.printed import age_words, web_link
from copilot.domain.answer import Answer, Reason, Source, Verdict
from copilot.domain.model_calls import Engine

if TYPE_CHECKING:
    from chainlit.element import ElementDict

ASSISTANT = "ERP Copilot"
"""The name the chat speaks under, as `root/config.toml` has it."""

_VERDICTS: Mapping[Verdict, str] = {
    Verdict.VERIFIED: "Checked",
    Verdict.PARTIAL: "Partly answered",
    Verdict.DECLINED: "Not answered",
}
_REASONS: Mapping[Reason, str] = {
    Reason.NOT_FOUND: "nothing found under that name or number",
    Reason.AMBIGUOUS: "several records fit",
    Reason.STALE: "the data is too old to rely on",
    Reason.CONFLICTING: "two sources disagree",
    Reason.UNSUPPORTED: "not a kind of question it answers",
    Reason.UNVERIFIABLE: "it could not be checked",
    Reason.MODEL_UNAVAILABLE: "the language model is not reachable",
    Reason.NO_ACCESS: "you have no access to the copilot",
    Reason.WRONG_PREMISE: "what it takes for granted is not so",
}
_ENGINES: Mapping[Engine, str] = {"rules": "by rules", "model": "with a model"}

_CODE = re.compile(r"(`+[^`]*`+)")
_ADDRESS = re.compile(r"(?=://)|(?<=www)(?=\\?\.)|(?=@)", re.IGNORECASE)
"""The places in an address where Chainlit no longer takes it for one when a word joiner stands there. Behind "://" it
would: a browser leaves the joiner out of a host's name, and the link works."""
_JOINER = "\u2060"
_SPECIAL = re.compile(r"(?<!\\)(?:!(?=\[)|:(?=[A-Za-z]))")


class SourceCard(TypedDict):
    """One source, opened on demand."""

    id: str
    kind: str
    title: str
    system: str
    entity: str
    key: str
    age: str
    confirmed: str
    changed: str | None
    link: str | None
    fields: list[tuple[str, str]]


class ChoiceButton(TypedDict):
    """One of several records the question could mean."""

    label: str
    question: str


class AnswerCard(TypedDict):
    """What the page's card is drawn from; every value is shown as text."""

    verdict: str
    verdict_label: str
    reason: str | None
    age: str | None
    engine: str
    fallback: str | None
    document: DocumentCard | None
    shipments: list[Shipment]
    sources: list[SourceCard]
    choices: list[ChoiceButton]
    next_steps: list[str]
    understood: str
    audit_id: str


def answer_card(answer: Answer) -> AnswerCard:
    """The card of one answer."""
    drawn = tuple(source for source in answer.sources if not source.version)
    document = document_card(drawn)
    ages = [source.age_seconds for source in answer.sources]
    return AnswerCard(
        verdict=answer.verdict.value,
        verdict_label="Please choose" if answer.reason is Reason.AMBIGUOUS else _VERDICTS[answer.verdict],
        reason=_REASONS[answer.reason] if answer.reason else None,
        age=age_words(max(ages)).removeprefix("just ") if ages else None,
        engine=_ENGINES[answer.engine],
        fallback=f"without the model, {FALLBACKS[answer.fallback]}" if answer.fallback else None,
        document=document,
        shipments=[] if document else shipment_cards(drawn),
        sources=[_source(source) for source in answer.sources],
        choices=[ChoiceButton(label=choice.label, question=choice.question) for choice in answer.choices],
        next_steps=list(answer.next_steps),
        understood=answer.understood,
        audit_id=answer.audit_id,
    )


def _source(source: Source) -> SourceCard:
    return SourceCard(
        id=source.id,
        kind=source.kind,
        title=source.title,
        system=source.system,
        entity=source.entity.replace("_", " "),
        key=source.key,
        age=age_words(source.age_seconds),
        confirmed=_instant(source.confirmed_at),
        changed=_instant(source.changed_at) if source.changed_at else None,
        link=web_link(source.link),
        fields=list(source.fields.items()),
    )


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class Step(TypedDict):
    """One step as Chainlit's page takes it; its own type leaves everything optional."""

    id: str
    threadId: str
    parentId: str | None
    name: str
    type: Literal["run", "user_message", "assistant_message"]
    input: str
    output: str
    createdAt: str
    start: str
    end: str
    streaming: bool
    isError: bool
    metadata: dict[str, str]


def said(text: str, *, thread: str, parent: str | None = None) -> Step:
    """One message of the assistant's; change what differs."""
    now = datetime.now(UTC).isoformat()
    return Step(
        id=str(uuid4()),
        threadId=thread,
        parentId=parent,
        name=ASSISTANT,
        type="assistant_message",
        input="",
        output=text,
        createdAt=now,
        start=now,
        end=now,
        streaming=False,
        isError=False,
        metadata={},
    )


def answer_steps(answer: Answer, *, thread: str, parent: str | None) -> tuple[Step, Step]:
    """The run and its one message. The run's id is the audit id, which is what a rating is kept under."""
    run = said("", thread=thread, parent=parent)
    run.update(id=answer.audit_id, type="run", name="on_message")
    return run, said(plain_markdown(answer.answer), thread=thread, parent=answer.audit_id)


def plain_markdown(text: str) -> str:
    """The answer's markdown without three things Chainlit would make of it: images, directives out of colons, and links
    out of bare addresses, which a word joiner keeps from being recognised; whoever copies one gets it without.

    The core escapes what fields hold. This is the second wall, and keeps a name like `Main:Chicago` whole.
    """
    text = _ADDRESS.sub(_JOINER, text)
    pieces = _CODE.split(text)
    return "".join(piece if index % 2 else _SPECIAL.sub(r"\\\g<0>", piece) for index, piece in enumerate(pieces))


def card_element(answer: Answer, *, thread: str, message: str) -> ElementDict:
    """The card as an element of its message."""
    return {
        "id": str(uuid4()),
        "threadId": thread,
        "type": "custom",
        "name": "AnswerCard",
        "display": "inline",
        "forId": message,
        "props": dict(answer_card(answer)),
    }
