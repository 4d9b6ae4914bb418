"""Access tokens of the embedded default: short-lived JWTs signed with a key that never leaves the data folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from datetime import timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from copilot.domain.clock import Clock
from copilot.errors import TokenRefusedError

_ISSUER = "erp-copilot"
_AUDIENCE = "erp-copilot-api"
LIFETIME = timedelta(hours=8)
_SERVICE = "erpc_"
"""How the token of a service account begins; no JWT does."""
_SERVICE_BYTES = 32


def new_service_token() -> str:
    """A token for a service account: random, so that its hash is enough to know it by."""
    return _SERVICE + secrets.token_urlsafe(_SERVICE_BYTES)


def is_service(token: str) -> bool:
    """Whether a token is meant as one of a service account."""
    return token.startswith(_SERVICE)


class LocalTokens:
    """Issues and verifies tokens with the key in `home`/token.key (0600, made on first use)."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._file = home / "token.key"
        self._clock = clock

    def issue(self, subject: str) -> str:
        """A token for one person, valid for eight hours."""
        now = int(self._clock().timestamp())
        claims = {
            "iss": _ISSUER, "aud": _AUDIENCE, "sub": subject, "iat": now, "exp": now + int(LIFETIME.total_seconds()),
        }  # fmt: skip
        return jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, self._key(), algorithms=["HS256"])

    def subject(self, token: str) -> str:
        """Whose token this is. Raises TokenRefusedError for one that is forged, expired or meant for something else."""
        try:
            decoded = jwt.decode(token, self._key(), algorithms=["HS256"])
            now = int(self._clock().timestamp())
            registry = jwt.JWTClaimsRegistry(
                now=now,
                iss={"essential": True, "value": _ISSUER},
                aud={"essential": True, "value": _AUDIENCE},
                sub={"essential": True},
                exp={"essential": True},
            )
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise TokenRefusedError(fault="local") from error
        if decoded.header.get("typ") != "at+jwt":
            raise TokenRefusedError(fault="kind")
        return str(decoded.claims["sub"])

    def _key(self) -> OctKey:
        if not self._file.exists():
            part = self._file.with_suffix(f".{secrets.token_hex(4)}")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                os.link(part, self._file)  # another program may have been first: its key holds
            part.unlink()
        return OctKey.import_key(self._file.read_text().strip())
