"""An OpenID Connect provider, known by its address: what it publishes about itself, and its signing keys."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from copilot.domain.clock import Clock
from copilot.errors import ProviderError

_DISCOVERY = "/.well-known/openid-configuration"
_KEEP_METADATA = timedelta(hours=1)
_KEEP_KEYS = timedelta(minutes=10)
_ASK_AGAIN = timedelta(seconds=30)
"""How soon keys may be fetched again for a key that nobody knows: forged tokens must not make us a load generator."""
_SECONDS = 5.0
_MOST_BYTES = 1_000_000
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a provider publishes; an endpoint it does not have is None."""

    issuer: str
    authorization: str
    token: str
    keys: str
    end_session: str | None = None
    introspection: str | None = None

    @classmethod
    def from_json(cls, issuer: str, body: Mapping[str, Any]) -> Metadata:
        """The published document. Raises ProviderError for one of another issuer, or without what is needed."""
        if body.get("issuer") != issuer:
            raise ProviderError(
                f"the provider at {issuer!r} calls itself {body.get('issuer')!r}; set that as the issuer"
            )
        if "S256" not in body.get("code_challenge_methods_supported", ["S256"]):
            raise ProviderError(f"the provider {issuer!r} does not offer PKCE with S256, which signing in needs")
        return cls(
            issuer=issuer,
            authorization=_address(body, "authorization_endpoint"),
            token=_address(body, "token_endpoint"),
            keys=_address(body, "jwks_uri"),
            end_session=_address(body, "end_session_endpoint") if body.get("end_session_endpoint") else None,
            introspection=_address(body, "introspection_endpoint") if body.get("introspection_endpoint") else None,
        )


class Provider:
    """Asks the provider for its metadata and keys, and keeps both for a while.

    What is kept outlives a provider that does not answer: a token is judged by its signature and its times.
    """

    def __init__(self, issuer: str, clock: Clock, *, http: httpx2.AsyncClient | None = None) -> None:
        """Raises ProviderError for an issuer that is neither https nor on this machine."""
        _secured(issuer, "the issuer")
        self.issuer = issuer
        self.http = http or httpx2.AsyncClient(timeout=_SECONDS, follow_redirects=False)
        self._clock = clock
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, KeySet] | None = None
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """What the provider publishes, at most an hour old where it answers. Raises ProviderError."""
        async with self._lock:
            kept, now = self._metadata, self._clock()
            if kept is not None and now - kept[0] < _KEEP_METADATA:
                return kept[1]
            try:
                body = await self._fetch(self.issuer.rstrip("/") + _DISCOVERY)
                found = Metadata.from_json(self.issuer, body)
            except ProviderError:
                if kept is None:
                    raise
                return kept[1]
            self._metadata = now, found
            return found

    async def keys(self, *, unknown: bool = False) -> KeySet:
        """The signing keys; `unknown` says that a token names a key that is not among those known so far."""
        address = (await self.metadata()).keys
        async with self._lock:
            kept, now = self._keys, self._clock()
            old_enough = _ASK_AGAIN if unknown else _KEEP_KEYS
            if kept is not None and now - kept[0] < old_enough:
                return kept[1]
            try:
                found = KeySet.import_key_set(cast("Any", await self._fetch(address)))
            except (ProviderError, JoseError, ValueError, KeyError, TypeError) as error:
                if kept is None:
                    raise ProviderError(f"the provider {self.issuer!r} gave no usable signing keys") from error
                _log.warning("the provider's signing keys could not be read again: %s", type(error).__name__)
                return kept[1]
            self._keys = now, found
            return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _fetch(self, address: str) -> Mapping[str, Any]:
        try:
            answer = await self.http.get(address, headers={"Accept": "application/json"})
            answer.raise_for_status()
            if len(answer.content) > _MOST_BYTES:
                raise ProviderError(f"the provider {self.issuer!r} answered with more than it should")
            body = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderError(f"the provider {self.issuer!r} can't be asked: {type(error).__name__}") from error
        if not isinstance(body, dict):
            raise ProviderError(f"the provider {self.issuer!r} answered with something that is no object")
        return cast("dict[str, Any]", body)


def _address(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str):
        raise ProviderError(f"the provider names no {name}")
    return _secured(found, name)


def _secured(address: str, what: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ProviderError(f"{what} {address!r} must be an https address")
    return address
