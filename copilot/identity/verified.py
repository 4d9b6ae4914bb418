"""Judges tokens that a provider signed: id tokens, access tokens and logout tokens, each for what it is and no other.

What is refused says by a stable word what was wrong with it; that word goes to the audit and to nobody else.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import KeySet

from copilot.domain.clock import Clock
from copilot.errors import TokenRefusedError
from copilot.identity.provider import Provider

Kind = Literal["id", "access", "logout"]
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""Signatures that only the holder of a private key can make: never `none`, never a shared secret."""
_LEEWAY = 60
"""Seconds by which clocks may differ."""
_LONGEST = 16_384
_TYPES: Mapping[Kind, frozenset[str]] = {
    "id": frozenset({"", "jwt"}),
    "access": frozenset({"", "jwt", "at+jwt", "application/at+jwt"}),
    "logout": frozenset({"", "jwt", "logout+jwt"}),
}
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Verifies the tokens of one provider.

    `client` is who we are to it, the audience of id and logout tokens; `audience` that of access tokens for our API,
    None where there is no API to come in by.
    """

    provider: Provider
    clock: Clock
    client: str
    audience: str | None = None

    async def id_token(self, token: str, nonce: str | None) -> Mapping[str, Any]:
        """The claims of an id token. `nonce` is that of the request; None for one that a refresh brought.

        Raises TokenRefusedError, or ProviderError where the keys can't be had.
        """
        claims = await self._claims(token, "id", self.client)
        if nonce is not None and claims.get("nonce") != nonce:
            raise TokenRefusedError(fault="nonce")
        audiences = claims["aud"]
        if (audiences not in (self.client, [self.client]) or "azp" in claims) and claims.get("azp") != self.client:
            raise TokenRefusedError(fault="audience")
        return claims

    async def access_token(self, token: str) -> Mapping[str, Any]:
        """The claims of an access token for our API: no id token, and none for somebody else's."""
        if self.audience is None:
            raise TokenRefusedError(fault="audience")
        claims = await self._claims(token, "access", self.audience)
        if "nonce" in claims or "at_hash" in claims or claims.get("typ") in ("ID", "Refresh", "Offline"):
            raise TokenRefusedError(fault="kind")
        if "events" in claims:
            raise TokenRefusedError(fault="kind")
        return claims

    async def logout_token(self, token: str) -> Mapping[str, Any]:
        """The claims of a back-channel logout token: whose session, or which one, has ended at the provider."""
        claims = await self._claims(token, "logout", self.client)
        events = claims.get("events")
        if not isinstance(events, dict) or _LOGOUT_EVENT not in events or "nonce" in claims:
            raise TokenRefusedError(fault="kind")
        if not claims.get("jti") or not (claims.get("sid") or claims.get("sub")):
            raise TokenRefusedError(fault="malformed")
        if self._now() - int(claims["iat"]) > _LOGOUT_SECONDS:
            raise TokenRefusedError(fault="expired")
        return claims

    async def _claims(self, token: str, kind: Kind, audience: str) -> Mapping[str, Any]:
        header = _header(token)
        if header.get("alg") not in ALGORITHMS:
            raise TokenRefusedError(fault="algorithm")
        if str(header.get("typ", "")).lower() not in _TYPES[kind]:
            raise TokenRefusedError(fault="kind")
        claims = await self._signed(token, header)
        if not isinstance(claims.get("iss", ""), str) or not isinstance(claims.get("aud", ""), str | list):
            raise TokenRefusedError(fault="malformed")
        if "sub" in claims and (not isinstance(claims["sub"], str) or not claims["sub"]):
            raise TokenRefusedError(fault="malformed")
        essential: dict[str, Any] = {"iat": {"essential": True}}
        if kind != "logout":
            essential |= {"sub": {"essential": True}, "exp": {"essential": True}}
        registry = jwt.JWTClaimsRegistry(
            now=self._now(), leeway=_LEEWAY, iss={"essential": True, "value": self.provider.issuer},
            aud={"essential": True, "value": audience}, **essential,
        )  # fmt: skip
        try:
            registry.validate(dict(claims))
        except ExpiredTokenError as error:
            raise TokenRefusedError(fault="expired") from error
        except (InvalidClaimError, MissingClaimError) as error:
            raise TokenRefusedError(fault=_CLAIMS.get(error.claim, "malformed")) from error
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefusedError(fault="malformed") from error
        return claims

    async def _signed(self, token: str, header: Mapping[str, Any]) -> Mapping[str, Any]:
        """The claims under a signature of the provider; keys are asked for again once where the key is not known."""
        keys = await self.provider.keys()
        if not _among(keys, header):
            keys = await self.provider.keys(unknown=True)
        if not _among(keys, header):
            raise TokenRefusedError(fault="key")
        try:
            decoded = jwt.decode(
                token, keys, registry=jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
            )
        except BadSignatureError as error:
            raise TokenRefusedError(fault="signature") from error
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefusedError(fault="malformed") from error
        return decoded.claims

    def _now(self) -> int:
        return int(self.clock().timestamp())


_CLAIMS: Mapping[str, str] = {"iss": "issuer", "aud": "audience", "exp": "expired", "nbf": "expired", "iat": "expired"}


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > _LONGEST or token.count(".") != 2 or not all(map(_is_canonical, token.split("."))):
        raise TokenRefusedError(fault="malformed")
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefusedError(fault="malformed") from error
    if "crit" in header or "b64" in header:
        raise TokenRefusedError(fault="malformed")
    return header


def _is_canonical(part: str) -> bool:
    """Whether it is the one way to write its bytes: in another, one token would pass for two."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return False
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == part


def _among(keys: KeySet, header: Mapping[str, Any]) -> bool:
    """Whether a key is the one a token names; a token that names none is tried with the only one there is."""
    named = header.get("kid")
    return len(keys.keys) == 1 if named is None else any(key.kid == named for key in keys.keys)
