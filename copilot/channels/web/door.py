"""Who is behind a request: the one place where a browser's cookie becomes a person."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from starlette.requests import HTTPConnection
from starlette.responses import Response

from copilot.channels.web.session import Ticket, give_cookie, session_token, ticket_of
from copilot.domain.ports import Copilot
from copilot.domain.question import SessionSubject
from copilot.errors import SignInError, TokenRefusedError

if TYPE_CHECKING:
    from copilot.identity.signon import SignOn


class CookieMaker(Protocol):
    """Makes the value of the session cookie."""

    def __call__(self, ticket: Ticket, name: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody signed in; `cookie` is the one to go on with, None where the one they have is still good."""

    credential: SessionSubject
    cookie: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Lets in whoever has a session that holds. `sign_on` is there where a provider signs people in: then nobody comes
    in by a cookie that it did not stand behind."""

    copilot: Copilot
    key: str
    cookie_for: CookieMaker
    secure: bool
    sign_on: SignOn | None = None

    async def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """The person behind a request, None for nobody. Raises DatabaseError or AuditError where that can't
        be told."""
        ticket = ticket_of(session_token(connection), self.key)
        if ticket is None:
            return None
        try:
            credential, secret = await self._let_in(ticket)
            name = await self.copilot.person_name(credential)
        except TokenRefusedError as error:
            await self.copilot.refused("web", error.fault, sender_of(connection))
            return None
        except SignInError:
            return None
        if secret is None:
            return Visitor(credential=credential)
        renewed = Ticket(subject=credential.subject, session=credential.session, secret=secret)
        return Visitor(credential=credential, cookie=self.cookie_for(renewed, name))

    def credential(self, token: str) -> SessionSubject:
        """Who is behind a connection that was let in and is still open. Raises SignInError without a session."""
        ticket = ticket_of(token, self.key)
        if ticket is None or (self.sign_on is None) != (ticket.session is None):
            raise SignInError("Your session has ended.")
        return SessionSubject(ticket.subject, ticket.session)

    def remember(self, response: Response, visitor: Visitor) -> None:
        """Hand a visitor the cookie to go on with."""
        if visitor.cookie is not None:
            give_cookie(response, visitor.cookie, secure=self.secure)

    async def _let_in(self, ticket: Ticket) -> tuple[SessionSubject, str | None]:
        if self.sign_on is None:
            if ticket.secret is not None:
                raise SignInError
            return SessionSubject(ticket.subject), None
        if ticket.secret is None:
            raise SignInError
        session = await self.sign_on.find(ticket.secret)
        if session.subject != ticket.subject or str(session.family) != ticket.session:
            raise SignInError
        secret = await self.sign_on.replaced(session, ticket.secret)
        return SessionSubject(session.subject, str(session.family)), secret


def sender_of(connection: HTTPConnection) -> str:
    """Where a request comes from, as far as that counts for one sender: an address, of IPv6 the network.

    Behind a proxy it is the proxy's: what a request says of itself proves nothing.
    """
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host
