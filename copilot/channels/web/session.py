"""The signed-in session of a browser: Chainlit's own cookie, checked once per request.

The cookie is a token signed with a key of ours; it names a person and ends after eight hours. Where a provider signs
people in it also names the session that goes on from there and holds its secret, which is replaced by and by. Whether
that person may still come in is asked of the copilot again at every request, and again at every question.
"""

from __future__ import annotations

import os
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.requests import HTTPConnection
from starlette.responses import Response

from copilot.domain.question import SessionSubject

SESSION_COOKIE = "erp_copilot_session"
SESSION_SECONDS = 8 * 60 * 60

current_visitor: ContextVar[SessionSubject | None] = ContextVar("current_visitor", default=None)
"""Whom the request in hand is for. Chainlit hands its data layer no user, so this carries it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a session cookie says: the person, and of a session at a provider its name and its secret."""

    subject: str
    session: str | None = None
    secret: str | None = field(default=None, repr=False)

    def metadata(self) -> dict[str, str]:
        """What the cookie carries beside the person."""
        return {"session": self.session or "", "secret": self.secret or ""} if self.secret else {}


def session_key(home: Path) -> str:
    """The signing key of the sessions, made on first use in a file that only its owner reads."""
    path = home / "keys" / "web-session"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    """Write a secret whole or not at all; of two processes doing it at once, the first one's stays."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def ticket_of(token: str, key: str) -> Ticket | None:
    """What a session token says; None where it is not ours, altered or over."""
    try:
        claims = jwt.decode(token, OctKey.import_key(key), algorithms=["HS256"]).claims
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(claims)
    except (JoseError, ValueError):
        return None
    subject, told = claims.get("identifier"), claims.get("metadata")
    if not isinstance(subject, str) or not subject:
        return None
    metadata = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    session, secret = metadata.get("session"), metadata.get("secret")
    if isinstance(session, str) and isinstance(secret, str) and session and secret:
        return Ticket(subject=subject, session=session, secret=secret)
    return Ticket(subject=subject)


def session_token(connection: HTTPConnection) -> str:
    """The session cookie of a request or a WebSocket; empty where there is none."""
    return connection.cookies.get(SESSION_COOKIE, "")


def give_cookie(response: Response, cookie: str, *, secure: bool) -> None:
    """Give the browser a session; whoever verified the person calls this last."""
    response.set_cookie(
        SESSION_COOKIE, cookie, max_age=SESSION_SECONDS, path="/", httponly=True, samesite="lax", secure=secure
    )
