"""Signing in to the chat as one of the demo company's people, on this machine only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from copilot.channels.web.door import Door
from copilot.channels.web.page import fill, framed, html
from copilot.channels.web.problems import problem
from copilot.channels.web.security import is_loopback
from copilot.channels.web.session import SESSION_COOKIE, Ticket, give_cookie
from copilot.domain.question import DemoPerson

_CSRF_COOKIE = "erp_copilot_csrf"
_ROLES = {
    "customer_service": "Customer service",
    "planner": "Planning",
    "buyer": "Purchasing",
    "warehouse": "Warehouse",
    "finance": "Finance",
    "auditor": "Audit",
    "admin": "Administration",
}


class SignIn(Protocol):
    """A way to sign in. Its routes include `GET /signin`, where whoever has no session is sent."""

    def routes(self) -> APIRouter:
        """The pages of this way to sign in."""
        ...


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """A list of people to be, without a password. It exists only where the copilot has demo people."""

    door: Door

    def routes(self) -> APIRouter:
        """`/signin`, `/signout` and Chainlit's `/login`, which only leads here."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/signin", self.page, methods=["GET"])
        router.add_api_route("/signin", self.submit, methods=["POST"])
        router.add_api_route("/signout", self.leave, methods=["POST"])
        router.add_api_route("/login", to_sign_in, methods=["GET"])
        router.add_api_route("/login/callback", to_sign_in, methods=["GET"])
        return router

    async def page(self, request: Request) -> Response:
        """The people to choose from."""
        people = await self._people(request)
        if not people:
            page = framed("No sign-in", safe_lead="There is no sign-in here.", safe_body=fill("no_signin"))
            return html(page, status=404)
        token = self._csrf()
        buttons = "".join(_button(person, token) for person in people)
        lead, body = "Demo company. Who do you want to be?", fill("signin", safe_people=buttons)
        response = html(framed("Sign in", safe_lead=lead, safe_body=body))
        _keep_csrf(response, token, secure=self.door.secure)
        return response

    async def submit(self, request: Request) -> Response:
        """Become one of them."""
        form = parse_qs((await request.body()).decode("utf-8", errors="replace"))
        token = form.get("csrf", [""])[0]
        if not self._csrf_holds(token, request.cookies.get(_CSRF_COOKIE, "")):
            return problem(403, "This form is no longer valid. Open the sign-in page again.", code="csrf")
        people = {person.subject: person for person in await self._people(request)}
        person = people.get(form.get("subject", [""])[0])
        if person is None:
            return problem(403, "There is no such demo sign-in.", code="no_such_person")
        response = RedirectResponse("/", status_code=303)
        give_cookie(
            response, self.door.cookie_for(Ticket(subject=person.subject), person.name), secure=self.door.secure
        )
        response.delete_cookie(_CSRF_COOKIE, path="/signin")
        return response

    async def leave(self) -> Response:
        """Sign out."""
        response = RedirectResponse("/signin", status_code=303)
        response.delete_cookie(SESSION_COOKIE, path="/")
        return response

    async def _people(self, request: Request) -> tuple[DemoPerson, ...]:
        """Nobody for a caller from another machine: these sign-ins ask for no secret."""
        if request.client is None or not is_loopback(request.client.host):
            return ()
        if not is_loopback(request.url.hostname or ""):
            return ()
        return await self.door.copilot.demo_people()

    def _csrf(self) -> str:
        nonce = secrets.token_urlsafe(24)
        return f"{nonce}.{self._signature(nonce)}"

    def _csrf_holds(self, sent: str, kept: str) -> bool:
        nonce, _, signature = sent.partition(".")
        ours = hmac.compare_digest(signature.encode(), self._signature(nonce).encode())
        return ours and hmac.compare_digest(sent.encode(), kept.encode())

    def _signature(self, nonce: str) -> str:
        return hmac.new(self.door.key.encode(), f"csrf:{nonce}".encode(), hashlib.sha256).hexdigest()


async def chat_or_sign_in(request: Request, door: Door, page: str) -> Response:
    """The chat's page for whoever has a session, the sign-in for everybody else."""
    visitor = await door.visitor(request)
    if visitor is None:
        return to_sign_in()
    response = html(page)
    door.remember(response, visitor)
    return response


def to_sign_in() -> Response:
    """To the page that signs people in."""
    return RedirectResponse("/signin", status_code=303)


def _keep_csrf(response: Response, token: str, *, secure: bool) -> None:
    response.set_cookie(
        _CSRF_COOKIE, token, max_age=3_600, path="/signin", httponly=True, samesite="strict", secure=secure
    )


def _button(person: DemoPerson, token: str) -> str:
    initials = "".join(word[0] for word in person.name.split()[:2] if word)
    return fill(
        "person",
        csrf=token,
        subject=person.subject,
        initials=initials.upper(),
        name=person.name,
        role=_ROLES.get(person.role, person.role.replace("_", " ").capitalize()),
        where=person.where,
    )
