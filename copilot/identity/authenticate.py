"""From a credential to a person with the grants in force now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from copilot.domain.clock import Clock
from copilot.domain.principal import Grant, Principal
from copilot.domain.question import BearerToken, Credential, SessionSubject
from copilot.domain.session import Account, AccountState, Session, Vouched
from copilot.errors import SignInError, TokenRefusedError
from copilot.identity.tokens import is_service
from copilot.settings import SessionSettings

_LABELS_HOLD = timedelta(seconds=60)
_NO_CODES: Mapping[str, Mapping[str, int]] = {"region": {}, "site": {}, "channel": {}}

Codes = Mapping[str, Mapping[str, int]]


class People(Protocol):
    """Where people, their grants and their accounts are kept."""

    async def principal(self, subject: str, now: datetime) -> Principal: ...
    async def account(self, account: Account) -> AccountState | None: ...
    async def service(self, token: str, now: datetime) -> str: ...
    async def label_ids(self) -> Codes: ...


class Tokens(Protocol):
    """What verifies the access tokens of the embedded default."""

    def subject(self, token: str) -> str: ...


class Provided(Protocol):
    """What verifies access tokens of a provider, and the sessions that go on from its sign-ins."""

    async def bearer(self, token: str) -> tuple[Account, datetime, Vouched | None]: ...
    async def alive(self, family: UUID) -> Session: ...
    async def confirmed(self, session: Session) -> Session: ...
    async def vouch(self, vouched: Vouched) -> str: ...


class GroupGrants(Protocol):
    """What groups at a provider give here."""

    def grants(self, groups: Iterable[str], codes: Codes) -> tuple[Grant, ...]: ...


class Authenticator:
    """Verifies credentials and reads grants afresh each time.

    `tokens` are those of the embedded default; `provided` and `groups` of an identity provider. Where both are None, no
    access token is valid.
    """

    def __init__(
        self,
        people: People,
        clock: Clock,
        *,
        tokens: Tokens | None = None,
        provided: Provided | None = None,
        groups: GroupGrants | None = None,
        token_holds: timedelta = SessionSettings.token_holds,
    ) -> None:
        """`token_holds` is how long after its issue a provider's access token is good, unless the provider vouched for
        the account since."""
        self._people = people
        self._clock = clock
        self._tokens = tokens
        self._provided = provided
        self._groups = groups
        self._token_holds = token_holds
        self._codes: tuple[datetime, Codes] | None = None

    async def __call__(self, credential: Credential) -> Principal:
        """The person. Raises SignInError for a credential that proves nobody, ProviderError where nobody can tell."""
        if isinstance(credential, SessionSubject):
            subject = await self._of_session(credential)
        else:
            subject = await self._of_token(credential)
        person = await self._people.principal(subject, self._clock())
        if person.service != (isinstance(credential, BearerToken) and is_service(credential.token)):
            raise SignInError("a service account comes in by its own token, to the API, and nobody else does")
        if self._groups is None or not person.groups:
            return person
        return replace(person, grants=(*person.grants, *self._groups.grants(person.groups, await self._labels())))

    async def _of_session(self, credential: SessionSubject) -> str:
        """Whose session it is, if it still goes on."""
        if credential.session is None:
            return credential.subject
        if self._provided is None:
            raise SignInError("your session has ended; sign in again")
        session = await self._provided.confirmed(await self._provided.alive(_family(credential.session)))
        if session.subject != credential.subject:
            raise SignInError("your session has ended; sign in again")
        return session.subject

    async def _of_token(self, credential: BearerToken) -> str:
        if is_service(credential.token):
            return await self._people.service(credential.token, self._clock())
        if self._provided is not None:
            return await self._of_account(*await self._provided.bearer(credential.token))
        if self._tokens is None:
            raise SignInError("access tokens are not set up for this database")
        return self._tokens.subject(credential.token)

    async def _of_account(self, account: Account, issued: datetime, vouched: Vouched | None) -> str:
        """Whose an access token is. A provider that gave one out vouched for the account at that moment."""
        state = await self._people.account(account)
        last = state.confirmed_at if state else issued
        if state is not None and not state.enabled and issued <= last:
            raise TokenRefusedError(fault="disabled")
        if self._clock() - (issued if state and not state.enabled else max(last, issued)) > self._token_holds:
            raise TokenRefusedError(fault="stale")
        if vouched is not None and (state is None or issued > last):
            assert self._provided is not None  # noqa: S101 -- it verified the token
            return await self._provided.vouch(vouched)
        if state is None or not state.enabled:
            raise TokenRefusedError(fault="unknown")
        return state.subject

    async def _labels(self) -> Codes:
        """The labels by code, read again every minute: the map of groups speaks of codes."""
        now = self._clock()
        if self._codes is None or now - self._codes[0] > _LABELS_HOLD:
            self._codes = now, {**_NO_CODES, **await self._people.label_ids()}
        return self._codes[1]


def _family(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise SignInError("your session has ended; sign in again") from error
