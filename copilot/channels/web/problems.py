"""Errors over HTTP: problem+json (RFC 9457) with a stable code and nothing from the inside."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from copilot.channels.web.question_text import QuestionEmptyError, QuestionError, QuestionTooLongError
from copilot.errors import (
    AuditError,
    CopilotError,
    DatabaseError,
    NoAccessError,
    PolicyNotInForceError,
    ProviderError,
    SignInError,
)

PROBLEM = "application/problem+json"
_log = logging.getLogger("copilot.web")

_STATUS: Mapping[type[CopilotError], int] = {
    SignInError: 401,
    NoAccessError: 403,
    QuestionEmptyError: 422,
    QuestionTooLongError: 413,
    QuestionError: 422,
    AuditError: 503,
    DatabaseError: 503,
    PolicyNotInForceError: 503,
    ProviderError: 503,
}
_CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request could not be read"),
    401: ("not_signed_in", "Not signed in"),
    403: ("forbidden", "Not allowed"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Not done this way"),
    413: ("too_large", "Too large"),
    421: ("wrong_host", "Wrong host"),
    422: ("invalid_request", "The request is not valid"),
    500: ("internal", "Something went wrong"),
    503: ("unavailable", "Not available just now"),
}


def problem(
    status: int, detail: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """One problem as a response; the title follows from the status."""
    usual_code, title = _CODES.get(status, ("error", "Error"))
    used = code or usual_code
    body = {"type": f"/docs#{used}", "title": title, "status": status, "code": used, "detail": detail}
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=dict(headers or {}))


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""
    app.add_exception_handler(CopilotError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def plain_words(error: Exception) -> str:
    """An error in words fit for anybody: questions are told in full, everything else by its kind only."""
    if isinstance(error, QuestionError):
        return str(error)
    if isinstance(error, CopilotError):
        return str(type(error)())
    return "The copilot could not do this."


def log_unexpected(error: Exception, where: str) -> str:
    """Log an error nobody foresaw under an id that may be shown. Returns the id."""
    incident = secrets.token_hex(4)
    _log.error("%s failed (incident %s)", where, incident, exc_info=error)
    return incident


async def _expected(request: Request, error: Exception) -> JSONResponse:
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    if status >= 500:
        log_unexpected(error, request.url.path)
    headers = {"WWW-Authenticate": 'Bearer realm="erp-copilot", error="invalid_token"'} if status == 401 else None
    code = error.code if isinstance(error, CopilotError) else None
    return problem(status, plain_words(error), code=code, headers=headers)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    places = [_place(item["loc"]) for item in error.errors()] if isinstance(error, RequestValidationError) else []
    named = ", ".join(dict.fromkeys(place for place in places if place)) or "the body"
    return problem(422, f"Not as documented: {named}.")


def _place(location: tuple[int | str, ...]) -> str:
    """The documented field a complaint is about; words of the caller's own are not repeated."""
    named = [str(part) for part in location if part in ("question", "conversation", "authorization")]
    return named[-1] if named else ""


async def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    _code, title = _CODES.get(status, ("error", "Error"))
    return problem(status, f"{title}.", headers=headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    incident = log_unexpected(error, request.url.path)
    return problem(500, f"The copilot could not do this. Its log names the cause under {incident}.")
