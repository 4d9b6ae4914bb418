"""Signing in through an OpenID Connect provider, and out again there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OctKey

from copilot.channels.web.door import Door, sender_of
from copilot.channels.web.page import fill, framed, html
from copilot.channels.web.problems import problem
from copilot.channels.web.session import SESSION_COOKIE, Ticket, give_cookie, session_token, ticket_of
from copilot.channels.web.signin import to_sign_in
from copilot.domain.clock import Clock
from copilot.errors import ProviderError, SignInError, TokenRefusedError
from copilot.identity.client import Flow

if TYPE_CHECKING:
    from copilot.identity.signon import SignOn

_FLOW_COOKIE = "erp_copilot_signin"
_LEAVE_COOKIE = "erp_copilot_signout"
_FLOW_SECONDS = 600
_FLOWS = 6
"""How many sign-ins one browser may have begun at a time, in tabs of it; the oldest gives way."""
_PLACES = tuple(f"{_FLOW_COOKIE}_{number}" for number in range(_FLOWS))
_LEAVE_SECONDS = 60
_SEALED = {"alg": "dir", "enc": "A256GCM"}
_RETURNED = ("state", "code", "iss", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSignIn:
    """The pages of signing in and out. What a flow has to remember lies sealed in the browser that began it."""

    door: Door
    sign_on: SignOn
    address: str
    clock: Clock

    def routes(self) -> APIRouter:
        """`/signin` and what follows from it, the provider's back channel, and Chainlit's own ways out."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/signin", self.page, methods=["GET"])
        router.add_api_route("/signin/start", self.start, methods=["GET"])
        router.add_api_route("/signin/callback", self.callback, methods=["GET"])
        router.add_api_route("/signin/backchannel", self.told_of_logout, methods=["POST"])
        router.add_api_route("/signout", self.leave, methods=["POST"])
        router.add_api_route("/logout", self.leave_chat, methods=["POST"])
        router.add_api_route("/login", to_sign_in, methods=["GET"])
        router.add_api_route("/login/callback", to_sign_in, methods=["GET"])
        return router

    async def page(self, request: Request) -> Response:
        """One button; whoever signed out is not signed in again by themselves.

        The tab in which the chat's own sign-out was begun goes on to the provider's, by a script that knows which one
        it is. Any other is told, and given the way: a provider may take back what it asks in one tab where it is to ask
        in another.
        """
        if "state" in request.query_params:
            back = to_sign_in()
            back.delete_cookie(_LEAVE_COOKIE, path="/")
            return back
        address = self._kept(request, _LEAVE_COOKIE).get("address")
        return html(self._page(safe_told=fill("leaving", address=address) if isinstance(address, str) else ""))

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider."""
        try:
            address, flow = await self.sign_on.begin()
        except ProviderError:
            return self._failed(503, "Your company's sign-in can't be reached just now. Try again in a moment.")
        response = RedirectResponse(address, status_code=303)
        self._keep(response, self._free_place(request), asdict(flow), _FLOW_SECONDS, path="/signin")
        return response

    async def callback(self, request: Request) -> Response:
        """Whoever comes back from the provider, signed in."""
        returned = {name: request.query_params[name] for name in _RETURNED if name in request.query_params}
        place, flow = self._begun(request, returned.get("state", ""))
        if flow is None:
            if await self.door.visitor(request) is not None:
                return RedirectResponse("/", status_code=303)  # the address of a sign-in that succeeded, opened again
            return self._failed(401, "This sign-in was begun too long ago, or in another browser.")
        try:
            signed = await self.sign_on.finish(flow, returned)
        except TokenRefusedError as error:
            await self.door.copilot.refused("web", error.fault, sender_of(request))
            return self._failed(401, "What your company's sign-in sent could not be verified.", place)
        except SignInError:
            return self._failed(401, "Your company's sign-in did not let you in.", place)
        except ProviderError:
            return self._failed(503, "Your company's sign-in can't be reached just now. Try again in a moment.", place)
        ticket = Ticket(subject=signed.subject, session=str(signed.session.family), secret=signed.secret)
        response = RedirectResponse("/", status_code=303)
        give_cookie(response, self.door.cookie_for(ticket, signed.name), secure=self.door.secure)
        response.delete_cookie(place, path="/signin")
        return response

    async def leave(self, request: Request) -> Response:
        """Sign out, here and at the provider."""
        response = RedirectResponse(await self._left(request) or "/signin", status_code=303)
        response.delete_cookie(SESSION_COOKIE, path="/")
        return response

    async def leave_chat(self, request: Request) -> Response:
        """The chat's own sign-out, after which its page is loaded again and leads to `page`: the way to the provider's
        is kept for that."""
        address = await self._left(request)
        response = JSONResponse({"success": True})
        response.delete_cookie(SESSION_COOKIE, path="/")
        if address is not None:
            self._keep(response, _LEAVE_COOKIE, {"address": address}, _LEAVE_SECONDS, path="/")
        return response

    async def told_of_logout(self, request: Request) -> Response:
        """OpenID Connect Back-Channel Logout 1.0: a session or an account ended at the provider."""
        form = parse_qs((await request.body()).decode("utf-8", errors="replace"))
        try:
            await self.sign_on.told_of_logout(form.get("logout_token", [""])[0])
        except TokenRefusedError as error:
            await self.door.copilot.refused("web", error.fault, sender_of(request))
            return problem(400, "This logout token is not valid.", code="invalid_request")
        except ProviderError:
            return problem(503, "The provider's keys can't be had just now.")
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    async def _left(self, request: Request) -> str | None:
        """End the browser's session; returns the provider's page to end its own, where it has one."""
        ticket = ticket_of(session_token(request), self.door.key)
        if ticket is None or ticket.secret is None:
            return None
        try:
            session = await self.sign_on.find(ticket.secret)
            return await self.sign_on.leave(session, f"{self.address}/signin")
        except SignInError:
            return None

    def _failed(self, status: int, told: str, place: str | None = None) -> Response:
        response = html(self._page(safe_told=fill("told", text=told)), status=status)
        if place is not None:
            response.delete_cookie(place, path="/signin")
        return response

    def _page(self, safe_told: str = "") -> str:
        provider = urlsplit(self.sign_on.client.provider.issuer).hostname or "your company"
        body = fill("oidc_signin", provider=provider, safe_told=safe_told)
        return framed("Sign in", safe_lead="Sign in with your company's account.", safe_body=body)

    def _free_place(self, request: Request) -> str:
        """Where a sign-in that begins is remembered: each tab has its own, the oldest gives way."""
        return min(_PLACES, key=lambda place: self._kept(request, place).get("exp", 0))

    def _begun(self, request: Request, state: str) -> tuple[str, Flow | None]:
        """The sign-in that somebody comes back from, and where it is remembered. One that is not theirs by its state
        is another of this browser's, to be refused by it; none where none is under way."""
        flows = {place: flow for place in _PLACES if (flow := _flow(self._kept(request, place)))}
        for place, flow in flows.items():
            if flow.state == state:
                return place, flow
        return next(iter(flows.items()), (_PLACES[0], None))

    def _keep(self, response: Response, name: str, values: Mapping[str, str], seconds: int, *, path: str) -> None:
        """Seal some values into a cookie for a while."""
        claims = {**values, "for": name, "exp": int(self.clock().timestamp()) + seconds}
        sealed = jwt.encode(_SEALED, claims, self._sealing_key(), registry=JWERegistry(algorithms=[*_SEALED.values()]))
        response.set_cookie(
            name, sealed, max_age=seconds, path=path, httponly=True, samesite="lax", secure=self.door.secure
        )

    def _kept(self, request: Request, name: str) -> Mapping[str, Any]:
        """What was sealed into a cookie; nothing where it is not ours, altered or over."""
        registry = JWERegistry(algorithms=[*_SEALED.values()])
        try:
            claims = jwt.decode(request.cookies.get(name, ""), self._sealing_key(), registry=registry).claims
        except (JoseError, ValueError, json.JSONDecodeError):
            return {}
        over = int(claims.get("exp", 0)) <= self.clock().timestamp()
        return {} if over or claims.get("for") != name else claims

    def _sealing_key(self) -> OctKey:
        return OctKey.import_key(hashlib.sha256(b"sign-in flow\n" + self.door.key.encode()).digest())


def _flow(kept: Mapping[str, Any]) -> Flow | None:
    try:
        return Flow(state=str(kept["state"]), nonce=str(kept["nonce"]), verifier=str(kept["verifier"]))
    except KeyError:
        return None
