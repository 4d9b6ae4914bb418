"""The authorization-code flow with PKCE and a nonce, as a client of one provider."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from copilot.domain.session import Entrusted
from copilot.errors import ProviderError, SignInError, TokenRefusedError
from copilot.identity.provider import Provider
from copilot.identity.verified import Verifier

_SECONDS = 5.0
_RANDOM_BYTES = 32
_GONE = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required", "access_denied"})
"""What a provider says when an account or its consent is no more; anything else may be a fault of its own."""


class NoLongerVouchedError(SignInError):
    """The identity provider no longer vouches for this account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What has to be remembered between sending somebody to the provider and their return."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> Flow:
        """Of fresh randomness."""
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        return cls(state=state, nonce=nonce, verifier=verifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a sign-in or a renewal brought: the verified claims of the id token, None where a renewal brought no new
    one, and what was entrusted to us."""

    claims: Mapping[str, Any] | None
    entrusted: Entrusted = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClient:
    """Us, as the provider knows us. `redirect` is where people come back to."""

    provider: Provider
    verifier: Verifier
    client_id: str
    secret: str | None = field(repr=False)
    redirect: str
    scope: str
    authorize: tuple[tuple[str, str], ...] = ()
    """What the provider wants said besides at a sign-in."""

    async def begin(self, flow: Flow) -> str:
        """The address to send somebody to. Raises ProviderError."""
        metadata = await self.provider.metadata()
        async with self._client(self.scope) as client:
            address, _ = client.create_authorization_url(
                metadata.authorization, state=flow.state, nonce=flow.nonce, code_verifier=flow.verifier,
                **dict(self.authorize),
            )  # fmt: skip
        return str(address)

    async def finish(self, flow: Flow, code: str) -> Signed:
        """Exchange the code that somebody came back with. Raises SignInError, TokenRefusedError or ProviderError."""
        metadata = await self.provider.metadata()
        given = await self._asked(
            "fetch_token", metadata.token, grant_type="authorization_code", code=code, code_verifier=flow.verifier
        )
        token = given.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the provider gave no id token; `openid` must be among the scopes it allows us")
        claims = await self.verifier.id_token(token, flow.nonce)
        return Signed(claims=claims, entrusted=Entrusted(refresh=_text(given.get("refresh_token")), id_token=token))

    async def renew(self, entrusted: Entrusted, external: str) -> Signed:
        """Ask the provider again whether it vouches for an account.

        Raises NoLongerVouchedError where it says that it does not, and ProviderError where it does not answer.
        """
        if entrusted.refresh is None:
            raise ProviderError("the provider gave no refresh token; allow us the scope offline_access")
        metadata = await self.provider.metadata()
        given = await self._asked("refresh_token", metadata.token, refresh_token=entrusted.refresh)
        refresh = _text(given.get("refresh_token")) or entrusted.refresh
        token = _text(given.get("id_token"))
        claims = await self.verifier.id_token(token, None) if token else None
        if claims is not None and claims["sub"] != external:
            raise TokenRefusedError(fault="account")
        return Signed(claims=claims, entrusted=Entrusted(refresh=refresh, id_token=token or entrusted.id_token))

    async def _asked(self, method: str, address: str, **values: str) -> Mapping[str, Any]:
        # no scope: a renewal that asks for what was not granted, offline access say, is refused whole
        async with self._client(scope=None) as client:
            try:
                found = await getattr(client, method)(address, **values)
            except AuthlibBaseError as error:
                if error.error in _GONE:
                    raise NoLongerVouchedError from error
                raise ProviderError(f"the provider refused: {error.error}") from error
            except (httpx2.HTTPError, ValueError, KeyError) as error:
                raise ProviderError(f"the provider can't be asked: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise ProviderError("the provider answered with something that is no object")
        return cast("dict[str, Any]", found)

    def _client(self, scope: str | None) -> Any:
        """The library's client, which brings no types."""
        return AsyncOAuth2Client(
            client_id=self.client_id, client_secret=self.secret, scope=scope, redirect_uri=self.redirect,
            code_challenge_method="S256", timeout=_SECONDS, follow_redirects=False,
            token_endpoint_auth_method="client_secret_basic" if self.secret else "none",
        )  # fmt: skip


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
