"""`POST /api/v1/ask`, `GET /health` and the page that documents them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from copilot.channels.web.door import Door, sender_of
from copilot.channels.web.problems import PROBLEM
from copilot.channels.web.question_text import clean_conversation, clean_question
from copilot.domain.ports import Copilot
from copilot.domain.question import MAX_QUESTION, BearerToken, Question
from copilot.errors import SignInError


class AskIn(BaseModel):
    """One question."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(
        description=f"What to ask, up to {MAX_QUESTION:,} characters.", examples=["Where is SO-10482?"]
    )
    conversation: str | None = Field(
        default=None, description="The id an earlier answer carried, to go on from it; null to begin."
    )


class FactOut(BaseModel):
    """One printed value."""

    ref: str = Field(description="Source and field, such as S1.promised_date.")
    value: str | int | bool | None = Field(description="The value as stored; quantities and amounts times a million.")
    unit: str | None
    text: str = Field(description="The value as the answer prints it.")


class ResidencyOut(BaseModel):
    """Where the data comes from, and where it may be processed."""

    origins: list[str] = Field(description="The regions it comes from.")
    places: list[str] = Field(description="Where it may be processed; `*` is everywhere.")


class SourceOut(BaseModel):
    """One record, measure or passage the answer stands on."""

    id: str
    kind: Literal["record", "measure", "passage"]
    system: str
    entity: str
    key: str
    age: int = Field(description="Seconds since the source system last confirmed it.")
    link: str | None = Field(description="The record's page in its own system.")
    residency: ResidencyOut
    fields: dict[str, str]


class ChoiceOut(BaseModel):
    """One of several records the question could mean."""

    label: str
    question: str = Field(description="The question that picks this one.")


class AnswerOut(BaseModel):
    """The answer, the same in every channel."""

    answer: str = Field(description="Markdown. Every figure in it is one of the facts.")
    verdict: Literal["verified", "partial", "declined"]
    reason: str | None = Field(description="Why not everything was answered.")
    engine: Literal["rules", "model"] = Field(description="Whether a model was used; code prints every answer.")
    fallback: str | None = Field(
        description="Why a model that was to help did not: resting, slow, failed, over_budget, not_allowed, "
        "may_not_leave or refused."
    )
    understood: str = Field(description="The question as understood, in one line; empty where the answer says it.")
    facts: list[FactOut]
    sources: list[SourceOut]
    choices: list[ChoiceOut]
    next_steps: list[str]
    conversation: str
    audit_id: str
    elapsed_ms: int


class Problem(BaseModel):
    """What went wrong, without anything from the inside."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; meant for programs.")
    detail: str = Field(description="A sentence; meant for people.")


class ModelOut(BaseModel):
    """One model that may help."""

    model: str = Field(description="As the settings call it.")
    tasks: list[str]
    breaker: Literal["closed", "open", "half_open"] = Field(
        description="Open: it failed and is left alone; half open: the next question tries it."
    )
    since: datetime | None = Field(description="When the breaker opened.")
    last_failure: str | None = Field(description="slow, or failed.")
    over_budget: bool = Field(description="Whether today's budget of the company is used up.")


class HealthOut(BaseModel):
    """Whether questions can be answered, and whether the models help."""

    status: Literal["ok", "degraded", "unavailable"] = Field(
        description="Degraded: all is answered, but a model that is to help does not."
    )
    components: dict[str, str]
    models: list[ModelOut]
    by_rules: list[str] = Field(description="The tasks of models that the rules do alone now.")


def _responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"model": Problem, "content": {PROBLEM: schema}} for status in statuses}


def api_routes(copilot: Copilot, door: Door) -> APIRouter:
    """The routes for programs. A browser that is signed in to the chat may use them by the same cookie."""
    router = APIRouter()

    @router.post(
        "/api/v1/ask",
        response_model=AnswerOut,
        responses=_responses(401, 403, 413, 422, 503),
        summary="Ask one question",
        tags=["api"],
    )
    async def ask(
        request: Request, body: AskIn, token: Annotated[BearerToken | None, Depends(_bearer)]
    ) -> JSONResponse:
        """Needs a bearer token, or the chat's session. A declined question is an answer too: look at the verdict."""
        visitor = None if token else await door.visitor(request)
        credential = token or (visitor.credential if visitor else None)
        if credential is None:
            raise SignInError
        question = Question(
            text=clean_question(body.question), channel="api", conversation=clean_conversation(body.conversation)
        )
        answer = await copilot.ask(question, credential)
        response = JSONResponse(answer.to_json(), headers={"Cache-Control": "no-store"})
        if visitor is not None:
            door.remember(response, visitor)
        return response

    @router.api_route("/api/v1/ask", methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def not_like_this() -> None:
        """The chat is mounted over every path and would call this one unknown."""
        raise HTTPException(405, headers={"Allow": "POST"})

    @router.get(
        "/health", response_model=HealthOut, responses={503: {"model": HealthOut}}, summary="Is it up?", tags=["api"]
    )
    async def health() -> JSONResponse:
        """200 where questions are answered, by the rules alone too; else 503."""
        found = await copilot.health()
        status = 503 if found.status == "unavailable" else 200
        return JSONResponse(found.to_json(), status_code=status, headers={"Cache-Control": "no-store"})

    return router


def _bearer(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> BearerToken | None:
    """The token of the Authorization header; None where there is no such header."""
    return BearerToken(credentials.credentials, sender_of(request)) if credentials else None
