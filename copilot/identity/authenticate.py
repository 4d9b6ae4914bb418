"""From a credential to a person with the grants in force now."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from copilot.domain.clock import Clock
from copilot.domain.principal import Principal
from copilot.domain.question import BearerToken, Credential
from copilot.errors import SignInError


class People(Protocol):
    """Where people and grants are kept."""

    async def principal(self, subject: str, now: datetime) -> Principal: ...


class Tokens(Protocol):
    """What verifies access tokens."""

    def subject(self, token: str) -> str: ...


class Authenticator:
    """Verifies credentials and reads grants afresh each time. Without `tokens`, no access token is valid."""

    def __init__(self, people: People, tokens: Tokens | None, clock: Clock) -> None:
        self._people = people
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, credential: Credential) -> Principal:
        """The person. Raises SignInError for a credential that proves nobody."""
        return await self._people.principal(self._subject(credential), self._clock())

    def _subject(self, credential: Credential) -> str:
        if not isinstance(credential, BearerToken):
            return credential.subject
        if self._tokens is None:
            raise SignInError("access tokens are not set up for this database")
        return self._tokens.subject(credential.token)
